"""The kernel engine as a source of events (`trace.events.Source`)."""

import mmap
import os
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pynetemu.capture.pcap_filter import instructions
from pynetemu.capture.ring import tagged
from pynetemu.capture.selection import of_the_lab
from pynetemu.errors import LabError
from pynetemu.trace.sources.events import Event
from pynetemu.trace.sources.held import Held
from pynetemu.trace.sources.kernel import bpf
from pynetemu.trace.sources.kernel.btf import DESCRIPTION, Layout, load_layout
from pynetemu.trace.sources.kernel.programs import DATA, HEAD, KINDS, MEMORY, STACK_DEPTH, Programs
from pynetemu.trace.sources.kernel.symbols import symbol

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.lab.state import InterfaceState

_stack = struct.Struct(f"={STACK_DEPTH}Q").unpack_from
_head = HEAD.unpack_from
# Functions through which every packet that is dropped goes, and our own program: they say nothing about why.
_NOT_THE_PLACE = ("bpf_", "__traceiter", "__bpf_trace", "kfree_skb", "sk_skb_reason_drop", "__kfree_skb", "_einittext")


class Unavailable(Exception):
    """This engine cannot be had here; the text says why."""


def refusal() -> str:
    """Why this user on this machine cannot have the engine, found by trying; "" if there is nothing against it."""
    try:
        _, programs = _begin({}, b"", mmap.PAGESIZE)
    except Unavailable as error:
        return str(error)
    programs.close()
    return ""


def _begin(nodes: Mapping[int, int], program: bytes, memory: int) -> tuple[Layout, Programs]:
    """Starts the programs for the nodes of these namespaces; raises Unavailable."""
    if os.geteuid():
        raise Unavailable("it needs root")
    if not os.path.exists(DESCRIPTION):
        raise Unavailable("this kernel does not describe its types (CONFIG_DEBUG_INFO_BTF)")
    try:
        layout = load_layout()
        return layout, Programs(layout, nodes, instructions(program), memory)
    except OSError as error:
        raise Unavailable(f"the kernel refuses: {error.strerror or error}") from error
    except KeyError as error:
        raise Unavailable(f"this kernel has no {error}") from error


class KernelSource:
    """Sees every packet at every interface of the nodes, where it is dropped and why, and where it ends well.

    Raises Unavailable. `program` is a filter of `compile_filter`; what has passed it once is followed, whatever becomes of it.
    `place` of a dropped packet is the function that dropped it and those that called it: "nft_do_chain < nf_hook_slow".
    `known` gives interfaces when a name is needed first; those that are not among them are asked for. `snap` is how many bytes
    of each packet are kept, at most.
    """

    name = "kernel"

    def __init__(
        self,
        lab: "Lab",
        nodes: Sequence[str],
        program: bytes = b"",
        memory: int = MEMORY,
        known: "Callable[[], Sequence[InterfaceState]]" = list,
        snap: int = DATA,
    ) -> None:
        self._lab, self._snap = lab, snap
        self._nodes = tuple(nodes)
        self._wanted = [of_the_lab(lab, node) for node in nodes]
        # By the numbers of the node and of the interface; None for those that are the machine's own affair.
        self._interfaces: dict[tuple[int, int], str | None] = {
            (number, 0): None if wanted else "" for number, wanted in enumerate(self._wanted)
        }
        self._known = known
        self._lost: int | None = None
        self._held: list[memoryview] = []
        self._copies = Held()
        self._frame = b""
        inodes = lab.namespaces()
        layout, self._programs = _begin({inodes[node]: number for number, node in enumerate(nodes)}, program, memory)
        self._begun = time.monotonic_ns()  # before this, a packet that left may have arrived where nobody looked yet
        self._reasons = layout.reasons
        # The kernel's stamps are of the monotonic clock, which does not tell the date.
        self._since_1970 = time.time_ns() - time.monotonic_ns()

    @property
    def lost(self) -> int:
        return self._programs.lost if self._lost is None else self._lost

    def fileno(self) -> int:
        return self._programs.ring.descriptor

    def hold(self) -> None:
        """Copies what has come, to be read later: else a flood comes faster than it is read."""
        if taken := self._programs.ring.take():
            self._held.append(self._copies.keep(taken))

    def read(self) -> list[Event]:
        if self._lost is None:
            self.hold()
        held, self._held = self._held, []
        self._copies.forget()
        held.reverse()
        events: list[Event] = []
        while held:  # each copy goes when it has been read
            taken = held.pop()
            events += [event for at in bpf.records(taken) if (event := self._event(taken, at))]
        events.sort(key=_time)  # records of several CPUs may change places by a microsecond
        return events

    def all_until_now(self) -> Callable[[], bool]:
        """What a program sees it sends at once; one that was interrupted meanwhile ends soon."""
        if self._lost is not None:
            return lambda: True
        ring, end = self._programs.ring, self._programs.ring.written
        return lambda: ring.taken >= end

    def close(self) -> None:
        """Ends the programs. Closing twice is not an error."""
        if self._lost is None:
            self._lost = self._programs.lost
            self._programs.close()

    def _event(self, data: memoryview, at: int) -> Event | None:
        stamp, buffer, head, place, number, ifindex, length, reason, captured, tag, tag_type, kind, mark = _head(data, at)
        if stamp < self._begun:
            return None
        name = KINDS[kind]
        place_of_it = number, ifindex
        interface = self._interfaces[place_of_it] if place_of_it in self._interfaces else self._name(number, ifindex)
        if interface is None:
            return None
        if name == "end":
            return Event(stamp + self._since_1970, self._nodes[number], interface, name, b"", length, buffer, head)
        frame = bytes(data[at + HEAD.size : at + HEAD.size + min(captured, self._snap)])
        if frame == self._frame:  # a link carries what was sent: the bytes are kept once
            frame = self._frame
        self._frame = frame
        if tag_type:
            frame, length = tagged(frame, tag, int.from_bytes(tag_type.to_bytes(2, "little"))), length + 4
        why = where = ""
        if name == "drop":
            why = self._reasons.get(reason) or f"reason {reason}"
            where = _place(place, _stack(data, at + HEAD.size + DATA))
        when = stamp + self._since_1970
        seen = (when, self._nodes[number], interface, name, frame, length, buffer, head, why, where, mark)
        return tuple.__new__(Event, seen)  # half the time of Event(...), and there may be a hundred thousand

    def _name(self, number: int, ifindex: int) -> str | None:
        """The name of an interface that has not been seen before."""
        known, self._known = self._known, list
        self._learn(known())
        if (number, ifindex) not in self._interfaces:
            with suppress(LabError):  # the lab has ended
                self._learn(self._lab.interfaces(self._nodes[number]))
        return self._interfaces.setdefault((number, ifindex), None if self._wanted[number] else f"if{ifindex}")

    def _learn(self, interfaces: "Sequence[InterfaceState]") -> None:
        numbers = {node: number for number, node in enumerate(self._nodes)}
        for interface in interfaces:
            number = numbers.get(interface.node)
            if number is None:  # one that was added a moment ago
                continue
            is_wanted = not self._wanted[number] or interface.name in self._wanted[number]
            self._interfaces[number, interface.index] = interface.name if is_wanted else None


def _time(event: Event) -> int:
    return event.time


def _place(address: int, stack: Sequence[int]) -> str:
    """The function that dropped a packet, and its callers, the nearest first."""
    first = symbol(address)
    callers = [name for caller in stack if caller and (name := symbol(caller))]
    told = [name for name in callers if name != first and not name.startswith(_NOT_THE_PLACE)]
    return " < ".join([first or f"0x{address:x}", *told])
