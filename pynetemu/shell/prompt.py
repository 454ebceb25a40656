"""The prompt at a terminal: editing, history, completion (prompt_toolkit), and news of jobs and of the lab's end."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from pynetemu.errors import LabError
from pynetemu.network.network import Network
from pynetemu.shell.shell import Leave, Shell


def _end(number: int, _: object) -> None:
    """Ends by way of every `finally`, so that the terminal is left as it was found."""
    raise SystemExit(128 + number)


class _LabEnded(Exception):
    """The lab has ended while the user was typing."""


def interact(shell: Shell) -> int:
    """Lets a person type lines until they leave; gives the exit status."""
    for number in signal.SIGTSTP, signal.SIGQUIT:  # for the programs, which have the terminal while they run
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    session: PromptSession[str] = PromptSession(
        history=_history(),
        completer=_Completer(shell.network.nodes),
        auto_suggest=AutoSuggestFromHistory(),
        complete_while_typing=False,
    )
    try:
        while True:
            try:
                _read_and_run(session, shell)
            except KeyboardInterrupt:
                continue
            except EOFError:
                if _may_leave(shell):
                    return shell.status
    except Leave as leave:
        return leave.status
    except (_LabEnded, LabError):
        print(f"pynetemu: the lab {shell.network.name} has ended", file=sys.stderr)
        return 1


def _read_and_run(session: "PromptSession[str]", shell: Shell) -> None:
    for job in shell.jobs.news():
        print(job, file=sys.stderr)
    network = shell.network
    if network.ended:
        raise _LabEnded
    text = session.prompt(
        FormattedText([("bold ansigreen", network.name), ("", "> ")]), pre_run=lambda: _watch(session, network)
    )
    shell.run_line(text)
    if shell.network.ended:
        raise _LabEnded


def _watch(session: "PromptSession[str]", network: Network) -> None:
    """Ends the prompt when the lab ends; the event loop lives as long as the prompt."""
    loop, descriptor = asyncio.get_running_loop(), network.fileno()

    def ended() -> None:
        loop.remove_reader(descriptor)
        session.app.exit(exception=_LabEnded())

    loop.add_reader(descriptor, ended)


_warned: set[int] = set()


def _may_leave(shell: Shell) -> bool:
    """As in other shells: with jobs left, Ctrl-D leaves at the second time."""
    if not len(shell.jobs) or id(shell) in _warned:
        return True
    _warned.add(id(shell))
    print("There are jobs; Ctrl-D again ends them and the lab.", file=sys.stderr)
    return False


def _history() -> History:
    """The lines typed before, in $XDG_STATE_HOME/pynetemu/history, for the user alone; in memory if that can't be written."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "pynetemu"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "history"
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        return FileHistory(str(path))
    except OSError as error:
        print(f"pynetemu: no history is kept: {error}", file=sys.stderr)
        return InMemoryHistory()


class _Completer(Completer):
    """Nodes and commands first, then programs, then files."""

    def __init__(self, nodes: tuple[str, ...]) -> None:
        self._nodes = nodes
        self._files = PathCompleter(expanduser=True)
        self._programs: list[str] = []

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor.lstrip()
        words = before.split()
        if before.endswith((" ", "\t")) or not words:
            words.append("")
        word = words[-1]
        if len(words) == 1:
            from pynetemu.shell import registry  # not before the first Tab

            yield from _starting([*self._nodes, *registry.names(with_plugins=False)], word)
        elif len(words) == 2 and words[0] in self._nodes and "/" not in word:
            yield from _starting(self._all_programs(), word)
        elif words[0] in self._nodes:
            yield from _starting(self._nodes, word)
            yield from self._files.get_completions(Document(word), complete_event)

    def _all_programs(self) -> list[str]:
        if not self._programs:
            found: set[str] = set()
            for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
                try:
                    found.update(os.listdir(folder))
                except OSError:
                    continue
            self._programs = sorted(found)
        return self._programs


def _starting(names: Iterable[str], word: str) -> Iterable[Completion]:
    return (Completion(name, start_position=-len(word)) for name in names if name.startswith(word))
