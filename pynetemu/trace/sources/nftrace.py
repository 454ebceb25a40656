"""Which rule of nftables dropped a packet: the kernel's own trace of rules (nft(8), "nftrace"), for the time of a trace.

    firewall = Firewall(network, network.nodes)     adds a table of its own to nodes that have rules
    ...
    firewall.read()
    firewall.close()                                takes it away; so does the kernel when our process ends
    firewall.drops                                  [Drop("r1", "inet", "fw", "forward", 2, ...)]

The table has the flag `owner`: it belongs to our socket and goes with it. Listening needs no privilege in the node but the
lab's own.
"""

import errno
import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.capture.selection import indexes_of_the_lab
from pynetemu.engine.messages.framing import attributes, messages
from pynetemu.safe_text import printable
from pynetemu.trace.sources.events import Event
from pynetemu.trace.sources.nft_messages import FAMILIES, NETDEV, TRACE, Device, families_in_use, trace_rules

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_NETLINK_NETFILTER = 12
_GROUP_TRACE = 9  # NFNLGRP_NFTRACE
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_ARP = 28  # bytes of an ARP message about IPv4 addresses on Ethernet
_IPV6 = 40  # bytes of an IPv6 header
_FRAGMENT, _AUTHENTICATION = 44, 51  # of IPv6's extension headers those that tell their length in their own ways (RFC 8200)
_EXTENSIONS = (0, 43, _FRAGMENT, _AUTHENTICATION, 60)
_ROOM = 4 << 20  # bytes for traces that have not been read; the kernel gives what net.core.rmem_max allows
_RULE, _POLICY = 3, 1  # NFT_TRACETYPE_*
_DROP, _STOLEN, _QUEUE = 0, 2, 3  # NF_*: a rule that rejects drops, too; a queue's number is in the upper half
_BYPASS = 0x8000  # NF_VERDICT_FLAG_QUEUE_BYPASS: accepted when no program reads the queue


@dataclass(frozen=True, slots=True)
class Drop:
    """A packet that a rule dropped, or, with `rule` 0, a chain's policy; its headers as they entered the node."""

    node: str
    family: str
    table: str
    chain: str
    rule: int
    network: bytes
    transport: bytes
    interface: int
    time: int  # when we were told, in nanoseconds since 1970: a little later than it happened
    queue: int | None = None  # the number of the queue that it was handed to, for a program (NFQUEUE)
    is_stolen: bool = False  # sent elsewhere (fwd), or answered in another's name (synproxy)


