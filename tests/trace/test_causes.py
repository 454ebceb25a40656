"""Causes of drops, each with what proves it, and with what is one off: boundaries, second cases, both IP versions."""

import ast
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from pynetemu.trace.evidence.routing import Routing
from pynetemu.trace.evidence.rules import Keys
from pynetemu.trace.verdicts import case, causes, drop_reasons, emulated, groups
from pynetemu.trace.verdicts.filters import queue_full
from pynetemu.trace.verdicts.icmp_errors import told_by_error
from pynetemu.trace.verdicts.verdict import KINDS, Reason
from tests.support.pynetemu import CLONE

pytestmark = pytest.mark.pure

_FRAME = bytes.fromhex("02000000000202000000000108004500") + bytes(100)


def _link(name: str = "eth1", mtu: int = 1400, up: bool = True, carrier: bool = True) -> Any:
    return SimpleNamespace(name=name, mtu=mtu, up=up, carrier=carrier)


def _decision(kind: str = "forwarded", **more: Any) -> Any:
    values = {"interface": 2, "gateway": "", "mtu": 0, "rule": None, "route": None, "perhaps": None}
    return SimpleNamespace(kind=kind, **{**values, **more})


def _sighting(node: str, interface: str, kind: str, before: Any = None, frame: bytes = _FRAME) -> Any:
    event = SimpleNamespace(node=node, interface=interface, kind=kind, data=frame, length=len(frame))
    back = [] if before is None else [*before.back()]
    made = SimpleNamespace(event=event, before=before)
    made.back = lambda: iter([made, *back])
    return made


def _case(decision: Any = None, link: Any = None, **more: Any) -> Any:
    """A packet from 10.1.0.1 to 10.2.0.2 that came to r1 by eth0, which would pass it on by eth1."""
    packet = {"source": "10.1.0.1", "destination": "10.2.0.2", "ttl": 64, "size": 1500, "dont_fragment": True}
    packet |= {"protocol": "UDP", "ports": (5000, 7), "kind": "", "text": "UDP", **more.pop("packet", {})}
    settings, counters = more.pop("settings", {}), more.pop("counters", {})
    links = {"eth0": _link("eth0", 9000), **({link.name: link} if link else {}), **more.pop("links", {})}
    tables = SimpleNamespace(
        links=links,
        addresses=more.pop("addresses", ()),
        neighbors=more.pop("neighbors", ()),
        names={2: "eth1"},
        routing=more.pop("routing", Routing([], [], {})),
    )
    evidence = SimpleNamespace(
        setting=lambda node, path: settings.get(path, "") if node else "",
        link=lambda node, name: links.get(name) if node else None,
        tables=lambda node: tables if node else None,
        filters=lambda node, name: (),
        queue=lambda node, name: more.get("queue") if node and name in links else None,
        text=lambda node, path: more.get("texts", {}).get((node, path), ""),
        listening=lambda node, protocol, port: more.get("listening", {}).get((node, protocol, port)),
        emulated=lambda node, name: more.get("emulated"),
        moved={"r1": counters},
    )
    wiring = SimpleNamespace(
        name=lambda address: {"10.2.0.2": "web"}.get(address, address),
        is_bridge=lambda node: node.startswith("s"),
        interfaces_towards=lambda node, destination: more.get("towards", ()),
        route_to=lambda node, destination: "10.2.0.0/24 via 10.9.0.1",
        peers=more.get("peers", {}),
        planned=more.get("planned", {}),
        owners=more.get("owners", {}),
        interface_of=lambda address: "eth7",
    )
    asked = more.get("asked", False)
    conversations = SimpleNamespace(asked=lambda node, hop: asked, error_about=lambda packet, number: more.get("error"))
    made = SimpleNamespace(
        leaf=more.get("leaf") or _sighting("r1", "eth0", "in"),
        packet=SimpleNamespace(**packet),
        evidence=evidence,
        wiring=wiring,
        conversations=conversations,
        code=more.get("code", ""),
        arrived=more.get("arrived", True),
        node="r1",
        interface="eth0",
        keys=Keys(str(packet["source"]), str(packet["destination"]), "eth0"),
    )
    made.who = lambda address: f"{address} (web)" if address == "10.2.0.2" else address
    made.counted = lambda name: counters.get(name, 0)
    made.decide = lambda: decision
    made.way_out = lambda: (decision, link) if decision is not None and decision.kind == "forwarded" else None
    return made


