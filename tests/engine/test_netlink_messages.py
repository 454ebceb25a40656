"""Netlink messages: those that the engine packs by hand are byte for byte pyroute2's, and are read as pyroute2 reads them."""

import errno
import os
import socket
import struct
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any, cast

import pytest
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from pynetemu.engine.apply import addresses, interfaces, links, neighbors, routes, switches
from pynetemu.engine.messages import framing, packing
from pynetemu.engine.messages.framing import ACK, Refusal, ask, attribute, attributes, dump, messages, pack
from pynetemu.engine.messages.tables import AddressMessage, Hop, LinkMessage, NeighborMessage, RouteMessage
from pynetemu.engine.nodes import Node, Nodes, Place
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddMacvlan,
    AddMultipathRoute,
    AddNeighbors,
    AddRoute,
    AddTunnel,
    AddVeth,
    AddVlan,
    EndTable,
    SetMaster,
    SetPort,
    SetUp,
    StartSpanningTree,
    of_topic,
)
from pynetemu.plan.operations.steps import Undo
from pynetemu.plan.operations.switches import OF_BRIDGES, OF_PORTS

pytestmark = pytest.mark.pure

_NEW, _CHANGE, _SET = 0x601, 0x1, 0x501
_BLUE, _RED = "02:00:00:00:00:01", "02:00:00:00:00:02"


