"""Lines of the shell made of other lines: scripts, repetition, short names."""

import sys
import time as clock
from pathlib import Path

from pynetemu.errors import LabError, UsageError
from pynetemu.shell.argument_types import RestOfLine, Seconds, ShellLine
from pynetemu.shell.command import command
from pynetemu.shell.files import script_text
from pynetemu.shell.shell import Shell
from pynetemu.terminal_output import has_screen

_CLEAR = "\x1b[H\x1b[2J"
_OTHER_SCREEN, _BACK = "\x1b[?1049h", "\x1b[?1049l"


@command
def source(shell: Shell, file: Path) -> int:
    """runs the lines of a file, up to the first that fails

    `set +e` in it goes on after failures, as in sh. What follows # is a comment.
    """
    try:
        text = script_text(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise LabError(f"source: {file}: {reason}") from None
    return shell.run_script(text.splitlines(), str(file))


@command
def set(shell: Shell, words: RestOfLine = "") -> int:
    """sets whether scripts end with the first failure

    set -e: they do, which is the default; set +e: they go on
    """
    if words not in ("-e", "+e"):
        raise UsageError(f"set: {words!r} is not -e or +e")
    shell.stops_at_failures = words == "-e"
    return 0


@command
def time(shell: Shell, line: ShellLine) -> int:
    """runs a line and tells how long it took: time pingall"""
    start = clock.perf_counter()
    status = shell.run_line(line)
    print(f"{clock.perf_counter() - start:.3f} s", file=sys.stderr)
    return status


@command
def watch(shell: Shell, line: ShellLine, *, interval: Seconds = 2.0, times: int = 0) -> int:
    """runs a line again and again until Ctrl-C

    watch stats h1

    -n, --interval  between two runs; 2 s by default
    --times         ends after so many runs
    """
    on_screen = has_screen()
    status, runs = 0, 0
    if on_screen:
        print(_OTHER_SCREEN, end="")
    try:
        while not times or runs < times:
            if runs and shell.has_ended(within=interval):
                raise LabError("the lab has ended")
            if on_screen:
                print(f"{_CLEAR}every {interval:g} s: {line}    (Ctrl-C ends)\n", flush=True)
            status = shell.run_line(line)
            sys.stdout.flush()
            runs += 1
    except KeyboardInterrupt:
        status = 0
    finally:
        if on_screen:
            print(_BACK, end="", flush=True)
    return status


@command
def alias(shell: Shell, words: RestOfLine = "") -> int:
    """gives a line a short name

    alias p = pingall -c 3; without words, lists them

    What is typed after the short name is added to the line. `unalias p` takes it back.
    """
    if not words:
        for name, line in shell.aliases.items():
            print(f"alias {name} = {line}")
        return 0
    name, _, line = words.partition(" ")
    name, equals, more = name.partition("=")
    line = (more + (" " + line if equals and line else "")) if equals else line.lstrip().removeprefix("=")
    if not name or not line.strip() or any(mark in name for mark in "'\"\\*?,|;&<>$!"):
        raise UsageError("alias: say a name and a line: alias p = pingall -c 3")
    if name in shell.network:
        raise UsageError(f"alias: {name} is a node")
    shell.aliases[name] = line.strip()
    return 0


@command
def unalias(shell: Shell, name: str) -> int:
    """takes a short name back"""
    if shell.aliases.pop(name, None) is None:
        raise UsageError(f"unalias: there is no alias {name!r}")
    return 0
