"""The messages by which a trace marks packets for nftables' own trace of rules (linux/netfilter/nf_tables.h)."""

import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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

TABLE = "pynetemu_trace"
INET, IPV4, ARP, NETDEV, BRIDGE, IPV6 = 1, 2, 3, 5, 7, 10  # NFPROTO_*
FAMILIES = {INET: "inet", IPV4: "ip", ARP: "arp", NETDEV: "netdev", BRIDGE: "bridge", IPV6: "ip6"}
_SUBSYSTEM = 10 << 8  # NFNL_SUBSYS_NFTABLES
_NEW_TABLE, _NEW_CHAIN, _GET_CHAIN, _NEW_RULE, TRACE = (_SUBSYSTEM | kind for kind in (0, 3, 4, 6, 17))  # NFT_MSG_*
_BEGIN, _END = 0x10, 0x11  # NFNL_MSG_BATCH_*
_CHAIN_HOOK, _HOOK_NUMBER = 4, 1  # NFTA_CHAIN_HOOK, NFTA_HOOK_HOOKNUM
_INET_INGRESS = 5  # NF_INET_INGRESS: a hook of the family inet that belongs to an interface
_FIRST = -(1 << 31)  # NF_IP_PRI_FIRST: before whatever else there is
_OWNER = 2  # NFT_TABLE_F_OWNER
_META_IIF, _META_OIF, _META_NFTRACE = 4, 5, 12
# The hooks at which a packet enters a node or is made there: name, number, which interface a rule may ask for.
_HOOKS: dict[int, tuple[tuple[str, int, int], ...]] = {
    INET: (("arriving", 0, _META_IIF), ("leaving", 3, _META_OIF)),  # NF_INET_PRE_ROUTING, NF_INET_LOCAL_OUT
    BRIDGE: (("arriving", 0, _META_IIF), ("leaving", 3, _META_OIF)),
    ARP: (("arriving", 0, _META_IIF), ("leaving", 1, _META_OIF)),  # NF_ARP_IN, NF_ARP_OUT
    NETDEV: (("arriving", 0, _META_IIF), ("leaving", 1, _META_OIF)),  # NF_NETDEV_INGRESS, NF_NETDEV_EGRESS (Linux 5.16)
}


@dataclass(frozen=True, slots=True)
class Device:
    """An interface whose packets are traced."""

    index: int
    name: str


def families_in_use(asked: socket.socket) -> set[int]:
    """Which kinds of hooks the node's chains use: those of IP, of bridges, of ARP, of single interfaces."""
    found: set[int] = set()
    for answer in dump(asked, _GET_CHAIN, bytes(4)):
        if answer.type != _NEW_CHAIN or not answer.body:
            continue
        hook = dict(attributes(dict(attributes(answer.body, 4)).get(_CHAIN_HOOK, b"")))
        if number := hook.get(_HOOK_NUMBER):
            found.add(_kind_of(answer.body[0], int.from_bytes(number)))
    return found & _HOOKS.keys()


def _kind_of(family: int, hook: int) -> int:
    if family == INET and hook == _INET_INGRESS:
        return NETDEV
    return INET if family in (IPV4, IPV6) else family


def trace_rules(asked: socket.socket, family: int, devices: Sequence[Device], only_these: bool) -> None:
    """nft add table inet pynetemu_trace; two chains before all others, each with the rule `meta nftrace set 1`.

    `only_these`: one such rule for each of the interfaces, `iif 3 meta nftrace set 1`. Those of the family netdev have a chain
    for each interface and direction. Raises OSError.
    """
    table = text(1, TABLE)
    parts = [_message(_NEW_TABLE, family, table + attribute(2, struct.pack(">I", _OWNER)))]
    for name, hook, place in _HOOKS[family]:
        for chain, device in _chains(name, family, devices):
            parts.append(
                _message(_NEW_CHAIN, family, table + text(3, chain) + _nest(4, _hook(hook, device)) + text(7, "filter"))
            )
            indexes = [device.index for device in devices] if only_these and not device else []
            for match in [_is_interface(place, index) for index in indexes] or [b""]:
                parts.append(_message(_NEW_RULE, family, table + text(2, chain) + _nest(4, match + _set_nftrace())))
    batch = struct.pack(">BBH", 0, 0, 10)
    asked.send(_head(_BEGIN, batch) + b"".join(parts) + _head(_END, batch))
    answered = 0
    while answered < len(parts):
        for message in messages(asked.recv(1 << 16)):
            raise_if_refused(message)
            answered += 1


def _chains(name: str, family: int, devices: Sequence[Device]) -> Iterator[tuple[str, Device | None]]:
    if family != NETDEV:
        yield name, None
        return
    for device in devices:
        yield f"{name}_{device.index}", device


def _hook(number: int, device: Device | None) -> bytes:
    where = attribute(1, struct.pack(">I", number)) + attribute(2, struct.pack(">i", _FIRST))
    return where + (text(3, device.name) if device else b"")


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
