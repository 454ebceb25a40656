"""A command in several nodes at once: `h1,h2 uptime`, `h* ping -c1 s1`, `all ip route`.

Each line of output has its node's name before it. The nodes' output comes in the order of the description: what the first
that still runs prints is shown at once, that of the others is kept until it is their turn.
"""

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from pynetemu.errors import CommandError
from pynetemu.lab.process import Process
from pynetemu.network.network import Network
from pynetemu.shell.jobs import exit_status
from pynetemu.shell.language import without_user
from pynetemu.terminal_output import paint
from pynetemu.wording import shortened

_AT_ONCE = 64  # processes; each has two pipes here
_MOST_NAMED = 10


@dataclass(slots=True)
class _Run:
    """One node's command: what has come and has not been shown, as (is an error, lines)."""

    node: str
    argv: Sequence[str]
    process: Process | None = None
    kept: list[tuple[bool, bytes]] = field(default_factory=list)
    halves: dict[bool, bytes] = field(default_factory=dict)  # lines that have not ended yet
    status: int | None = None
    open: int = 0


def run_on(network: Network, commands: Mapping[str, Sequence[str]], errors: IO[str]) -> int:
    """Runs each node's command, and returns when all have ended: with 0, or with the status of the first that failed."""
    return _Runs(network, commands, errors).run()


class _Runs:
    def __init__(self, network: Network, commands: Mapping[str, Sequence[str]], errors: IO[str]) -> None:
        self._network, self._errors = network, errors
        self._runs = [_Run(node, argv) for node, argv in commands.items()]
        self._waiting = list(self._runs)
        self._width = max(map(len, commands))
        self._events = selectors.DefaultSelector()
        self._shown = 0  # the number of the run whose output is shown at once
        self._interrupts = 0

    def run(self) -> int:
        try:
            while True:
                try:
                    self._go()
                    break
                except KeyboardInterrupt:
                    self._interrupt()
        finally:
            for run in self._runs:
                if run.process is not None:
                    run.process.kill()
                    run.process.close()
            self._events.close()
        return self._told()

    def _go(self) -> None:
        while any(run.status is None for run in self._runs):
            while self._waiting and sum(r.process is not None and r.status is None for r in self._runs) < _AT_ONCE:
                self._start(self._waiting.pop(0))
            for key, _ in self._events.select() if self._events.get_map() else ():
                self._read(key.data[0], key.data[1], key.fd)
            self._show()
        self._show()

    def _start(self, run: _Run) -> None:
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        try:
            argv, user = without_user(run.argv)
            process = self._network[run.node].start(*argv, stdin=nothing, stdout=pipe, stderr=pipe, user=user)
        except CommandError as error:
            lines = str(error).removeprefix(f"{run.node}: ").splitlines()
            run.kept += [(True, f"{line}\n".encode()) for line in lines]
            run.status = error.exit_status
            return
        run.process = process
        for file in process.stdout, process.stderr:
            assert file is not None
            run.open += 1
            self._events.register(file, selectors.EVENT_READ, (run, file is process.stderr))

    def _read(self, run: _Run, is_error: bool, descriptor: int) -> None:
        part = os.read(descriptor, 1 << 16)
        *lines, rest = (run.halves.pop(is_error, b"") + part).split(b"\n")
        run.kept += [(is_error, line + b"\n") for line in lines]
        if part:
            run.halves[is_error] = rest
            return
        if rest:
            run.kept.append((is_error, rest + b"\n"))
        self._events.unregister(descriptor)
        run.open -= 1
        if not run.open:
            assert run.process is not None
            run.status = exit_status(run.process.wait())

    def _show(self) -> None:
        while self._shown < len(self._runs):
            run = self._runs[self._shown]
            for is_error, line in run.kept:
                out = self._errors if is_error else sys.stdout
                out.write(paint(run.node.ljust(self._width), "cyan", out) + "  " + line.decode(errors="surrogateescape"))
            run.kept.clear()
            if run.status is None:
                break
            self._shown += 1
        sys.stdout.flush()
        self._errors.flush()

    def _interrupt(self) -> None:
        """The first Ctrl-C is the programs' own to answer; the second ends them."""
        self._interrupts += 1
        for run in self._waiting:
            run.status = 128 + signal.SIGINT
        self._waiting.clear()
        for run in self._runs:
            if run.process is not None and run.status is None:
                run.process.send_signal(signal.SIGINT if self._interrupts == 1 else signal.SIGKILL)

    def _told(self) -> int:
        failed = [(run.node, run.status) for run in self._runs if run.status]
        if failed and len(self._runs) > 1:
            named = shortened([f"{node} ({status})" for node, status in failed], _MOST_NAMED)
            print(f"failed in {len(failed)} of {len(self._runs)} nodes: {named}", file=self._errors)
        if self._interrupts:
            return 128 + signal.SIGINT
        return failed[0][1] or 0 if failed else 0
