"""Changes of a running lab: it becomes another one, whole, or stays what it was; what both have is not touched."""

import json
import os
import signal
import subprocess
import threading
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from pynetemu import (
    Host,
    HttpServer,
    KernelError,
    LabError,
    Link,
    Network,
    Router,
    Service,
    ServiceError,
    Switch,
    Topology,
    finished,
    prints,
)
from pynetemu.plan.operations import AddRoute, Plan
from tests.support.labs import mine
from tests.support.wait import wait_until


class Two(Topology):
    s1 = Switch()
    h1, h2 = Host(), Host()
    wires = [Link(h1, s1), Link(h2, s1)]
    web = HttpServer(h2, port=80)
    sleeper = Service(h1, "sleep 1000")


class Routed(Topology):
    """h2 has moved to another switch, behind a router, and its web server to a third host."""

    s1, s2 = Switch(), Switch()
    h1, h2, h3 = Host(), Host(), Host()
    r1 = Router()
    wires = [Link(h1, s1), Link(h2, s2), Link(h3, s1), Link(r1, s1), Link(r1, s2)]
    web = HttpServer(h3, port=80)
    sleeper = Service(h1, "sleep 1000")


class Also77(Topology):
    """As Routed, but that h1 has another address too."""

    s1, s2 = Switch(), Switch()
    h1, h2, h3 = Host(), Host(), Host()
    r1 = Router()
    first = Link(h1.interface("eth0", "10.0.1.1/24", "10.0.1.77/24"), s1)
    wires = [Link(h2, s2), Link(h3, s1), Link(r1, s1), Link(r1, s2)]


def _json(net: Network, node: str, *words: str) -> Any:
    return json.loads(net[node].run(*words, check=True).stdout or "[]")


def _page(net: Network, host: str) -> str:
    """Whose page h1 gets from a web server."""
    return str(net["h1"].run("curl", "-s", host, check=True).stdout).removeprefix("Hello from ").partition(".")[0]


def _with(plan: Plan, *operations: Any) -> Plan:
    return Plan(plan.name, (*plan.operations, *operations))


_NO_SUCH_GATEWAY = AddRoute("h3", ip_network("10.9.0.0/16"), ip_address("10.8.8.8"), source="lab.py:7")


def test_a_lab_becomes_another_and_back_and_what_both_have_lives_on() -> None:
    with Network(Two(), name="changes-1") as net:
        (sleeper,) = net.services
        link = _json(net, "h1", "ip", "-j", "link", "show", "eth0")
        started = net["h1"].start("sleep", "1000")
        in_h2 = net["h2"].start("sleep", "1000")
        assert _page(net, "h2") == "h2"

        net.apply(Routed())

        assert net.nodes == ("s1", "s2", "h1", "h2", "h3", "r1")
        assert net.ping_all().loss == 0
        assert _page(net, "h3") == "h3"
        assert net["h1"].run("curl", "-s", "-m30", "10.0.2.2").status == 7  # refused: the server has gone from h2
        assert _json(net, "h1", "ip", "-j", "link", "show", "eth0") == link
        assert [found.pid for found in net.services] == [sleeper.pid]
        assert started.poll() is None
        assert in_h2.poll() is None

        net.undo()

        assert list(net.nodes) == ["s1", "h1", "h2"]
        assert _page(net, "h2") == "h2"
        assert "r1" not in net["h1"].run("cat", "/etc/hosts").stdout
        assert _json(net, "h1", "ip", "-j", "route", "show", "default") == []
        assert [found.pid for found in net.services] == [sleeper.pid]
        assert started.poll() is None
        with pytest.raises(LabError, match="no change to take back"):
            net.undo()
        for process in started, in_h2:
            process.kill()
            process.wait()
            process.close()


def test_the_programs_of_a_node_that_goes_end_and_those_of_others_do_not() -> None:
    class Alone(Topology):
        s1 = Switch()
        h1 = Host()
        wires = [Link(h1, s1)]
        sleeper = Service(h1, "sleep 1000")

    with Network(Two(), name="changes-2") as net:
        (sleeper,) = net.services
        gone = net["h2"].start("sh", "-c", "setsid sleep 1001 & exec sleep 1002")
        net.apply(Alone())
        assert gone.wait() == -9
        gone.close()
        assert not net["h1"].run("pgrep", "-f", "^sleep 100[12]$").stdout
        assert [(found.pid, found.status) for found in net.services] == [(sleeper.pid, None)]
        with pytest.raises(LabError, match="no node 'h2'"):
            net["h2"]