class _Recorder:
    """A node's netlink socket that keeps what it should send."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def queue_bytes(self, _: Any, kind: int, flags: int, body: bytes) -> None:
        self.sent.append(pack(kind, flags, 0, body))


class _Nodes(dict[str, Node]):
    def __init__(self, **nodes: Node) -> None:
        super().__init__(nodes)
        self.on_others: dict[Place, Place] = {}

    def index(self, node: Node, interface: str) -> int:
        return node.indexes[interface]


def _sent(queue: Callable[[Any, Nodes], Any], operation: Any) -> list[bytes]:
    """What the engine would send into the node blue, which has eth0 and br0; red is another one."""
    recorder = _Recorder()
    nodes = _Nodes(
        blue=Node("blue", "host", 7, cast("Any", recorder)),
        red=Node("red", "host", 8, cast("Any", _Recorder())),
    )
    nodes["blue"].indexes, nodes["blue"].next_index = {"lo": 1, "eth0": 2, "br0": 3}, 4
    nodes["red"].indexes, nodes["red"].next_index = {"lo": 1, "eth0": 5}, 6
    queue(operation, cast("Nodes", nodes))
    return recorder.sent


def _encoded(message: Any, kind: int, flags: int, fields: dict[str, Any], *attrs: tuple[str, Any]) -> bytes:
    """A message as pyroute2 encodes it."""
    for field, value in fields.items():
        message[field] = value
    message["attrs"] = list(attrs)
    message["header"]["type"], message["header"]["flags"] = kind, flags
    message.encode()
    return bytes(message.data)


def _link(kind: int, flags: int, fields: dict[str, Any], *attrs: tuple[str, Any]) -> bytes:
    return _encoded(ifinfmsg(), kind, flags, fields, *attrs)


def _route(destination: tuple[tuple[str, str], ...], length: int, *attrs: tuple[str, Any], **fields: Any) -> bytes:
    fields = {"family": socket.AF_INET, "dst_len": length, "table": 254, "proto": 3, "type": 1, **fields}
    return _encoded(rtmsg(), 24, _NEW, fields, *destination, *attrs)


def _hop(gateway: str) -> dict[str, Any]:
    return {"hops": 0, "oif": 0, "attrs": [("RTA_GATEWAY", gateway)]}


def _info(kind: str, *data: tuple[str, Any]) -> tuple[str, dict[str, Any]]:
    return "IFLA_LINKINFO", {"attrs": [("IFLA_INFO_KIND", kind), ("IFLA_INFO_DATA", {"attrs": list(data)})]}


def _veth() -> bytes:
    far = [("IFLA_IFNAME", "eth7"), ("IFLA_ADDRESS", _RED), ("IFLA_MTU", 1400), ("IFLA_NET_NS_FD", 8)]
    peer = ("VETH_INFO_PEER", {"index": 6, "attrs": far})
    near = [("IFLA_IFNAME", "eth1"), ("IFLA_ADDRESS", _BLUE), ("IFLA_MTU", 1400)]
    return _link(16, _NEW, {"index": 4}, *near, _info("veth", peer))


def test_links_are_packed_as_pyroute2_packs_them() -> None:
    veth = AddVeth("blue", "eth1", _BLUE, "red", "eth7", _RED, 1400)
    assert _sent(links.queue, veth) == [_veth()]
    up = _link(16, _CHANGE, {"index": 4, "flags": 1, "change": 1})
    bridge = [("IFLA_IFNAME", "br1"), ("IFLA_ADDRESS", _BLUE)]
    settings = ("IFLA_BR_FORWARD_DELAY", 200), ("IFLA_BR_MCAST_SNOOPING", 0)
    expected = [_link(16, _NEW, {"index": 4}, *bridge, _info("bridge", *settings)), up]
    assert _sent(switches.queue, AddBridge("blue", "br1", ("forward_delay 200", "mcast_snooping 0"), _BLUE)) == expected
    assert _sent(switches.queue, SetMaster("blue", "eth0", "br0")) == [_link(16, _CHANGE, {"index": 2}, ("IFLA_MASTER", 3))]
    expected = [_link(16, _CHANGE, {"index": 2, "flags": 1, "change": 1})]
    assert _sent(links.queue, SetUp("blue", "eth0")) == expected


@pytest.mark.parametrize(("text", "flags"), [("10.0.0.1/24", 0), ("fd00::1/64", 2)])
def test_addresses_are_packed_as_pyroute2_packs_them(text: str, flags: int) -> None:
    address = ip_interface(text)
    fields = {
        "family": socket.AF_INET if address.version == 4 else socket.AF_INET6,
        "prefixlen": address.network.prefixlen,
        "flags": flags,
        "index": 2,
    }
    attrs = [("IFA_LOCAL", str(address.ip)), ("IFA_ADDRESS", str(address.ip))]
    attrs += [("IFA_BROADCAST", "10.0.0.255")] if address.version == 4 else []
    expected = _encoded(ifaddrmsg(), 20, _NEW, fields, *attrs)
    assert _sent(addresses.queue, AddAddress("blue", "eth0", address)) == [expected]
    assert AddressMessage(expected[16:]).text == str(address.ip)


def test_routes_are_packed_as_pyroute2_packs_them() -> None:
    def sent(operation: AddRoute | AddMultipathRoute | EndTable) -> bytes:
        (message,) = _sent(routes.queue, operation)
        return message

    network, default, network6 = ip_network("10.1.0.0/16"), ip_network("0.0.0.0/0"), ip_network("fd01::/48")
    one, two, six = ip_address("10.0.0.1"), ip_address("10.0.0.2"), ip_address("fd00::1")
    to, to6 = (("RTA_DST", "10.1.0.0"),), (("RTA_DST", "fd01::"),)
    gateway = ("RTA_GATEWAY", "10.0.0.1")
    assert sent(AddRoute("blue", network, one)) == _route(to, 16, gateway)
    assert sent(AddRoute("blue", default, one)) == _route((), 0, gateway)
    assert sent(AddRoute("blue", network, one, table=10)) == _route(to, 16, gateway, table=10)
    assert sent(AddRoute("blue", network6, six)) == _route(to6, 48, ("RTA_GATEWAY", "fd00::1"), family=socket.AF_INET6)
    hops = ("RTA_MULTIPATH", [_hop("10.0.0.1"), _hop("10.0.0.2")])
    assert sent(AddMultipathRoute("blue", network, (one, two))) == _route(to, 16, hops)
    end = _route((), 0, ("RTA_PRIORITY", 4278198272), table=10, type=7)
    assert sent(EndTable("blue", default, 10)) == end


def test_neighbors_are_packed_as_pyroute2_packs_them() -> None:
    for texts in ("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2"):
        both = tuple(map(ip_address, texts))
        family = socket.AF_INET if both[0].version == 4 else socket.AF_INET6
        fields = {"family": family, "ifindex": 2, "state": 0x80}
        expected = _encoded(ndmsg(), 28, _SET, fields, ("NDA_DST", texts[1]), ("NDA_LLADDR", _RED))
        operation = AddNeighbors(("blue", "red"), ("eth0", "eth0"), both, (_BLUE, _RED))
        assert _sent(neighbors.queue, operation) == [expected]
        neighbor = NeighborMessage(expected[16:])
        assert (neighbor.address, neighbor.mac, neighbor.index, neighbor.state) == (texts[1], _RED, 2, 0x80)


def test_a_link_is_read_as_pyroute2_wrote_it() -> None:
    port = {"attrs": [("IFLA_BRPORT_STATE", 3), ("IFLA_BRPORT_ISOLATED", 1), ("IFLA_BRPORT_UNICAST_FLOOD", 0)]}
    info = [("IFLA_INFO_KIND", "veth"), ("IFLA_INFO_SLAVE_KIND", "bridge"), ("IFLA_INFO_SLAVE_DATA", port)]
    counters = dict.fromkeys((name for name, _ in ifinfmsg.ifstats64.fields), 0)
    counters.update(rx_packets=1, tx_packets=2, rx_bytes=3, tx_bytes=4, rx_errors=5, tx_errors=6, rx_dropped=7, tx_dropped=8)
    link = _read_link(
        ("IFLA_IFNAME", "eth0"),
        ("IFLA_ADDRESS", _BLUE),
        ("IFLA_MTU", 1400),
        ("IFLA_MASTER", 3),
        ("IFLA_OPERSTATE", "UP"),
        ("IFLA_CARRIER", 0),
        ("IFLA_LINKINFO", {"attrs": info}),
        ("IFLA_STATS64", counters),
    )
    assert (link.index, link.name, link.mac, link.mtu, link.master, link.kind) == (2, "eth0", _BLUE, 1400, 3, "veth")
    assert (link.is_up, link.has_lower_up, link.has_carrier, link.operational_state) == (True, True, False, 6)
    assert (link.port_state, link.is_isolated, link.floods, link.has_xdp) == (3, True, False, False)
    assert tuple(link.counters) == (1, 2, 3, 4, 5, 6, 7, 8)


def test_a_link_that_is_no_port_has_no_state_of_one() -> None:
    link = _read_link(("IFLA_IFNAME", "lo"))
    assert (link.mac, link.kind, link.master, link.port_state, link.is_isolated, link.floods) == ("", "", 0, None, False, True)


def _read_link(*attrs: tuple[str, Any]) -> LinkMessage:
    return LinkMessage(_link(16, 0, {"index": 2, "flags": 0x10001}, *attrs)[16:])


def test_routes_are_read_as_pyroute2_wrote_them() -> None:
    to = (("RTA_DST", "10.1.0.0"),)
    via = ("RTA_GATEWAY", "10.0.0.1"), ("RTA_OIF", 2), ("RTA_PRIORITY", 20), ("RTA_TABLE", 1000), ("RTA_PREFSRC", "10.0.0.9")
    route = RouteMessage(_route(to, 16, *via, ("RTA_METRICS", {"attrs": [("RTAX_MTU", 1280)]}), table=0)[16:])
    assert (route.destination, route.hops, route.metric) == ("10.1.0.0/16", (Hop("10.0.0.1", 2),), 20)
    assert (route.table, route.source, route.mtu, route.kind) == (1000, "10.0.0.9", 1280, 1)
    both = [{"hops": 0, "oif": index, "attrs": [("RTA_GATEWAY", f"10.0.0.{index}")]} for index in (2, 3)]
    route = RouteMessage(_route((), 0, ("RTA_MULTIPATH", both))[16:])
    assert (route.destination, route.hops) == ("0.0.0.0/0", (Hop("10.0.0.2", 2), Hop("10.0.0.3", 3)))
    assert (route.table, route.source, route.mtu, route.metric) == (254, "", 0, 0)
    through_6 = ("RTA_VIA", {"family": socket.AF_INET6, "addr": "fe80::1"}), ("RTA_OIF", 2)
    assert RouteMessage(_route(to, 16, *through_6)[16:]).hops == (Hop("fe80::1", 2),)


def test_a_bridges_entry_is_read_as_pyroute2_wrote_it() -> None:
    fields = {"family": socket.AF_BRIDGE, "ifindex": 2, "state": 2, "flags": 2}
    entry = NeighborMessage(_encoded(ndmsg(), 28, 0, fields, ("NDA_LLADDR", _BLUE), ("NDA_VLAN", 10))[16:])
    assert (entry.family, entry.index, entry.flags, entry.mac, entry.vlan) == (socket.AF_BRIDGE, 2, 2, _BLUE, 10)


@pytest.mark.parametrize("length", range(6))
def test_attributes_are_padded(length: int) -> None:
    value = b"\1" * length
    data = attribute(3, value) + attribute(0x8000 | 4, b"\2")
    assert len(data) % 4 == 0
    assert list(attributes(data)) == [(3, value), (4, b"\2")]
    assert list(attributes(b"head" + data, 4)) == list(attributes(data))


def test_the_messages_of_a_datagram() -> None:
    data = pack(16, 2, 7, b"abcd") + pack(3, 0, 8, b"")
    assert [tuple(message) for message in messages(data)] == [(16, 2, 7, b"abcd"), (3, 0, 8, b"")]
    assert list(messages(b"")) == []


_READERS: list[Callable[[bytes], Any]] = [
    lambda data: list(messages(data)),
    lambda data: list(attributes(data)),
    lambda data: [framing.refusal(message) for message in (framing.Message(kind, 0x300, 0, data) for kind in (2, 3))],
    *(
        lambda data, reader=reader: [getattr(reader(data), name) for name, _ in _properties(reader)]
        for reader in (LinkMessage, AddressMessage, RouteMessage, NeighborMessage)
    ),
]


def _properties(reader: type) -> Sequence[tuple[str, property]]:
    found = [(name, value) for name, value in vars(reader).items() if isinstance(value, property) and name[0] != "_"]
    assert found
    return found


def _whole_messages() -> list[bytes]:
    hops = [{"hops": 0, "oif": 2, "attrs": [("RTA_GATEWAY", "10.0.0.1")]}]
    fields = {"family": socket.AF_INET, "prefixlen": 24, "index": 2}
    return [
        _veth(),
        _route((("RTA_DST", "10.1.0.0"),), 16, ("RTA_MULTIPATH", hops)),
        _encoded(ifaddrmsg(), 20, 0, fields, ("IFA_LOCAL", "10.0.0.1")),
        _encoded(ndmsg(), 28, 0, {"family": socket.AF_INET, "ifindex": 2}, ("NDA_DST", "10.0.0.1"), ("NDA_LLADDR", _BLUE)),
    ]


@pytest.mark.parametrize("reader", _READERS)
def test_what_is_cut_off_or_damaged_is_a_clear_error_or_none(reader: Callable[[bytes], Any]) -> None:
    """Every message cut at every byte, with and without its header, and with every byte replaced."""
    errors = 0
    for whole in (part for message in _whole_messages() for part in (message, message[16:])):
        cuts = [whole[:end] for end in range(len(whole))]
        damages = [whole[:at] + bytes([byte]) + whole[at + 1 :] for at in range(len(whole)) for byte in (0, 1, 3, 9, 255)]
        for data in cuts + damages:
            try:
                reader(data)
            except OSError as error:
                assert error.errno == errno.EBADMSG
                assert str(error.strerror).startswith("the kernel's message cannot be read: ")
                errors += 1
    assert errors > 0


def test_a_refusal_has_the_kernels_words() -> None:
    request = pack(16, 1, 1, b"request of 20 bytes.")
    words = attribute(1, b"no such thing\0")
    code = struct.pack("=i", -errno.ENODEV)
    whole = framing.Message(2, 0x200, 1, code + request + words)
    capped = framing.Message(2, 0x300, 1, code + request[:16] + words)
    silent = framing.Message(2, 0, 1, code + request)
    told = [framing.refusal(message) for message in (whole, capped, silent)]
    assert [(refused.code, refused.reason) for refused in told if refused] == [
        (errno.ENODEV, "no such thing"),
        (errno.ENODEV, "no such thing"),
        (errno.ENODEV, os.strerror(errno.ENODEV)),
    ]
    assert framing.refusal(framing.Message(2, 0, 1, bytes(4) + request)) is None
    assert framing.refusal(framing.Message(16, 0, 1, code)) is None


class _Kernel:
    """A socket whose other side answers each request with the next of these lists of datagrams."""

    def __init__(self, *answers: Sequence[Sequence[tuple[int, int, bytes]]]) -> None:
        self._answers = list(answers)
        self._datagrams: list[bytes] = []
        self.requests: list[framing.Message] = []

    def send(self, data: bytes) -> None:
        (request,) = messages(data)
        self.requests.append(request)
        for datagram in self._answers.pop(0):
            self._datagrams.append(b"".join(pack(kind, flags, request.sequence, body) for kind, flags, body in datagram))

    def recv(self, _: int) -> bytes:
        return self._datagrams.pop(0)

    def hears(self, datagram: bytes) -> None:
        self._datagrams.append(datagram)


_END = (3, 2, bytes(4))


def _dumped(kernel: _Kernel) -> list[bytes]:
    return [message.body for message in dump(cast("socket.socket", kernel), 18, b"")]


def test_a_dump_of_several_datagrams() -> None:
    kernel = _Kernel([[(16, 2, b"one.")], [(16, 2, b"two."), (16, 2, b"3...")], [_END]])
    assert _dumped(kernel) == [b"one.", b"two.", b"3..."]
    assert [(request.type, request.flags) for request in kernel.requests] == [(18, 0x301)]


def test_a_dump_that_changes_meanwhile_is_asked_for_again() -> None:
    interrupted = [[(16, 2, b"old.")], [(16, 0x12, b"new.")], [_END]]
    last_alone = [[(16, 2, b"old.")], [(3, 0x12, bytes(4))]]
    kernel = _Kernel(interrupted, last_alone, [[(16, 2, b"both"), _END]])
    assert _dumped(kernel) == [b"both"]
    assert len(kernel.requests) == 3
    with pytest.raises(OSError, match="has changed 10 times") as caught:
        _dumped(_Kernel(*[interrupted] * 10))
    assert caught.value.errno == errno.EAGAIN


def test_answers_to_others_are_passed_over() -> None:
    kernel = _Kernel([[(16, 2, b"ours"), _END]])
    kernel.hears(pack(16, 0, 0, b"news") + pack(2, 0, 12345678, struct.pack("=i", -1)))
    assert _dumped(kernel) == [b"ours"]


@pytest.mark.parametrize("kind", [2, 3])
def test_a_dump_that_is_refused(kind: int) -> None:
    """Before it has begun, or in the message that ends it."""
    kernel = _Kernel([[(kind, 0, struct.pack("=i", -errno.EOPNOTSUPP))]])
    with pytest.raises(Refusal) as caught:
        _dumped(kernel)
    assert caught.value.errno == errno.EOPNOTSUPP


def test_an_answer_ends_with_its_acknowledgement() -> None:
    kernel = _Kernel([[(16, 0, b"here")], [(2, 0, bytes(4) + bytes(16))]])
    assert [message.body for message in ask(cast("socket.socket", kernel), 18, b"")] == [b"here"]
    assert [request.flags for request in kernel.requests] == [0x1 | ACK]


def test_settings_and_ends_of_interfaces_are_packed_as_pyroute2_packs_them() -> None:
    def changed(*attrs: tuple[str, Any]) -> list[bytes]:
        return [_link(16, _CHANGE, {"index": 2}, *attrs)]

    port = {"attrs": [("IFLA_INFO_SLAVE_KIND", "bridge"), ("IFLA_INFO_SLAVE_DATA", {"attrs": [("IFLA_BRPORT_COST", 7)]})]}
    assert _sent(switches.queue, SetPort("blue", "eth0", ("cost 7",))) == changed(("IFLA_LINKINFO", port))
    tree = _info("bridge", ("IFLA_BR_STP_STATE", 1))
    assert _sent(switches.queue, StartSpanningTree("blue", "br0")) == [_link(16, _CHANGE, {"index": 3}, tree)]
    undo = Undo(SetMaster("blue", "eth0", "br0"))
    assert _sent(lambda step, nodes: switches.queue_undo(step, step.of, nodes), undo) == changed(("IFLA_MASTER", 0))

    def end(_: object, nodes: Nodes) -> None:
        interfaces.queue_mtu(SetUp("blue", "eth0"), nodes, "blue", "eth0", 1400)
        interfaces.queue_deletion(SetUp("blue", "eth0"), nodes, "blue", "eth0")

    assert _sent(end, None) == [*changed(("IFLA_MTU", 1400)), _link(17, _CHANGE, {"index": 2})]


def test_what_is_rare_is_packed_by_pyroute2_alike() -> None:
    """The same message by hand and by pyroute2: as a bridge could be made by either."""

    def by_pyroute2(operation: AddBridge, nodes: Nodes) -> None:
        interfaces.queue_rare(operation, nodes["blue"], "br1", "bridge", [("IFLA_BR_FORWARD_DELAY", 200)], operation.mac, 1400)

    def by_hand(operation: AddBridge, nodes: Nodes) -> None:
        interfaces.queue_new(operation, nodes["blue"], "br1", packing.bridge(["forward_delay 200"]), operation.mac, 1400)

    bridge = AddBridge("blue", "br1", (), _BLUE)
    assert _sent(by_pyroute2, bridge) == _sent(by_hand, bridge) != []


_BRIDGE_WORDS = {
    "forward_delay": "IFLA_BR_FORWARD_DELAY",
    "hello_time": "IFLA_BR_HELLO_TIME",
    "max_age": "IFLA_BR_MAX_AGE",
    "ageing_time": "IFLA_BR_AGEING_TIME",
    "stp_state": "IFLA_BR_STP_STATE",
    "priority": "IFLA_BR_PRIORITY",
    "vlan_filtering": "IFLA_BR_VLAN_FILTERING",
    "mcast_snooping": "IFLA_BR_MCAST_SNOOPING",
    "mcast_querier": "IFLA_BR_MCAST_QUERIER",
}
_PORT_WORDS = {
    "priority": "IFLA_BRPORT_PRIORITY",
    "cost": "IFLA_BRPORT_COST",
    "hairpin": "IFLA_BRPORT_MODE",
    "guard": "IFLA_BRPORT_GUARD",
    "learning": "IFLA_BRPORT_LEARNING",
    "flood": "IFLA_BRPORT_UNICAST_FLOOD",
    "isolated": "IFLA_BRPORT_ISOLATED",
}


def test_each_word_of_bridges_and_ports_is_packed_as_pyroute2_packs_it() -> None:
    """Which are all words that operations know: those that can be changed are in the plan's tables."""
    assert set(OF_BRIDGES) <= set(_BRIDGE_WORDS)
    assert set(OF_PORTS) <= set(_PORT_WORDS)
    for word, attr in _BRIDGE_WORDS.items():
        assert packing.link(3, packing.bridge([f"{word} 1"])) == _link(16, 0, {"index": 3}, _info("bridge", (attr, 1)))[16:]
    for word, attr in _PORT_WORDS.items():
        slave = {"attrs": [("IFLA_INFO_SLAVE_KIND", "bridge"), ("IFLA_INFO_SLAVE_DATA", {"attrs": [(attr, 1)]})]}
        expected = _link(16, 0, {"index": 3}, ("IFLA_LINKINFO", slave))[16:]
        assert packing.link(3, packing.port([f"{word} 1"])) == expected
        if word not in ("priority", "cost"):
            assert packing.link(3, packing.port([f"{word} on"])) == expected


