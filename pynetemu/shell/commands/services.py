"""The lab's services: whether they run, and what they have printed."""

from pynetemu.shell.answers import Table
from pynetemu.shell.command import command
from pynetemu.shell.kinds import ServiceName
from pynetemu.shell.shell import Shell


@command
def services(shell: Shell) -> Table:
    """lists the services, and whether they run"""
    rows = [(state.name, state.node, state.pid, _outcome(state.status)) for state in shell.network.services]
    return Table(("service", "node", "pid", "state"), rows)


@command
def logs(shell: Shell, service: ServiceName) -> int:
    """shows what a service has printed"""
    print(shell.network.log(service), end="")
    return 0


def _outcome(status: int | None) -> str:
    if status is None:
        return "runs"
    return f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
