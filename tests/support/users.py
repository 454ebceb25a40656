"""Running pynetemu as other users, for root."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.labs import UNTIL_TOLD
from tests.support.pynetemu import BLUE, CLONE, Finished

# Users need no entry in /etc/passwd to run programs; these numbers are nobody's.
ALICE, BOB = 54321, 54322
_SEEN_AT = "/mnt"  # where they find this clone, which may lie in a folder that is not for their eyes


def python_as(user: int, *arguments: str) -> list[str]:
    """The command that runs our Python as a user without any privileges."""
    executable = sys.executable.replace(str(CLONE), _SEEN_AT)
    drop = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    bind = f'mount --bind "$0" {_SEEN_AT}; cd {_SEEN_AT}; exec "$@"'
    return ["unshare", "--mount", "sh", "-ec", bind, str(CLONE), *drop, executable, *arguments]


def pynetemu_as(user: int, *arguments: str, input: str = "") -> Finished:
    """Runs `pynetemu ARGUMENTS` as a user."""
    command = python_as(user, "-m", "pynetemu", *arguments)
    return subprocess.run(command, input=input, capture_output=True, text=True, env=_environment(), timeout=30, check=False)


@contextmanager
def lab_of(user: int, name: str) -> Iterator[None]:
    """A lab of a user, until the block ends."""
    file = str(BLUE).replace(str(CLONE), _SEEN_AT)
    command = python_as(user, "-m", "pynetemu", file, "--name", name, "-c", UNTIL_TOLD)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=_environment()) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n", process.communicate()[1]
            yield
        finally:
            process.communicate(timeout=20)


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": _SEEN_AT, "PYTHONDONTWRITEBYTECODE": "1"}
