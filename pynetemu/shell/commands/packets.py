"""What packets do: traces of commands, and why packets died."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from pynetemu.errors import LabError, UsageError
from pynetemu.network.network import Network
from pynetemu.shell.answers import Answer
from pynetemu.shell.argument_types import ShellLine
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell
from pynetemu.terminal_output import can_print, has_colors, terminal_width
from pynetemu.wording import counted

if TYPE_CHECKING:
    from pynetemu.trace.trace import Trace
    from pynetemu.trace.views.style import Style

_last: "WeakKeyDictionary[Network, Trace]" = WeakKeyDictionary()
_last_lines: "WeakKeyDictionary[Network, str]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Traced(Answer):
    """A trace as it is shown: all packets, one of them (`number`), every sighting, or the last that died."""

    trace: "Trace"
    style: "Style"
    network: Network | None = None
    shown: Literal["ladder", "sightings", "packet", "why", "evidence"] = "ladder"
    number: int = 0
    status: int = 0

    def text(self, everything: bool) -> str:
        from pynetemu.trace.views import detail, report

        match self.shown:
            case "packet":
                return detail.detail(self.trace, self.trace[self.number], self.style, self.network)
            case "sightings":
                return report.sightings(self.trace, self.style)
            case "why":
                return report.why(self.trace, self.style)
            case "evidence":
                return report.why(self.trace, self.style, with_evidence=True)
        return self.trace.ladder(self.style, everything=everything)

    def data(self) -> object:
        from pynetemu.trace.views.report import packet_as_data

        return packet_as_data(self.trace, self.number) if self.number else self.trace.data()


@command
def trace(
    shell: Shell,
    line: ShellLine = "",
    *,
    filter: str = "",
    engine: str = "",
    ascii: bool = False,
    verbose: bool = False,
    live: bool = False,
    until_drop: bool = False,
    diff: bool = False,
    save: Path | None = None,
) -> Answer:
    """runs a line, and shows where each of its packets went

    trace blue ping -c1 root     runs it, then shows its packets
    trace 3                      shows packet 3 of the last trace hop by hop
    trace                        shows the last trace again
    trace --live                 shows all packets of the lab as they come, until Ctrl-C
    trace --until-drop LINE      runs it again and again until something is lost, or Ctrl-C
    trace --diff LINE            runs it, and shows where its packets' paths part from those of the last trace
    trace --diff                 the same with the last traced line, run again
    trace --save FILE            keeps the last trace, for `pynetemu trace show FILE`

    --filter       only packets that match, as tcpdump writes it: 'icmp or arp', 'host blue'
    --engine       kernel (as root: it sees drops and their reasons) or sockets; by default the better one
    --ascii        without line-drawing characters
    -v, --verbose  every sighting on a line of its own
    --live         follows the whole lab until Ctrl-C; verbose: the kernels' own background traffic too
    --until-drop   for faults that come seldom
    --diff         the last trace and a new one side by side, such as before and after a change
    --save         into a file: .pcapng for Wireshark too, or .json
    """
    style = _style(ascii)
    shown: Literal["ladder", "sightings"] = "sightings" if verbose else "ladder"
    if diff and (live or until_drop or verbose):
        raise UsageError("trace: --diff compares two traces of a line; it goes with neither --live, --until-drop nor --verbose")
    if diff:
        compared = _compare(shell, line, filter, engine, style)
        _saved(compared.after, save)
        return compared
    if live:
        followed = _follow(shell, filter, style, verbose, engine)
        _saved(_latest(shell), save)
        return followed
    if not line:
        return Traced(_saved(_latest(shell), save), style, shell.network, shown)
    if line.isdigit():
        return Traced(_saved(_latest(shell), save), style, shell.network, "packet", _number(_latest(shell), line))
    if line.endswith("&"):
        raise UsageError("trace: it runs a line in the foreground; for what goes on in the background: trace --live")
    status = _run_until_drop(shell, line, filter, engine) if until_drop else _run(shell, line, filter, engine)
    return Traced(_saved(_latest(shell), save), style, shell.network, shown, status=status)


def _saved(trace: "Trace", file: Path | None) -> "Trace":
    """The trace, kept in a file if one is named."""
    if file is not None:
        try:
            trace.save(file)
        except OSError as error:
            raise LabError(f"cannot write {file}: {error.strerror}") from None
    return trace


@dataclass(frozen=True, slots=True)
class Compared(Answer):
    """Two traces side by side."""

    before: "Trace"
    after: "Trace"
    style: "Style"
    status: int = 0

    def text(self, _: bool) -> str:
        return self.before.comparison(self.after, self.style)

    def data(self) -> object:
        return [asdict(one) for one in self.before.diff(self.after)]


def _compare(shell: Shell, line: str, filter: str, engine: str, style: "Style") -> Compared:
    """A line beside the last trace; without one, the line that was traced last, again."""
    before = _latest(shell)
    line = line or _last_lines.get(shell.network, "")
    if not line:
        raise UsageError("trace --diff: which line? None was traced; try: trace --diff NODE ping -c1 OTHER")
    status = _run(shell, line, filter, engine)
    return Compared(before, _latest(shell), style, status)


@command
def why(shell: Shell, *, ascii: bool = False, verbose: bool = False) -> Traced:
    """tells why the last packet died, and what to try

    --ascii        without line-drawing characters
    -v, --verbose  what the nodes were asked about it, when, and what they answered
    """
    return Traced(_latest(shell), _style(ascii), shell.network, "evidence" if verbose else "why")


@dataclass(frozen=True, slots=True)
class Followed(Answer):
    """What has been followed, when it is over."""

    packets: int
    missed: int
    engine: str
    status: int = 0

    def text(self, _: bool) -> str:
        return f"{counted(self.packets, 'packet')}, {self.missed} missed · {self.engine}"

    def data(self) -> object:
        return {"packets": self.packets, "missed": self.missed, "engine": self.engine}


def _follow(shell: Shell, filter: str, style: "Style", everything: bool, engine: str) -> Followed:
    from pynetemu.trace.follow import Follower

    with Follower(shell.network, filter, style, everything=everything, engine=engine) as follower:
        _last[shell.network] = follower.trace
        try:
            print("following all packets; Ctrl-C ends", file=sys.stderr)
            while not shell.network.ended:
                for line in follower.lines(0.2):
                    print(line, flush=True)
        except KeyboardInterrupt:
            print(file=sys.stderr)
    return Followed(follower.packets, follower.lost + follower.skipped, follower.engine)


def _run_until_drop(shell: Shell, line: str, filter: str, engine: str) -> int:
    """Runs a line until its trace has something to tell; Ctrl-C ends it, and the last run is shown."""
    times = 0
    while True:
        status = _run(shell, line, filter, engine)
        times += 1
        if _latest(shell).reason is not None or status in (-2, 130):
            print(f"after {counted(times, 'run')}:", file=sys.stderr)
            return status


def _run(shell: Shell, line: str, filter: str, engine: str) -> int:
    """The line's status; whatever happens to it, what was seen is kept."""
    from pynetemu.trace.tracer import Tracer

    tracer = Tracer(shell.network, filter, engine=engine)
    _last[shell.network] = tracer.start()
    _last_lines[shell.network] = line
    status: int | None = None
    try:
        status = shell.run_line(line)
        return status
    finally:
        node, _, rest = line.strip().partition(" ")
        tracer.trace.lines.clear()  # what the line's own parts have told: the line is one
        tracer.ran(node if node in shell.network else "", rest, status=status)
        tracer.stop()


def _latest(shell: Shell) -> "Trace":
    if shell.network not in _last:
        raise LabError("nothing has been traced yet; try: trace NODE ping -c1 OTHER")
    return _last[shell.network]


def _number(trace: "Trace", word: str) -> int:
    try:
        return trace[int(word)].number
    except LookupError as error:
        raise LabError(str(error)) from None


def _style(ascii: bool) -> "Style":
    from pynetemu.trace.views.style import ASCII, Signs, Style, characters

    signs = ASCII if ascii or not can_print(characters()) else Signs()
    return Style(color=has_colors(), width=terminal_width(), signs=signs)