def _told(reason: Reason | None) -> tuple[str, str, str]:
    assert reason is not None
    return reason.kind, reason.text, reason.hint


@pytest.mark.parametrize(
    ("ttl", "kind", "is_told"), [(1, "forwarded", True), (0, "forwarded", True), (2, "forwarded", False), (1, "local", False)]
)
def test_a_packet_that_is_too_old(ttl: int, kind: str, is_told: bool) -> None:
    found = causes.too_old(_case(_decision(kind), packet={"ttl": ttl}))
    if is_told:
        text = f"TTL expired in r1: it came with {ttl}, and each router takes 1"
        assert _told(found) == ("ttl", text, "r1 ip route get 10.2.0.2")
    else:
        assert found is None
    assert causes.too_old(_case(_decision(), packet={"ttl": None})) is None
    six = causes.too_old(_case(_decision(), packet={"ttl": 1, "destination": "fd00::2"}))
    assert six is not None and six.text.startswith("hop limit expired in r1")


def test_going_in_circles_is_told_with_the_routers() -> None:
    path = _sighting("r1", "eth0", "in")
    for node in ("s1", "r2", "s1", "r1"):
        path = _sighting(node, "eth0", "in", _sighting(node, "eth1", "out", path))
    found = causes.too_old(_case(_decision(), packet={"ttl": 1}, leaf=path))
    assert found is not None and found.details == ("it went in circles through r1",)
    again = _sighting("r1", "eth0", "in", _sighting("r2", "eth0", "in", path))
    both = causes.too_old(_case(_decision(), packet={"ttl": 1}, leaf=again))
    assert both is not None and both.details == ("it went in circles through r2 and r1",)
    once = causes.too_old(_case(_decision(), packet={"ttl": 1}, leaf=_sighting("r1", "eth0", "in")))
    assert once is not None and once.details == ()


def test_a_node_that_does_not_forward() -> None:
    off = {"net/ipv4/conf/eth0/forwarding": "0", "net/ipv4/ip_forward": "0"}
    text = "r1 is no router: it is not 10.2.0.2 (web), and net.ipv4.ip_forward is 0"
    told = ("forwarding", text, "r1 sysctl -w net.ipv4.ip_forward=1")
    assert _told(causes.not_a_router(_case(_decision("no route"), settings=off))) == told
    assert _told(causes.not_a_router(_case(None, settings=off))) == told
    one = {**off, "net/ipv4/ip_forward": "1"}
    knob = "net.ipv4.conf.eth0.forwarding"
    assert _told(causes.not_a_router(_case(None, settings=one))) == (
        "forwarding",
        f"r1 does not route what comes by eth0: {knob} is 0",
        f"r1 sysctl -w {knob}=1",
    )
    for kind in ("local", "filtered", "forwarded"):
        assert causes.not_a_router(_case(_decision(kind), settings=off)) is None
    assert causes.not_a_router(_case(None, settings=off, arrived=False)) is None
    on = {"net/ipv4/conf/eth0/forwarding": "1", "net/ipv4/ip_forward": "1"}
    assert causes.not_a_router(_case(None, settings=on)) is None
    assert causes.not_a_router(_case(None, settings=on, code="IP_INADDRERRORS")) is not None
    six = _case(_decision("forwarded"), settings={"net/ipv6/conf/all/forwarding": "0"}, packet={"destination": "fd00::2"})
    assert _told(causes.not_a_router(six))[2] == "r1 sysctl -w net.ipv6.conf.all.forwarding=1"


