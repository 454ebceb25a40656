"""The relay's process, from the engine's side: started when a link needs it, told of the links, started again when it ends.

It is forked from the engine, which has all that it needs in memory, so that it is there within milliseconds. It lives in a
namespace of its own, in which the inner ends of all relayed links are.
"""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from pynetemu.engine import syscalls
from pynetemu.engine.nodes import NETWORK, Nodes, Place, RelayedLink
from pynetemu.engine.protocol.relay_requests import (
    EndedPacket,
    FollowJournal,
    Going,
    MarkedPacket,
    Marks,
    PlayLink,
    ReadEnded,
    ReadMarks,
    ReadRelay,
    ReadRelayedEnds,
    RelayedDirection,
    RelayedEnd,
    RelayRequest,
    ReplayLink,
    SetAgain,
    WriteJournal,
)
from pynetemu.engine.shaping.offloads import split_segments_of
from pynetemu.errors import KernelError, LabError
from pynetemu.plan.shaping.impairment import from_words
from pynetemu.plan.shaping.mechanisms import takes_buffers

_SECONDS = 5.0  # for which an answer is waited for
_LARGEST = 1 << 20  # bytes of a message
_MEMORY = 1 << 26  # bytes of all rings together, unless there are very many: those are pinned
_MOST_OF_A_RING, _LEAST_OF_A_RING = 1 << 24, 1 << 16
_MOST_FOR_BUFFERS, _LEAST_FOR_BUFFERS = 1 << 23, 1 << 21  # bytes of what several packets are yet, of each end; else none
_PART, _STEPS = 500, 20  # entries of a list in one message, and settings: to read these, packets wait a millisecond
_MOST_ENDS, _WITHIN = 5, 10.0  # that it may end so often in so many seconds, before its links are taken down
_PATIENCE_OF_BUFFER = 1 << 19


class _Told:
    """What the relay knows of a link; `buffers` is its memory for those, and `takes_buffers` what is sent to each side."""

    def __init__(self, link: RelayedLink, buffers: int) -> None:
        self._mtu, self._indexes = link.mtu, link.indexes
        self.buffers = buffers
        self.takes_buffers: list[bool | None] = [None, None]
        self.words: list[tuple[str, ...] | None] = [(), ()]  # None: to be told in any case

    def is_of(self, link: RelayedLink | None) -> bool:
        """Not of one that was made anew, nor for larger packets, which needs larger rings."""
        return link is not None and (self._mtu, self._indexes) == (link.mtu, link.indexes)


