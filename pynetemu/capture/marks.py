"""What links of a lab were asked to do to single packets, told with the packets themselves: the relay knows it of each.

A relayed link finds out what becomes of a packet some milliseconds after it was sent, or, where its queue chooses later, when
the packet would leave. So what was captured is held back until the relay has judged it, and told with its comments then. In a
lab whose links lose and change nothing all of it passes at once, and nobody is asked.
"""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from pynetemu.engine.protocol.relay_requests import MarkedPacket, ReadMarks, ReadRelayedEnds
from pynetemu.errors import PynetemuError
from pynetemu.plan.inventory import ends
from pynetemu.plan.operations import AddVeth, Impair

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.plan.inventory import Inventory

Sent = tuple[str, int, bytes]  # what an interface has sent: its node, its index, the first `BYTES` of the frame
_T = TypeVar("_T")
BYTES = 160  # of a frame, as many as the relay remembers
_BETWEEN = 50_000_000  # ns between questions
_MOST_TIME, _MOST_HELD = 2_000_000_000, 50_000  # ns for which packets are held back at most, and how many of them
_INEXACT = 2_000  # ns that a stamp of the relay, which was a number of seconds in between, may be off


class Marked(Generic[_T]):
    """Holds captured packets back until it is known what becomes of them.

    `sent_of` tells of a packet what was sent by whom, None for one that came in; `time_of` when that was, in ns since 1970;
    `with_comments` gives the packet with what is to be told of it. `places` are the interfaces that are captured, each by its
    node and its index.
    """

    def __init__(
        self,
        lab: "Lab",
        places: Collection[tuple[str, int]],
        sent_of: Callable[[_T], Sent | None],
        time_of: Callable[[_T], int],
        with_comments: Callable[[_T, list[str]], _T],
    ) -> None:
        self._lab, self._places = lab, places
        self._sent_of, self._time_of, self._with_comments = sent_of, time_of, with_comments
        self._held: list[tuple[_T, Sent | None]] = []
        self._unclaimed: list[MarkedPacket] = []  # whose packets have not been read yet: rings are, block by block
        self._since = 0.0
        self._asked = 0  # when
        self._plan: object = None
        self._links: dict[tuple[str, str], Impair] = {}
        self._ends: set[tuple[str, int]] = set()

    @property
    def holds(self) -> bool:
        """Whether there is something that must be looked at again, without anything new."""
        return bool(self._held)

    def pass_on(self, found: list[_T], last: bool = False) -> list[_T]:
        """What can be told now, of what was found and of what was held back, in the same order; the `last` time all of it."""
        if not self._held and not (found and self._captures_relayed_links()):
            return found
        self._held += [(one, self._sent_of(one)) for one in found]
        now = time.time_ns()
        if now - self._asked < _BETWEEN and not last:
            return []
        self._asked = now
        marks, judged = self._ask(now)
        unclaimed = self._comment([*self._unclaimed, *marks])
        self._unclaimed = [mark for mark in unclaimed if mark.time > now - _MOST_TIME]
        end = max(judged, now - _MOST_TIME)
        count = next((place for place, (one, _) in enumerate(self._held) if self._time_of(one) >= end), len(self._held))
        count = len(self._held) if last else max(count, len(self._held) - _MOST_HELD)
        ready, self._held = self._held[:count], self._held[count:]
        return [one for one, _ in ready]

    def _captures_relayed_links(self) -> bool:
        """Of a lab that has ended: as it was."""
        with suppress(PynetemuError):
            inventory = self._lab.inventory
            if inventory.plan is not self._plan:
                self._plan = inventory.plan
                relayed = relayed_directions(inventory)
                self._links |= relayed
                self._ends = {(end.node, end.index) for end in self._lab.control.ask(ReadRelayedEnds())} if relayed else set()
        return bool(self._ends) and not self._ends.isdisjoint(self._places)

    def _ask(self, now: int) -> tuple[list[MarkedPacket], int]:
        """What is new, and until when all packets have been judged."""
        found: list[MarkedPacket] = []
        self._captures_relayed_links()
        with suppress(PynetemuError):
            more = True
            while more:
                answer = self._lab.control.ask(ReadMarks(self._since))
                self._since, more = answer.since, answer.more
                found += answer.packets
                waiting = [one.time for one in answer.undecided if (one.node, one.index) in self._places]
                now = min([answer.now, *waiting])
        return found, now

    def _comment(self, marks: list[MarkedPacket]) -> list[MarkedPacket]:
        """Gives back the marks whose packets are not there.

        A mark is of the last packet of the same bytes before the relay's stamp, which is some microseconds later.
        """
        if not marks:
            return []
        wanted = {(one.node, one.index, bytes.fromhex(one.frame)) for one in marks}
        places: dict[Sent, list[int]] = {}
        for place, (_, sent) in enumerate(self._held):
            if sent is not None and sent in wanted:
                places.setdefault(sent, []).append(place)
        comments: dict[int, list[str]] = {}
        unclaimed = []
        for mark in marks:
            same = places.get((mark.node, mark.index, bytes.fromhex(mark.frame)), ())
            before = [place for place in same if self._time_of(self._held[place][0]) <= mark.time + _INEXACT]
            if before:
                comments.setdefault(before[-1], []).append(self._text(mark))
            else:
                unclaimed.append(mark)
        for place, texts in comments.items():
            packet, sent = self._held[place]
            self._held[place] = self._with_comments(packet, texts), sent
        return unclaimed

    def _text(self, mark: MarkedPacket) -> str:
        op = self._links.get((mark.node, mark.interface))  # none for a link that has been there for milliseconds only
        return told(mark.what, mark.number, f"the link of {mark.node} {mark.interface}" if op is None else link(op))


def told(what: str, number: int, link: str) -> str:
    """What befell a packet, in words; `number` is its place in its flow, 0 when nobody counted."""
    place = f", as packet {number} of its flow" if number else ""
    return {
        "lost": f"lost by {link}{place}",
        "dropped": f"dropped by the queue of {link}",
        "corrupted": f"corrupted by {link}{place}",
        "overload": f"lost by {link}: the relay was too slow",
        "twice": f"duplicated by {link}{place}",
        "ahead": f"sent ahead of others by {link}{place}",
    }[what]


def link(op: Impair) -> str:
    """The link with what it was asked to do."""
    asked = f" ({', '.join(op.settings)})" if op.settings else ""
    return f"the link from {op.node} {op.interface} to {op.peer_node} {op.peer_interface}{asked}"


def relayed_directions(inventory: "Inventory") -> dict[tuple[str, str], Impair]:
    """What relayed links do to what each of their ends sends; nothing where a schedule or a replay is all that they do."""
    found = {}
    for op in inventory.of_type(AddVeth):
        if op.relayed:
            for near, far in (ends(op), ends(op)[::-1]):
                found[near] = Impair(*near, *far, "relay", ())
    asked = {(op.node, op.interface): op for op in inventory.of_type(Impair) if op.mechanism == "relay"}
    return found | asked