def test_a_source_that_is_not_believed() -> None:
    values = {"net/ipv4/conf/eth0/rp_filter": "2", "net/ipv4/conf/all/rp_filter": "1"}
    found = causes.filtered_by_source(_case(_decision("filtered"), settings=values))
    assert _told(found) == (
        "rp_filter",
        "dropped by the reverse-path filter of r1: 10.1.0.1 is not reachable back by eth0",
        "r1 sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0",
    )
    assert found is not None
    assert found.details == ("net.ipv4.conf.all.rp_filter = 1, net.ipv4.conf.eth0.rp_filter = 2",)
    assert causes.filtered_by_source(_case(None, code="IP_RPFILTER")) is not None
    assert causes.filtered_by_source(_case(_decision())) is None
    assert causes.filtered_by_source(_case(_decision("filtered"), arrived=False)) is None
    for source, addresses in (("10.2.0.1", ("10.2.0.1",)), ("127.0.0.1", ()), ("224.0.0.1", ()), ("255.255.255.255", ())):
        martian = causes.filtered_by_source(_case(_decision("filtered"), packet={"source": source}, addresses=addresses))
        text = f"r1 does not believe the source {source}: it cannot come by eth0"
        assert _told(martian) == ("martian", text, "r1 ip addr")


def test_no_route_and_routes_and_rules_that_refuse() -> None:
    assert causes.no_route(_case(_decision())) is None
    assert causes.no_route(_case(None)) is None
    for code in ("IP_INNOROUTES", "IP_OUTNOROUTES"):
        assert _told(causes.no_route(_case(_decision(), code=code))) == ("route", "no route in r1 to 10.2.0.2 (web)", "")
    hint = "r1 ip route add 10.2.0.0/24 via 10.9.0.1"
    assert _told(causes.no_route(_case(_decision("no route")))) == ("route", "no route in r1 to 10.2.0.2 (web)", hint)
    rule = SimpleNamespace(priority=100, action="prohibit", text="from all prohibit")
    by_rule = causes.no_route(_case(_decision("prohibit", rule=rule)))
    text = "a routing rule of r1 says prohibit for 10.2.0.2 (web): from all prohibit"
    assert _told(by_rule) == ("route", text, "r1 ip rule del pref 100")
    route = SimpleNamespace(text="blackhole 10.2.0.0/24", named="blackhole 10.2.0.0/24")
    for priority, details in ((100, ("rule 100: from all lookup 7",)), (0, ()), (32766, ()), (32767, ())):
        led = SimpleNamespace(priority=priority, action="lookup", text="from all lookup 7", is_of_vrf=False)
        by_route = causes.no_route(_case(_decision("blackhole", rule=led, route=route)))
        text = "the routing table of r1 says blackhole for 10.2.0.2 (web): blackhole 10.2.0.0/24"
        assert _told(by_route) == ("route", text, "r1 ip route del blackhole 10.2.0.0/24")
        assert by_route is not None and by_route.details == details
    six = causes.no_route(_case(_decision("unreachable", route=route), packet={"destination": "fd00::2"}))
    assert _told(six)[2] == "r1 ip -6 route del blackhole 10.2.0.0/24"
    bare = causes.no_route(_case(_decision("unreachable")))
    text = "the routing table of r1 says unreachable for 10.2.0.2 (web)"
    assert _told(bare) == ("route", text, "r1 ip route get 10.2.0.2")


def test_a_route_that_went_with_its_link() -> None:
    down = causes.no_route(_case(_decision("no route"), towards=("eth2", "eth3"), links={"eth3": _link("eth3", up=False)}))
    text = "r1 eth3 is down, so there is no route in r1 to 10.2.0.2 (web)"
    assert _told(down) == ("link", text, "r1 ip link set eth3 up")


