"""Captures: packets as they pass, into files, and into Wireshark and tshark."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from weakref import WeakKeyDictionary

from pynetemu.errors import LabError, UsageError
from pynetemu.network.network import Network
from pynetemu.shell.answers import Table
from pynetemu.shell.argument_types import Count
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell
from pynetemu.terminal_output import PROTOCOL_STYLES, paint
from pynetemu.wording import counted, did_you_mean, near_or_all

if TYPE_CHECKING:
    from pynetemu.capture.capture import Capture
    from pynetemu.capture.live import Live

_COLUMNS = ("No.", "%m"), ("Time", "%t"), ("Where", "%Cus:frame.interface_name"), ("Source", "%s"), ("Destination", "%d"), (
    "Protocol", "%p"), ("Info", "%i")  # fmt: skip
_TSHARK = ("tshark", "-l", "-N", "n", "-o", "gui.column.format:" + ",".join(f'"{a}","{b}"' for a, b in _COLUMNS), "-i", "-")
_WIRESHARK = ("wireshark", "-k", "-N", "n", "-i", "-")


@dataclass(slots=True)
class _Running:
    """A capture in the background, and the program that reads it."""

    capture: "Capture"
    program: "subprocess.Popen[bytes] | None" = None

    @property
    def file(self) -> str:
        return str(self.capture.file) if self.program is None else "Wireshark"

    @property
    def about(self) -> str:
        """What is captured."""
        return " ".join((*self.capture.what, self.capture.filter)).strip()

    def stop(self) -> None:
        """Raises LabError when the file is not whole."""
        try:
            with _told(self.capture):
                self.capture.stop()
        finally:
            if self.program is not None and self.program.stdin is not None:
                self.program.stdin.close()


_running: "WeakKeyDictionary[Network, list[_Running]]" = WeakKeyDictionary()


class _Part:
    """A word that says what to capture, or belongs to the filter."""

    name = "WHAT"

    def parse(self, word: str, _: Shell) -> str:
        return word

    def complete(self, prefix: str, shell: Shell) -> Iterable[str]:
        from pynetemu.capture.selection import peers_of

        ends = [f"{node}.{interface}" for node, interface in peers_of(shell.network)]
        return (name for name in (*shell.network.nodes, *ends) if name.startswith(prefix))


@command
def capture(
    shell: Shell,
    *words: Annotated[str, _Part()],
    write: Path | None = None,
    count: Count | None = None,
    during: str = "",
    tshark: bool = False,
    wireshark: bool = False,
    background: bool = False,
    stop: bool = False,
) -> int:
    """shows packets as they pass, or keeps them in a file

    It ends with Ctrl-C. The first words are nodes (blue), interfaces (blue.eth0) and links (blue-s1), by default all of the
    lab; the words after them are a filter as tcpdump's, in which nodes go by name:

        capture
        capture blue icmp or arp
        capture blue.eth0 s1 'tcp port 80 and host root'
        capture -w x.pcapng &                    in the background: `captures` lists it, `capture --stop` ends it
        capture icmp --during 'blue ping -c1 root'

    -w, --write   the pcapng file to write, with all nodes' interfaces by name; - for standard output
    -c, --count   ends after so many packets
    --during      runs a line of the shell, and captures as long as it runs
    --tshark      shows packets as tshark does
    --wireshark   opens Wireshark, which shows packets as they pass
    --background  the same as & at the line's end
    --stop        ends those in the background
    """
    if stop:
        return _stop(shell)
    if file := next((word for word in words if word.endswith((".pcap", ".pcapng"))), ""):
        raise UsageError(f"capture: {file!r} is a file: capture -w {file} ... writes it")
    what, filter = _split(shell, list(words))
    if sum((write is not None, tshark, wireshark)) > 1:
        raise UsageError("capture: one of --write, --tshark and --wireshark at a time")
    if background and (write is None or during or count):
        raise UsageError("capture: in the background it needs a file (-w x.pcapng), and no --count or --during")
    if write is None and not tshark and not wireshark:
        return _show(shell, what, filter, count, during)
    if wireshark or background:
        _begin(shell, what, filter, write)
        return 0
    if tshark:
        return _with_tshark(shell, what, filter, during)
    assert write is not None
    return _into_file(shell, what, filter, write, count, during)


@command
def captures(shell: Shell) -> Table:
    """lists the captures that run in the background"""
    running = _running.get(shell.network, [])
    rows = [(one.file, one.capture.packets, one.capture.state, one.about) for one in running]
    return Table(("file", "packets", "state", "of"), rows)


def finish(shell: Shell) -> None:
    """Waits until the captures in the background have ended, their lab or what reads them has, or until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        for one in _running.get(shell.network, []):
            while not one.capture.wait(0.1) and (one.program is None or one.program.poll() is None):
                pass
    if _running.get(shell.network):
        _stop(shell)


