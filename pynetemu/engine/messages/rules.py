"""What rtnetlink(7) tells of the rules that choose a routing table (ip-rule(8), linux/fib_rules.h)."""

import socket
import struct
import sys
from typing import NamedTuple

from pynetemu.engine.messages.framing import as_text, attributes, malformed, unpack

RTM_NEWRULE, RTM_DELRULE, RTM_GETRULE = 32, 33, 34
_BODY = struct.Struct("=BBBBBxxBI")  # struct fib_rule_hdr: family, lengths of both prefixes, DS field, table, action, flags
_PAIR, _SHORTS = struct.Struct("=II"), struct.Struct("=HH")
_SIZES: dict[int, int] = {socket.AF_INET: 4, socket.AF_INET6: 16}
_ACTIONS = {1: "table", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}  # FR_ACT_*
_DST, _SRC, _IIF, _GOTO, _PRIORITY, _MARK, _SUPPRESS_GROUP, _SUPPRESS_LENGTH = 1, 2, 3, 4, 6, 10, 13, 14  # FRA_*
_TABLE, _MASK, _OIF, _L3MDEV, _USERS, _PROTOCOL, _SPORTS, _DPORTS, _DSCP = 15, 16, 17, 19, 20, 22, 23, 24, 25
_INVERT = 0x2  # FIB_RULE_INVERT
_NONE = 0xFFFFFFFF


class RuleMessage(NamedTuple):
    """A rule; what it does not ask for is "", 0 or None.

    `action` is "table", "goto", "nop" or how it refuses; `users` and the ports are ranges; `of_vrfs` leads to the table of the
    packet's VRF; routes of up to `suppressed_length` bits do not count.
    """

    family: int
    priority: int
    action: str
    table: int
    is_inverted: bool
    source: str
    destination: str
    tos: int
    input: str
    output: str
    mark: tuple[int, int] | None  # value, mask
    protocol: int
    source_ports: tuple[int, int] | None
    destination_ports: tuple[int, int] | None
    users: tuple[int, int] | None
    of_vrfs: bool
    goto: int
    suppressed_length: int | None
    suppressed_group: int | None


def rule_of(body: bytes) -> RuleMessage:
    """Takes a message apart."""
    family, destination_length, source_length, tos, short_table, action, flags = unpack(_BODY, body)
    found = dict(attributes(body, _BODY.size))

    def number(kind: int) -> int:
        return int.from_bytes(found.get(kind, b"")[:4], sys.byteorder)

    def limit(kind: int) -> int | None:
        return None if (value := number(kind)) == _NONE or kind not in found else value

    def prefix(kind: int, length: int) -> str:
        if kind not in found:
            return ""
        if _SIZES.get(family) != len(found[kind]):
            raise malformed(f"a rule's address of family {family} with {len(found[kind])} bytes")
        return f"{socket.inet_ntop(family, found[kind])}/{length}"

    def pair(kind: int, form: struct.Struct) -> tuple[int, int] | None:
        return unpack(form, found[kind])[:2] if kind in found else None

    return RuleMessage(
        family=family,
        priority=number(_PRIORITY),
        action=_ACTIONS.get(action, str(action)),
        table=number(_TABLE) or short_table,
        is_inverted=bool(flags & _INVERT),
        source=prefix(_SRC, source_length),
        destination=prefix(_DST, destination_length),
        tos=found[_DSCP][0] << 2 if found.get(_DSCP) else tos,
        input=as_text(found.get(_IIF, b"")),
        output=as_text(found.get(_OIF, b"")),
        mark=(number(_MARK), number(_MASK) if _MASK in found else _NONE) if _MARK in found or number(_MASK) else None,
        protocol=(found.get(_PROTOCOL) or b"\0")[0],
        source_ports=pair(_SPORTS, _SHORTS),
        destination_ports=pair(_DPORTS, _SHORTS),
        users=pair(_USERS, _PAIR),
        of_vrfs=bool((found.get(_L3MDEV) or b"\0")[0]),
        goto=number(_GOTO),
        suppressed_length=limit(_SUPPRESS_LENGTH),
        suppressed_group=limit(_SUPPRESS_GROUP),
    )
