"""Whom a frame is addressed to, what bridges keep, and what goes on in another shape: each proof, and what is one off."""

import struct
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import pytest

from pynetemu.packets.dissect import dissect
from pynetemu.plan.operations import Impair
from pynetemu.trace.evidence.lookups import Link, Neighbor
from pynetemu.trace.journeys.journey import Journey, Sighting
from pynetemu.trace.sources.events import Event
from pynetemu.trace.verdicts import addressed, bridge_causes, connections, emulated, groups
from pynetemu.trace.verdicts.fragments import Fragments
from pynetemu.trace.verdicts.verdict import Ending, Reason

pytestmark = pytest.mark.pure

_OWN, _OTHER, _ALL = "02:00:00:00:00:01", "02:00:00:00:00:02", "ff:ff:ff:ff:ff:ff"
_SYN, _ACK, _FIN, _RST = 0x02, 0x10, 0x01, 0x04


def _frame(
    to: str = _OTHER, source: str = _OWN, destination: str = "10.1.0.2", data: bytes = b"", flags: int = _SYN, number: int = 7
) -> bytes:
    """TCP from port 1000 of 10.1.0.1 to port 80; from there where that is the destination."""
    ours = destination != "10.1.0.1"
    ends = ip_address("10.1.0.1" if ours else "10.1.0.2").packed + ip_address(destination).packed
    ports = (1000, 80) if ours else (80, 1000)
    segment = struct.pack(">HHIIBBHHH", *ports, number, 0, 5 << 4, flags, 1000, 0, 0) + data
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, 64, 6, 0) + ends
    return bytes.fromhex((to + source).replace(":", "")) + b"\x08\x00" + header + segment


def _seen(frame: bytes, *places: tuple[str, str, str], time: int = 1) -> Sighting:
    """The last of several sightings of one frame, at (node, interface, kind)."""
    before = None
    for place in places:
        before = Sighting(Event(time, *place, frame, len(frame)), before)  # type: ignore[arg-type]
        time += 1
    assert before is not None
    return before


def _journey(last: Sighting) -> Journey:
    return Journey(list(reversed([*last.back()])))


def _link(index: int, name: str, **more: Any) -> Link:
    return Link(index, name, _OWN, 1500, up=True, carrier=True, **more)


class _Evidence:
    """What a few nodes say of themselves."""

    def __init__(self, links: tuple[Link, ...] = (), neighbors: tuple[Neighbor, ...] = (), **more: Any) -> None:
        names = {link.index: link.name for link in links}
        self._tables = SimpleNamespace(
            links={link.name: link for link in links},
            names=names,
            neighbors=neighbors,
            forwarding=more.get("forwarding", {}),
            kept_macs=more.get("kept", {}),
        )
        self.macs, self.owners = more.get("macs", {}), more.get("owners", {})
        self._emulated: dict[tuple[str, str], Impair] = more.get("emulated", {})

    def tables(self, node: str) -> Any:
        return self._tables

    def link(self, node: str, name: str) -> Link | None:
        found: Link | None = self._tables.links.get(name)
        return found

    def emulated(self, node: str, interface: str) -> Impair | None:
        return self._emulated.get((node, interface))

    def ended_by_relay(self, *_: object) -> None:
        return None


def _wiring(**more: Any) -> Any:
    return SimpleNamespace(owners=more.get("owners", {}), under=more.get("under", {}), peers=more.get("peers", {}))


def _case(leaf: Sighting, evidence: Any, wiring: Any = None) -> Any:
    packet = dissect(leaf.event.data)
    return SimpleNamespace(leaf=leaf, packet=packet, evidence=evidence, wiring=wiring, node=leaf.event.node)


_SENT = (("h1", "eth0", "out"), ("s1", "p1", "in"))


