"""Where programs are looked for, in nodes and for them, and what environment they get."""

import os
from collections.abc import Mapping
from functools import lru_cache

_ADMIN_FOLDERS = "/usr/local/sbin", "/usr/sbin", "/sbin"  # in a node everybody may configure the network
# Variables that say who somebody is, or where they keep things.
_PERSONAL = frozenset(("HOME", "USER", "LOGNAME", "SHELL", "MAIL", "XDG_RUNTIME_DIR"))


class ProgramNotFound(FileNotFoundError):
    """A node has no such program."""


def search_path(env: Mapping[str, str]) -> str:
    """The PATH of an environment, with the folders that ordinary users do not have on it."""
    folders = env.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join([*folders, *(folder for folder in _ADMIN_FOLDERS if folder not in folders)])


def packed(env: Mapping[str, str]) -> str:
    """An environment as the kernel keeps it: NAME=VALUE of each variable, with a zero between (proc_pid_environ(5))."""
    return "\0".join([f"{name}={value}" for name, value in env.items()])


@lru_cache(maxsize=4)
def unpacked(env: str) -> Mapping[str, str]:
    """What `packed` has written; most programs of a lab have the same."""
    variables = (variable.partition("=") for variable in env.split("\0"))
    return {name: value for name, _, value in variables if name}


def without_personal(env: Mapping[str, str]) -> dict[str, str]:
    """What of an environment another user may have too."""
    return {name: value for name, value in env.items() if name not in _PERSONAL}


def find_program(name: str, path: str, directory: str) -> str:
    """Where a program is, by PATH or, with a slash in its name, relative to the directory; raises ProgramNotFound."""
    for folder in [""] if "/" in name else path.split(os.pathsep):
        candidate = f"{folder}/{name}" if folder[:1] == "/" else os.path.join(directory, folder, name)
        if os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
            return candidate
    if "/" in name and os.path.exists(os.path.join(directory, name)):
        raise PermissionError(13, "not an executable program", name)
    raise ProgramNotFound(2, "no such program", name)
