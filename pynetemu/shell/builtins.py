"""The shell's own commands. A node of the same name wins: its commands are what the shell is for."""

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass

from pynetemu.errors import LabError
from pynetemu.plan.operations import AddAddress, AddNode
from pynetemu.shell.jobs import exit_status
from pynetemu.shell.shell import Leave, Shell

_HELP = """\
NODE COMMAND           runs a command in a node: blue ping -c1 root
NODE COMMAND | ...     the rest of the line is for the node's sh: blue ip addr | wc -l
NODE COMMAND &         runs it in the background
NODE                   opens a shell in the node; exit or Ctrl-D comes back
"""


@dataclass(frozen=True, slots=True)
class Builtin:
    usage: str
    about: str
    run: Callable[[Shell, list[str]], int]


def _help(shell: Shell, _: list[str]) -> int:
    print(f"Nodes: {', '.join(shell.network.nodes)}\n\n{_HELP}")
    for builtin in BUILTINS.values():
        print(f"{builtin.usage:<22} {builtin.about}")
    return 0


def _nodes(shell: Shell, _: list[str]) -> int:
    operations = shell.network.plan.operations
    for node in operations:
        if isinstance(node, AddNode) and node.kind != "outside":
            addresses = [op for op in operations if isinstance(op, AddAddress) and op.node == node.node]
            told = ", ".join(f"{op.interface} {op.address}" for op in addresses)
            print(f"{node.node:<15} {node.kind:<7} {told}".rstrip())
    return 0


def _plan(shell: Shell, _: list[str]) -> int:
    from pynetemu.plan.text import as_text

    print(as_text(shell.network.plan).rstrip("\n"))
    return 0


def _logs(shell: Shell, words: list[str]) -> int:
    if not words:
        for state in shell.network.services:
            print(state)
        return 0
    print(shell.network.log(words[0]), end="")
    return 0


def _jobs(shell: Shell, _: list[str]) -> int:
    for job in shell.jobs:
        job_before = job.state
        while job.state != "Done" and (change := job.process.wait_change(0)):
            job.take(change)
        print(job)
        if job.state == "Done" and job_before != "Done":
            shell.jobs.remove(job)
    return 0


def _fg(shell: Shell, words: list[str]) -> int:
    job = shell.jobs.find(words[0] if words else "")
    print(job.text, file=sys.stderr)
    return shell.resume(job, foreground=True)


def _bg(shell: Shell, words: list[str]) -> int:
    job = shell.jobs.find(words[0] if words else "")
    status = shell.resume(job, foreground=False)
    print(f"[{job.number}] {job.text} &", file=sys.stderr)
    return status


def _wait(shell: Shell, words: list[str]) -> int:
    jobs = [shell.jobs.find(words[0])] if words else [job for job in shell.jobs if job.state == "Running"]
    status = 0
    for job in jobs:
        status = exit_status(job.process.wait())
        shell.jobs.remove(job)
    return status if words else 0


def _kill(shell: Shell, words: list[str]) -> int:
    number = signal.SIGTERM
    if words and words[0].startswith("-"):
        number = _signal(words.pop(0)[1:])
    if not words:
        raise LabError("say which job: kill [-SIGNAL] %1")
    for word in words:
        job = shell.jobs.find(word)
        job.process.send_signal(number)
        if job.state == "Stopped" and number in (signal.SIGTERM, signal.SIGHUP):
            job.process.resume()  # a stopped process sees a signal only when it continues
    return 0


def _signal(word: str) -> signal.Signals:
    try:
        return signal.Signals(int(word)) if word.isdigit() else signal.Signals["SIG" + word.upper().removeprefix("SIG")]
    except (KeyError, ValueError):
        raise LabError(f"there is no signal {word!r}; say a number or a name such as INT, TERM, KILL") from None


def _exit(shell: Shell, words: list[str]) -> int:
    if words and not words[0].isdigit():
        raise LabError(f"exit takes a status, a number, not {words[0]!r}")
    raise Leave(int(words[0]) & 0xFF if words else shell.status)


BUILTINS = {
    "help": Builtin("help", "shows this", _help),
    "nodes": Builtin("nodes", "lists the nodes with their addresses", _nodes),
    "plan": Builtin("plan", "shows what the network is made of", _plan),
    "logs": Builtin("logs [SERVICE]", "shows what a service has printed", _logs),
    "jobs": Builtin("jobs", "lists what runs in the background or is stopped", _jobs),
    "fg": Builtin("fg [%1]", "continues a job in the foreground", _fg),
    "bg": Builtin("bg [%1]", "continues a stopped job in the background", _bg),
    "wait": Builtin("wait [%1]", "waits for background jobs", _wait),
    "kill": Builtin("kill [-SIGNAL] %1", "signals a job (TERM by default)", _kill),
    "exit": Builtin("exit [STATUS]", "leaves, and ends the lab; so does Ctrl-D", _exit),
    "quit": Builtin("quit", "the same", _exit),
}