def test_a_change_that_the_kernel_refuses_is_taken_back_whole() -> None:
    with Network(Two(), name="changes-3") as net:
        before = _everything(net)
        net["h1"].run("ip", "route", "add", "10.77.0.0/16", "via", "10.0.1.2", check=True)
        own = _json(net, "h1", "ip", "-j", "route", "show", "10.77.0.0/16")
        with pytest.raises(KernelError) as refused:
            net.apply(_with(net.planned(Routed()), _NO_SUCH_GATEWAY))
        assert str(refused.value).startswith("lab.py:7: the kernel refused `ip -n h3 route replace 10.9.0.0/16 via 10.8.8.8`: ")
        assert str(refused.value).endswith("the lab is as it was before")
        assert net.nodes == ("s1", "h1", "h2")
        assert _json(net, "h1", "ip", "-j", "route", "show", "10.77.0.0/16") == own
        net["h1"].run("ip", "route", "del", "10.77.0.0/16", check=True)
        assert _everything(net) == before
        assert net.ping_all().loss == 0
        assert _page(net, "h2") == "h2"


def test_a_service_that_does_not_become_ready_and_ctrl_c_take_a_change_back() -> None:
    class Failing(Routed):
        bad = Service(Routed.h3, "exit 7", ready=finished())

    class Endless(Routed):
        slow = Service(Routed.h3, "echo begun; exec sleep 1000", ready=prints("never"), timeout=60)

    with Network(Two(), name=mine("changes")) as net:
        before = _everything(net)
        with pytest.raises(ServiceError, match=r"(?s)status 7 before it was ready.*as it was before"):
            net.apply(Failing())
        assert _everything(net) == before

        def interrupt() -> None:
            with Network.attach(mine("changes")) as other:
                wait_until(lambda: any(service.name == "slow" for service in other.services), what="the slow service")
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

        impatient = threading.Thread(target=interrupt)
        impatient.start()
        with pytest.raises(KeyboardInterrupt):
            net.apply(Endless())
        impatient.join()
        assert _everything(net) == before
        assert net.ping_all().loss == 0


def test_two_terminals_agree() -> None:
    with Network(Two(), name=mine("changes")) as net, Network.attach(mine("changes")) as other:
        assert other.nodes == net.nodes
        other.apply(Routed())
        assert net.nodes == ("s1", "s2", "h1", "h2", "h3", "r1")
        assert net["h3"].run("hostname").stdout == "h3\n"
        assert net.inventory.kinds["r1"] == "router"
        net.undo()
        assert other.nodes == ("s1", "h1", "h2")

        net["h1"].run("ip", "route", "add", "10.77.0.0/16", "via", "10.0.1.2", "table", "9", check=True)
        net["h1"].run("ip", "route", "add", "10.78.0.0/16", "dev", "eth0", check=True)
        routes = _routes(net, "h1")
        net.set_link("h1", "s1", up=False)
        assert _json(net, "h1", "ip", "-j", "route", "show", "table", "9") == []
        other.set_link("h1", "s1", up=True)
        wait_until(lambda: net.links("h1", "s1")[0].is_up)
        assert _routes(net, "h1") == routes