class Firewall:
    """Asks each node whether it has rules, and lets the kernel trace them there."""

    """`nodes` are those that have tables of nftables."""

    def __init__(self, lab: "Lab", nodes: Sequence[str]) -> None:
        self.drops: list[Drop] = []
        self.lost = False
        self._traced: dict[int, tuple[str, socket.socket]] = {}
        self._headers: dict[tuple[str, bytes], tuple[bytes, bytes, int]] = {}
        self.marks: dict[tuple[str, bytes], int] = {}  # by node and fingerprint
        self._ready = select.epoll()
        for node in nodes:
            self._begin(lab, node)

    def _begin(self, lab: "Lab", node: str) -> None:
        asked = lab[node].socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        try:
            families = families_in_use(asked)
            if not families:
                asked.close()
                return
            asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
            wanted = indexes_of_the_lab(lab, node)
            for family in families:
                trace_rules(asked, family, _devices(lab, node, wanted, family), bool(wanted))
            asked.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _GROUP_TRACE)
            asked.setblocking(False)
        except OSError:  # a kernel without nftables, or one older than `owner` (5.12): rules are not told then
            asked.close()
            return
        self._traced[asked.fileno()] = node, asked
        self._ready.register(asked, select.EPOLLIN)

    def fileno(self) -> int:
        return self._ready.fileno()

    def read(self) -> None:
        """Takes what the kernel has said since."""
        for descriptor, _ in self._ready.poll(0):
            node, traced = self._traced[descriptor]
            try:
                while True:
                    for message in messages(traced.recv(1 << 16)):
                        if message.type == TRACE:
                            self._note(node, message.body)
            except OSError as error:
                self.lost |= error.errno in (errno.ENOBUFS, errno.EBADMSG)

    def _note(self, node: str, body: bytes) -> None:
        """The headers come with the first message about a packet only, its drop with the last."""
        found = dict(attributes(body, 4))
        number = node, found.get(6, b"")
        network, transport = _headers(found)
        if network or number not in self._headers:
            self._headers[number] = network, transport, _big(found.get(10))
        headers = self._headers[number]
        if mark := _big(found.get(14)):
            self.marks[node, fingerprint_of_headers(*headers[:2])] = mark
        ended, queue = _is_drop(found)
        is_stolen = _is_stolen(found)
        if not ended and not is_stolen:
            return
        table, chain = (found.get(kind, b"").rstrip(b"\0").decode() for kind in (1, 2))
        rule = int.from_bytes(found.get(3, b"")) if _big(found.get(4)) == _RULE else 0
        family = FAMILIES.get(body[0], "inet")
        self.drops.append(Drop(node, family, table, chain, rule, *headers, time.time_ns(), queue, is_stolen))

    def close(self) -> None:
        """Reads what is left, and takes the tables away. Closing twice is not an error."""
        if self._traced:
            self.read()
        for _, traced in self._traced.values():
            traced.close()
        self._traced.clear()
        self._ready.close()


def never_on_a_wire(drops: Sequence[Drop], events: Sequence[Event]) -> list[Event]:
    """The packets that a node's own rules dropped before they came to any interface: made from what the rules saw of them."""
    if not drops:
        return []
    seen = {(event.node, fingerprint(event.data[14:])) for event in events if event.kind in ("in", "out", "drop")}
    drops = [drop for drop in drops if not drop.is_stolen]  # which goes on elsewhere
    lost = [drop for drop in drops if (drop.node, fingerprint_of_headers(drop.network, drop.transport)) not in seen]
    lost = [drop for drop in lost if drop.network]
    return [Event(drop.time, drop.node, "", "drop", _frame(drop), 14 + _length(drop.network)) for drop in lost]


def fingerprint(packet: bytes) -> bytes:
    """What tells IP packets apart, addresses aside: their number and length, and how the payload begins."""
    if packet[:1] and packet[0] >> 4 == 6:
        return fingerprint_of_headers(packet[:_IPV6], packet[_behind_extensions(packet) :])
    if packet[:1] == b"\0":  # ARP
        return packet[:_ARP]
    at = (packet[0] & 15) * 4 if packet else 0
    return fingerprint_of_headers(packet[:at], packet[at:])


def fingerprint_of_headers(network: bytes, transport: bytes) -> bytes:
    """The same of what the kernel's trace of rules has of a packet, where the extension headers of IPv6 are left out."""
    if network[:1] and network[0] >> 4 == 6:
        return network[4:7] + transport[4:8]
    if network[:1] == b"\0":
        return (network + transport)[:_ARP]
    return network[2:6] + network[9:10] + transport[4:8]


def _behind_extensions(packet: bytes) -> int:
    """Where the payload of an IPv6 packet begins; its end for a fragment that is not the first."""
    kind, at = packet[6] if len(packet) > 6 else 0, _IPV6
    while kind in _EXTENSIONS and len(packet) >= at + 8:
        if kind == _FRAGMENT and int.from_bytes(packet[at + 2 : at + 4]) & ~7:
            return len(packet)
        size = 8 if kind == _FRAGMENT else 4 * packet[at + 1] + 8 if kind == _AUTHENTICATION else 8 * packet[at + 1] + 8
        kind, at = packet[at], at + size
    return at