@pytest.mark.parametrize(("to", "is_told"), [(_ALL, True), ("33:33:00:00:00:01", True), (_OTHER, False)])
def test_a_packet_for_one_in_a_frame_for_many(to: str, is_told: bool) -> None:
    leaf = _seen(_frame(to), *_SENT)
    neighbors = Neighbor(2, "10.1.0.9", _OTHER, True), Neighbor(2, "10.1.0.2", to, True)
    evidence: Any = _Evidence((_link(2, "eth0"),), neighbors)
    packet = dissect(leaf.event.data)
    found = addressed.for_all_by_mistake(leaf, packet, _wiring(owners={"10.1.0.2": {"h2"}}), evidence)
    if is_told:
        assert found is not None and found.kind == "mac" and found.hint == "h1 ip neigh del 10.1.0.2 dev eth0"
        assert found.text.endswith(f"it is addressed to {to}, and what it carries is for 10.1.0.2 alone")
    else:
        assert found is None
    assert addressed.for_all_by_mistake(leaf, packet, _wiring(), evidence) is None  # for nobody that is known


def test_questions_for_neighbors_are_for_many_by_their_nature() -> None:
    wiring = _wiring(owners={"fd00::2": {"h2"}})
    asked: Any = SimpleNamespace(ttl=255, protocol="ND", destination="fd00::2")
    assert not addressed.is_for_one(asked, wiring)
    asked.protocol = "ICMPv6"
    assert addressed.is_for_one(asked, wiring)
    asked.ttl = None
    assert not addressed.is_for_one(asked, wiring)


def test_an_entry_is_taken_away_only_where_it_is_wrong() -> None:
    leaf, link = _seen(_frame(), *_SENT), _link(2, "eth0")
    entry = Neighbor(2, "10.1.0.2", _OTHER, True)
    wrong: Any = _Evidence((link,), (entry,), macs={_OTHER: [("h3", "eth0")]}, owners={"10.1.0.2": {"h2"}})
    assert addressed.hint_for(leaf, wrong) == "h1 ip neigh del 10.1.0.2 dev eth0"
    right: Any = _Evidence((link,), (entry,), macs={_OTHER: [("h2", "eth0")]}, owners={"10.1.0.2": {"h2"}})
    assert addressed.hint_for(leaf, right) == "h1 ip neigh"
    elsewhere: Any = _Evidence((link,), (Neighbor(3, "10.1.0.2", _OTHER, True),))
    assert addressed.hint_for(leaf, elsewhere) == "h1 ip neigh"


@pytest.mark.parametrize(
    ("ports", "protocol", "is_it"), [((67, 68), "UDP", True), ((68, 67), "UDP", False), ((67, 68), "TCP", False)]
)
def test_a_dhcp_servers_answer_finds_its_client(ports: tuple[int, int], protocol: str, is_it: bool) -> None:
    packet: Any = SimpleNamespace(ports=ports, protocol=protocol)
    assert addressed.is_for_client(packet) is is_it


def test_a_frame_to_its_own_sender() -> None:
    leaf = _seen(_frame(_OWN), *_SENT)
    found = bridge_causes.to_its_sender(leaf, _Evidence((_link(2, "eth0"),)))  # type: ignore[arg-type]
    assert found is not None and found.text.endswith(f"it is addressed to {_OWN}; that of h1 eth0, which has sent it")
    silent: Any = _Evidence((_link(2, "eth0", does_arp=False),))
    off = bridge_causes.to_its_sender(leaf, silent)
    assert off is not None and off.text == "h1 eth0 neither asks nor answers: ARP is off there"
    assert bridge_causes.to_its_sender(_seen(_frame(), *_SENT), silent) is None
    without = bytes(12) + _frame()[12:]  # of a device without MAC addresses
    assert bridge_causes.to_its_sender(_seen(without, *_SENT), silent) is None


