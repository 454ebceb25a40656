"""A terminal for a program, to type into and to read from, as a person would."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.support.pynetemu import CLONE, environment

_ESCAPES = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[=>()][0B]?|\r")
_WHERE_IS_THE_CURSOR, _THERE = b"\x1b[6n", b"\x1b[1;1R"
PROMPT = r"Blue> "


class Terminal:
    """A program in a session of its own whose controlling terminal is ours to hold."""

    def __init__(self, *command: str | Path, env: dict[str, str] | None = None, cwd: Path = CLONE) -> None:
        self._ours, theirs = os.openpty()
        self.resize(40, 120)
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
        self._seen = b""
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self.process.kill()
        self.process.wait()

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def enter(self, line: str) -> None:
        self.type(line + "\r")

    def key(self, letter: str) -> None:
        """Control and a letter."""
        self.type(chr(ord(letter.upper()) - 64))

    def expect(self, pattern: str, seconds: float = 15.0) -> str:
        """Reads until the pattern has been printed, and gives back what was printed up to its end."""
        end = time.monotonic() + seconds
        while True:
            plain = _ESCAPES.sub(b"", self._seen).decode(errors="replace")
            if found := re.search(pattern, plain):
                self._seen = plain[found.end() :].encode()
                return plain[: found.end()]
            if not self._read_more(end - time.monotonic()):
                raise AssertionError(f"{pattern!r} has not been printed; this has: {plain!r}")

    def ask(self, line: str, pattern: str = PROMPT) -> str:
        """Types a line and gives back what comes before the next prompt, without the echo of the line."""
        self.enter(line)
        self.expect(re.escape(line) + r"\n")
        return self.expect(pattern)

    def _read_more(self, seconds: float) -> bool:
        if seconds <= 0 or not select.select([self._ours], [], [], seconds)[0]:
            return False
        try:
            part = os.read(self._ours, 1 << 16)
        except OSError:  # nobody has the other side any more
            return False
        for _ in range(part.count(_WHERE_IS_THE_CURSOR)):
            os.write(self._ours, _THERE)
        self._seen += part
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
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            if self._ours < 0 or not self._read_more(0.02):
                with suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.02)
        return self.process.wait(0.1)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