@pytest.mark.parametrize(
    ("size", "limit", "is_told"), [(1400, 1400, False), (1401, 1400, True), (1399, 1400, False), (1500, 0, True)]
)
def test_a_packet_is_too_big_by_one_byte(size: int, limit: int, is_told: bool) -> None:
    found = causes.too_big(_case(_decision(), _link(mtu=limit or 1499), packet={"size": size}))
    if not is_told:
        assert found is None
    else:
        mtu = limit or 1499
        text = f"too big for r1 eth1: {size} bytes, its MTU is {mtu}, and it must not be fragmented"
        assert _told(found) == ("mtu", text, f"send at most {mtu} bytes, or: r1 ip link set eth1 mtu {size}")
    assert causes.too_big(_case(_decision(), _link(), packet={"size": 1500, "dont_fragment": False})) is None
    assert causes.too_big(_case(_decision("local"), _link())) is None


def test_the_mtu_of_a_route_and_segments_that_stand_for_several() -> None:
    found = causes.too_big(_case(_decision(mtu=1300), _link(), packet={"size": 1301}))
    text = "too big for the route of r1 to 10.2.0.2 (web): 1301 bytes, and the route's mtu is 1300"
    assert _told(found) == ("mtu", text, "r1 ip route get 10.2.0.2")
    assert causes.too_big(_case(_decision(mtu=1300), _link(), packet={"size": 1300})) is None
    many = {"size": 30_000}  # which eth0, of 9000 bytes, cannot have carried whole
    assert causes.too_big(_case(_decision(), _link(), packet=many)) is None
    for proof in ({"code": "PKT_TOO_BIG"}, {"counters": {"IpFragFails": 1}}, {"counters": {"Ip6InTooBigErrors": 1}}):
        told = causes.too_big(_case(_decision(), _link(), packet=many, **proof))
        assert told is not None and "9000 bytes, its MTU is 1400" in told.text


def test_a_neighbor_that_does_not_answer() -> None:
    text = "nobody answered the ARP of r1 for 10.2.0.2 (web) on eth1"
    assert causes.no_neighbor(_case(_decision(), _link())) is None
    assert _told(causes.no_neighbor(_case(_decision(), _link(), asked=True))) == ("arp", text, "r1 ip neigh")
    for code in ("NEIGH_FAILED", "NEIGH_QUEUEFULL", "NEIGH_DEAD"):
        assert causes.no_neighbor(_case(_decision(), _link(), code=code)) is not None
    silent = SimpleNamespace(address="10.2.0.2", interface=2, answered=False)
    answered = SimpleNamespace(address="10.2.0.2", interface=2, answered=True)
    elsewhere = SimpleNamespace(address="10.2.0.2", interface=3, answered=True)
    assert causes.no_neighbor(_case(_decision(), _link(), neighbors=(silent,))) is not None
    assert causes.no_neighbor(_case(_decision(), _link(), neighbors=(silent, answered), asked=True)) is None
    assert causes.no_neighbor(_case(_decision(), _link(), neighbors=(elsewhere,), asked=True)) is not None
    gateway = causes.no_neighbor(_case(_decision(gateway="fe80::9"), _link(), asked=True))
    assert gateway is not None and "neighbor discovery of r1 for fe80::9 on eth1" in gateway.text


def test_a_question_for_a_neighbor_that_was_lost_is_told_as_that() -> None:
    held = {"kind": "netem", "waiting": 0}
    for dropped, asked, kind in ((2, None, "loss"), (0, None, "arp"), (2, True, "arp")):
        case = _case(_decision(), _link(), asked=asked, code="NEIGH_FAILED", queue=(SimpleNamespace(**held), dropped))
        found = causes.no_neighbor(case)
        assert found is not None and found.kind == kind


