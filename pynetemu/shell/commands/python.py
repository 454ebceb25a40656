"""Python in the shell: the network's Python interface at hand."""

import sys
import traceback
from contextlib import suppress
from typing import Any

from pynetemu.errors import PynetemuError
from pynetemu.shell.argument_types import RestOfLine
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell

_BANNER = "Python {version}: `net` is the network, nodes are there by their names. Ctrl-D comes back."


@command
def py(shell: Shell, expression: RestOfLine = "") -> int:
    """evaluates Python; without words, opens an interpreter

    py h1.run("hostname").stdout

    `net` is the network, each node is there under its name, `shell` is this shell; what px sets stays.
    """
    names = _names(shell)
    if not expression:
        import code

        code.interact(_BANNER.format(version=sys.version.split()[0]), local=names, exitmsg="")
        return 0
    status = _run(lambda: _shown(eval(expression, names)))
    if status and _is_statement(expression):
        print(f"pynetemu: py: this is a statement, which px runs: px {expression}", file=sys.stderr)
    return status


@command
def px(shell: Shell, statement: RestOfLine) -> int:
    """runs a Python statement: px hosts = [n for n in net]"""
    names = _names(shell)
    return _run(lambda: exec(statement, names))


def _is_statement(text: str) -> bool:
    """Whether Python takes it, and not as an expression."""
    for mode, is_taken in ("eval", False), ("exec", True):
        with suppress(SyntaxError, ValueError):
            compile(text, "<string>", mode)
            return is_taken
    return False


def _names(shell: Shell) -> dict[str, Any]:
    """What a line finds; variables of earlier lines stay, but for the names of nodes."""
    names = shell.python_names
    names.update({node.name: node for node in shell.network if node.name.isidentifier()})
    names.update(net=shell.network, shell=shell)
    return names


def _shown(value: object) -> None:
    if value is not None:
        print(value if isinstance(value, str) else repr(value))


def _run(work: Any) -> int:
    """An exception is told as in Python, without our own frames; errors of ours as those of other lines are."""
    try:
        work()
    except PynetemuError:
        raise
    except Exception as error:  # noqa: BLE001
        own = error.__traceback__
        while own is not None and own.tb_frame.f_code.co_filename != "<string>":
            own = own.tb_next
        traceback.print_exception(type(error), error, own)
        return 1
    return 0
