"""What a tunnel's interface is, in the attributes of its kind (linux/if_link.h, linux/if_tunnel.h)."""

import socket
import sys
from typing import NamedTuple

from pynetemu.engine.messages.framing import Attributes

# Of each kind the family of its ends, and the attributes of its own address and the other end's; 0 for none.
_ENDS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "vxlan": ((socket.AF_INET, 4, 2), (socket.AF_INET6, 17, 16)),
    "geneve": ((socket.AF_INET, 0, 2), (socket.AF_INET6, 0, 7)),
    **dict.fromkeys(("gre", "gretap", "erspan"), ((socket.AF_INET, 6, 7),)),
    **dict.fromkeys(("ip6gre", "ip6gretap"), ((socket.AF_INET6, 6, 7),)),
    **dict.fromkeys(("ipip", "sit"), ((socket.AF_INET, 2, 3),)),
    "ip6tnl": ((socket.AF_INET6, 2, 3),),
    "vti": ((socket.AF_INET, 4, 5),),
    "vti6": ((socket.AF_INET6, 4, 5),),
}
_SIZES: dict[int, int] = {socket.AF_INET: 4, socket.AF_INET6: 16}
_GRE = ("gre", "gretap", "ip6gre", "ip6gretap")
_GRE_INPUT_FLAGS, _GRE_INPUT_KEY, _GRE_HAS_KEY = 2, 4, 0x2000  # GRE_KEY, as on the wire
_LINK = {"vxlan": 3, "geneve": 0}  # that of others is 1
_MARK = dict.fromkeys((*_GRE, "erspan", "ipip", "sit", "ip6tnl"), 20)
_ANY = ("0.0.0.0", "::")


class Tunnel(NamedTuple):
    """`ends` are the addresses of its own end and of the other, "0.0.0.0" or "::" for any.

    `link` is the index of the only interface by which it sends, 0 for any; `mark` that of what it sends, by which rules may
    route this elsewhere; `vxlan` a VXLAN's id (VNI) and UDP port; `key` the GRE key that it wants of what comes, None for none.
    """

    ends: tuple[str, str]
    link: int = 0
    mark: int = 0
    vxlan: tuple[int, int] | None = None
    key: int | None = None


def tunnel_of(kind: str, data: Attributes) -> Tunnel | None:
    """That of an interface, None of one that is none."""
    if kind not in _ENDS:
        return None
    vxlan = (_number(data, 1), int.from_bytes(data.get(15, b""))) if kind == "vxlan" else None
    has_key = kind in _GRE and int.from_bytes(data.get(_GRE_INPUT_FLAGS, b"")) & _GRE_HAS_KEY
    key = int.from_bytes(data.get(_GRE_INPUT_KEY, b"")) if has_key else None
    return Tunnel(_ends(kind, data), _number(data, _LINK.get(kind, 1)), _number(data, _MARK.get(kind, 0)), vxlan, key)


def _ends(kind: str, data: Attributes) -> tuple[str, str]:
    """Of a tunnel that may have ends of either family those that say something."""
    found = [
        (_address(family, data.get(own, b"") if own else b""), _address(family, data.get(other, b"")))
        for family, own, other in _ENDS[kind]
    ]
    return min(found, key=lambda ends: (ends[1] in _ANY, ends[0] in _ANY))


def _address(family: int, packed: bytes) -> str:
    return socket.inet_ntop(family, packed if len(packed) == _SIZES[family] else bytes(_SIZES[family]))


def _number(data: Attributes, kind: int) -> int:
    return int.from_bytes(data.get(kind, b"")[:4], sys.byteorder) if kind else 0
