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


def script_text(path: str | os.PathLike[str]) -> str:
    """The text of a script, as the words of a command line are read, in locales without UTF-8 too.

    Raises OSError, and UnicodeDecodeError for what is not UTF-8.
    """
    with open(path, "rb") as file:
        content = file.read()
    content.decode()
    return os.fsdecode(content)
