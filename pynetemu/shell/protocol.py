"""The shell as its commands' arguments, messages and look-ups need it; `pynetemu.shell.shell.Shell` is one."""

from typing import Protocol

from pynetemu.network.network import Network
from pynetemu.shell.jobs import Jobs


class ShellLike(Protocol):
    """What is known where a line is read: the network, the jobs in the background, and the aliases."""

    network: Network
    jobs: Jobs
    aliases: dict[str, str]
