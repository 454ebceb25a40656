"""What changed in a lab while it was traced: links, addresses, routes, rules, services and processes that ended.

The lab's own events are heard beside the packets. To hear them takes a first reading of all nodes: in large labs that goes on
beside the trace, and what changed before it was there is not told.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.errors import PynetemuError
from pynetemu.trace.evidence.traced_line import TracedLine

if TYPE_CHECKING:
    from pynetemu.lab.events import LabEvent
    from pynetemu.lab.lab import Lab
    from pynetemu.lab.stream import Events

_FEW = 30  # nodes that are read before the trace begins


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened in a node; `time` is in nanoseconds since 1970, the earliest that it can be."""

    time: int
    node: str
    text: str


class Meanwhile:
    """Listens from `start` to `stop`."""

    def __init__(self, lab: "Lab") -> None:
        self._lab = lab
        self._events: Events | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_over = False

    def start(self) -> None:
        if len(self._lab.nodes) <= _FEW:
            self._open()
            return
        self._thread = threading.Thread(target=self._open, name="pynetemu-trace-events", daemon=True)
        self._thread.start()

    def _open(self) -> None:
        with suppress(PynetemuError, OSError):  # the lab has ended, or this kernel tells nothing of other namespaces
            events = self._lab.events()
            with self._lock:
                if not self._is_over:
                    self._events = events
                    return
            events.close()

    def stop(self, lines: Sequence[TracedLine]) -> list[Change]:
        """What changed, in the order of time; the end of the commands that were traced is none."""
        with self._lock:
            self._is_over = True
        if self._events is None:  # the first reading of a large lab takes longer than the trace: its thread goes on, and closes
            return []
        self._events.close()  # the nodes have been asked since the end, so that the engine has told what it knew
        return _changes(self._events.pending(), lines)


def _changes(events: "list[LabEvent]", lines: Sequence[TracedLine]) -> list[Change]:
    from pynetemu.lab.events import NeighborEvent, ProcessEvent

    ran = {(line.node, word) for line in lines for text in line.words[:1] for word in text.split()[:1]}
    told = []
    for event in events:
        is_ours = isinstance(event, ProcessEvent) and ((event.node, event.argv[0]) in ran or event.status == 0)
        if not is_ours and not isinstance(event, NeighborEvent):
            told.append(Change(int(event.time * 1e9), event.node, str(event)))
    return sorted(told, key=lambda change: change.time)
