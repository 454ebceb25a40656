"""Captures: what a lab's interfaces see, into a pcapng file or to whoever reads one.

    with net.capture("x.pcapng", "blue", "s1.root", filter="icmp or arp") as capture:
        net["blue"].run("ping", "-c1", "root")
    print(capture.packets, capture.lost)

One file holds all nodes, in the order of time by one clock, each packet with its node, interface and direction.
"""

import atexit
import os
import select
import socket
import stat
import threading
import time
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Self

from pynetemu.capture.marks import BYTES, Marked, Sent
from pynetemu.capture.merge import MergedRings
from pynetemu.capture.parallel import in_parallel
from pynetemu.capture.pcap_filter import compile_filter
from pynetemu.capture.pcapng import (
    Writer,
    end_of_blocks,
    frame_of,
    is_outgoing,
    key_of,
    place_of,
    records,
    time_of,
    with_comments,
)
from pynetemu.capture.ring import Ring
from pynetemu.capture.selection import Selection, by_node, names_of, peers_of
from pynetemu.capture.selection import select as choose
from pynetemu.engine.protocol.requests import TakeRing
from pynetemu.engine.rings import WAIT, memory_for
from pynetemu.lab.arguments import file as checked_file
from pynetemu.lab.arguments import text, whole
from pynetemu.wording import counted

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab


class Capture:
    """Writes packets to a file from `start`, or the beginning of `with`, until `stop`.

    `file` is a path, or the descriptor of a pipe. `what` are nodes ("blue"), interfaces ("blue.eth0") and links
    ("blue-root"), by default the whole lab; `filter` is as tcpdump's, with the nodes' names as addresses; after `limit`
    packets it ends by itself.

    `packets` are those in the file, `lost` those that came too fast to be taken, `names` the nodes of the lab's addresses.
    """

    def __init__(self, lab: "Lab", file: str | os.PathLike[str] | int, *what: str, filter: str = "", limit: int = 0) -> None:
        self.lab, self.filter, self.limit = lab, text("filter", filter), whole("limit", limit, 0)
        self.file, self.what = checked_file("file", file), what
        self.packets = self.lost = 0
        self.names: dict[str, str] = {}
        self._error: OSError | None = None
        self._numbers: dict[str, _Numbers] = {}  # of the interfaces in the file, by node
        self._places: dict[int, tuple[str, int]] = {}  # node and index of each interface in the file
        self._output: Output | None = None
        self._thread: threading.Thread | None = None
        self._peers: dict[tuple[str, str], tuple[str, str]] = {}
        self._stop = -1
        self._lab = -1

    def __repr__(self) -> str:
        return f"<Capture {self.summary}>"

    def open(self) -> Self:
        """Makes the file, and begins later: `start` does both. Raises OSError."""
        self._output = self._output or Output(self.file)
        return self

    def start(self, rings: Mapping[str, Ring] | None = None) -> Self:
        """Begins, and returns when no packet can be missed any more; `rings` have been filling since before.

        Raises LabError and FilterError for what is wrong in the call, OSError for a file that cannot be written.
        """
        self._began = time.time()
        selection = choose(self.lab, self.what)
        self.names = names_of(self.lab)
        program = compile_filter(self.filter, by_node(self.names))
        output = self.open()._output
        assert output is not None
        try:
            self._writer = Writer(output, f"the lab {self.lab.name}")
            self._merged = MergedRings(open_rings(self.lab, selection, program, rings), self._records, time_of, key_of)
            self._describe(selection)
            self._marked = Marked(self.lab, self._places.values(), self._sent_of, time_of, with_comments)
        except BaseException:
            output.close()
            raise
        self._stop, self._lab = os.eventfd(0), os.dup(self.lab.fileno())
        self._thread = threading.Thread(target=self._run, args=(output,), name="capture", daemon=True)
        self._thread.start()
        atexit.register(self.stop)  # a program that ends has its file whole
        return self

    def stop(self) -> None:
        """Ends; the file then has everything, and has been closed. Stopping twice is not an error.

        Raises OSError when the file could not be written: it then has all packets up to that moment.
        """
        output, self._output = self._output, None
        if self._thread is None:
            if output is not None:
                output.close()
            return
        atexit.unregister(self.stop)
        os.eventfd_write(self._stop, 1)
        self._thread.join()
        self._thread = None
        os.close(self._stop)
        os.close(self._lab)
        if self._error is not None:
            raise self._error

    @property
    def summary(self) -> str:
        """What there is in the file, in a line."""
        lost = f", and {self.lost} are not in it: they came too fast" if self.lost else ""
        return f"{self.file}: {counted(self.packets, 'packet')}{lost}"

    @property
    def state(self) -> str:
        """In a word or two: "runs", "ended", or why the file could not be written any more."""
        if self._error is not None:
            return self._error.strerror or str(self._error)
        return "ended" if self.wait(0) else "runs"

    def failure(self, error: OSError) -> str:
        """What to tell of a file that could not be written."""
        kept = f"; it has {counted(self.packets, 'packet')} until then" if self.packets else ""
        return f"{self.file}: {error.strerror}{kept}"

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until the capture has ended by itself (the lab has, or the file could not be written), true if so."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            self.stop()
        except OSError:
            if kind is None:  # else there is an exception already, which says more
                raise

    def _describe(self, selection: Selection) -> None:
        """Names the interfaces that there are; those that come later are named when they are first seen."""
        self._peers = peers_of(self.lab, *selection)
        for node, wanted in selection.items():
            self._numbers[node] = _Numbers(self, node)
            for state in self.lab.interfaces(node):
                if not wanted or state.name in wanted:
                    self._numbers[node][state.index] = self.add_interface(node, state.index, state.mac)
        self._writer.names(self.names)

    def add_interface(self, node: str, ifindex: int, mac: str = "") -> int:
        """Gives an interface its number in the file."""
        ring = self._merged.rings[node]
        name = ring.interface(ifindex)
        peer = self._peers.get((node, name))
        about = f"{node}, link to {peer[0]}" if peer else node
        number = self._writer.interface(f"{node}:{name}", about, mac, self.filter, ring.is_ethernet(ifindex))
        self._places[number] = node, ifindex
        return number

    def _records(self, node: str, block: memoryview) -> list[bytes]:
        return records(block, self._numbers[node])

    def _sent_of(self, record: bytes) -> Sent | None:
        if not is_outgoing(record):
            return None
        return *self._places[place_of(record)], frame_of(record, BYTES)

    def _run(self, output: "Output") -> None:
        events = select.poll()
        for descriptor in (self._merged.fileno(), self._stop, self._lab):
            events.register(descriptor, select.POLLIN)
        try:
            while True:
                wait = WAIT if self._marked.holds else self._merged.wait
                ready = {descriptor for descriptor, _ in events.poll(None if wait is None else wait * 1000)}
                if self._stop in ready or self._lab in ready:
                    break
                self._write(output, self._marked.pass_on(self._merged.read()))
                if self.limit and self.packets >= self.limit:
                    break
            self._write(output, self._marked.pass_on(self._merged.rest(), last=True))
            self._count()
        except OSError as error:
            self._error = error
        finally:
            self._merged.close()
            output.close()

    def _write(self, output: "Output", found: list[bytes]) -> None:
        """Writes packets; raises OSError."""
        if self.limit:
            found = found[: self.limit - self.packets]
        if not found:
            return
        try:
            output.write(b"".join(found))
        except OSError:
            ends = accumulate(map(len, found))
            self.packets += sum(end <= output.kept for end in ends)
            raise
        self.packets += len(found)

    def _count(self) -> None:
        """Says at the end of the file what each node's ring took and lost; it does not know the interface of a lost packet."""
        now = time.time_ns()
        for node, (received, lost) in self._merged.statistics().items():
            self.lost += lost
            if lost:
                self._tell(node, lost, now)
            if numbers := self._numbers[node]:
                about = f"all that was captured of {node}" if len(numbers) > 1 else ""
                self._writer.statistics(min(numbers.values()), now, received, lost, about)

    def _tell(self, node: str, lost: int, now: int) -> None:
        from pynetemu.lab.events import CaptureEvent

        self.lab.tell(CaptureEvent(time=now / 1e9, since=self._began, node=node, file=str(self.file), lost=lost))