def _headers(found: dict[int, bytes]) -> tuple[bytes, bytes]:
    """The network's and the transport's header; of later IPv6 fragments the former is told as the latter."""
    network, transport = found.get(8, b""), found.get(9, b"")
    is_ipv6 = not network and transport[:1] != b"" and transport[0] >> 4 == 6
    return (transport, b"") if is_ipv6 else (network, transport)


def _frame(drop: Drop) -> bytes:
    """An Ethernet frame without addresses around what is known of the packet."""
    kind = b"\x86\xdd" if drop.network[0] >> 4 == 6 else b"\x08\x06" if drop.network[:1] == b"\0" else b"\x08\x00"
    return bytes(12) + kind + drop.network + drop.transport


def _length(network: bytes) -> int:
    if network[:1] == b"\0":
        return _ARP
    return int.from_bytes(network[4:6]) + 40 if network[0] >> 4 == 6 else int.from_bytes(network[2:4])


def rules(lab: "Lab", node: str) -> dict[tuple[str, str, str, int], str]:
    """A node's rules as they are written, by family, table, chain and handle; none when it has no `nft`."""
    from pynetemu.errors import CommandNotFound

    with suppress(CommandNotFound):
        return dict(_written(str(lab[node].run("nft", "-a", "list", "ruleset").stdout)))
    return {}


def _written(listing: str) -> Iterator[tuple[tuple[str, str, str, int], str]]:
    family = table = chain = ""
    for line in listing.splitlines():
        words = line.split()
        text, marked, handle = line.strip().rpartition(" # handle ")
        if words[:1] == ["table"]:
            family, table = words[1:3]
        elif words[:1] == ["chain"]:
            chain = words[1]
        elif marked and chain:
            yield (family, table, chain, int(handle)), printable(text)


def endings(lab: "Lab", node: str) -> list[Drop]:
    """The rules and policies of a node that could end a packet, as drops of none in particular."""
    from pynetemu.errors import CommandNotFound

    with suppress(CommandNotFound):
        return list(_ending(node, str(lab[node].run("nft", "-a", "list", "ruleset").stdout)))
    return []


def _ending(node: str, listing: str) -> Iterator[Drop]:
    family = table = chain = ""
    for line in listing.splitlines():
        words = line.replace(";", " ").split()
        text, _, handle = line.strip().rpartition(" # handle ")
        if words[:1] == ["table"]:
            family, table = words[1:3]
        elif words[:1] == ["chain"]:
            chain = words[1]
        elif words[:1] == ["type"] and words[-2:] == ["policy", "drop"]:
            yield Drop(node, family, table, chain, 0, b"", b"", 0, 0)
        elif chain and handle and {"drop", "reject"} & set(text.split()):
            yield Drop(node, family, table, chain, int(handle), b"", b"", 0, 0)


def _is_drop(found: dict[int, bytes]) -> tuple[bool, int | None]:
    """Whether a rule or a policy ended a packet; and the queue, when it was handed to a program."""
    kind = _big(found.get(4))
    if kind == _POLICY:
        return found.get(16) == bytes(4), None
    verdict = _big(dict(attributes(found.get(5, b""))).get(1), missing=1)
    if kind == _RULE and verdict & 0xFF == _QUEUE and not verdict & _BYPASS:
        return True, verdict >> 16
    return kind == _RULE and verdict == _DROP, None


def _is_stolen(found: dict[int, bytes]) -> bool:
    """Whether a rule took a packet away from the stack."""
    verdict = _big(dict(attributes(found.get(5, b""))).get(1), missing=1)
    return _big(found.get(4)) == _RULE and verdict == _STOLEN


def _devices(lab: "Lab", node: str, wanted: Sequence[int], family: int) -> list[Device]:
    """The interfaces whose packets are traced; of all of them no rule needs to know, but in the family netdev."""
    if not wanted and family != NETDEV:
        return []
    asked = lab.interfaces(node)
    return [Device(one.index, one.name) for one in asked if one.index != 1 and (not wanted or one.index in wanted)]


def _big(value: bytes | None, missing: int = 0) -> int:
    return int.from_bytes(value) if value else missing