def test_a_bridge_keeps_what_is_among_its_own_addresses() -> None:
    ports = _link(1, "br0", kind="bridge"), _link(2, "p2", master=1)
    leaf = _seen(_frame(), *_SENT)
    evidence: Any = _Evidence(ports, kept={_OTHER: 2})
    found = bridge_causes.kept(_case(leaf, evidence))
    assert found is not None and found.hint == f"s1 bridge fdb del {_OTHER} dev p2 master"
    assert bridge_causes.kept(_case(leaf, _Evidence(ports, kept={_OWN: 2}))) is None


@pytest.mark.parametrize(
    ("number", "passes", "hint"),
    [(3, 0, "0x8"), (3, 8, ""), (3, 4, "0xc"), (0, 0, ""), (2, 0, ""), (0x0E, 0, ""), (0x0F, 0, "0x8000"), (0x10, 0, "")],
)
def test_a_reserved_group_is_passed_on_where_that_is_set(number: int, passes: int, hint: str) -> None:
    ports = _link(1, "br0", kind="bridge", passes=passes), _link(2, "p2", master=1)
    frame = _frame(f"01:80:c2:00:00:{number:02x}")
    found = bridge_causes.reserved("s1", ports[1], frame, _Evidence(ports).tables("s1"))
    assert (found.hint if found else "") == (f"s1 ip link set br0 type bridge group_fwd_mask {hint}" if hint else "")
    assert bridge_causes.reserved("s1", ports[1], _frame("01:80:c2:00:01:03"), _Evidence(ports).tables("s1")) is None


def _to_group(group: str) -> bytes:
    packed = ip_address(group).packed
    if len(packed) == 4:
        return b"\x01\x00\x5e" + bytes(9) + b"\x08\x00" + bytes(16) + packed
    return b"\x33\x33" + bytes(10) + b"\x86\xdd" + bytes(24) + packed


@pytest.mark.parametrize(
    ("group", "is_listened_for"),
    [
        *(("239.1.2.3", True), ("224.0.1.1", True), ("224.0.0.1", False), ("10.1.0.2", False)),
        *(("ff05::9", True), ("ff02::1:ff00:1", True), ("ff02::1", False), ("fd00::2", False)),
    ],
)
def test_of_which_groups_bridges_want_to_hear(group: str, is_listened_for: bool) -> None:
    assert bridge_causes.group_of(_to_group(group)) == (group if is_listened_for else "")


@pytest.mark.parametrize(("snoops", "floods", "kind"), [(True, True, "multicast"), (False, True, None), (True, False, "flood")])
def test_a_port_without_a_member(snoops: bool, floods: bool, kind: str | None) -> None:
    ports = _link(1, "br0", kind="bridge", snoops=snoops), _link(2, "p2", master=1, floods_groups=floods)
    tables = _Evidence(ports).tables("s1")
    found = bridge_causes._not_flooded("s1", ports[1], _to_group("239.1.2.3"), tables)
    assert (found.kind if found else None) == kind
    assert bridge_causes._not_flooded("s1", ports[1], _frame(), tables) is None
    assert bridge_causes._not_flooded("s1", ports[1], _frame(_ALL), tables) is None


def test_macvlans_of_mode_vepa_need_a_port_that_sends_back() -> None:
    places = {_OWN: [("box1", "mv")], _OTHER: [("box2", "mv")]}
    wiring = _wiring(under={("box1", "mv"): ("pc", "eth0"), ("box2", "mv"): ("pc", "eth0")})
    case = _case(_seen(_frame(), *_SENT), _Evidence(macs=places), wiring)
    found = bridge_causes.without_hairpin(case, _link(2, "p1"))
    assert found is not None and found.hint == "s1 bridge link set dev p1 hairpin on"
    assert bridge_causes.without_hairpin(case, _link(2, "p1", hairpin=True)) is None
    wiring.under["box2", "mv"] = ("pc2", "eth0")
    assert bridge_causes.without_hairpin(case, _link(2, "p1")) is None
    assert bridge_causes.without_hairpin(_case(_seen(_frame(), *_SENT), _Evidence(), wiring), _link(2, "p1")) is None


