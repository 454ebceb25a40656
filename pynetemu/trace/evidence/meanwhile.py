"""What changed in a lab while it was traced: links, addresses, routes, rules, services and processes that ended.

The lab's own events are heard beside the packets. What the nodes had at the beginning is taken apart for those only of which
something is heard.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetemu.errors import PynetemuError
from pynetemu.trace.evidence.traced_line import TracedLine

if TYPE_CHECKING:
    from pynetemu.lab.events import LabEvent
    from pynetemu.lab.lab import Lab
    from pynetemu.lab.reading import LabState


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened in a node; `time` is in nanoseconds since 1970, the earliest that it can be."""

    time: int
    node: str
    text: str


class Meanwhile:
    """Listens from when it is made; `stop` gives what happened. `read` is called meanwhile, once, and gives what all nodes
    have then, with the tables of `listening.PICTURE`."""

    def __init__(self, lab: "Lab", read: "Callable[[], LabState]") -> None:
        from pynetemu.lab.stream import Events

        self._events: Events | None = Events(lab, lab.streams, (), None, None)
        has_read = False

        def read_once() -> "LabState":
            nonlocal has_read
            has_read = True
            return read()

        try:
            self._events.start(read_once)
        except (PynetemuError, OSError):
            if has_read:
                raise
            self._events = None  # this kernel tells nothing of other namespaces
            read()

    def stop(self) -> "list[LabEvent]":
        """What was heard. The nodes must have been asked since the end, so that the engine has told what it knew."""
        if self._events is None:
            return []
        self._events.close()
        return self._events.pending()

    def close(self) -> None:
        """Closing twice is no error."""
        if self._events is not None:
            self._events.close()


def changes(events: "list[LabEvent]", lines: Sequence[TracedLine]) -> list[Change]:
    """What of it is to be told, in the order of time; the end of the commands that were traced is not."""
    from pynetemu.lab.events import NeighborEvent, ProcessEvent

    ran = {(line.node, word) for line in lines for text in line.words[:1] for word in text.split()[:1]}
    told = []
    for event in events:
        is_ours = isinstance(event, ProcessEvent) and ((event.node, event.argv[0]) in ran or event.status == 0)
        if not is_ours and not isinstance(event, NeighborEvent):
            told.append(Change(int(event.time * 1e9), event.node, str(event)))
    return sorted(told, key=lambda change: change.time)
