"""What an engine of traces sees: one packet, at one interface of one node, at one moment."""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

Kind = Literal["out", "in", "drop", "end"]


class Event(NamedTuple):
    """A packet seen.

    `kind` is "out" when it leaves the node by the interface, "in" when it enters there, "drop" when the kernel gave it up,
    "end" when the kernel was done with its buffer. `time` is in nanoseconds since 1970; `data` begins with the Ethernet
    header and may be cut, `length` is its whole length. `buffer` and `head` are the addresses of the kernel's sk_buff and
    of its data, 0 where the engine does not know them. `reason` and `place` say why and where a packet was dropped, `mark`
    is its mark in the node (None where the engine does not know it).
    """

    time: int
    node: str
    interface: str
    kind: Kind
    data: bytes
    length: int
    buffer: int = 0
    head: int = 0
    reason: str = ""
    place: str = ""
    mark: int | None = None


class Source(Protocol):
    """An engine that is at work: `read` gives what it has seen since, in the order of time, and never waits.

    `fileno` becomes readable when there is something to read; `lost` counts the packets that it had to miss.
    """

    @property
    def name(self) -> str: ...
    @property
    def lost(self) -> int: ...
    def fileno(self) -> int: ...
    def read(self) -> list[Event]: ...
    def all_until_now(self) -> Callable[[], bool]:
        """What tells whether all that has been seen when this is called is with the source, so that `read` gives it."""
        ...

    def close(self) -> None: ...