class Relays:
    """At most one process for a lab; `ended_times` says how often it was started again."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._pid = 0
        self._connection: socket.socket | None = None
        self._told: dict[Place, _Told] = {}  # of links that it has
        self._going: dict[tuple[Place, type], tuple[Going, float]] = {}  # by the end, with the moment when it began
        self._played: set[Place] = set()  # ends whose settings a schedule may have changed since they were told
        self._scheduled: dict[tuple[Place, int], tuple[str, float]] = {}  # of each direction, with the moment when it began
        self._ends: list[float] = []
        self._seed = int.from_bytes(os.urandom(6), "big")  # of links that are given none
        self.is_broken = False

    def update(self) -> None:
        """Tells the relay of links that are new, and of settings that have changed. Raises KernelError."""
        if not self._nodes.relayed and not self._told:
            return
        if not self._pid and not self.is_broken:
            self._start()
        relayed = self._nodes.relayed
        for place in [place for place, told in self._told.items() if not told.is_of(relayed.get(place))]:
            del self._told[place]
            self._ask({"do": "close", "name": _name(place)})
        new = [(place, link) for place, link in relayed.items() if place not in self._told]
        for start in range(0, len(new), _PART):
            some = [(place, link, self._as_told(place, link)) for place, link in new[start : start + _PART]]
            self._ask({"do": "open", "links": [told for _, _, told in some]})
            self._told |= {place: _Told(link, told["buffers"]) for place, link, told in some}
        for place, link in relayed.items():
            known = self._told[place].words
            for side, words in enumerate(link.words):
                if words != known[side]:
                    self._cut_buffers(link, side, True)
                    common = {"do": "set", "name": _name(place), "side": side, "began": self._began(place, side, words)}
                    self._ask({**common, "words": words, "macs": self._macs(words)})
                    known[side] = words
                    self._played.discard(link.ends[side])
                self._cut_buffers(link, side)
        self._go_on([end for _, link in new for end in link.ends])

    def _began(self, place: Place, side: int, words: Sequence[str]) -> float:
        """When the schedule in these words was first told; another relay goes on with it."""
        found = next((word for word in words if word.startswith("schedule ")), "")
        before, began = self._scheduled.get((place, side), ("", 0.0))
        if found != before:
            began = time.monotonic()
            self._scheduled[place, side] = found, began
        return began

    def _macs(self, words: Sequence[str]) -> dict[str, list[str]]:
        """Those that the nodes have now to which the settings treat packets apart. Raises KernelError."""
        found = {}
        for text in (word.removeprefix("towards ") for word in words if word.startswith("towards ")):
            for node in (part.partition(" does ")[0].strip() for part in text.split("|")):
                if node not in self._nodes:
                    raise KernelError(f"towards {node}: there is no such node")
                found[node] = [link.mac for link in self._nodes.links(node) if link.mac]
        return found

    def _go_on(self, ends: Sequence[Place]) -> None:
        """What went on by itself goes on, as far as it would be now; what belongs to links that have gone is forgotten."""
        there = {end for link in self._nodes.relayed.values() for end in link.ends}
        self._going = {key: value for key, value in self._going.items() if key[0] in there}
        self._played &= there
        self._scheduled = {key: value for key, value in self._scheduled.items() if key[0] in there}
        for key, (request, began) in list(self._going.items()):
            if key[0] in ends:
                try:
                    self._begin(request, began)
                except KernelError as error:  # a file that can be written no more, say
                    del self._going[key]
                    print(f"pynetemu: the relay was started again, and cannot go on: {error}", file=sys.stderr)  # noqa: T201

    def _remember(self, request: Going, ends: bool) -> None:
        """Notes what goes on by itself from now on, and lets it begin."""
        key, began = ((request.node, request.interface), type(request)), time.monotonic()
        link, side = self._side(key[0])
        self._cut_buffers(link, side, True)
        try:
            self._begin(request, began)
            self._going.pop(key, None)
            if not ends:
                self._going[key] = request, began
        finally:
            self._cut_buffers(link, side)

    def _begin(self, request: Going, began: float) -> None:
        """Raises LabError for a link that is not relayed, and KernelError."""
        place = request.node, request.interface
        match request:
            case PlayLink():
                steps = [[step.seconds, step.settings] for step in request.steps]
                self._send_list("play", place, "steps", steps, period=request.period, began=began, linear=request.linear)
                self._played |= {place} if steps else set()
            case ReplayLink():
                self._send_list("replay", place, "times", list(request.milliseconds), began=began)
            case FollowJournal():
                self._ask({**self._common("follow", place), "path": request.path})
            case WriteJournal():
                self._ask({**self._common("journal", place), "path": request.path, "most": request.most})

    def _set_again(self, place: Place) -> None:
        """Tells the settings of a direction that a schedule has changed, as if they were new."""
        link, side = self._side(place)
        told = self._told.get(link.ends[0])
        if told is not None and place in self._played:
            told.words[side] = None
            self.update()

    def answer(self, request: RelayRequest) -> object:
        """Answers what is asked about the relay. Raises LabError and KernelError."""
        match request:
            case PlayLink():
                self._remember(request, not request.steps)
            case ReplayLink():
                self._remember(request, not request.milliseconds)
            case FollowJournal() | WriteJournal():
                self._remember(request, not request.path)
            case SetAgain():
                self._set_again((request.node, request.interface))
            case ReadEnded():
                return self._ended_packets()
            case ReadMarks():
                return self._marks(request.since)
            case ReadRelayedEnds():
                return self._relayed_ends()
            case ReadRelay():
                return self._directions()
        return None

    def counters(self) -> dict[Place, list[dict[str, Any]]]:
        """What became of the packets of each direction of each link."""
        if not self._pid or self._connection is None:
            return {}
        found = self._ask({"do": "counters"})
        return {place: found[_name(place)] for place in self._told}

    def _common(self, what: str, place: Place) -> dict[str, Any]:
        """What all messages about one direction have. Raises LabError for a link that is not relayed."""
        link, side = self._side(place)
        return {"do": what, "name": _name(link.ends[0]), "side": side}

    def _side(self, place: Place) -> tuple[RelayedLink, int]:
        """The link of an end, and which of its ends that is. Raises LabError for a link that is not relayed."""
        found = next((link for link in self._nodes.relayed.values() if place in link.ends), None)
        if found is None:
            raise LabError(f"the link of {':'.join(place)} does not go through the relay, or somebody has deleted an end of it")
        return found, found.ends.index(place)

    def _cut_buffers(self, link: RelayedLink, side: int, always: bool = False) -> None:
        """Lets the sender cut buffers into packets, but where the direction takes all alike and the relay has room for them.

        The interface may have gone, with its link.
        """
        if (told := self._told.get(link.ends[0])) is None:
            return
        end = link.ends[side]
        goes_on = any(place == end for place, _ in self._going)
        may = bool(told.buffers) and not (always or goes_on or link.by_kernel[side])
        wanted = may and takes_buffers(from_words(link.words[side]))
        if told.takes_buffers[side] != wanted:
            with suppress(OSError, KernelError):
                split_segments_of(self._nodes, *end, but_tcp=wanted)
                told.takes_buffers[side] = wanted

    def _send_list(self, what: str, place: Place, key: str, values: list[Any], **more: Any) -> None:
        common = {**self._common(what, place), **more}
        part = _STEPS if what == "play" else _PART
        for start in range(0, max(1, len(values)), part):
            self._ask({**common, key: values[start : start + part], "is_last": start + part >= len(values)})

    def _ended_packets(self) -> list[EndedPacket]:
        """The last packets that relayed links lost, or changed."""
        found = []
        for place, ends in self._ends_told() if self._pid else ():
            sides = self._ask({"do": "ended", "name": _name(place)}).get("sides", ())
            for end, packets in zip(ends, sides, strict=False):
                found += [EndedPacket(*end, *packet) for packet in packets]
        return found

    def _ends_told(self) -> list[tuple[Place, tuple[Place, Place]]]:
        """The ends of links that the relay has, and that are there: in the middle of a change there may be others."""
        return [(place, self._nodes.relayed[place].ends) for place in self._told if place in self._nodes.relayed]

    def _marks(self, since: float) -> Marks:
        """What the relay did to single packets since a moment."""
        told = self._ask({"do": "marks", "since": since}) if self._pid else {}
        links = self._ends_told()
        ends = {(_name(place), side): self._with_index(end) for place, both in links for side, end in enumerate(both)}
        marks, waiting = ([one for one in told.get(what, ()) if (one[0], one[1]) in ends] for what in ("marks", "undecided"))
        packets = [MarkedPacket(*ends[name, side], *rest) for name, side, *rest in marks]
        undecided = [RelayedEnd(*ends[name, side], when) for name, side, when in waiting]
        now, last = told.get("now", time.time_ns()), told.get("since", since)
        return Marks(tuple(packets), now, tuple(undecided), last, told.get("more", False))

    def _relayed_ends(self) -> list[RelayedEnd]:
        return [RelayedEnd(*self._with_index(end)) for link in self._nodes.relayed.values() for end in link.ends]

    def _with_index(self, end: Place) -> tuple[str, str, int]:
        with suppress(KeyError, KernelError, OSError):
            return *end, self._nodes.index(self._nodes[end[0]], end[1])
        return *end, 0

    def _directions(self) -> list[RelayedDirection]:
        """The relayed links with their settings and counters."""
        counters = self.counters()
        found = []
        for place, link in self._nodes.relayed.items():
            counted = counters.get(place, [{}, {}])
            for side, words in enumerate(link.words):
                found.append(RelayedDirection(*link.ends[side], *link.ends[1 - side], words, counted[side]))
        return found

    def ended(self, statuses: Mapping[int, int]) -> int | None:
        """Starts the relay again when it has ended; gives back its status then, None when it goes on."""
        if not self._pid or self._pid not in statuses:
            return None
        status = statuses[self._pid]
        self._pid = 0
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._told.clear()
        now = time.monotonic()
        self._ends = [*(when for when in self._ends if now - when < _WITHIN), now]
        self.is_broken = len(self._ends) > _MOST_ENDS
        if self.is_broken:
            self._take_down()
        else:
            self.update()
        return status

    def _take_down(self) -> None:
        """The carrier goes from all relayed links."""
        from pynetemu.engine.messages import packing
        from pynetemu.engine.messages.framing import REQUEST
        from pynetemu.engine.messages.tables import RTM_NEWLINK

        for link in self._nodes.relayed.values():
            for index in link.indexes:
                self._nodes.relay.link.queue_bytes(None, RTM_NEWLINK, REQUEST, packing.link_up(index, False))
        self._nodes.relay.link.flush()

    def _as_told(self, place: Place, link: RelayedLink) -> dict[str, Any]:
        given = [int(word.removeprefix("seed ")) for words in link.words for word in words if word.startswith("seed ")]
        count = max(1, len(self._nodes.relayed))
        memory = min(_MOST_OF_A_RING, max(_LEAST_OF_A_RING, _MEMORY // (2 * count)))
        buffers = min(_MOST_FOR_BUFFERS, _MEMORY // (4 * count))
        seed = given[0] if given else self._seed
        shared = {"name": _name(place), "ends": link.indexes, "mtu": link.mtu, "memory": memory}
        shared["buffers"] = buffers if buffers >= _LEAST_FOR_BUFFERS else 0
        return {**shared, "seed": seed, "apart": bool(given)}

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.is_broken:
            text = f"the relay has ended {len(self._ends)} times within {_WITHIN:g} s, and its links are down"
            raise KernelError(f"{text}\n    hint: it is started again with the lab")
        if self._connection is None:
            return {}
        try:
            self._connection.send(json.dumps(request).encode())
            answer: dict[str, Any] = json.loads(self._connection.recv(_LARGEST))
        except TimeoutError as error:
            self._end()
            raise KernelError(f"the relay has not answered for {_SECONDS:g} s, and is started again") from error
        except (OSError, ValueError) as error:
            raise KernelError(f"the relay does not answer: {error}") from error
        if "error" in answer:
            raise KernelError(f"the relay refuses {request.get('name', request['do'])}: {answer['error']}")
        return answer

    def _end(self) -> None:
        """Of one that is stopped, or far behind: an answer that came later would be taken for that to the next question."""
        os.kill(self._pid, signal.SIGKILL)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _start(self) -> None:
        network = self._nodes.relay.network
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in ours, theirs:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PATIENCE_OF_BUFFER)
        ours.settimeout(_SECONDS)
        self._pid = os.fork()
        if self._pid == 0:
            _become(theirs.detach(), network)
        theirs.close()
        self._connection = ours


def _name(place: Place) -> str:
    """The same in each run, since fates depend on it."""
    return ":".join(place)


def _become(descriptor: int, network: int) -> NoReturn:
    """The rest of the forked process: nothing of the engine's stays open."""
    status = 1
    try:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        syscalls.set_name("relay")
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        syscalls.setns(network, NETWORK)
        os.dup2(descriptor, 3)
        os.closerange(4, 1 << 20)
        from pynetemu.relay.control import main

        main(socket.socket(fileno=3))
    except SystemExit:
        status = 0
    except BaseException as error:  # noqa: BLE001
        # it is told by its status; its words go where the user sees them
        print(f"pynetemu: the relay ends: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
    finally:
        os._exit(status)