def test_queues_that_are_full_lose_on_purpose_or_hold_it() -> None:
    def queue(kind: str, dropped: int, waiting: int, code: str = "") -> Any:
        held = (SimpleNamespace(kind=kind, waiting=waiting), dropped)
        return queue_full(_case(_decision(), _link(), queue=held, code=code))

    hint = "r1 tc -s qdisc show dev eth1"
    assert _told(queue("netem", 2, 0)) == ("loss", "lost on purpose: netem on r1 eth1 dropped 2", hint)
    assert _told(queue("tbf", 3, 5)) == ("queue", "the queue of r1 eth1 (tbf) was full: it dropped 3", hint)
    assert _told(queue("tbf", 0, 5)) == ("queued", "still in the queue of r1 eth1 (tbf), which holds 5", hint)
    assert _told(queue("tbf", 0, 5, "QDISC_DROP"))[0] == "queue"
    assert _told(queue("netem", 0, 5))[0] == "queued"
    assert queue_full(_case(_decision(), _link())) is None
    named = queue_full(_case(_decision(), _link(), code="QDISC_DROP"))
    assert _told(named) == ("queue", "a queue of r1 eth1 was full", "r1 tc -s qdisc")
    assert queue_full(_case(_decision("local"), _link(), code="QDISC_DROP")) is None


def test_what_has_no_proof_vanished_with_the_counters_that_moved() -> None:
    found = causes.find(_case(None, counters={"IpInDiscards": 2, "IpExtInCsumErrors": 1}), ())
    assert _told(found) == ("vanished", "vanished in r1", "r1 nstat")
    assert found.details == ("counters of r1 meanwhile: IpInDiscards +2, IpExtInCsumErrors +1",)
    perhaps = causes.find(_case(_decision(perhaps=SimpleNamespace(text="fwmark 0x5 blackhole")), _link()), ())
    assert perhaps.details == ("perhaps by the rule fwmark 0x5 blackhole: nobody has seen the packet's mark",)


def test_the_first_cause_with_proof_is_told() -> None:
    one, two, given = Reason("one", ""), Reason("two", ""), _case()
    assert causes.find(given, (lambda case: None, lambda case: one if case is given else two, lambda case: two)) is one


@pytest.mark.parametrize(
    ("kind", "text", "reason", "told"),
    [
        ("", "unreachable (net prohibited)", "refused", "its network is prohibited"),
        ("", "unreachable (host prohibited)", "refused", "its host is prohibited"),
        ("", "unreachable (prohibited)", "refused", "it is prohibited"),
        ("", "unreachable (source policy)", "refused", "its source is not allowed"),
        ("", "unreachable (route rejected)", "refused", "its route is a rejecting one"),
        ("", "unreachable (net)", "route", "no route to 10.2.0.2 (web)"),
        ("", "unreachable (no route)", "route", "no route to 10.2.0.2 (web)"),
        ("", "unreachable (host)", "arp", "10.2.0.2 (web) cannot be reached"),
        ("", "unreachable (address)", "arp", "10.2.0.2 (web) cannot be reached"),
        ("", "unreachable (protocol)", "protocol", "it has nothing for this IP protocol"),
        ("", "unreachable (port)", "port", "nothing listens on UDP port 7"),
        ("fragmentation needed", "", "mtu", "it is too big, and must not be fragmented"),
        ("packet too big", "", "mtu", "it is too big"),
        ("time exceeded", "", "ttl", "its TTL expired"),
        ("bad header", "", "malformed", "its header is wrong"),
    ],
)
def test_errors_of_icmp_are_reasons(kind: str, text: str, reason: str, told: str) -> None:
    journey = SimpleNamespace(number=9, first=SimpleNamespace(node="r1"))
    error = SimpleNamespace(kind=kind, text=text)
    found = told_by_error(_case(error=(journey, error)))
    assert _told(found) == (reason, f"r1 refused it: {told}", "")
    assert found is not None and found.details == (f"packet 9: {text}",)
    journey.first.node = "r2"
    assert told_by_error(_case(error=(journey, error))) is None
    journey.first.node = "r1"
    assert told_by_error(_case(error=(journey, SimpleNamespace(kind="", text="source quench")))) is None
    assert told_by_error(_case()) is None


