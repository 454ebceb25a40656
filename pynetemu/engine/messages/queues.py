"""What rtnetlink(7) tells of queueing disciplines and their counters (tc(8), linux/gen_stats.h)."""

import struct
from typing import NamedTuple

from pynetemu.engine.messages.framing import as_text, attributes, unpack

RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC = 36, 37, 38
QUEUE_BODY = struct.Struct("=BxxxiIII")  # struct tcmsg: family, index, handle, parent, info
_KIND, _STATS2, _BASIC, _QUEUE = 1, 7, 1, 3  # TCA_KIND, TCA_STATS2, TCA_STATS_BASIC, TCA_STATS_QUEUE
_SENT = struct.Struct("=QI")  # struct gnet_stats_basic: bytes, packets
_COUNTS = struct.Struct("=5I")  # struct gnet_stats_queue: packets and bytes that wait, drops, requeued, over the limit
_ROOT = 0xFFFFFFFF


class QueueMessage(NamedTuple):
    """A queueing discipline; `handle` and `parent` are written as tc does: "1:", "root", "8001:1"."""

    interface: int  # its index
    kind: str
    handle: str
    parent: str
    sent_bytes: int
    sent_packets: int
    waiting_packets: int
    waiting_bytes: int
    dropped: int
    requeued: int
    over_limit: int


def queue_of(body: bytes) -> QueueMessage:
    """Takes a message apart."""
    _, index, handle, parent, _ = unpack(QUEUE_BODY, body)
    found = dict(attributes(body, QUEUE_BODY.size))
    counts = dict(attributes(found.get(_STATS2, b"")))
    sent_bytes, sent = unpack(_SENT, counts.get(_BASIC, bytes(_SENT.size)))
    waiting, backlog, dropped, requeued, over_limit = unpack(_COUNTS, counts.get(_QUEUE, bytes(_COUNTS.size)))
    names = as_text(found.get(_KIND, b"")), _numbers(handle), _numbers(parent)
    return QueueMessage(index, *names, sent_bytes, sent, waiting, backlog, dropped, requeued, over_limit)


def _numbers(handle: int) -> str:
    """TC_H_MAJ and TC_H_MIN: 8001:1; 0 is none, and all bits the root."""
    if handle in (0, _ROOT):
        return "root" if handle else ""
    minor = handle & 0xFFFF
    return f"{handle >> 16:x}:{minor:x}" if minor else f"{handle >> 16:x}:"
