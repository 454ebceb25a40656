"""Linters are tests: what they say is told where all else is told."""

import shutil
import subprocess
import sys

import pytest

from tests.support.pynetemu import CLONE

_SCRIPTS = ["dev", ".ci/run", "tests/vm/boot", "tests/vm/init", "tests/vm/tests"]

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        pytest.param(["mypy", "--no-incremental", "--cache-dir=/dev/null"], marks=[pytest.mark.slow, pytest.mark.timeout(180)]),
    ],
    ids=["ruff check", "ruff format", "mypy"],
)
def test_the_linters_have_nothing_to_say(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=CLONE, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="`./dev test` installs shellcheck")
def test_shellcheck_has_nothing_to_say() -> None:
    done = subprocess.run(["shellcheck", *_SCRIPTS], cwd=CLONE, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stdout