def test_an_interface_that_moves_is_packed_as_pyroute2_packs_it() -> None:
    moved = packing.link(3, packing.into(9, 70), packing.name("end70"), packing.mtu(65535))
    attrs = ("IFLA_NET_NS_FD", 9), ("IFLA_NEW_IFINDEX", 70), ("IFLA_IFNAME", "end70"), ("IFLA_MTU", 65535)
    assert moved == _link(16, 0, {"index": 3}, *attrs)[16:]


def test_neighbors_and_routes_that_go_are_packed_as_pyroute2_packs_them() -> None:
    neighbor = AddNeighbors(("blue", "red"), ("eth0", "eth0"), (_HERE6, _THERE6), (_BLUE, _RED))
    fields = {"family": socket.AF_INET6, "ifindex": 2, "state": 0x80}
    expected = _encoded(ndmsg(), 29, _CHANGE, fields, ("NDA_DST", "fd00::2"))
    assert _sent(lambda step, nodes: neighbors.queue_undo(step, step.of, nodes), Undo(neighbor)) == [expected]
    route = AddMultipathRoute("blue", ip_network("fd01::/48"), (_HERE6, _THERE6), table=7)
    both = [{"hops": 0, "oif": 0, "attrs": [("RTA_GATEWAY", gateway)]} for gateway in ("fd00::1", "fd00::2")]
    head = {"family": socket.AF_INET6, "dst_len": 48, "table": 7, "proto": 3, "type": 1}
    expected = _encoded(rtmsg(), 25, _CHANGE, head, ("RTA_DST", "fd01::"), ("RTA_MULTIPATH", both))
    assert _sent(lambda step, nodes: routes.queue_undo(step, step.of, nodes), Undo(route)) == [expected]
    address = AddAddress("blue", "eth0", ip_interface("10.0.0.1/32"))
    fields = {"family": socket.AF_INET, "prefixlen": 32, "index": 2}
    expected = _encoded(ifaddrmsg(), 21, _CHANGE, fields, ("IFA_LOCAL", "10.0.0.1"), ("IFA_ADDRESS", "10.0.0.1"))
    assert _sent(lambda step, nodes: addresses.queue_undo(step, step.of, nodes), Undo(address)) == [expected]
    down = _link(16, _CHANGE, {"index": 2, "flags": 0, "change": 1})
    assert _sent(lambda step, nodes: links.queue_undo(step, step.of, nodes), Undo(SetUp("blue", "eth0"))) == [down]


