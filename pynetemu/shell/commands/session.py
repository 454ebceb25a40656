"""Help, and the way out."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pynetemu.shell import registry
from pynetemu.shell.argument_types import Status, starting
from pynetemu.shell.command import command
from pynetemu.shell.help import help_text, overview
from pynetemu.shell.protocol import ShellLike
from pynetemu.shell.shell import Leave, Shell
from pynetemu.wording import did_you_mean


class ACommand:
    """The name of a command of the shell."""

    name = "CMD"

    def parse(self, word: str, _: ShellLike) -> str:
        if registry.find(word) is None:
            meant = did_you_mean(word, registry.names())
            raise ValueError(f"there is no command {word!r}{meant and f'; {meant}'}")
        return word

    def complete(self, prefix: str, _: ShellLike) -> Iterable[str]:
        return starting(registry.names(), prefix)


CommandName = Annotated[str, ACommand()]


@command("?")
def help(shell: Shell, name: CommandName | None = None) -> int:
    """lists the commands, or tells about one

    `help CMD`, `CMD -h` and `CMD ?` say the same.

    name  of the command
    """
    found = registry.find(name) if name else None
    print(help_text(found) if found else overview(shell.network.nodes))
    return 0


@command
def keys(shell: Shell, mode: Literal["vi", "emacs"]) -> int:
    """sets how lines are edited at the prompt

    By default as ~/.inputrc says for other programs.
    """
    shell.keys = mode
    return 0


@command
def reload(shell: Shell) -> int:
    """reads the description anew, and makes the network again

    A wrong description leaves the lab as it is. Jobs end with the old network.
    """
    shell.reload()
    return 0


@command("quit")
def exit(shell: Shell, status: Status | None = None) -> int:
    """leaves, and ends the lab; so does Ctrl-D

    status  the shell's exit status, 0 to 255; by default that of the last line
    """
    raise Leave(shell.status if status is None else status)
