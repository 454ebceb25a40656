"""Help, and the way out."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pynetemu.errors import UsageError
from pynetemu.safe_text import printable_lines
from pynetemu.shell import registry
from pynetemu.shell.argument_types import Number, Status, starting
from pynetemu.shell.command import command
from pynetemu.shell.help import help_of_node, help_text, overview
from pynetemu.shell.output import paged
from pynetemu.shell.protocol import ShellLike
from pynetemu.shell.shell import Leave, Shell
from pynetemu.terminal_output import has_screen
from pynetemu.wording import did_you_mean


class FirstWord:
    """What a line may begin with: a command of the shell, a node, an alias."""

    name = "CMD|NODE"

    def parse(self, word: str, shell: ShellLike) -> str:
        if registry.find(word) is None and word not in shell.network and word not in shell.aliases and word != "all":
            meant = did_you_mean(word, [*shell.network.nodes, *registry.names(), *shell.aliases])
            raise ValueError(f"there is no command or node {word!r}{meant and f'; {meant}'}")
        return word

    def complete(self, prefix: str, shell: ShellLike) -> Iterable[str]:
        return starting((*registry.names(), *shell.network.nodes, *shell.aliases), prefix)


@command("?")
def help(shell: Shell, name: Annotated[str, FirstWord()] | None = None) -> int:
    """lists the commands, or tells about one, or about a node

    `help CMD`, `CMD -h` and `CMD ?` say the same. What is longer than the screen is shown by $PAGER, or less.

    name  of the command or node
    """
    if name is None:
        return paged(overview(shell.network.nodes))
    told = [help_of_node(name, shell.network)] if name in shell.network or name == "all" else []
    if found := registry.find(name):
        told.append(help_text(found))
    if name in shell.aliases:
        told.append(f"{name} is short for: {shell.aliases[name]}")
    return paged("\n\n".join(told))


@command
def history(shell: Shell, count: Annotated[int, Number(int, least=1)] = 20) -> int:
    """shows the lines that were typed, the last ones

    Those of former labs too. Up and Ctrl-R find them at the prompt.

    count  how many
    """
    lines = shell.typed()
    for number, line in list(enumerate(lines, 1))[-count:]:
        print(f"{number:>5}  {printable_lines(line)}")
    return 0


@command
def clear(shell: Shell) -> int:
    """clears the screen; so does Ctrl-L"""
    if has_screen():
        print("\x1b[H\x1b[2J\x1b[3J", end="", flush=True)  # ECMA-48 ED; 3 is xterm's, for what has scrolled away
    return 0


@command
def keys(shell: Shell, mode: Literal["vi", "emacs"]) -> int:
    """sets how lines are edited at the prompt

    By default as ~/.inputrc says for other programs.
    """
    shell.keys = mode
    return 0


@command
def reload(shell: Shell, *, dry_run: bool = False, fresh: bool = False) -> int:
    """reads the description anew, and changes what differs

    --dry-run  shows what would be done, as commands
    --fresh    makes everything anew; what runs in the nodes ends with the old network

    What is described as before is not touched: programs go on, no packet is lost. A wrong description leaves the lab as it is.
    """
    if fresh and dry_run:
        raise UsageError("reload: --dry-run or --fresh, not both")
    if fresh:
        shell.reload_fresh()
        return 0
    change = shell.reload(dry_run)
    print(*(change.commands if dry_run else [change]), sep="\n")
    return 0


@command("quit")
def exit(shell: Shell, status: Status | None = None) -> int:
    """leaves, and ends the lab; so does Ctrl-D

    status  the shell's exit status, 0 to 255; by default that of the last line
    """
    raise Leave(shell.status if status is None else status)
