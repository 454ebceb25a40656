"""Links like real ones below, on and beside everything else that a lab has: each kind does what was asked, or says why not."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import SHUT_WR
from typing import Any

import pytest

from pynetemu import (
    Bond,
    Bridge,
    Gre,
    Host,
    Hub,
    LabError,
    Link,
    Macvlan,
    Network,
    Root,
    Router,
    Switch,
    Topology,
    Vrf,
    Vxlan,
    WireGuard,
)
from pynetemu.lab.impairments import directions
from tests.support.relays import relays
from tests.support.wait import wait_until

pytestmark = pytest.mark.slow

_Settings = dict[str, Any]


class Kinds(Topology):
    """A lab in which what `a` sends to `b` goes over the link `wire`, and to `c` not."""

    arp = "permanent"

    def build(self, kind: str, settings: _Settings) -> None:
        self.a, self.b, self.c = Host(), Host(), Host()
        _KINDS[kind](self, settings)


def _bridge_in_a_host(lab: Any, settings: _Settings) -> None:
    lab.machine = Router()
    docker0 = Bridge(lab.machine, "docker0", "172.17.0.1/16")
    lab.wire, lab.others = Link(docker0, lab.b, **settings), [Link(lab.a, docker0), Link(lab.c, docker0)]


def _hub(lab: Any, settings: _Settings) -> None:
    lab.hub = Hub()
    lab.wire, lab.others = Link(lab.b, lab.hub, **settings), [Link(lab.a, lab.hub), Link(lab.c, lab.hub)]


def _parent_of_macvlans(lab: Any, settings: _Settings) -> None:
    lab.machine, lab.s1 = Host(), Switch()
    up = lab.machine.interface("eth0", auto_addresses=False)
    lab.wire, lab.others = Link(up, lab.s1, **settings), [Link(lab.b, lab.s1)]
    lab.containers = [Macvlan(up, lab.a), Macvlan(up, lab.c)]


def _one_of_parallel_links(lab: Any, settings: _Settings) -> None:
    lab.wire = Link(lab.a.interface("e1"), lab.b, **settings)
    lab.beside, lab.other = Link(lab.a.interface("e2"), lab.b.interface("e2")), Link(lab.a, lab.c)


def _below_a_vxlan(lab: Any, settings: _Settings) -> None:
    _tunneled(lab, settings, Vxlan(lab.a.interface("t"), lab.b.interface("t"), id=7))


def _below_a_gre(lab: Any, settings: _Settings) -> None:
    _tunneled(lab, settings, Gre(lab.a.interface("t"), lab.b.interface("t")))


def _below_wireguard(lab: Any, settings: _Settings) -> None:
    _tunneled(lab, settings, WireGuard(lab.a.interface("t"), lab.b.interface("t")))


def _tunneled(lab: Any, settings: _Settings, tunnel: Link) -> None:
    lab.r1, lab.tunnel = Router(), tunnel
    lab.wire, lab.others = Link(lab.r1, lab.b, **settings), [Link(lab.a, lab.r1), Link(lab.a, lab.c)]


def _below_a_bond(lab: Any, settings: _Settings) -> None:
    lab.s1 = Switch()
    lab.wire, lab.second = Link(lab.b, lab.s1, **settings), Link(lab.b, lab.s1, **settings)
    lab.bond, lab.others = Bond(lab.b, [lab.wire, lab.second]), [Link(lab.a, lab.s1), Link(lab.c, lab.s1)]


def _below_vlans(lab: Any, settings: _Settings) -> None:
    near, far = lab.a.interface("e", auto_addresses=False), lab.b.interface("e", auto_addresses=False)
    lab.s1 = Switch()
    lab.wire, lab.others = Link(far, lab.s1, **settings), [Link(near, lab.s1), Link(lab.a, lab.c)]
    near.vlan(10, "10.7.0.1/24")
    far.vlan(10, "10.7.0.2/24")


def _in_a_vrf(lab: Any, settings: _Settings) -> None:
    lab.r1 = Router()
    lab.wire, lab.others = Link(lab.r1, lab.b, **settings), [Link(lab.a, lab.r1), Link(lab.c, lab.r1)]
    lab.red = Vrf(lab.r1, 10, [lab.wire, *lab.others])


_KINDS: dict[str, Callable[[Any, _Settings], None]] = {
    "bridge in a host": _bridge_in_a_host,
    "hub": _hub,
    "parent of macvlans": _parent_of_macvlans,
    "one of parallel links": _one_of_parallel_links,
    "below a Vxlan": _below_a_vxlan,
    "below a Gre": _below_a_gre,
    "below WireGuard": _below_wireguard,
    "below a bond": _below_a_bond,
    "below VLANs": _below_vlans,
    "in a VRF": _in_a_vrf,
}
_NEEDS = {"parent of macvlans": "macvlan", "below a Vxlan": "vxlan"}
_IN_A_VM = {
    "below a Gre": "gre",
    "below WireGuard": "wireguard",
    "below a bond": "bond",
    "below VLANs": "802.1Q",
    "in a VRF": "vrf",
}
_OWN_ADDRESSES = {"below VLANs": "10.7.0.2"}
_DELAYED: _Settings = {"delay": "50ms", "seed": 1}


def _least(net: Network, a: str, target: str) -> float:
    """The least round trip in ms, 0 for no answer."""
    told = str(net[a].run("ping", "-q", "-c3", "-i0.02", "-W2", target).stdout)
    return float((re.findall(r"= ([\d.]+)/", told) or ["0"])[0])


def _await(net: Network, a: str, target: str, least: float) -> None:
    """A busy machine may be slow for a while, and what was too fast would stay so."""
    wait_until(lambda: least <= _least(net, a, target) < least + 90, what=f"round trips of {least} ms from {a} to {target}")


def _poured(net: Network, target: str) -> int:
    """How many bytes of so many arrive by TCP."""
    with net["b"].socket() as listener, net["a"].socket() as sender:
        listener.bind((target, 0))
        listener.listen()
        sender.connect(listener.getsockname())
        receiver, _ = listener.accept()
        with receiver, ThreadPoolExecutor() as pool:
            sent = pool.submit(sender.sendall, bytes(300_000))
            sent.add_done_callback(lambda _: sender.shutdown(SHUT_WR))
            total = sum(map(len, iter(lambda: receiver.recv(1 << 16), b"")))
            sent.result()
    return total


def _address_over_the_wire(net: Network, kind: str) -> str:
    if kind in _OWN_ADDRESSES:
        return _OWN_ADDRESSES[kind]
    names = {"one of parallel links": "eth0"}
    wanted = names.get(kind, "t" if kind.startswith("below a ") or kind == "below WireGuard" else "")
    chosen = [i for i in net.interfaces("b") if i.name != "lo" and any(a.version == 4 for a in i.addresses)]
    found = next((i for i in chosen if i.name == wanted), chosen[0])
    return str(next(a.ip for a in found.addresses if a.version == 4))


@pytest.mark.parametrize("described", [True, False], ids=["described", "set later"])
@pytest.mark.parametrize(
    "kind",
    [
        *(kind for kind in _KINDS if kind not in _NEEDS and kind not in _IN_A_VM),
        *(pytest.param(kind, marks=pytest.mark.needs(needed)) for kind, needed in _NEEDS.items()),
        *(pytest.param(kind, marks=[pytest.mark.needs(needed), pytest.mark.long]) for kind, needed in _IN_A_VM.items()),
    ],
)
def test_a_link_is_delayed_wherever_it_is(kind: str, described: bool) -> None:
    with Network(Kinds(kind=kind, settings=_DELAYED if described else {}), name="kinds") as net:
        target = _address_over_the_wire(net, kind)
        if not described:
            _await(net, "a", target, 0)
            for link in ("wire", "second") if kind == "below a bond" else ("wire",):
                net.link(link).set(**_DELAYED)
        assert {one.mechanism for one in net.link("wire").directions} == {"relay"}
        _await(net, "a", target, 100)
        _await(net, "a", "c", 0)
        if not described:
            assert _poured(net, target) == 300_000
        net.link("wire").set(delay="100ms")
        if kind != "below a bond":
            _await(net, "a", target, 200)
        net.undo()
        _await(net, "a", target, 100)


class OnBoth(Topology):
    """A wire with macvlans at both ends, of two other nodes."""

    arp = "permanent"

    def build(self, settings: _Settings) -> None:
        self.m1, self.m2, self.a, self.b = Host(), Host(), Host(), Host()
        near, far = (machine.interface("eth0", auto_addresses=False) for machine in (self.m1, self.m2))
        self.wire, self.on = Link(near, far, **settings), [Macvlan(near, self.a), Macvlan(far, self.b)]


@pytest.mark.needs("macvlan")
def test_a_wire_whose_ends_both_carry_interfaces_of_other_nodes_is_left_as_it_is() -> None:
    with Network(OnBoth(settings={}), name="on-both") as net:
        with pytest.raises(LabError, match="both ends of the link between m1 eth0 and m2 eth0 carry other interfaces"):
            net.link("wire").set(**_DELAYED)
        assert net.link("wire").directions[0].mechanism == ""
        _await(net, "a", "b", 0)
    with Network(OnBoth(settings=_DELAYED), name="on-both") as net:
        _await(net, "a", "b", 100)


class Two(Topology):
    """Two switches with hosts: what is plugged in elsewhere."""

    arp = "permanent"
    h1, h2, h3, s1, s2 = Host(), Host(), Host(), Switch(), Switch()
    w1, w2, w3, trunk = Link(h1, s1, delay="50ms", seed=1), Link(h2, s1), Link(h3, s2), Link(s1, s2)


def test_what_a_link_does_goes_with_it_to_another_switch_and_back() -> None:
    with Network(Two(), name="moved") as net:
        _await(net, "h1", "h2", 100)
        net.move("h1", "s1", "s2")
        _await(net, "h1", "h3", 100)
        net.link("w1").set(delay="100ms")
        net.move("h1", "s2", "s1")
        assert [one.impairment.words for one in net.link("w1").directions] == [("delay 100ms", "seed 1")] * 2
        _await(net, "h1", "h3", 200)
        net.undo()
        net.undo()
        _await(net, "h1", "h3", 100)
        net.undo()
        _await(net, "h1", "h2", 100)


def test_a_pair_lasts_while_a_node_moves_and_ends_with_it(tmp_path: Path) -> None:
    with Network(Two(), name="pair-moved") as net:
        net.pair("h2", "h3").set(delay="50ms", seed=None)
        _await(net, "h2", "h3", 100)
        net.move("h2", "s1", "s2")
        _await(net, "h2", "h3", 100)
        net.remove("h3")
        assert {(one.node, one.impairment.words) for one in directions(net)} == {
            ("h1", ("delay 50ms", "seed 1")),
            ("s1", ("delay 50ms", "seed 1")),
        }
        net.save(tmp_path / "now.py")
        net.undo()
        _await(net, "h2", "h3", 100)


def test_renamed_interfaces_stopped_and_paused_nodes_keep_what_their_links_do() -> None:
    with Network(Two(), name="power") as net:
        for node, interface in ("h1", "eth0"), ("s1", "h1"), ("h2", "eth0"):
            for words in (interface, "down"), (interface, "name", "other"), ("other", "up"):
                net[node].run("ip", "link", "set", *words, check=True)
        _await(net, "h1", "h2", 100)
        net.link("w1").set(delay="100ms")
        _await(net, "h1", "h2", 200)
        net.link("w2").set(delay="50ms", mechanism="relay")
        _await(net, "h1", "h2", 300)
        for node in "h3", "s1":
            net.pause(node)
            net.resume(node)
            net.stop(node)
            net.link("w1").set(delay="50ms")
            net.link("w3").set(delay="50ms", mechanism="relay")
            net.start(node)
            _await(net, "h1", "h3", 200)
            net.undo()
            net.undo()
            _await(net, "h1", "h3", 200)


class Other(Topology):
    arp = "permanent"
    h1, h2, h3, s1, s2 = Host(), Host(), Host(), Switch(), Switch()
    w1, w2, w3, trunk = Link(h1, s1), Link(h2, s1, delay="50ms", seed=4), Link(h3, s2), Link(s1, s2, delay="50ms", seed=1)


def test_changes_within_changes_leave_what_was_before_while_packets_are_under_way() -> None:
    others = relays()
    with Network(Two(), name="nested") as net:
        (relay,) = relays() - others
        with net["h1"].start("ping", "-q", "-i0.01", "h2", stdout=-1) as ping:
            with net.changed(Other()):
                _await(net, "h1", "h2", 100)
                _await(net, "h1", "h3", 100)
                net.link("w1").set(delay="50ms", mechanism="relay")
                _await(net, "h1", "h2", 200)
                net.link("w1").set(loss="1%")
                net.undo()
                net.undo()
                _await(net, "h1", "h2", 100)
            _await(net, "h1", "h2", 100)
            _await(net, "h2", "h3", 0)
            ping.terminate()
            ping.wait()
        assert relays() - others == {relay}
        assert {(one.node, one.impairment.words) for one in directions(net)} == {
            ("h1", ("delay 50ms", "seed 1")),
            ("s1", ("delay 50ms", "seed 1")),
        }


class OnMachine(Topology):
    root, h1 = Root(), Host()
    wire = Link(root.interface("impk0", "10.203.78.1/30"), h1.interface("eth0", "10.203.78.2/30"))


@pytest.mark.root
def test_a_link_of_the_machine_becomes_a_relayed_one_and_changes() -> None:
    with Network(OnMachine(), host=True, name="kinds-host") as net:
        _await(net, "root", "10.203.78.2", 0)
        net.link("wire").set(**_DELAYED)
        _await(net, "root", "10.203.78.2", 100)
        net.undo()
        _await(net, "root", "10.203.78.2", 0)
    wait_until(lambda: not Path("/sys/class/net/impk0").exists(), what="the end of the link")
