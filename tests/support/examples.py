"""Runs the examples of a page of the documentation, and compares what they print; see docs/contributing.md.

python -m tests.support.examples docs/tutorial.md       writes into the page what its examples print now
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.pynetemu import CLONE, environment
from tests.support.terminal import Terminal

_FENCE = re.compile(r"```(\w+)(?: (unchecked))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OF_OTHER_LABS = "pynetemu: no answer from "  # of those on this machine, such as those of another version that runs its tests
_COMMAND = re.compile(r"(\$|[\w-]+>) (.*)")
_FILE_NAME = re.compile(r"# ([\w/]+\.py)\n")
# What differs from one run to the next: durations, the times, ports and engines of traces, numbers of processes.
_VARIES = (
    (re.compile(r" +[\d.]+ µs\b"), r" +[\\d.]+ µs"),
    (re.compile(r"[\d./]+( ?)(ms|s|ns)\b"), r"[\\d./]+\1\2"),
    (re.compile(r"^ *\d+\.\d{3}( [●◀○✗·?])"), r" *\\d+\\.\\d{3}\1"),
    (re.compile(r"\b[345]\d{4}\b"), r"\\d{5}"),
    (re.compile(r" · (packet sockets|kernel)$"), r" · (?:packet sockets|kernel)"),
    (re.compile(r"time=\d\S*"), r"time=\\S+"),
    (re.compile(r"^\[(\d+)\] \d+$"), r"\\[\1\\] \\d+"),
)
_COMPILE_ALL = """
import runpy, sys
from pynetemu import Topology
from pynetemu.plan.compile import compile_plan
for value in list(runpy.run_path(sys.argv[1], run_name="__main__").values()):
    if isinstance(value, type) and issubclass(value, Topology) and value is not Topology:
        compile_plan(value)
"""


@dataclass(slots=True)
class Command:
    """A line after a prompt, `$` or a lab's, and what the page says that it prints."""

    prompt: str
    text: str
    expected: list[str] = field(default_factory=list)
    opens: bool = False  # a shell of pynetemu, in which the next lines are typed


class Page:
    """The examples of one page, run in a folder of their own; commands of a lab's shell are typed into a terminal."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._text = path.read_text()
        self._folder = folder
        self._stack = ExitStack()
        self._shells: list[Terminal] = []
        self._status = 0
        self._labs: dict[str, str] = {}  # the names on the page of those that have another, since it was taken
        (folder / "topologies").symlink_to(CLONE / "topologies")
        (folder / "state").mkdir()
        self._env = environment(
            {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "XDG_STATE_HOME": str(folder / "state")}
        )

    def differences(self) -> list[str]:
        """What the examples print otherwise than the page says."""
        found = []
        for command, actual in self._run_all():
            if not matches(command.expected, actual):
                shown = "\n".join([f"{command.prompt} {command.text}", *actual])
                found.append(f"the page says:\n{chr(10).join(command.expected)}\nand it prints:\n{shown}\n")
        return found

    def updated(self) -> str:
        """The page's text with what the examples print now, where it says something else."""
        new = {id(command): actual for command, actual in self._run_all() if not matches(command.expected, actual)}
        commands = iter(self._commands)
        return _FENCE.sub(lambda fence: _rewritten(fence, commands, new), self._text)

    def _run_all(self) -> Iterator[tuple[Command, list[str]]]:
        self._commands: list[Command] = []
        with self._stack:
            for fence in _FENCE.finditer(self._text):
                if fence[1] == "python":
                    self._run_python(fence[3], checked=not fence[2])
                elif fence[1] == "console":
                    commands = parse(fence[3])
                    self._commands += commands
                    yield from ((command, self._as_on_page(self._run(command))) for command in commands)

    def _run_python(self, code: str, checked: bool) -> None:
        named = _FILE_NAME.match(code)
        file = self._folder / (named[1] if named else "example.py")
        file.write_text(code)
        if not checked:
            return
        command = [sys.executable, "-c", _COMPILE_ALL, file.name]
        done = subprocess.run(command, cwd=self._folder, env=self._env, capture_output=True, text=True, timeout=50)
        assert done.returncode == 0, f"{code}\n{done.stderr}"

    def _as_on_page(self, lines: list[str]) -> list[str]:
        for name, wished in self._labs.items():
            lines = [re.sub(rf"\b{name}\b", wished, line) for line in lines]
        return lines

    def _as_it_is(self, line: str) -> str:
        """A command of the page, with the labs' names as they are."""
        for name, wished in self._labs.items():
            line = re.sub(rf"\b(pynetemu \w+) {wished}(?= |$)", rf"\1 {name}", line)
        return line

    def _run(self, command: Command) -> list[str]:
        if command.opens:
            return self._open(command)
        if command.prompt == "$":
            return self._run_in_sh(command.text)
        shell = self._shells[-1]
        if command.text not in ("exit", "quit"):
            return shell.ask(command.text).splitlines()
        shell.enter(command.text)
        shell.wait()
        self._shells.pop()
        return []

    def _run_in_sh(self, text: str) -> list[str]:
        done = subprocess.run(
            ["sh", "-c", f"(exit {self._status})\n{self._as_it_is(text)}"],
            cwd=self._folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=50,
        )
        self._status = done.returncode
        return [line for line in done.stdout.splitlines() if not line.startswith(_OF_OTHER_LABS)]

    def _open(self, command: Command) -> list[str]:
        prompt = f"{command.expected.pop()} "
        words = self._as_it_is(command.text).split()
        shell = Terminal(*words, prompt=prompt, env=self._env, cwd=self._folder)
        self._shells.append(self._stack.enter_context(shell))
        shown = shell.wait_for_prompt().splitlines()
        if shell.lab != prompt.removesuffix("> "):
            self._labs[shell.lab] = prompt.removesuffix("> ")
        return shown


def parse(block: str) -> list[Command]:
    """The commands of a `console` block. One before a lab's prompt opens that lab's shell."""
    commands: list[Command] = []
    for line in block.splitlines():
        if found := _COMMAND.fullmatch(line):
            if found[1] != "$" and commands and commands[-1].prompt == "$":
                commands[-1].opens = True
                commands[-1].expected.append(found[1])
            commands.append(Command(found[1], found[2]))
        else:
            commands[-1].expected.append(line)
    return commands


def matches(expected: list[str], actual: list[str]) -> bool:
    """Whether a page's text fits: `...` stands for anything, alone on a line for any lines; durations may differ."""
    pattern = "".join(map(_pattern, expected))
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in actual)) is not None


def _pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    parts = line.rstrip().split("...")
    return ".*".join(map(_part, parts)) + "\n"


def _part(text: str) -> str:
    for varies, pattern in _VARIES:
        if found := varies.search(text):
            return _part(text[: found.start()]) + found.expand(pattern) + _part(text[found.end() :])
    return re.escape(text)


def _rewritten(fence: "re.Match[str]", commands: Iterator[Command], new: dict[int, list[str]]) -> str:
    if fence[1] != "console":
        return fence[0]
    lines: list[str] = []
    for _ in parse(fence[3]):
        command = next(commands)
        lines += [f"{command.prompt} {command.text}", *new.get(id(command), command.expected)]
    return "\n".join(["```console", *(line.rstrip() for line in lines), "```"])


def _update(name: str, in_folder: Callable[[], str]) -> None:
    path = Path(name)
    path.write_text(Page(path, Path(in_folder())).updated())


if __name__ == "__main__":
    import tempfile

    for argument in sys.argv[1:]:
        _update(argument, tempfile.mkdtemp)
