"""The prompt at a terminal: editing, history, completion (prompt_toolkit), and news of jobs and of the lab's end."""

import asyncio
import os
import shlex
import signal
import sys
from itertools import chain, repeat
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from pynetemu.errors import LabError
from pynetemu.network.network import Network
from pynetemu.shell.jobs import Job
from pynetemu.shell.language import logical_lines
from pynetemu.shell.prompt.bar import Bar
from pynetemu.shell.prompt.editing import make_session, mode, usual_keys
from pynetemu.shell.prompt.first_prompt import FirstPrompt, own_file
from pynetemu.shell.shell import Leave, Shell

if TYPE_CHECKING:
    from pynetemu.lab.services import ServiceNews


class _LabEnded(Exception):
    """The lab has ended while the user was typing."""


class _Terminated(Exception):
    """The shell was told to end (SIGTERM) while the user was typing."""


def interact(shell: Shell, first: FirstPrompt) -> int:
    """What `opening.open_prompt` does, which has drawn the first prompt."""
    first.give_way()
    for number in signal.SIGTSTP, signal.SIGQUIT:  # for the programs, which have the terminal while they run
        signal.signal(number, signal.SIG_IGN)
    prompt = _Prompt(shell, first)
    signal.signal(signal.SIGTERM, prompt.end)
    signal.signal(signal.SIGINT, prompt.interrupt)
    steps = chain([prompt.run_own_file], repeat(prompt.read_and_run))
    try:
        while True:
            try:
                next(steps)()
            except KeyboardInterrupt:
                prompt.interrupted()
            except EOFError:
                if _may_leave(shell):
                    return shell.status
    except Leave as leave:
        return leave.status
    except (_LabEnded, LabError):
        print(f"pynetemu: the lab {shell.network.name} has ended", file=sys.stderr)
        return 1
    except _Terminated:
        return 128 + signal.SIGTERM
    finally:
        prompt.close()


class _Prompt:
    """Reads lines and has them run; tells above the line what happens to jobs and services meanwhile."""

    def __init__(self, shell: Shell, first: FirstPrompt) -> None:
        self._shell = shell
        self._first = first
        self._bar = Bar(shell)
        history = _history()
        self._session = make_session(shell, self._bar, history)
        shell.typed = lambda: list(history.load_history_strings())[::-1]  # which has the newest first
        self._running = False
        self._interrupted = False  # since the prompt began
        self._network: Network | None = None  # the one whose services are watched
        self._services: ServiceNews | None = None

    def run_own_file(self) -> None:
        if file := own_file():
            self._shell.run_line(f"source {shlex.quote(file)}")

    def read_and_run(self) -> None:
        shell = self._shell
        for job in shell.jobs.news():
            print(job, file=sys.stderr)
        if shell.network.ended:
            raise _LabEnded
        self._session.editing_mode = mode(shell.keys or usual_keys())
        name = shell.network.name
        try:
            text = self._session.prompt([("class:prompt", name), ("", "> ")], pre_run=self._watch, handle_sigint=False)
        finally:
            self._first.close()
            self._bar.hide()
        self._run(text)
        if shell.network.ended:
            raise _LabEnded

    def _run(self, text: str) -> None:
        self._running = True
        if self._interrupted:
            raise KeyboardInterrupt
        for _, line in logical_lines(text.split("\n")):
            if self._shell.run_line(line):
                break
        self._running = False

    def interrupt(self, _: int, frame: FrameType | None) -> None:
        """Ctrl-C breaks off the line that runs, also when it has only just been typed.

        While one is typed the prompt reads Ctrl-C as a key, and before that there is nothing to break off.
        """
        frame = frame or sys._getframe()  # none is given where an interrupt was kept for later
        while frame is not None:
            if frame.f_code in (_Prompt._run.__code__, Shell.run_line.__code__):
                raise KeyboardInterrupt
            frame = frame.f_back
        typing = self._session.app.future
        self._interrupted = typing is None or typing.done()

    def interrupted(self) -> None:
        """One of our own commands was interrupted, or a line was thrown away: the terminal has echoed ^C in the first case."""
        if self._running:
            self._shell.status = 130
            print(file=sys.stderr)
        self._running = False

    def end(self, number: int, _: object) -> None:
        """Ends by way of every `finally`, so that the terminal is left as it was found.

        While somebody types, the event loop must do it: an exception in the midst of one of its tasks would only be told.
        """
        app = self._session.app
        if not app.is_running or app.loop is None:
            raise SystemExit(128 + number)
        app.loop.call_soon_threadsafe(self._leave_prompt, _Terminated())

    def _leave_prompt(self, reason: Exception) -> None:
        app = self._session.app
        if app.is_running and not app.is_done:
            app.exit(exception=reason)

    def close(self) -> None:
        self._bar.hide()
        if self._services is not None:
            self._services.close()

    def _watch(self) -> None:
        """Watches what may happen while somebody types; the event loop lives as long as the prompt."""
        self._interrupted = False
        loop, app = asyncio.get_running_loop(), self._session.app
        network = self._shell.network
        if self._network is not network:
            self._network, self._services = network, network.service_news()
        assert self._services is not None
        loop.add_reader(network.fileno(), self._ended, loop, network.fileno())
        loop.add_reader(self._services.fileno(), self._tell_services, self._services)
        for job in self._shell.jobs:
            if job.state != "Done":
                loop.add_reader(job.process.fileno(), self._tell_job, loop, job)
        self._bar.show(app.invalidate)

    def _ended(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        loop.remove_reader(descriptor)
        self._leave_prompt(_LabEnded())

    def _tell_services(self, services: "ServiceNews") -> None:
        for state in services.read():
            _say(str(state))

    def _tell_job(self, loop: asyncio.AbstractEventLoop, job: Job) -> None:
        descriptor = job.process.fileno()
        try:
            has_changed = self._shell.jobs.refresh(job)
        except LabError:  # a job may be the first to tell of the lab's end
            self._ended(loop, descriptor)
            return
        if has_changed:
            if job.state == "Done":
                loop.remove_reader(descriptor)
            _say(str(job))


class _History(FileHistory):
    """A file of lines, which may have bytes that are no text."""

    def store_string(self, string: str) -> None:
        super().store_string(string.encode(errors="backslashreplace").decode())


def _say(text: str) -> None:
    """Prints a line above the one that is being typed."""
    run_in_terminal(lambda: print(text, file=sys.stderr))


_warned: set[int] = set()


def _may_leave(shell: Shell) -> bool:
    """As in other shells: with jobs left, Ctrl-D leaves at the second time."""
    if not len(shell.jobs) or id(shell) in _warned:
        return True
    _warned.add(id(shell))
    print("There are background jobs; Ctrl-D again ends them and the lab.", file=sys.stderr)
    return False


def _history() -> History:
    """The lines typed before, in $XDG_STATE_HOME/pynetemu/history, for the user alone; in memory if that can't be written."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "pynetemu"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "history"
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        return _History(str(path))
    except OSError as error:
        print(f"pynetemu: no history is kept: {error}", file=sys.stderr)
        return InMemoryHistory()
