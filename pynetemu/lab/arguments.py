"""What callers give, checked before anything is done with it: each function gives it back, or raises UsageError."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pynetemu.errors import UsageError
from pynetemu.plan.problems import Wrong
from pynetemu.topology.part import quoted

if TYPE_CHECKING:
    from typing import TypeGuard

_MOST_SECONDS = 1_000_000  # 11 days; poll(2) counts milliseconds in 31 bits

Word = str | bytes | int | float | os.PathLike[str]
Words = Word | Sequence[Word]
Path = str | os.PathLike[str]


def seconds(name: str, value: object) -> float:
    """A duration, from now on; a deadline that has passed is a negative one."""
    if not _is_number(value) or not abs(value) <= _MOST_SECONDS:
        text = f"{name}={quoted(value)} is not a number of seconds up to {_MOST_SECONDS:,}"
        raise UsageError(f"{text}\n    hint: a number, as in {name}=2.5")
    return value


def seconds_or_none(name: str, value: object) -> float | None:
    """The same, or None to wait for ever."""
    return None if value is None else seconds(name, value)


def rate(name: str, value: object) -> float:
    """Bits per second."""
    if not _is_number(value) or not 0 < value < 1e15:
        raise UsageError(f"{name}={quoted(value)} is not a number of bits per second\n    hint: 10 Mbit/s are {name}=10e6")
    return value


def positive_seconds(name: str, value: object) -> float:
    """A duration that is not over already."""
    if seconds(name, value) <= 0:
        raise UsageError(f"{name}={quoted(value)}: more than 0 seconds are needed")
    return seconds(name, value)


def whole(name: str, value: object, least: int) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 1 << 31:
        raise UsageError(f"{name}={quoted(value)} is not a whole number from {least} on")
    return value


def ip_version(value: object) -> int | None:
    """4 or 6, None for whichever there is."""
    if value is None or (_is_number(value) and value in (4, 6)):
        return None if value is None else int(value)
    raise UsageError(f"version={quoted(value)} is not an IP version\n    hint: version=4 or version=6")


def text(name: str, value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise UsageError(f"{name}={quoted(value)} is not text")
    return value


def truth(name: str, value: object) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise UsageError(f"{name}={quoted(value)} is neither True nor False")
    return value


def data(name: str, value: object) -> bytes:
    """What a program reads, none for None."""
    if isinstance(value, str):
        return value.encode()
    if value is None or isinstance(value, bytes | bytearray | memoryview):
        return bytes(value or b"")
    raise UsageError(f"{name}={quoted(value)} is neither text nor bytes")


def path(name: str, value: object) -> str:
    """A path, as a string."""
    if not isinstance(value, str | bytes | os.PathLike) or "\0" in os.fsdecode(value):
        raise UsageError(f"{name}={quoted(value)} is not a path")
    return os.fsdecode(value)


def file(name: str, value: object) -> "str | int":
    """A path, or the descriptor of an open file."""
    return whole(name, value, 0) if isinstance(value, int) else path(name, value)


def table(name: str, value: object) -> Mapping[str, object]:
    """Settings by their names, none for None."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{name}={quoted(value)} is not a table of settings\n    hint: {name}={{'delay': '10ms'}}")
    return value


def stream(name: str, value: object) -> None:
    """What a program reads or writes: as for subprocess.Popen."""
    is_descriptor = isinstance(value, int) and not isinstance(value, bool) and -3 <= value < 1 << 31
    if value is not None and not is_descriptor and not hasattr(value, "fileno"):
        raise UsageError(f"{name}={quoted(value)} is not a file\n    hint: an open file, its descriptor, PIPE, DEVNULL or None")


def words(argv: Sequence[Words]) -> tuple[str, ...]:
    """The words of a command as strings; one list or tuple stands for the words in it."""
    if len(argv) == 1 and isinstance(argv[0], list | tuple):
        argv = argv[0]
    if not argv or argv[0] in ("", b""):
        raise UsageError('a command needs at least the name of a program\n    hint: run("ping", "-c1", "root")')
    for word in argv:
        if not isinstance(word, str | bytes | os.PathLike | int | float) or isinstance(word, bool):
            raise UsageError(f"{quoted(word)} is not a word of a command: those are strings, paths and numbers")
    return tuple(os.fsdecode(word) if isinstance(word, bytes | os.PathLike) else str(word) for word in argv)


def user(value: object) -> str:
    """A user of a node, as an engine is asked for it: "" for root."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        raise UsageError(f"user={quoted(value)}: a user is a name or a number")
    return "" if value in (None, "root", 0, "0") else str(value)


def variables(added: object) -> Mapping[str, str]:
    """Variables of the environment, none for None."""
    if added is None:
        return {}
    if not isinstance(added, Mapping):
        raise UsageError(f"env={quoted(added)} is not a table\n    hint: env={{'LANG': 'C'}}")
    for name, value in added.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise UsageError(f"env: {quoted(name)}: {quoted(value)}: names and values of variables are text")
        if not name or "=" in name or "\0" in name + value:
            raise UsageError(f"env: {quoted(name)}: {quoted(value)} cannot be a variable")
    return added


def _is_number(value: object) -> "TypeGuard[int | float]":
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_usage(wrong: Wrong) -> UsageError:
    return UsageError(f"{wrong.text}\n    hint: {wrong.hint}" if wrong.hint else wrong.text)
