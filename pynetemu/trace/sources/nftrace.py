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
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.capture.selection import indexes_of_the_lab
from pynetemu.engine.messages.framing import (
    ACK,
    CREATE,
    NESTED,
    REQUEST,
    attribute,
    attributes,
    dump,
    messages,
    pack,
    raise_if_refused,
    text,
)
from pynetemu.safe_text import printable
from pynetemu.trace.sources.events import Event

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

TABLE = "pynetemu_trace"
_NETLINK_NETFILTER, _SUBSYSTEM = 12, 10 << 8  # NFNL_SUBSYS_NFTABLES
_NEW_TABLE, _GET_TABLE, _NEW_CHAIN, _NEW_RULE, _TRACE = (_SUBSYSTEM | kind for kind in (0, 1, 3, 6, 17))  # NFT_MSG_*
_BEGIN, _END = 0x10, 0x11  # NFNL_MSG_BATCH_*
_INET, _IPV4, _BRIDGE, _IPV6 = 1, 2, 7, 10  # NFPROTO_*
_FAMILIES = {_INET: "inet", _IPV4: "ip", 3: "arp", 5: "netdev", _BRIDGE: "bridge", _IPV6: "ip6"}
_ARRIVING, _LEAVING = 0, 3  # NF_INET_PRE_ROUTING and NF_INET_LOCAL_OUT; the bridge's have the same numbers
_FIRST = -400  # before connection tracking (-200) and the rules that people write
_OWNER = 2  # NFT_TABLE_F_OWNER
_META_IIF, _META_OIF, _META_NFTRACE = 4, 5, 12
_GROUP_TRACE = 9  # NFNLGRP_NFTRACE
_SOL_NETLINK, _ADD_MEMBERSHIP = 270, 1
_ROOM = 4 << 20  # bytes for traces that have not been read; the kernel gives what net.core.rmem_max allows
_RULE, _POLICY = 3, 1  # NFT_TRACETYPE_*
_DROP = 0  # NF_DROP; a rule that rejects has this verdict too


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


class Firewall:
    """Asks each node whether it has rules, and lets the kernel trace them there."""

    def __init__(self, lab: "Lab", nodes: Sequence[str]) -> None:
        self.drops: list[Drop] = []
        self.lost = False
        self._traced: dict[int, tuple[str, socket.socket]] = {}
        self._headers: dict[tuple[str, bytes], tuple[bytes, bytes, int]] = {}
        self._ready = select.epoll()
        for node in nodes:
            self._begin(lab, node)

    def _begin(self, lab: "Lab", node: str) -> None:
        asked = lab[node].socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER)
        try:
            families = _families(asked)
            if not families:
                asked.close()
                return
            asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
            indexes = indexes_of_the_lab(lab, node)
            for family in families:
                _trace_rules(asked, family, indexes)
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
                        if message.type == _TRACE:
                            self._note(node, message.body)
            except OSError as error:
                self.lost |= error.errno in (errno.ENOBUFS, errno.EBADMSG)

    def _note(self, node: str, body: bytes) -> None:
        """The headers come with the first message about a packet only, its drop with the last."""
        found = dict(attributes(body, 4))
        number = node, found.get(6, b"")
        lab, transport = found.get(8, b""), found.get(9, b"")
        if lab or number not in self._headers:
            self._headers[number] = lab, transport, _big(found.get(10))
        if not _is_drop(found):
            return
        headers = self._headers[number]
        table, chain = (found.get(kind, b"").rstrip(b"\0").decode() for kind in (1, 2))
        rule = int.from_bytes(found.get(3, b"")) if _big(found.get(4)) == _RULE else 0
        self.drops.append(Drop(node, _FAMILIES.get(body[0], "inet"), table, chain, rule, *headers, time.time_ns()))

    def close(self) -> None:
        """Reads what is left, and takes the tables away. Closing twice is no error."""
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
    lost = [drop for drop in drops if (drop.node, fingerprint(drop.network + drop.transport)) not in seen and drop.network]
    return [Event(drop.time, drop.node, "", "drop", _frame(drop), 14 + _length(drop.network)) for drop in lost]


def fingerprint(packet: bytes) -> bytes:
    """What tells IP packets apart, addresses aside: their number and length, and how the payload begins."""
    if packet[:1] and packet[0] >> 4 == 6:
        return packet[4:7] + packet[44:48]
    at = (packet[0] & 15) * 4 if packet else 0
    return packet[2:6] + packet[9:10] + packet[at + 4 : at + 8]


def _frame(drop: Drop) -> bytes:
    """An Ethernet frame without addresses around what is known of the packet."""
    kind = b"\x86\xdd" if drop.network[0] >> 4 == 6 else b"\x08\x00"
    return bytes(12) + kind + drop.network + drop.transport


