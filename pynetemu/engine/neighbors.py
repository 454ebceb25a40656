"""The nodes' tables of neighbors (ARP, ND): forgetting, looking up single entries, and asking known ones without a broadcast.

The kernel keeps at most net.ipv4.neigh.default.gc_thresh3 (1024) entries that were learned, for all namespaces together, and
as many of IPv6; it does not give up one in its first 5 s (neigh_forced_gc in net/core/neighbour.c). Permanent ones do not
count.
"""

import errno
import socket
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from pynetemu.engine.messages.framing import CREATE, EXCLUSIVE, REQUEST, attribute
from pynetemu.engine.messages.tables import (
    NEIGHBOR_BODY,
    NUD_INCOMPLETE,
    NUD_NOARP,
    NUD_PERMANENT,
    NUD_PROBE,
    RTM_DELNEIGH,
    RTM_GETNEIGH,
    RTM_NEWNEIGH,
    NeighborMessage,
)
from pynetemu.engine.nodes import Nodes
from pynetemu.engine.protocol.requests import NeighborEntries, NeighborsLeft

if TYPE_CHECKING:
    from pynetemu.engine.loop import Steps

_NDA_DST, _NDA_LLADDR = 1, 2
_MOST_ADDRESSES = 4096  # that are packed once
# What may have happened to an entry or its interface in the meantime, and a table that is full.
_GONE = errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.EINVAL
_NOT_ADDED = *_GONE, errno.EEXIST, errno.ENOBUFS, errno.ENOMEM

_AT_ONCE = 256
Entries = Mapping[str, NeighborEntries]  # by node


def forget_learned(nodes: Nodes, names: Iterable[str], unanswered_too: bool) -> "Steps[NeighborsLeft]":
    """Deletes what nodes have learned, those being asked only if wanted; gives back how many are left."""
    permanent = unanswered = 0
    for name in names:
        link = nodes[name].link
        for neighbor in map(NeighborMessage, link.dump_bytes(RTM_GETNEIGH, NEIGHBOR_BODY.pack(0, 0, 0, 0, 0))):
            state = neighbor.state
            if state & (NUD_PERMANENT | NUD_NOARP) or (state & NUD_INCOMPLETE and not unanswered_too):
                permanent += bool(state & NUD_PERMANENT)
                unanswered += bool(state & NUD_INCOMPLETE)
                continue
            head = NEIGHBOR_BODY.pack(neighbor.family, neighbor.index, state, neighbor.flags, neighbor.type)
            link.queue_bytes(None, RTM_DELNEIGH, REQUEST, head + attribute(_NDA_DST, neighbor.packed))
        link.flush(tolerated=_GONE)  # another has gone by itself
        yield 0
    return NeighborsLeft(permanent, unanswered)


def replace(nodes: Nodes, forgotten: Entries, asked: Entries) -> "Steps[None]":
    """Deletes single entries, and makes nodes ask for others with frames to these MAC addresses alone.

    The new entries are in the state PROBE, and become REACHABLE by the answers, FAILED without (RFC 1122, 2.3.2.1). What a node
    knows already stays as it is; to forget what it does not know is not an error.
    """
    for name, entries in forgotten.items():
        link = nodes[name].link
        for part in _parts(entries):
            for index, address in zip(part.indexes, part.addresses, strict=True):
                link.queue_bytes(None, RTM_DELNEIGH, REQUEST, _body(index, address))
            link.flush(tolerated=_GONE)
            yield 0
    for name, entries in asked.items():
        link = nodes[name].link
        for part in _parts(entries):
            for index, address, mac in zip(part.indexes, part.addresses, part.macs, strict=True):
                link.queue_bytes(None, RTM_NEWNEIGH, REQUEST | CREATE | EXCLUSIVE, _asked_at(index, address, mac))
            link.flush(tolerated=_NOT_ADDED)
            yield 0


def states(nodes: Nodes, wanted: Entries) -> "Steps[dict[str, tuple[int, ...]]]":
    """The states (NUD_*, linux/neighbour.h) of single entries, 0 for one that is not there."""
    found: dict[str, tuple[int, ...]] = {}
    for name, entries in wanted.items():
        found[name] = ()
        for part in _parts(entries):
            asked = [_body(index, address) for index, address in zip(part.indexes, part.addresses, strict=True)]
            bodies = nodes[name].link.ask_each(RTM_GETNEIGH, asked)
            found[name] += tuple(NeighborMessage(body).state if body else 0 for body in bodies)
            yield 0
    return found


def _parts(entries: NeighborEntries) -> Iterator[NeighborEntries]:
    """The entries, as many at a time as take some milliseconds."""
    for start in range(0, len(entries.indexes), _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        yield NeighborEntries(entries.indexes[some], entries.addresses[some], entries.macs[some])


@lru_cache(_MOST_ADDRESSES)
def _body(index: int, address: str, state: int = 0) -> bytes:
    """That of one entry: most nodes have the same neighbors, at an interface of the same number."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return NEIGHBOR_BODY.pack(family, index, state, 0, 0) + attribute(_NDA_DST, socket.inet_pton(family, address))


@lru_cache(_MOST_ADDRESSES)
def _asked_at(index: int, address: str, mac: str) -> bytes:
    return _body(index, address, NUD_PROBE) + attribute(_NDA_LLADDR, bytes.fromhex(mac.replace(":", "")))