_IGMP = """\
Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter
2\teth0      :     1      V3
\t\t\t\t{group}     1 0:00000000\t\t0
"""


def test_who_has_joined_a_group() -> None:
    texts = {("h1", "/proc/net/igmp"): _IGMP.format(group="010200EF")}
    texts[("h2", "/proc/net/igmp6")] = "2    eth0            ff050000000000000000000000000123     1 00000004 0\n"
    evidence = _case(texts=texts, listening={("h1", "UDP", 7): [1]}).evidence
    assert groups.joined("h1", "239.0.2.1", evidence) == ["eth0"]
    assert not groups.joined("h1", "239.0.2.2", evidence)
    assert not groups.joined("h2", "239.0.2.1", evidence)
    assert groups.joined("h2", "ff05::123", evidence) == ["eth0"]
    assert not groups.joined("h2", "ff05::124", evidence)
    packet: Any = SimpleNamespace(protocol="UDP", destination="239.0.2.1", ports=(5, 7))
    eth0, lo = _link("eth0"), _link("lo")
    eth0.index, eth0.lower, eth0.master, lo.index, lo.lower, lo.master = 2, 0, 0, 1, 0, 0
    known = _case(texts=texts, listening={("h1", "UDP", 7): [1]}, links={"eth0": eth0, "lo": lo}).evidence
    assert not groups.takes("h1", packet, known, "lo")  # joined on eth0 alone
    lo.master = 2  # lo in place of a part of eth0
    assert groups.takes("h1", packet, known, "lo")
    assert groups.takes("h1", packet, evidence, "eth0") and not groups.takes("h2", packet, evidence, "eth0")
    packet.ports = (7, 5)
    assert not groups.takes("h1", packet, evidence, "eth0")
    packet.destination = "10.1.0.255"
    assert not groups.takes("h1", packet, evidence, "eth0")
    packet.ports = (5, 7)
    assert groups.takes("h1", packet, evidence, "eth0")


@pytest.mark.parametrize(
    ("protocol", "destination", "is_for"),
    [
        *(("UDP", "239.0.2.1", True), ("UDP", "224.0.0.9", False), ("UDP", "224.0.1.1", True), ("ICMP", "239.0.2.1", False)),
        *(("UDP", "", False), ("UDP", "10.1.0.255", True)),
    ],
)
def test_what_of_groups_is_for_programs(protocol: str, destination: str, is_for: bool) -> None:
    packet: Any = SimpleNamespace(protocol=protocol, destination=destination)
    assert groups.is_for_programs(packet) is is_for


def test_why_nobody_took_a_datagram_for_many() -> None:
    joined = {(node, "/proc/net/igmp"): _IGMP.format(group="010200EF") for node in ("h1", "h2", "h3")}
    packet: Any = SimpleNamespace(protocol="UDP", destination="239.0.2.1", ports=(5, 7), kind="")
    journey: Any = SimpleNamespace(path=["h1", "s1", "h2"], first=SimpleNamespace(node="h1"), sightings=[], hops=[])
    nodes = ("h1", "h2", "h3")

    def told(texts: Any, address: str = "239.0.2.1") -> tuple[str, str, str]:
        packet.destination = address
        eth0, lo = _link("eth0"), _link("lo")
        eth0.index, eth0.lower, eth0.master, lo.index, lo.lower, lo.master = 2, 0, 0, 1, 0, 0
        made = _case(texts=texts, links={"eth0": eth0, "lo": lo})
        return _told(groups.not_accepted(journey, packet, nodes, made.wiring, made.evidence))

    text = "no program accepted it: h2 has joined 239.0.2.1, and no program listens on UDP port 7 there"
    assert told(joined) == ("port", text, "h2 ss -lnup")
    journey.sightings = [_sighting("h2", "eth0", "in")]
    assert told(joined) == ("port", text, "h2 ss -lnup")
    journey.sightings = [_sighting("h2", "eth0", "out"), _sighting("h2", "lo", "in")]
    text = "no node accepted it: h2 has joined 239.0.2.1 on eth0, and it came by lo"
    assert told(joined) == ("multicast", text, "h2 ip maddr")
    packet.kind = "echo request"
    assert told(joined) == ("unanswered", "h2 got it, and did not answer the ping in time", "")
    assert told({}) == ("multicast", "no node accepted it: none has joined 239.0.2.1", "h2 ip maddr")
    packet.kind = ""
    journey.sightings = []
    only = {("h3", "/proc/net/igmp"): joined["h3", "/proc/net/igmp"]}
    text = "no node accepted it: h3 has joined 239.0.2.1, and it did not get there"
    assert told(only) == ("multicast", text, "h3 ip maddr")
    assert told({}) == ("multicast", "no node accepted it: none has joined 239.0.2.1", "h2 ip maddr")
    text = "no node accepted it: no program listens on UDP port 7 of h2"
    assert told({}, "10.1.0.255") == ("port", text, "h2 ss -lnup")


