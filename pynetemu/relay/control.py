"""What the engine tells the relay, each message a packet of JSON, answered by one: {"do": "open", ...} by {}.

    open    links, each with its name, the indexes of both ends, mtu, bytes of a ring and of one for buffers that are several
            packets yet (0: none come), a seed, whether that was asked for
    set     one direction: the name, side 0 (a to b) or 1, and the words of an Impairment, with the
            MAC addresses of nodes that it names, and when its schedule began
    play    settings of a direction over time, in parts: [[seconds, words], ...], the period, 0 for once, when it began, and
            whether settings change evenly from one to the next
    replay  Mahimahi's milliseconds for a direction, in parts, and when it began; none for its rate
    follow  the fates of a journal, by its path; "" for those of the settings
    journal the fates of a direction into a file, so many lines at most with those that it has
    close   a link
    counters of all directions
    ended   the last packets of a link that were lost, dropped or corrupted
    marks   those of all links that did not leave as all others, from a moment on

When the engine has gone, the relay ends.
"""

import json
import socket
from typing import Any, NoReturn

from pynetemu.plan.problems import Wrong
from pynetemu.plan.shaping.impairment import from_words
from pynetemu.relay.course import Course
from pynetemu.relay.relay import Link, Relay
from pynetemu.relay.ring import rings

_LARGEST = 1 << 20  # bytes of a message


class Control:
    def __init__(self, connection: socket.socket, relay: Relay) -> None:
        self._connection, self._relay = connection, relay
        self._gathered: list[list[Any]] = []  # the parts of a list that takes several messages
        relay.watch(connection, self._serve)

    def _serve(self) -> None:
        packet = self._connection.recv(_LARGEST)
        if not packet:
            raise SystemExit(0)
        try:
            answer = self._answer(json.loads(packet))
        except (OSError, Wrong, KeyError) as error:
            answer = {"error": str(error)}
        self._connection.send(json.dumps(answer).encode())

    def _open(self, links: list[dict[str, Any]]) -> None:
        sizes = [(index, link["mtu"], link["memory"], link["buffers"]) for link in links for index in link["ends"]]
        made = iter(rings(sizes))
        for link in links:
            pair = next(made), next(made)
            self._relay.open(Link(link["name"], (link["ends"][0], link["ends"][1]), pair, link["seed"], link["apart"]))

    def _gather(self, part: list[Any]) -> None:
        if not self._gathered:
            self._gathered.append([])
        self._gathered[0] += part

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["do"]:
            case "open":
                self._open(request["links"])
            case "set":
                self._relay.configure(request["name"], request["side"], request["words"], request["macs"], request["began"])
            case "play":
                self._gather([(seconds, from_words(words)) for seconds, words in request["steps"]])
                if request["is_last"]:
                    self._relay.play(request["name"], request["side"], _course(self._gathered.pop(), request))
            case "replay":
                self._gather(request["times"])
                if request["is_last"]:
                    self._relay.replay(request["name"], request["side"], self._gathered.pop(), request["began"])
            case "follow":
                self._relay.follow(request["name"], request["side"], request["path"])
            case "journal":
                self._relay.journal(request["name"], request["side"], request["path"], request["most"])
            case "close":
                self._relay.close(request["name"])
            case "counters":
                return self._relay.counters()
            case "marks":
                return self._relay.marks(request["since"])
            case "ended":
                return {"sides": self._relay.ended(request["name"])}
        return {}


def _course(steps: list[Any], request: dict[str, Any]) -> Course | None:
    return Course(steps, request["period"], request["began"], request["linear"]) if steps else None


def main(connection: socket.socket) -> NoReturn:
    """The whole of the process, in the namespace in which the inner ends of the links are."""
    import ctypes
    import gc

    gc.disable()  # nothing here is circular, and a collection would make frames late
    ctypes.CDLL(None).prctl(29, 1, 0, 0, 0)  # PR_SET_TIMERSLACK: wake within a nanosecond, not 50 microseconds
    _ask_for_short_slices()
    relay = Relay()
    Control(connection, relay)
    relay.run()


def _ask_for_short_slices() -> None:
    """Wakes sooner beside busy programs: slices of 0.1 ms (sched_setattr(2), as anybody may), from Linux 6.12 on."""
    import ctypes
    import os
    import struct

    number = {"x86_64": 314, "aarch64": 274}.get(os.uname().machine)
    if number is not None:
        nice = os.getpriority(os.PRIO_PROCESS, 0)  # as it is: who was started with less shall not have more
        attributes = struct.pack("=IIQiIQQQII", 56, 0, 0, nice, 0, 100_000, 0, 0, 0, 0)  # struct sched_attr
        ctypes.CDLL(None).syscall(number, 0, attributes, 0)