def test_what_was_made_by_hand_stays_unless_it_is_in_the_way() -> None:
    with Network(Two(), name="changes-6") as net:
        net["h1"].run("ip", "link", "add", "mine", "type", "veth", "peer", "name", "other", check=True)
        in_the_way = "ip link add h3 type veth peer name h3-far; ip addr add 10.66.0.1/24 dev h3; ip link set h3 up"
        net["s1"].run("sh", "-ec", f"{in_the_way}; ip route add 10.67.0.0/16 via 10.66.0.2", check=True)
        net["h1"].run("ip", "route", "add", "default", "via", "10.0.1.2", check=True)
        net["h1"].run("ip", "route", "add", "default", "via", "10.0.1.2", "metric", "7", check=True)
        net["h1"].run("ip", "addr", "add", "10.0.1.77/24", "brd", "+", "dev", "eth0", check=True)
        before = _everything(net)
        told = (
            "s1 h3, which was made by hand, is called h3-old now",
            "h1: the route default via 10.0.1.2, which was set by hand, has given way",
            "h1 eth0 has 10.0.1.77/24 already, by hand",
        )
        with pytest.raises(KernelError):
            net.apply(_with(net.planned(Also77()), _NO_SUCH_GATEWAY))
        assert _everything(net) == before
        assert net.apply(Also77()).told == told
        assert net["h1"].run("ip", "link", "show", "mine").status == 0
        assert _json(net, "s1", "ip", "-j", "route", "show", "10.67.0.0/16")[0]["dev"] == "h3-old"
        defaults = _json(net, "h1", "ip", "-j", "route", "show", "default")
        assert [route["gateway"] for route in defaults] == ["10.0.1.254", "10.0.1.2"]
        assert net.ping_all("h1", "h2", "h3", "r1").loss == 0
        net.undo()
        assert _everything(net) == before


def _everything(net: Network) -> dict[str, Any]:
    """What `ip` tells of each node, without what is another at each birth."""
    found: dict[str, Any] = {}
    for node in net.nodes:
        links = _json(net, node, "ip", "-j", "-d", "link")
        for link in links:
            for name in "ifindex", "link_index", "link_netnsid", "linkinfo", "flags":
                link.pop(name, None)
        found[node] = sorted(map(str, links)), _routes(net, node)
    return found


def _routes(net: Network, node: str) -> list[str]:
    """Of all tables, but for those of IPv6's link-local addresses, which come a moment later."""
    return sorted(map(str, _json(net, node, "ip", "-4", "-j", "route", "show", "table", "all")))


class Larger(Two):
    """As Two, with a switch before the others and a host between them, whose names come first."""

    s0 = Switch()
    h0 = Host()
    more = [Link(h0, s0), Link(s0, Two.s1), Link(Two.h1, s0)]


def test_what_is_kept_keeps_its_names_addresses_and_macs_and_loses_no_packet() -> None:
    """Each change is one, and so is the packet that would be lost: 20 changes there and back, 100 with PYNETEMU_ALL_CASES."""
    with Network(Two(), name="changes-7") as net:
        before = {(i.node, i.name): (i.mac, i.addresses) for i in net.interfaces() if i.kind == "veth"}
        flood = net["h1"].start("ping", "-q", "-i", "0.002", "h2", stdout=subprocess.PIPE)
        for _ in range(100 if os.environ.get("PYNETEMU_ALL_CASES") else 10):
            net.apply(Larger())
            after = {(i.node, i.name): (i.mac, i.addresses) for i in net.interfaces() if i.kind == "veth"}
            assert {place: after[place] for place in before} == before
            net.apply(Two())
        flood.send_signal(signal.SIGINT)
        assert flood.stdout is not None
        assert b" 0% packet loss" in flood.stdout.read()
        flood.wait()
        flood.close()


def test_applying_the_same_is_nothing_and_who_is_told_macs_stays_so() -> None:
    def star(n: int) -> Topology:
        class Star(Topology):
            s1 = Switch()

            def build(self) -> None:
                for i in range(1, n + 1):
                    self.add(Link(self.add(f"h{i}", Host()), self.s1))

        return Star()

    with Network(star(40), name="changes-8") as net:  # so many that all are told
        assert not net.apply(star(40))
        net.apply(star(3))
        entries = _json(net, "h1", "ip", "-j", "neigh", "show", "nud", "permanent")
        assert sorted(entry["dst"] for entry in entries) == ["10.0.1.2", "10.0.1.3"]
        net.apply(star(4))
        entries = _json(net, "h4", "ip", "-j", "neigh", "show", "nud", "permanent")
        assert sorted(entry["dst"] for entry in entries) == ["10.0.1.1", "10.0.1.2", "10.0.1.3"]
        assert net.ping_all().loss == 0
        assert str(net.undo()) == "removed h4; changed s1, h1, h2, h3"
