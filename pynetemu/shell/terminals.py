"""Terminals for nodes: tmux windows and panes, or xterms. In each runs `pynetemu exec LAB NODE`."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence

from pynetemu.errors import CommandError, LabError
from pynetemu.shell import machine

_MOST = 20  # terminals that nobody means to open by mistake


def open_terminals(lab: str, nodes: Sequence[str], panes: bool) -> int:
    """Opens a terminal for each node; raises LabError, CommandNotFound and CommandError."""
    if len(nodes) > _MOST:
        raise LabError(f"{len(nodes)} terminals are too many; name the nodes, at most {_MOST}: term {nodes[0]} {nodes[1]}")
    if os.environ.get("TMUX"):
        return _tmux(lab, nodes, panes)
    if os.environ.get("DISPLAY") and shutil.which("xterm"):
        return _xterms(lab, nodes)
    if not shutil.which("tmux"):
        raise machine.missing("tmux")
    return _session(lab, nodes, panes)


def check_display() -> None:
    """Refuses programs with windows where a node could not reach the display."""
    display = os.environ.get("DISPLAY", "")
    if not display:
        raise LabError("there is no display (DISPLAY is not set); `term` opens terminals in tmux")
    if not display.startswith((":", "unix:")):
        raise LabError(f"DISPLAY={display} is reached by TCP, and nodes have a network of their own; use a local display")


def _tmux(lab: str, nodes: Sequence[str], panes: bool) -> int:
    """Windows or panes of the tmux that we run in."""
    for number, node in enumerate(nodes):
        if panes:
            _call(["split-window", "-t", os.environ.get("TMUX_PANE", ""), _shell(lab, node)])
            _call(["select-layout", "tiled"])
        else:
            _call(["new-window", *(["-d"] if number else []), "-n", node, _shell(lab, node)])
    return 0


def _session(lab: str, nodes: Sequence[str], panes: bool) -> int:
    """A tmux session of our own, in this terminal until it is left."""
    if not machine.has_terminal():
        raise LabError("term needs a terminal, tmux or a display")
    session = f"pynetemu-{lab}"
    _call(["new-session", "-d", "-s", session, "-n", nodes[0], _shell(lab, nodes[0])])
    for node in nodes[1:]:
        if panes:
            _call(["split-window", "-t", session, _shell(lab, node)])
            _call(["select-layout", "-t", session, "tiled"])
        else:
            _call(["new-window", "-d", "-t", session, "-n", node, _shell(lab, node)])
    print("Ctrl-B d leaves this tmux, Ctrl-B n shows the next node", file=sys.stderr)
    try:
        return machine.run(["tmux", "attach-session", "-t", session])
    finally:
        subprocess.run(["tmux", "kill-session", "-t", session], stderr=subprocess.DEVNULL, check=False)


def _xterms(lab: str, nodes: Sequence[str]) -> int:
    for node in nodes:
        nothing = subprocess.DEVNULL
        command = machine.pynetemu("exec", lab, node, "--", "bash")
        machine.start(["xterm", "-T", f"{lab}: {node}", "-e", *command], stdin=nothing, stdout=nothing, stderr=nothing)
    return 0


def _shell(lab: str, node: str) -> str:
    """The command of a window, which starts with the environment of the tmux server, not ours."""
    paths = f"PYTHONPATH={machine.environment().get('PYTHONPATH', '')}"
    return shlex.join(["env", paths, *machine.pynetemu("exec", lab, node, "--", "bash")])


def _call(words: Sequence[str]) -> None:
    done = subprocess.run(["tmux", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(f"tmux {words[0]}: {done.stderr.strip()}")
