"""The lab's services: whether they run, and what they have printed."""

from pynetemu.shell.answers import Table
from pynetemu.shell.argument_types import ServiceName
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell

_SECONDS_BETWEEN_LOOKS = 0.2


@command
def services(shell: Shell) -> Table:
    """lists the services, and whether they run"""
    rows = [(state.name, state.node, state.pid, _outcome(state.status)) for state in shell.network.services]
    return Table(("service", "node", "pid", "state"), rows)


@command
def logs(shell: Shell, service: ServiceName, *, follow: bool = False) -> int:
    """shows what a service has printed

    -f, --follow  and what it prints from now on, until Ctrl-C
    """
    with shell.network.open_log(service) as file:
        while True:
            print(file.read().decode(errors="replace"), end="", flush=True)
            if not follow or shell.has_ended(within=_SECONDS_BETWEEN_LOOKS):
                return 0


def _outcome(status: int | None) -> str:
    if status is None:
        return "runs"
    return f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
