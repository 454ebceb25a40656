"""Where this kernel's structures have their fields, from its own description of its types (BTF, Documentation/bpf/btf.rst).

    layout = load_layout()
    layout.offsets["sk_buff.dev"], layout.tracepoints["kfree_skb"], layout.reasons[6]

Reading the description takes about 0.1 s; what we need of it is kept in a file until the machine starts anew.
"""

import json
import os
import struct
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

DESCRIPTION = "/sys/kernel/btf/vmlinux"
_FIELDS = (
    "sk_buff.dev sk_buff.head sk_buff.data sk_buff.tail sk_buff.end sk_buff.len sk_buff.mac_header sk_buff.network_header "  # noqa: SIM905
    "sk_buff.protocol sk_buff.mark sk_buff.vlan_tci sk_buff.vlan_proto sk_buff.sk "
    "sk_buff.data_len skb_shared_info.dataref net_device.ifindex net_device.type net_device.nd_net "
    "net.ns.inum sock.__sk_common.skc_net sock.__sk_common.skc_family".split()
)
_TRACEPOINTS = ("net_dev_start_xmit", "netif_receive_skb", "kfree_skb", "consume_skb")
_FROM_PACKET = "bpf_dynptr_from_skb"  # for programs on tracepoints since Linux 6.12
_REASONS, _PREFIX = "skb_drop_reason", "SKB_DROP_REASON_"

# Kinds of types, and how many words follow the three of each type's head: so many, and so many for each member.
_ARRAY, _STRUCT, _UNION, _ENUM, _TYPEDEF, _FUNCTION = 3, 4, 5, 6, 8, 12
_QUALIFIERS = (8, 9, 10, 11, 18)  # typedef, volatile, const, restrict, type tag
_TAILS = {1: (1, 0), _ARRAY: (3, 0), _STRUCT: (0, 3), _UNION: (0, 3), _ENUM: (0, 2), 13: (0, 2), 14: (1, 0), 15: (0, 3),
          17: (1, 0), 19: (0, 3)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """Fields' offsets in bytes, the numbers of the tracepoints' types, the names of the reasons for drops.

    `from_packet` is the number of the kernel's function by which a program reads all of a packet, 0 where there is none.
    """

    offsets: dict[str, int]
    tracepoints: dict[str, int]
    reasons: dict[int, str]
    from_packet: int


def load_layout() -> Layout:
    """Raises OSError where the kernel has no description, KeyError where it lacks something of it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    cache = _cache()
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(cache.read_text())
        if kept["boot"] == boot and set(kept["offsets"]) == set(_FIELDS):
            reasons = {int(number): name for number, name in kept["reasons"].items()}
            return Layout(kept["offsets"], kept["tracepoints"], reasons, kept["from_packet"])
    layout = read_layout()
    with suppress(OSError):  # a home that cannot be written: then the description is read each time
        cache.parent.mkdir(parents=True, exist_ok=True)
        partial = cache.with_suffix(f".{os.getpid()}")
        partial.touch(mode=0o600)  # addresses in the kernel are for root alone
        partial.write_text(json.dumps({"boot": boot, **asdict(layout)}))
        partial.replace(cache)
    return layout


def read_layout() -> Layout:
    """The same, from the description itself."""
    types = Types(Path(DESCRIPTION).read_bytes())
    return Layout(
        {path: types.offset(path) for path in _FIELDS},
        {name: types.number(f"btf_trace_{name}", _TYPEDEF) for name in _TRACEPOINTS},
        {number: name.removeprefix(_PREFIX) for number, name in types.enumeration(_REASONS).items()},
        types.find(_FROM_PACKET, _FUNCTION) or 0,
    )


class Types:
    """The types of a description, by number and by name."""

    def __init__(self, data: bytes) -> None:
        head, types, types_size, strings, strings_size = struct.unpack_from("=4xIIIII", data)
        self._words = array("I", data[head + types : head + types + types_size])
        self._strings = data[head + strings : head + strings + strings_size]
        self._places = places = _places(self._words)
        words = self._words
        self._numbers = {(words[at], _kind(words[at + 1])): number for number, at in enumerate(places) if number and words[at]}

    def number(self, name: str, kind: int) -> int:
        """The number of the type of a name; raises KeyError."""
        if (number := self.find(name, kind)) is None:
            raise KeyError(name)
        return number

    def find(self, name: str, kind: int) -> int | None:
        """The same, None where there is none."""
        return self._numbers.get((self._strings.find(b"\0" + name.encode() + b"\0") + 1, kind))

    def offset(self, path: str) -> int:
        """Where a field is: "sk_buff.dev", or "net.ns.inum" of a structure in it; raises KeyError."""
        structure, *fields = path.split(".")
        number, offset = self.number(structure, _STRUCT), 0
        for field in fields:
            found = self._field(number, field)
            if found is None:
                raise KeyError(path)
            offset, number = offset + found[0], found[1]
        return offset

    def enumeration(self, name: str) -> dict[int, str]:
        place = self._places[self.number(name, _ENUM)]
        start, end = place + 3, place + 3 + 2 * _members(self._words[place + 1])
        return {self._words[at + 1]: self._name(self._words[at]) for at in range(start, end, 2)}

    def _field(self, number: int, name: str) -> tuple[int, int] | None:
        """A field's offset and type, also of one in a nameless structure or union."""
        words, place = self._words, self._places[number]
        while _kind(words[place + 1]) in _QUALIFIERS:
            place = self._places[words[place + 2]]
        if _kind(words[place + 1]) not in (_STRUCT, _UNION):
            return None
        has_bit_fields = words[place + 1] >> 31
        for at in range(place + 3, place + 3 + 3 * _members(words[place + 1]), 3):
            bits = words[at + 2] & 0xFFFFFF if has_bit_fields else words[at + 2]
            own = self._name(words[at])
            if own == name:
                return bits >> 3, words[at + 1]
            if not own and (inner := self._field(words[at + 1], name)):
                return (bits >> 3) + inner[0], inner[1]
        return None

    def _name(self, start: int) -> str:
        return self._strings[start : self._strings.index(b"\0", start)].decode()


def _places(words: Sequence[int]) -> list[int]:
    """Where each type begins; the first has the number 1."""
    places, at, end, tails = [0], 0, len(words), _TAILS
    while at < end:
        places.append(at)
        information = words[at + 1]
        fixed, each = tails.get(_kind(information), (0, 0))
        at += 3 + fixed + each * (information & 0xFFFF)
    return places


def _kind(information: int) -> int:
    return (information >> 24) & 31


def _members(information: int) -> int:
    return information & 0xFFFF


def _cache() -> Path:
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder) / "pynetemu" / "kernel.json"