def test_the_last_route_of_a_vrf_and_a_broadcast_to_another_network() -> None:
    rule = SimpleNamespace(priority=1000, action="lookup", text="from all lookup [l3mdev-table]", is_of_vrf=True)
    last = SimpleNamespace(
        text="unreachable default table 7", named="unreachable default table 7", table=7, network=SimpleNamespace(prefixlen=0)
    )
    found = causes.no_route(_case(_decision("unreachable", rule=rule, route=last)))
    text = "no route in r1 to 10.2.0.2 (web) in table 7, that of the VRF by which it came"
    assert _told(found) == ("route", text, "r1 ip route show table 7")
    last.network.prefixlen = 8
    other = causes.no_route(_case(_decision("unreachable", rule=rule, route=last)))
    assert other is not None and other.text.startswith("the routing table of r1 says unreachable")
    text = "10.2.0.2 is for all of a network of r1, which passes on no such packets: net.ipv4.conf.all.bc_forwarding is 0"
    hint = "r1 sysctl -w net.ipv4.conf.all.bc_forwarding=1 net.ipv4.conf.eth0.bc_forwarding=1"
    assert _told(causes.directed_broadcast(_case(_decision("broadcast")))) == ("forwarding", text, hint)
    assert causes.directed_broadcast(_case(_decision("local"))) is None
    assert causes.directed_broadcast(_case(None)) is None


@pytest.mark.parametrize(
    ("sources", "users", "is_left_out"),
    [
        *([(("0a010063", 1, 0),), 1, True], [(("0a010001", 1, 0),), 1, False]),
        ((("0a010063", 1, 0),), 2, False),  # another socket may take all
        ((("0a010063", 1, 0), ("0a010001", 1, 0)), 1, False),
        *([(("0a010001", 0, 1),), 1, True], [(("0a010063", 0, 1),), 1, False], [(), 1, False]),
    ],
)
@pytest.mark.parametrize("version", [4, 6])
def test_a_group_may_be_joined_for_other_sources(
    version: int, sources: tuple[tuple[str, int, int], ...], users: int, is_left_out: bool
) -> None:
    group, long = ("0xef000201", "") if version == 4 else ("ff050000000000000000000000000123", "0" * 24)
    lines = "".join(f"  2 eth0 {group} {long}{source} {takes} {refuses}\n" for source, takes, refuses in sources)
    filters = f"Idx Device        MCA        SRC    INC    EXC\n{lines}"
    joined = f"2    eth0            {group}     {users} 00000004 0\n"
    texts = {("h1", "/proc/net/mcfilter6"): filters, ("h1", "/proc/net/igmp6"): joined}
    if version == 4:
        texts = {("h1", "/proc/net/mcfilter"): filters}
        texts["h1", "/proc/net/igmp"] = _IGMP.format(group="010200EF").replace("010200EF     1", f"010200EF     {users}")
    evidence = _case(texts=texts, listening={("h1", "UDP", 7): [1]}).evidence
    ends = ("10.1.0.1", "239.0.2.1") if version == 4 else ("::10.1.0.1", "ff05::123")
    packet: Any = SimpleNamespace(protocol="UDP", source=ends[0], destination=ends[1], ports=(5, 7))
    assert groups.is_left_out("h1", packet, evidence) == is_left_out
    assert groups.takes("h1", packet, evidence, "eth0") != is_left_out


