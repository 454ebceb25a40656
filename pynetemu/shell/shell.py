"""Runs the shell's lines: a node's command in the foreground or as a job, or one of the shell's own commands.

    shell = Shell(network)
    status = shell.run_line("blue ping -c1 root")

It needs no terminal; `shell.prompt` puts one before it.
"""

import signal
import sys
from collections.abc import Iterable, Sequence

from pynetemu.errors import CommandNotFound, PynetemuError
from pynetemu.network.network import Network
from pynetemu.network.process import Process
from pynetemu.shell import terminal
from pynetemu.shell.jobs import Job, Jobs, exit_status
from pynetemu.shell.language import argv_of, parse


class Leave(Exception):
    """The user leaves the shell, with a status."""

    def __init__(self, status: int) -> None:
        self.status = status


class Shell:
    """`job_control` is for a person at a terminal: each command gets a process group of its own, Ctrl-Z stops it.

    Without it commands share our process group, as those of a script do. `stdin` is what commands read: ours by default.
    """

    def __init__(self, network: Network, job_control: bool = False, stdin: int | None = None) -> None:
        self.network = network
        self.jobs = Jobs()
        self.status = 0
        self._job_control = job_control
        self._stdin = stdin

    def run_line(self, text: str) -> int:
        """Runs one line and gives its exit status; raises Leave for `exit`. Errors are told on standard error."""
        try:
            self.status = self._run(text)
        except ValueError as error:
            self.status = _complain(f"{error}: {text.strip()}", 2)
        except CommandNotFound as error:
            self.status = _complain(str(error), error.exit_status)
        except PynetemuError as error:
            self.status = _complain(str(error), error.exit_status)
        return self.status

    def run_lines(self, lines: Iterable[str]) -> int:
        """Runs lines in order, up to the first that fails; gives its status, or 0."""
        try:
            for line in lines:
                if status := self.run_line(line):
                    return status
        except Leave as leave:
            return leave.status
        return 0

    def _run(self, text: str) -> int:
        line = parse(text)
        if line is None:
            return 0
        if line.word in self.network:
            return self._command(line.word, argv_of(line.rest) if line.rest else ["bash"], line.background, text.strip())
        from pynetemu.shell import registry

        if command := registry.find(line.word):
            return command.run(self, line.arguments_of(command))
        raise CommandNotFound(line.word, _unknown(line.word, [*self.network.nodes, *registry.names()], self.network))

    def _command(self, node: str, argv: list[str], background: bool, text: str) -> int:
        tty = terminal.own_terminal() if self._job_control and not background else None
        with terminal.lent(tty or terminal.own_terminal()):
            process = self.network[node].start(
                *argv, stdin=self._stdin, terminal=tty, own_group=self._job_control or background
            )
            if background:
                return self._put_aside(process, text)
            return self._foreground(process, text)

    def _put_aside(self, process: Process, text: str) -> int:
        job = self.jobs.add(process, text)
        print(f"[{job.number}] {process.pid}", file=sys.stderr)
        return 0

    def resume(self, job: Job, foreground: bool) -> int:
        """Continues a job, in the foreground if wanted; gives its status."""
        tty = terminal.own_terminal() if foreground else None
        with terminal.lent(tty):
            job.process.resume(tty)
            job.state = "Running"
            return self._foreground(job.process, job.text, job) if foreground else 0

    def _foreground(self, process: Process, text: str, job: Job | None = None) -> int:
        """Waits until the process ends or is stopped; in the latter case it becomes a job."""
        interrupted = False
        while True:
            try:
                change = process.wait_change()
            except KeyboardInterrupt:  # it came to the process as well, which may want to end in its own way
                interrupted = True
                continue
            if change is None or change.kind == "continued":
                continue
            if change.kind == "exited":
                if job is not None:
                    self.jobs.remove(job)
                if self._job_control and change.value in (-signal.SIGINT, -signal.SIGQUIT):
                    print(file=sys.stderr)  # the terminal has echoed the key, and the prompt belongs below it
                return 130 if interrupted else exit_status(change.value)
            if self._job_control:  # else we are stopped and continued together
                job = job or self.jobs.add(process, text)
                job.take(change)
                print(f"\n{job}", file=sys.stderr)
                return 128 + change.value

    def chosen(self, sets: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        """The nodes of some sets, in the order of the description; all of them without a set."""
        wanted = {node for nodes in sets for node in nodes}
        return tuple(node for node in self.network.nodes if node in wanted or not sets)


def _complain(text: str, status: int) -> int:
    print(f"pynetemu: {text}", file=sys.stderr)
    return status


def _unknown(word: str, names: list[str], network: Network) -> str:
    from pynetemu.plan.nearest import nearest

    near = nearest(word, names)
    hint = f"did you mean {near!r}?" if near else f"the nodes are {', '.join(network.nodes)}; `help` lists the commands"
    return f"no node or command {word!r}; {hint}"
