"""A terminal for a program, to type into and to look at, as a person would."""

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import Any, Self

import pyte

from tests.support.pynetemu import CLONE, environment
from tests.support.wait import PATIENCE

_ROWS, _COLUMNS = 150, 120  # so many rows that nothing scrolls away


class _Screen(pyte.Screen):  # type: ignore[misc]  # pyte has no types
    """Answers a program that asks where the cursor is."""

    def __init__(self, terminal: int) -> None:
        super().__init__(_COLUMNS, _ROWS)
        self._terminal = terminal

    def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
        """Takes what vi asks of xterm's keyboard (CSI ? 4 m) for no color."""
        if not private:
            super().select_graphic_rendition(*attributes)

    def write_process_input(self, data: str) -> None:
        os.write(self._terminal, data.encode())


def _numbered(prompt: str) -> str:
    """A pattern for a prompt; a lab's name may have another number, since other labs have the name already."""
    return re.sub(r"^([\w-]+?)(-\d+)?>$", r"\1(?:-\\d+)?>", prompt) if prompt.endswith(">") else re.escape(prompt)


class Terminal:
    """A program in a session of its own whose controlling terminal is ours to hold.

    `prompt` is how a line begins that waits to be typed; `expect` and `ask` look at what came after the last find.
    """

    def __init__(
        self, *command: str | Path, prompt: str = "blue> ", env: dict[str, str] | None = None, cwd: Path = CLONE
    ) -> None:
        self._ours, theirs = os.openpty()
        self._screen = _Screen(self._ours)
        self._stream = pyte.ByteStream(self._screen)
        self._prompt = prompt.rstrip()
        self._prompts = re.compile(_numbered(self._prompt))
        self._row = 0
        self.resize(_ROWS, _COLUMNS)
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=cwd,
            env=environment({"TERM": "xterm", **(env or {})}),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self.process.kill()
        self.process.wait()

    @property
    def screen(self) -> Any:
        """What it shows, as pyte keeps it."""
        return self._screen

    @property
    def descriptor(self) -> int:
        """Our side of it, whose settings are the program's (termios(3))."""
        return self._ours

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def key(self, letter: str) -> None:
        """Control and a letter."""
        self.type(chr(ord(letter.upper()) - 64))

    def enter(self, line: str) -> None:
        """Types a line at the prompt, character by character seen, and Enter."""
        self.wait_for_prompt()
        self.type(line)
        self._until(lambda: self._line().endswith(line), f"the echo of {line!r}")
        self._row = self._screen.cursor.y + 1
        self.type("\r")

    def ask(self, line: str) -> str:
        """Types a line, and gives back what was printed before the next prompt."""
        self.enter(line)
        return self.wait_for_prompt()

    def wait_for_prompt(self) -> str:
        """Waits until the last line is the prompt; gives back what stands before it since the last line that was typed."""
        self._until(lambda: self._screen.cursor.y >= self._row and self._at_prompt(), "the prompt")
        return self._text(self._screen.cursor.y)

    def expect(self, pattern: str, seconds: float = 30.0) -> str:
        """Waits for a pattern below the last line that was typed; gives back what it matched.

        A prompt in it may have a number, as that of a lab whose name another lab has already.
        """
        pattern = pattern.replace(self._prompt, _numbered(self._prompt))
        found: Any = self._until(lambda: re.search(pattern, self._text()), f"{pattern!r}", seconds)
        return str(found.group())

    def shown(self) -> str:
        """All that the terminal shows."""
        return self._text(start=0)

    def expect_on_screen(self, pattern: str) -> str:
        """Waits for a pattern anywhere: some programs draw on the whole screen."""
        found: Any = self._until(lambda: re.search(pattern, self._text(start=0)), f"{pattern!r}")
        return str(found.group())

    def wait_for_new_prompt(self) -> None:
        """Waits for a prompt wherever it comes: after a program that has used the whole screen."""
        self._until(self._at_prompt, "the prompt")
        self._row = 0

    def clear(self) -> None:
        """Begins at the top again, as Ctrl-L does at a prompt."""
        self.key("l")
        self._until(lambda: self._screen.cursor.y == 0, "an empty screen")
        self._row = 0

    def _until(self, condition: Any, what: str, seconds: float = 30.0) -> Any:
        end = time.monotonic() + seconds * PATIENCE
        while not (found := condition()):
            if not self._read_more(end - time.monotonic()):
                raise AssertionError(f"{what} has not come; the screen shows:\n{self._text(start=0)}")
        return found

    @property
    def lab(self) -> str:
        """The name of the lab, as the prompt has it: the next free one, where another lab has the name that was wished."""
        self.wait_for_prompt()
        return self._line().removesuffix(">")

    def _at_prompt(self) -> bool:
        return self._prompts.fullmatch(self._line()) is not None

    def _line(self) -> str:
        return str(self._screen.display[self._screen.cursor.y].rstrip())

    def _text(self, end: int | None = None, start: int | None = None) -> str:
        lines = self._screen.display[self._row if start is None else start : end]
        return "\n".join(line.rstrip() for line in lines).rstrip("\n")

    def _read_more(self, seconds: float) -> bool:
        if seconds <= 0 or not select.select([self._ours], [], [], seconds)[0]:
            return False
        try:
            self._stream.feed(os.read(self._ours, 1 << 16))
        except OSError:  # nobody has the other side any more
            return False
        return True

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        """Closes the terminal, as a window's cross does."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def wait(self, seconds: float = 10.0) -> int:
        """The program's exit status; what it prints meanwhile is read, so that it can end."""
        end = time.monotonic() + seconds * PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            self._read_more(0.02)
        return self.process.wait(0.5)