_HERE, _THERE, _HERE6, _THERE6 = map(ip_address, ("10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"))


@pytest.mark.parametrize(
    ("operation", "described"),
    [
        (
            AddDevice("blue", "bond0", "bond", ("mode active-backup", "miimon 100"), _BLUE),
            "bond0 bond BOND_MODE=1 BOND_MIIMON=100",
        ),
        (AddDevice("blue", "d0", "dummy", (), ""), "d0 dummy"),
        (AddDevice("blue", "vrf0", "vrf", ("table 10",), ""), "vrf0 vrf VRF_TABLE=10"),
        (AddMacvlan("blue", "m0", "blue", "eth0", ("mode bridge",), _BLUE), "m0 macvlan MACVLAN_MODE=bridge"),
        (AddVlan("blue", "eth0.10", "eth0", 10), "eth0.10 vlan VLAN_ID=10"),
        (
            AddTunnel("blue", "v", "vxlan", ("id 7", "dstport 4789"), _HERE6, _THERE6, "", 0, "red", "v"),
            "v vxlan VXLAN_LOCAL6=fd00::1 VXLAN_GROUP6=fd00::2 VXLAN_ID=7 VXLAN_PORT=4789",
        ),
        (
            AddTunnel("blue", "g", "gre", ("ttl 64", "key 5"), _HERE, _THERE, "", 0, "red", "g"),
            "g gre GRE_LOCAL=10.0.0.1 GRE_REMOTE=10.0.0.2 GRE_TTL=64 GRE_IKEY=5 GRE_OKEY=5 GRE_IFLAGS=8192 GRE_OFLAGS=8192",
        ),
    ],
)
def test_kinds_of_interfaces_are_what_they_are_said_to_be(operation: Any, described: str) -> None:
    (sent,) = _sent(of_topic("pynetemu.engine.apply", type(operation), "queue"), operation)
    message = ifinfmsg(sent)
    message.decode()
    info = message.get_attr("IFLA_LINKINFO")
    data = info.get_attr("IFLA_INFO_DATA")
    words = [f"{name.removeprefix('IFLA_')}={value}" for name, value in (data["attrs"] if data else [])]
    assert " ".join([message.get_attr("IFLA_IFNAME"), info.get_attr("IFLA_INFO_KIND"), *words]) == described
    assert message["index"] == 4