def _length(network: bytes) -> int:
    return int.from_bytes(network[4:6]) + 40 if network[0] >> 4 == 6 else int.from_bytes(network[2:4])


def rules(lab: "Lab", node: str) -> dict[tuple[str, str, int], str]:
    """A node's rules as they are written, by table, chain and handle; none when it has no `nft`."""
    from pynetemu.errors import CommandNotFound

    with suppress(CommandNotFound):
        return dict(_written(str(lab[node].run("nft", "-a", "list", "ruleset").stdout)))
    return {}


def _written(listing: str) -> Iterator[tuple[tuple[str, str, int], str]]:
    table = chain = ""
    for line in listing.splitlines():
        words = line.split()
        text, marked, handle = line.strip().rpartition(" # handle ")
        if words[:1] == ["table"]:
            table = words[2]
        elif words[:1] == ["chain"]:
            chain = words[1]
        elif marked and chain:
            yield (table, chain, int(handle)), printable(text)


def _is_drop(found: dict[int, bytes]) -> bool:
    kind = _big(found.get(4))
    if kind == _POLICY:
        return found.get(16) == bytes(4)
    verdict = dict(attributes(found.get(5, b"")))
    return kind == _RULE and _big(verdict.get(1), missing=1) == _DROP


def _families(asked: socket.socket) -> set[int]:
    """Which of the two kinds of hooks the node's tables use: those of IP, those of bridges."""
    found = {answer.body[0] for answer in dump(asked, _GET_TABLE, bytes(4)) if answer.type == _NEW_TABLE and answer.body}
    return {_BRIDGE if family == _BRIDGE else _INET for family in found & {_INET, _IPV4, _IPV6, _BRIDGE}}


def _trace_rules(asked: socket.socket, family: int, indexes: Sequence[int]) -> None:
    """nft add table inet pynetemu_trace; two chains before all others, each with the rule `meta nftrace set 1`.

    With indexes one such rule for each of these interfaces: `iif 3 meta nftrace set 1`.
    """
    table = text(1, TABLE)
    parts = [_message(_NEW_TABLE, family, table + attribute(2, struct.pack(">I", _OWNER)))]
    for name, hook, place in ("arriving", _ARRIVING, _META_IIF), ("leaving", _LEAVING, _META_OIF):
        where = attribute(1, struct.pack(">I", hook)) + attribute(2, struct.pack(">i", _FIRST))
        chain = table + text(3, name) + _nest(4, where) + text(7, "filter")
        parts.append(_message(_NEW_CHAIN, family, chain))
        for match in [_is_interface(place, index) for index in indexes] or [b""]:
            parts.append(_message(_NEW_RULE, family, table + text(2, name) + _nest(4, match + _set_nftrace())))
    batch = struct.pack(">BBH", 0, 0, 10)
    asked.send(_head(_BEGIN, batch) + b"".join(parts) + _head(_END, batch))
    answered = 0
    while answered < len(parts):
        for message in messages(asked.recv(1 << 16)):
            raise_if_refused(message)
            answered += 1


def _is_interface(place: int, index: int) -> bytes:
    """Two expressions: the interface's index into register 1; go on only if it is this one."""
    load = attribute(1, struct.pack(">I", 1)) + attribute(2, struct.pack(">I", place))
    value = _nest(3, attribute(1, struct.pack("=I", index)))
    compare = attribute(1, struct.pack(">I", 1)) + attribute(2, struct.pack(">I", 0)) + value  # NFT_CMP_EQ
    return _nest(1, text(1, "meta") + _nest(2, load)) + _nest(1, text(1, "cmp") + _nest(2, compare))


def _set_nftrace() -> bytes:
    """Two expressions: 1 into register 1; the packet's nftrace from there."""
    value = _nest(2, attribute(1, b"\1"))
    load = text(1, "immediate") + _nest(2, attribute(1, struct.pack(">I", 1)) + value)
    use = attribute(2, struct.pack(">I", _META_NFTRACE)) + attribute(3, struct.pack(">I", 1))
    return _nest(1, load) + _nest(1, text(1, "meta") + _nest(2, use))


def _message(kind: int, family: int, body: bytes) -> bytes:
    return _head(kind, struct.pack("=BBH", family, 0, 0) + body, ACK | CREATE)


def _head(kind: int, body: bytes, flags: int = 0) -> bytes:
    return pack(kind, REQUEST | flags, 1, body)


def _nest(kind: int, value: bytes) -> bytes:
    return attribute(kind | NESTED, value)


def _big(value: bytes | None, missing: int = 0) -> int:
    return int.from_bytes(value) if value else missing
