"""What a line meant no harm by and failed at all the same: told in one line, with the traceback kept in a file.

The file is `faults.txt` in $XDG_STATE_HOME/pynetemu (~/.local/state/pynetemu), for the user alone; where that cannot be
written, one in $TMPDIR.
"""

import os
import platform
import sys
import tempfile
import time
import traceback
from pathlib import Path

_MOST = 1 << 20  # bytes after which the file begins anew


def told(error: Exception, line: str) -> str:
    """What to tell of an exception that nobody expected, whose traceback is in a file now."""
    word = line.split(None, 1)[0]
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{word}: {os.fsdecode(error.filename)}: {error.strerror}"
    said = " ".join(traceback.format_exception_only(error)[-1].split())
    return f"{word}: this should not happen, the lab lives on: {said[:300]}; {_where(_keep(error, line))}"


def _where(file: Path | None) -> str:
    return f"please report it with the end of {file}" if file else "its traceback could not be kept"


def _keep(error: Exception, line: str) -> Path | None:
    """The file that has the traceback; None when none can be written."""
    version = vars(sys.modules["pynetemu"])["__version__"]  # imported with this module; by name it would be a circle
    versions = f"pynetemu {version}, Python {platform.python_version()}, Linux {platform.release()}"
    text = "".join(traceback.format_exception(error))
    entry = f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {versions}\nline: {line}\n{text}\n".encode(errors="backslashreplace")
    for open_file in _in_state, _in_temporary:
        try:
            descriptor, path = open_file()
            with open(descriptor, "wb") as file:
                file.write(entry)
        except OSError:
            continue
        return path
    return None


def _in_state() -> tuple[int, Path]:
    folder = Path(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")) / "pynetemu"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "faults.txt"
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    if os.fstat(descriptor).st_size > _MOST:
        os.truncate(descriptor, 0)
    return descriptor, path


def _in_temporary() -> tuple[int, Path]:
    descriptor, path = tempfile.mkstemp(prefix="pynetemu-fault-", suffix=".txt")
    return descriptor, Path(path)