def _stop(shell: Shell) -> int:
    running = _running.get(shell.network, [])
    if not running:
        raise LabError("no capture runs in the background")
    while running:
        ended = running.pop()
        ended.stop()
        print(ended.capture.summary, file=sys.stderr)
    return 0


def _split(shell: Shell, words: list[str]) -> tuple[list[str], str]:
    """The words that name parts of the lab, and the filter after them."""
    from pynetemu.capture.pcap_filter import KEYWORDS
    from pynetemu.capture.selection import find

    what = []
    while words and find(shell.network, words[0]):
        what.append(words.pop(0))
    if words and words[0].isalnum() and words[0] not in KEYWORDS:
        nodes = shell.network.nodes
        meant = did_you_mean(words[0], nodes) or (near_or_all(words[0], nodes, "the nodes are") if len(words) == 1 else "")
        if meant:
            raise LabError(f"no node, interface or link is called {words[0]!r}, and no filter begins so; {meant}")
    return what, " ".join(words)


def _show(shell: Shell, what: list[str], filter: str, count: int | None, during: str) -> int:
    from pynetemu.capture.live import Live

    status = shown = 0
    live = Live(shell.network, what, filter)
    try:
        with live:
            if during:
                status = shell.run_line(during)
            sightings = live.rest() if during else live.follow()
            for shown, sighting in enumerate(islice(sightings, count), 1):  # noqa: B007
                place = f"{sighting.place:<{live.width}} {'out' if sighting.outgoing else 'in '}"
                text = paint(sighting.text, PROTOCOL_STYLES.get(sighting.packet.protocol, ""))
                comments = "".join(f"  {paint(comment, 'yellow')}" for comment in sighting.comments)
                print(f"{sighting.seconds:10.6f}  {place}  {text}  {sighting.length} bytes{comments}", flush=True)
    except KeyboardInterrupt:
        pass
    _tell_of(live, shown)
    return status


def _tell_of(live: "Live", shown: int) -> None:
    lost = f", and {live.lost} that came too fast" if live.lost else ""
    print(f"{counted(shown, 'packet')}{lost}", file=sys.stderr)


def _into_file(shell: Shell, what: list[str], filter: str, write: Path, count: int | None, during: str) -> int:
    status = 0
    capture = shell.network.capture(1 if str(write) == "-" else str(write), *what, filter=filter, limit=count or 0)
    with _told(capture), capture:
        if during:
            status = shell.run_line(during)
        else:
            with suppress(KeyboardInterrupt):
                while not capture.wait(0.1):
                    pass
    if str(write) != "-":
        print(capture.summary, file=sys.stderr)
    return status


def _with_tshark(shell: Shell, what: list[str], filter: str, during: str) -> int:
    status = 0
    reader = _start(_TSHARK)
    assert reader.stdin is not None
    capture = shell.network.capture(reader.stdin.fileno(), *what, filter=filter)
    try:
        with suppress(BrokenPipeError), _told(capture), capture:
            if during:
                status = shell.run_line(during)
            else:
                with suppress(KeyboardInterrupt):
                    while not capture.wait(0.1) and reader.poll() is None:
                        pass
    finally:
        with suppress(BrokenPipeError):
            reader.stdin.close()
        _wait_for(reader)
    return status


def _begin(shell: Shell, what: list[str], filter: str, write: Path | None) -> None:
    """Captures in the background, into a file or else into Wireshark."""
    reader = None if write else _start(_WIRESHARK, start_new_session=True)
    file = str(write) if write else reader.stdin.fileno() if reader and reader.stdin else -1
    capture = shell.network.capture(file, *what, filter=filter)
    with _told(capture):
        capture.start()
    _running.setdefault(shell.network, []).append(_Running(capture, reader))
    if write is not None:
        print(
            f"captures into {write} in the background; `captures` tells how it goes, `capture --stop` ends it", file=sys.stderr
        )


def _start(argv: Iterable[str], **options: bool) -> "subprocess.Popen[bytes]":
    from pynetemu.engine.packages import missing_program

    program, *_ = words = list(argv)
    try:
        return subprocess.Popen(words, stdin=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]
    except FileNotFoundError:
        raise missing_program(program, "this machine") from None


def _wait_for(reader: "subprocess.Popen[bytes]") -> None:
    """Ctrl-C has come to the reader too, which ends in its own way."""
    while True:
        try:
            reader.wait()
            return
        except KeyboardInterrupt:
            continue


@contextmanager
def _told(capture: "Capture") -> Iterator[None]:
    """An error of the file as one of ours; a reader that has had enough is none."""
    try:
        yield
    except BrokenPipeError:
        if isinstance(capture.file, int) and capture.file == 1:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError as error:
        raise LabError(capture.failure(error)) from error
