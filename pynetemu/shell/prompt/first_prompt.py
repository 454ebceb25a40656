"""A prompt that is drawn at once, while the line editor is still being imported.

prompt_toolkit and asyncio take as long to import as all else that a start needs. Until they are there, keys wait in the
terminal's buffer, unechoed and unread as they do in a line editor (termios(3)), so nothing of what is typed early is lost.
"""

import os
import signal
import termios
from contextlib import suppress
from types import FrameType
from typing import Any

_GREEN, _PLAIN = "\033[0;1;32m", "\033[0m"  # as `prompt` in the line editor's style
_INPUT, _LOCAL, _CHARACTERS = 0, 3, 6  # in what tcgetattr gives
_RAW_INPUT = termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR
_RAW_LOCAL = termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG


class FirstPrompt:
    """A prompt that is drawn before the line editor can draw its own over it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._usual: list[Any] | None = None  # what the terminal is put back to
        self._is_told_to_end = False

    def draw(self) -> None:
        """Where this is no terminal, or one that the prompt does not fit into, nothing happens."""
        with suppress(OSError, termios.error):
            columns = os.get_terminal_size(1).columns  # 0 where it is not known
            if 0 < columns <= len(self._name) + len("> ") or os.environ.get("TERM") in (None, "dumb", "unknown"):
                return
            usual = termios.tcgetattr(0)
            silent = [*usual[:_CHARACTERS], list(usual[_CHARACTERS])]
            silent[_INPUT] &= ~_RAW_INPUT
            silent[_LOCAL] &= ~_RAW_LOCAL
            silent[_CHARACTERS][termios.VMIN] = 1
            self._usual = usual
            signal.signal(signal.SIGTERM, self._end)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # there is nothing yet that it could break off
            termios.tcsetattr(0, termios.TCSANOW, silent)
            name = self._name if os.environ.get("NO_COLOR") else f"{_GREEN}{self._name}{_PLAIN}"
            print(f"{name}> ", end="", flush=True)

    def give_way(self) -> None:
        """The line editor draws from the first column on."""
        if self._is_told_to_end:  # and the exception was lost in a callback of the imports
            raise SystemExit(128 + signal.SIGTERM)
        if self._usual is not None:
            print("\r", end="", flush=True)

    def close(self) -> None:
        """Puts the terminal back, once."""
        usual, self._usual = self._usual, None
        if usual is not None:
            with suppress(termios.error):  # it has gone
                termios.tcsetattr(0, termios.TCSANOW, usual)

    def _end(self, number: int, _: FrameType | None) -> None:
        self._is_told_to_end = True
        print(flush=True)
        raise SystemExit(128 + number)


def own_file() -> str | None:
    """The user's own lines, of $XDG_CONFIG_HOME/pynetemu/shellrc: short names, keys."""
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    file = os.path.join(folder, "pynetemu", "shellrc")
    return file if os.path.isfile(file) else None
