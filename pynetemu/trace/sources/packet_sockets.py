"""The engine of traces that needs no privilege: a ring in each node, which sees what enters and leaves its interfaces.

source = PacketSocketSource(network, network.nodes, compile_filter("icmp"))
events = source.read()
"""

import errno
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from pynetemu.capture.parallel import in_parallel
from pynetemu.capture.pcap_filter import instructions
from pynetemu.capture.ring import BLOCK_HEAD, HEADER, OUTGOING, TAGGED, Ring, as_ethernet, tagged, used
from pynetemu.capture.selection import indexes_of_the_lab
from pynetemu.engine.rings import BLOCK
from pynetemu.errors import LabError
from pynetemu.lab.sockets import open_sockets
from pynetemu.trace.sources.events import Event
from pynetemu.trace.sources.held import Held

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab

_ALL_MEMORY = 1 << 27  # bytes that the rings of a lab have together, while each has two blocks
_MOST_MEMORY = 1 << 23  # bytes of one ring: 0.5 s of 100,000 small packets a second
_RETURN = 0x06  # BPF_RET | BPF_K of classic BPF


class PacketSocketSource:
    """A packet that is dropped inside a node is simply not seen again. `snap` is how many bytes of each are kept."""

    name = "packet sockets"

    def __init__(self, lab: "Lab", nodes: Sequence[str], program: bytes = b"", snap: int = 0) -> None:
        memory = max(2 * BLOCK, min(_MOST_MEMORY, _ALL_MEMORY // max(1, len(nodes))))
        program = cut_to(program, snap)
        self._rings: dict[int, tuple[str, Ring]] = {}
        self._ready = select.epoll()
        self._held: list[tuple[str, Ring, memoryview]] = []
        self._copies = Held()

        def begin(opened: tuple[str, socket.socket]) -> None:
            node, node_socket = opened
            ring = Ring.on(node_socket, program, indexes_of_the_lab(lab, node), memory)
            self._rings[ring.fileno()] = node, ring

        try:
            in_parallel(begin, list(open_sockets(lab, nodes, socket.AF_PACKET, socket.SOCK_RAW, 0)))
        except OSError as error:
            self.close()
            if error.errno == errno.EMFILE:
                raise LabError("a trace takes an open file for each node: raise the limit with `ulimit -n 4096`") from error
            raise
        except BaseException:
            self.close()
            raise
        self._begun = time.time_ns()  # before this, a packet that left may have arrived where nobody looked yet
        for descriptor in self._rings:
            self._ready.register(descriptor, select.EPOLLIN)

    @property
    def lost(self) -> int:
        return sum(ring.statistics()[1] for _, ring in self._rings.values())

    def fileno(self) -> int:
        return self._ready.fileno()

    def hold(self) -> None:
        """Copies what the kernel has handed over, to be read later: a tenth of the time that reading takes."""
        for descriptor, _ in self._ready.poll(0, max(1, len(self._rings))):
            node, ring = self._rings[descriptor]
            self._held += [(node, ring, self._copies.keep(used(block))) for block in ring.blocks()]

    def read(self) -> list[Event]:
        self.hold()
        held, self._held = self._held, []
        self._copies.forget()
        events: list[Event] = []
        held.reverse()
        while held:  # each copy goes when it has been read
            events += _events(*held.pop(), self._begun)
        events.sort(key=_time)
        return events

    def all_until_now(self) -> Callable[[], bool]:
        open_blocks = [(ring, ring.taken) for _, ring in self._rings.values() if ring.pending()]
        return lambda: all(ring.taken > taken for ring, taken in open_blocks)

    def close(self) -> None:
        """Frees the rings. Closing twice is not an error."""
        in_parallel(Ring.close, [ring for _, ring in self._rings.values()])
        self._rings.clear()
        self._ready.close()


_time = itemgetter(0)


def _events(node: str, ring: Ring, block: memoryview, begun: int) -> Iterator[Event]:
    """What `capture.ring.packets` gives, from a time on, without a value in between: there may be a hundred thousand."""
    known: dict[int, tuple[str, bool]] = {}
    raw, read, made = bytes(block), HEADER.unpack_from, tuple.__new__
    _, count, offset = BLOCK_HEAD.unpack_from(raw)
    for _ in range(count):
        following, seconds, nanoseconds, captured, length, status, mac, tag, ethertype, index, kind = read(raw, offset)
        stamp, start = seconds * 1_000_000_000 + nanoseconds, offset + mac
        offset += following
        if stamp < begun:
            continue
        data = raw[start : start + captured]
        if status & TAGGED:
            data, length = tagged(data, tag, ethertype), length + 4
        name, is_ethernet = known.get(index) or known.setdefault(index, (ring.interface(index), ring.is_ethernet(index)))
        if not is_ethernet:
            data, length = as_ethernet(data), length + 14
        way = "out" if kind == OUTGOING else "in"
        yield made(Event, (stamp, node, name, way, data, length, 0, 0, "", "", None))


def cut_to(program: bytes, snap: int) -> bytes:
    """The filter program with what it accepts cut to so many bytes: that is the number a program returns."""
    if not snap:
        return program
    parts = instructions(program) or [(_RETURN, 0, 0, 1)]
    return b"".join(
        struct.pack("=HBBI", code, yes, no, snap if code == _RETURN and value else value) for code, yes, no, value in parts
    )