def test_a_tagged_frame_is_for_an_interface_of_its_vlan() -> None:
    frame = bytes(12) + b"\x81\x00\x60\x37\x08\x06"
    plain, eth0 = bytes(12) + b"\x08\x06", SimpleNamespace(name="eth0", index=2, lower=0, vlan=None)
    evidence = _case(links={"eth0": eth0}).evidence
    assert _told(causes.unknown_vlan("r1", "eth0", frame, evidence)) == (
        *("vlan", "r1 eth0 takes nothing of VLAN 55: it has none"),
        "r1 ip -d link show type vlan",
    )
    assert causes.unknown_vlan("r1", "eth0", plain, evidence) is None
    assert causes.unknown_vlan("r1", "eth0", frame[:14] + b"\x60\x00\x08\x06", evidence) is None  # a priority alone
    for number, lower, is_taken in ((55, eth0.index, True), (55, eth0.index + 1, False), (56, eth0.index, False)):
        other = SimpleNamespace(name="v", index=9, lower=lower, vlan=number)
        found = causes.unknown_vlan("r1", "eth0", frame, _case(links={"eth0": eth0, "v": other}).evidence)
        assert (found is None) == is_taken


def test_one_of_several_next_hops_that_does_not_answer() -> None:
    hops = (SimpleNamespace(gateway="10.9.0.1", index=2), SimpleNamespace(gateway="10.9.0.2", index=2))
    answered = SimpleNamespace(address="10.9.0.1", interface=2, answered=True)
    case = _case(_decision(gateway="10.9.0.1"), _link(), neighbors=(answered,))
    case.evidence.tables("r1").routing = SimpleNamespace(walk=lambda keys: SimpleNamespace(route=SimpleNamespace(hops=hops)))
    assert causes.next_hops(case) == ["10.9.0.1", "10.9.0.2"]
    assert causes.no_neighbor(case) is None  # nobody has asked for the other
    case.conversations.asked = lambda node, hop: hop == "10.9.0.2"
    found = causes.no_neighbor(case)
    assert found is not None and found.text == "nobody answered the ARP of r1 for 10.9.0.2 on eth1"


_SOURCES = {
    name for module in (case, emulated) for name, value in vars(module).items() if name.isupper() and isinstance(value, str)
}


def _reasons() -> Iterator[tuple[str, ast.Call]]:
    """The lines that make a reason, but those that copy one, or complete it afterwards."""
    for file in sorted((CLONE / "pynetemu" / "trace").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Reason" and len(node.args) > 2:
                yield f"{file.name}:{node.lineno}", node


def test_every_reason_is_of_a_kind_that_can_be_asked_for_and_says_who_knows_it() -> None:
    """The kernel's own words get their source all together."""
    assert {"KERNEL", "TABLES", "COUNTERS", "RULES", "BYTES", "PACKETS", "RELAY"} == _SOURCES
    assert {kind for kind, *_ in drop_reasons._TEXTS.values()} <= set(KINDS)
    for place, call in _reasons():
        kinds = {word.value for word in ast.walk(call.args[0]) if isinstance(word, ast.Constant)}
        assert kinds <= set(KINDS), place
        source = ast.unparse(call.args[4]) if len(call.args) > 4 else ""
        assert source in _SOURCES or source.endswith("source") or place.startswith("drop_reasons.py:"), place