class _Numbers(dict[int, int]):
    """The numbers that a node's interfaces have in the file, by their index; an unknown one is added to the file."""

    def __init__(self, capture: Capture, node: str) -> None:
        super().__init__()
        self._capture, self._node = capture, node

    def __missing__(self, ifindex: int) -> int:
        self[ifindex] = number = self._capture.add_interface(self._node, ifindex)
        return number


def boot_rings(lab: "Lab") -> dict[str, Ring]:
    """The rings that the engine has prepared, with all packets since the lab's first moment (`Network(capture=...)`)."""
    rings = {}
    for node in lab.nodes:
        ring = lab.control.ask(TakeRing(node))
        if ring is not None:
            rings[node] = Ring(socket.socket(fileno=ring), memory_for(len(lab.nodes)))
    return rings


def open_rings(lab: "Lab", selection: Selection, program: bytes, rings: Mapping[str, Ring] | None = None) -> dict[str, Ring]:
    """A ring for each node of a selection, besides those that there are; they share the memory there is for rings."""
    opened = dict(rings or {})
    memory = memory_for(len(selection))

    def begin(node: str) -> None:
        indexes = [found.index for found in lab.interfaces(node) if found.name in selection[node]] if selection[node] else []
        opened[node] = Ring.open(lab[node], program, indexes, memory)

    try:
        in_parallel(begin, [node for node in selection if node not in opened])
    except BaseException:
        in_parallel(Ring.close, list(opened.values()))
        raise
    return opened


class Output:
    """A pcapng file being written, or a pipe: a file ends with a whole block, however it ends.

    `kept` are the bytes that came into the file of the data which did not fit any more.
    """

    def __init__(self, file: str | os.PathLike[str] | int) -> None:
        self.kept = 0
        self._size = 0
        self._path = None if isinstance(file, int) else os.fspath(file)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self._descriptor = file if isinstance(file, int) else os.open(file, flags, 0o666)
        self._can_cut = stat.S_ISREG(os.fstat(self._descriptor).st_mode) and self._path is not None

    def write(self, data: bytes) -> None:
        """Writes whole blocks; raises OSError."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, memoryview(data)[written:])
        except OSError as error:
            self.kept = end_of_blocks(data, written)
            if self._can_cut:
                os.ftruncate(self._descriptor, self._size + self.kept)
            raise OSError(error.errno, error.strerror, self._path) from error
        self._size += written

    def close(self) -> None:
        if self._path is not None and self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