def test_a_packet_that_a_node_has_cut_into_segments_goes_on() -> None:
    whole = _seen(_frame(data=b"x" * 3000, flags=_ACK), ("h1", "eth0", "out"), ("r1", "eth0", "in"))
    first = _seen(_frame(data=b"x" * 1400, flags=_ACK), ("r1", "eth1", "out"), time=3)
    known = Fragments([_journey(whole), _journey(first)])
    frame = whole.event.data
    assert known.go_on_as_segments("r1", frame, 2) and known.go_on_as_segments("r1", frame, 3)
    assert not known.go_on_as_segments("r1", frame, 4)  # sent before it came
    assert not known.go_on_as_segments("r2", frame, 2)
    assert not known.go_on_as_segments("r1", _frame(data=b"x", flags=_ACK, number=8), 2)
    assert not known.go_on_as_segments("r1", _frame(flags=_ACK), 2)  # without data
    assert not Fragments([_journey(whole)]).go_on_as_segments("r1", frame, 2)


def _impaired(*settings: str, mechanism: Any = "relay") -> Impair:
    return Impair("r1", "eth1", "r2", "eth0", mechanism, settings)


@pytest.mark.parametrize(
    ("settings", "age", "is_told"),
    [("delay 1s", 0.0, True), ("delay 1s", 1.5, False), ("delay 1s, rate 16kbit", 1.5, True), ("loss 1%", 0.0, False)],
)
def test_what_a_link_still_carries(settings: str, age: float, is_told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pynetemu.trace.verdicts.emulated.time.time_ns", lambda: 10**12 + int(age * 10**9))
    op = _impaired(*settings.split(", "))
    evidence: Any = _Evidence(emulated={("r1", "eth1"): op})
    ending = Ending(_seen(_frame(), ("r1", "eth1", "out"), time=10**12), "dropped", Reason("lost", "not seen"))
    reason = emulated.named(ending, _wiring(), evidence).reason
    assert reason is not None
    assert (reason.kind == "emulated" and reason.text.startswith("still under way: the link from r1 eth1")) is is_told
    assert is_told or reason.text == "not seen"


@pytest.mark.parametrize(("mechanism", "is_told"), [("tbf", True), ("netem", True), ("relay", False), ("filter", False)])
def test_a_queue_that_is_the_links(mechanism: str, is_told: bool) -> None:
    found = emulated.of_queue(_impaired("rate 1mbit", mechanism=mechanism))
    assert (found is not None) is is_told
    assert emulated.of_queue(None) is None


def test_a_filter_loses_on_arrival_what_sockets_have_seen() -> None:
    wiring = _wiring(peers={("r2", "eth0"): ("r1", "eth1")})
    lossy: Any = _Evidence(emulated={("r1", "eth1"): _impaired("loss 100%", mechanism="filter")})
    found = emulated.on_arrival("r2", "eth0", wiring, lossy)
    assert found is not None and found.text.startswith("lost by the link from r1 eth1")
    assert emulated.on_arrival("r2", "eth1", wiring, lossy) is None
    other: Any = _Evidence(emulated={("r1", "eth1"): _impaired("loss 100%")})
    assert emulated.on_arrival("r2", "eth0", wiring, other) is None


@pytest.mark.parametrize(
    ("settings", "is_same", "kind"),
    [("corrupt 9%", False, "emulated"), ("corrupt 9%", True, "checksum"), ("loss 9%", False, "checksum")],
)
def test_what_came_out_of_a_link_with_other_bytes(settings: str, is_same: bool, kind: str) -> None:
    wiring = _wiring(peers={("r2", "eth0"): ("r1", "eth1")})
    evidence: Any = _Evidence(emulated={("r1", "eth1"): _impaired(settings)})
    sent = _seen(_frame(data=b"x"), ("r1", "eth1", "out"))
    came = Sighting(Event(2, "r2", "eth0", "in", _frame(data=b"x" if is_same else b"y"), 60), sent)
    leaf = Sighting(Event(3, "web", "eth0", "in", came.event.data, 60), came)
    for last in leaf, Sighting(came.event) if not is_same else leaf:  # nobody need have seen how it was before
        found = emulated.named(Ending(last, "dropped", Reason("checksum", "")), wiring, evidence).reason
        assert found is not None and found.kind == kind


_HELLO, _ANSWER = b"GET /", b"200 OK"


def _connection(*segments: tuple[str, int, int, bytes], unseen: bool = False) -> list[Journey]:
    """A handshake, and then (sender, time in ms, flags, data); `unseen` by h1 is what web sends."""
    all_of_it = (("h1", 0, _SYN, b""), ("web", 1, _SYN | _ACK, b""), ("h1", 2, _ACK, b""), *segments)
    found = []
    for sender, time, flags, data in all_of_it:
        frame = _frame(destination="10.1.0.2" if sender == "h1" else "10.1.0.1", data=data, flags=flags)
        far = "web" if sender == "h1" else "h1"
        places = [(sender, "eth0", "out"), (far, "eth0", "in")][: 1 if unseen and sender == "web" and data else 2]
        found.append(_journey(_seen(frame, *places, time=time * 1_000_000)))
    return found


_ASKS, _SHUTS, _LEAVES = ("h1", 3, _ACK, _HELLO), ("h1", 4, _FIN | _ACK, b""), ("h1", 2000, _FIN | _ACK, b"")
_SAYS_NOTHING = "web has sent nothing on the connection"


@pytest.mark.parametrize(
    ("segments", "told"),
    [
        ([_ASKS, _SHUTS, ("web", 9, _FIN | _ACK, b"")], "web closed the connection without an answer"),
        ([_ASKS, _SHUTS], f"{_SAYS_NOTHING}, which h1 closed when it had asked"),
        ([_ASKS, _LEAVES], f"{_SAYS_NOTHING}: h1 gave up after 2.0 s"),
        ([_ASKS, _LEAVES, ("web", 2001, _FIN | _ACK, b"")], f"{_SAYS_NOTHING}: h1 gave up after 2.0 s"),
        ([_ASKS, ("h1", 4, _RST, b"")], f"{_SAYS_NOTHING}: h1 gave up after 0.0 s"),
        ([_ASKS, ("web", 9, _RST, b"")], "web reset the connection without an answer"),
        ([_ASKS, ("web", 9, _ACK, _ANSWER), ("web", 10, _FIN, b""), ("h1", 11, _FIN, b"")], ""),
    ],
)
def test_how_a_connection_came_to_nothing(segments: list[tuple[str, int, int, bytes]], told: str) -> None:
    found = [reason.text for reason in connections.came_to_nothing(_connection(*segments))]
    assert ("".join(found)).startswith(told) and bool(found) is bool(told)


@pytest.mark.parametrize("unseen", [False, True])
def test_a_server_has_stopped_only_where_its_last_word_came(unseen: bool) -> None:
    segments = [_ASKS, ("web", 9, _ACK, _ANSWER), _LEAVES]
    found = [reason.text for reason in connections.came_to_nothing(_connection(*segments, unseen=unseen))]
    assert found == ([] if unseen else ["web stopped sending after 6 bytes: h1 gave up 2.0 s later"])


@pytest.mark.parametrize(
    ("kind", "address", "is_it"),
    [("echo request", "239.1.2.3", True), ("echo request", "10.1.0.2", False), ("", "239.1.2.3", False)],
)
def test_a_ping_to_a_group(kind: str, address: str, is_it: bool) -> None:
    packet: Any = SimpleNamespace(kind=kind, destination=address)
    assert groups.is_group_ping(packet) is is_it
