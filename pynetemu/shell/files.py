"""Files of the machine as completions of a word."""

import os
from collections.abc import Iterator


def files(prefix: str) -> Iterator[str]:
    """The paths that begin so, folders with a slash at their end; hidden ones only if the prefix asks."""
    folder, slash, start = prefix.rpartition("/")
    path = os.path.expanduser(folder + slash) or "."
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(start) and (start or not entry.name.startswith(".")):
            yield f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}"
