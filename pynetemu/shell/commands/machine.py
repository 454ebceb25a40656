"""The machine that the lab runs on: its shell, its terminals."""

import os

from pynetemu.errors import LabError
from pynetemu.shell import machine
from pynetemu.shell.argument_types import Directory, NodeName, NodeNames, RestOfLine, RunningLab, ShellLine
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell


@command
def sh(shell: Shell, line: RestOfLine = "") -> int:
    """runs a line of sh on the machine itself; so does !LINE"""
    return machine.run(["sh", "-c", line] if line else [os.environ.get("SHELL") or "sh"])


@command
def cd(shell: Shell, folder: Directory = "~") -> int:
    """changes the folder that programs work in, in nodes too"""
    try:
        os.chdir(os.path.expanduser(folder))
    except OSError as error:
        raise LabError(f"cd: {folder}: {error.strerror}") from None
    return 0


@command("xterm", "gterm")
def term(shell: Shell, *nodes: NodeNames, panes: bool = False) -> int:
    """opens terminals in nodes: tmux windows, or xterms

    -p, --panes  side by side in one tmux window

    Inside tmux the windows are added to it. Else, with a display and xterm, each node gets an xterm; without them a tmux
    session is opened here, which is left by Ctrl-B d. The shells in it end with the lab.
    """
    from pynetemu.shell.terminals import open_terminals

    return open_terminals(shell.network.name, shell.chosen(nodes), panes)


@command
def x(shell: Shell, node: NodeName, line: RestOfLine = "xterm") -> int:
    """runs a program with windows in a node: x h1 wireshark"""
    from pynetemu.shell.terminals import check_display

    check_display()
    return shell.run_line(f"{node} {line} &")


@command
def noecho(shell: Shell, line: ShellLine) -> int:
    """runs a line, as in Mininet

    Programs have the real terminal here, so that it is never needed.
    """
    return shell.run_line(line)


@command
def attach(shell: Shell, lab: RunningLab) -> int:
    """opens the shell of another running lab"""
    if not machine.has_terminal():
        raise LabError(f"attach needs a terminal; `pynetemu exec {lab} NODE -- COMMAND` runs a command there")
    return machine.run(machine.pynetemu("attach", lab))
