"""The lab's services: whether they run, and what they have printed."""

import sys

from pynetemu.safe_text import printable_lines
from pynetemu.shell.answers import Table
from pynetemu.shell.argument_types import ServiceName
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell
from pynetemu.terminal_output import is_terminal

_SECONDS_BETWEEN_LOOKS = 0.2


@command
def services(shell: Shell) -> Table:
    """lists the services, and whether they run"""
    rows = [(state.name, state.node, state.pid, _outcome(state.status)) for state in shell.network.services]
    return Table(("service", "node", "pid", "state"), rows)


@command
def logs(shell: Shell, service: ServiceName, *, follow: bool = False) -> int:
    """shows what a service has printed

    On a terminal control characters are shown as escapes; a pipe or a file gets everything as it is.

    -f, --follow  and what it prints from now on, until Ctrl-C
    """
    with shell.network.open_log(service) as file:
        while True:
            print(_shown(file.read().decode(errors="replace")), end="", flush=True)
            if not follow or shell.has_ended(within=_SECONDS_BETWEEN_LOOKS):
                return 0


def _shown(text: str) -> str:
    """Into a pipe or a file as it is; on a terminal without what would move its cursor."""
    return printable_lines(text) if is_terminal(sys.stdout) else text


def _outcome(status: int | None) -> str:
    if status is None:
        return "runs"
    return f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
