"""What pytest shows of errors of ours: the user's own frames, and the message. `--full-trace` shows all.

pytest loads it by itself (the entry point `pytest11` in pyproject.toml).
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from pynetemu.errors import PynetemuError

_OWN_CLONE = Path(__file__).resolve().parents[1]  # whose tests are about these frames


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[Any]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hides our frames before pytest makes its report."""
    if call.excinfo is not None and item.config.rootpath != _OWN_CLONE:
        for entry in call.excinfo.traceback:
            names = entry.frame.f_globals
            if str(names.get("__name__")).startswith("pynetemu."):
                names.setdefault("__tracebackhide__", _hides)
    return (yield)


def _hides(error: pytest.ExceptionInfo[BaseException]) -> bool:
    return isinstance(error.value, PynetemuError)
