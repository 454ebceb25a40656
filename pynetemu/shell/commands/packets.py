"""What packets do: traces of commands."""

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pynetemu.errors import LabError
from pynetemu.network.network import Network
from pynetemu.shell.answers import Answer
from pynetemu.shell.colour import wanted
from pynetemu.shell.command import command
from pynetemu.shell.kinds import ShellLine
from pynetemu.shell.shell import Shell

if TYPE_CHECKING:
    from pynetemu.trace.style import Style
    from pynetemu.trace.trace import Trace

_last: "WeakKeyDictionary[Network, Trace]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Ladder(Answer):
    """A trace as it is shown: the whole of it, or the packet of a number."""

    trace: "Trace"
    style: "Style"
    status: int = 0

    def text(self, everything: bool) -> str:
        return self.trace.ladder(self.style, everything=everything)

    def data(self) -> object:
        return self.trace.data()


@command
def trace(shell: Shell, line: ShellLine = "", *, filter: str = "", ascii: bool = False) -> Ladder:
    """runs a line, and shows where each of its packets went, or why it did not

    trace blue ping -c1 root

    --filter  only packets that match: 'icmp or arp', as in tcpdump
    --ascii   without line-drawing characters
    """
    from pynetemu.trace.tracer import Tracer

    if not line:
        return Ladder(_latest(shell), _style(ascii))
    tracer = Tracer(shell.network, filter)
    tracer.start()
    try:
        status = shell.run_line(line)
    finally:
        _last[shell.network] = tracer.stop()
    return Ladder(tracer.trace, _style(ascii), status)


def _latest(shell: Shell) -> "Trace":
    if shell.network not in _last:
        raise LabError("nothing has been traced yet; try: trace NODE ping -c1 OTHER")
    return _last[shell.network]


def _style(ascii: bool) -> "Style":
    from pynetemu.trace.style import ASCII, Signs, Style

    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):  # a pipe, or nothing that has a descriptor
        width = None
    plain = ascii or "utf" not in (sys.stdout.encoding or "").lower()
    return Style(color=wanted(sys.stdout), width=width, signs=ASCII if plain else Signs())
