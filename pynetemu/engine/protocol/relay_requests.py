"""What an engine can be asked about its relay, besides `engine.protocol.requests`."""

from pynetemu.engine.protocol.request import Request, request
from pynetemu.frozen import frozen


@frozen
class RelayedDirection:
    """One direction of a relayed link: the words of its `plan.shaping.impairment`, and what became of its packets.

    The counters have the names of `relay.direction.Counters`; there are none while the relay is started again.
    """

    node: str
    interface: str
    peer_node: str
    peer_interface: str
    settings: tuple[str, ...]
    counters: dict[str, int]


@frozen
class EndedPacket:
    """A packet that the relay did not pass on as it came, from an interface of a node: "lost", "dropped", "corrupted",
    "overload". `number` is its place in its flow, 0 when nobody counted; `frame` the begin of it in hexadecimal."""

    node: str
    interface: str
    what: str
    number: int
    frame: str


@request
class ReadEnded(Request[tuple[EndedPacket, ...]]):
    """The last packets of relayed links that were lost, dropped or corrupted, some hundred of each direction."""


@frozen
class MarkedPacket:
    """A packet that the relay did not treat as all others, sent by an interface of this index at a time (ns since 1970).

    `what` is "lost", "dropped", "corrupted", "overload", or "twice" and "ahead"; `number` and `frame` as in `EndedPacket`.
    """

    node: str
    interface: str
    index: int
    time: int
    what: str
    number: int
    frame: str


@frozen
class RelayedEnd:
    """An interface that sends into a relayed link, with its index in the node, 0 when somebody has deleted it; and a time."""

    node: str
    interface: str
    index: int
    time: int = 0


@frozen
class Marks:
    """The packets of which the relay found since a moment that it does not treat them as all others.

    Of packets that were sent before `now` (ns since 1970) it is known what becomes of them, but for those of the ends that are
    `undecided`, each with the time for it. `since` is the moment for the next question; with `more` there are others already.
    """

    packets: tuple[MarkedPacket, ...]
    now: int
    undecided: tuple[RelayedEnd, ...]
    since: float
    more: bool


@request
class ReadMarks(Request[Marks]):
    """What relayed links lost, changed, doubled and let overtake, since a moment that an answer told, at first 0."""

    since: float


@request
class ReadRelayedEnds(Request[tuple[RelayedEnd, ...]]):
    """The ends of all relayed links."""


@request
class ReadRelay(Request[tuple[RelayedDirection, ...]]):
    """The relayed links, each with both of its directions."""


@frozen
class Step:
    """From so many seconds on, what a direction of a link does, as the words of its `plan.shaping.impairment`."""

    seconds: float
    settings: tuple[str, ...]


@request
class PlayLink(Request[None]):
    """Change what is sent by an interface over time, again after `period` seconds if that is not 0; no steps end it.

    With `linear` settings change evenly from each step to the next.
    """

    node: str
    interface: str
    steps: tuple[Step, ...]
    period: float
    linear: bool


@request
class SetAgain(Request[None]):
    """Let what is sent by an interface meet the link's settings again, where a schedule has changed them."""

    node: str
    interface: str


@request
class ReplayLink(Request[None]):
    """Let what is sent by an interface leave at Mahimahi's opportunities, in milliseconds, again and again; none end it."""

    node: str
    interface: str
    milliseconds: tuple[int, ...]


@request
class WriteJournal(Request[None]):
    """Write the fates of what is sent by an interface into a file of this path, so many lines at most; "" ends it."""

    node: str
    interface: str
    path: str
    most: int


@request
class FollowJournal(Request[None]):
    """Let what is sent by an interface meet the fates of a journal of this path; "" for those of the link's settings again."""

    node: str
    interface: str
    path: str


Going = PlayLink | ReplayLink | FollowJournal | WriteJournal  # what goes on by itself in the relay
RelayRequest = Going | SetAgain | ReadEnded | ReadMarks | ReadRelay | ReadRelayedEnds
