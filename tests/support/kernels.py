"""Tests that ask for more of the kernel than it may have here: then they run in a virtual machine, see tests/vm.

`@pytest.mark.needs("netem", "802.1Q")` names features as `pynetemu doctor` does; `@pytest.mark.vm` is for what is said of
the virtual machine's kernel itself.
"""

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from pynetemu.engine.protocol.requests import Features
from pynetemu.errors import PrivilegeError
from pynetemu.lab.connection import Sandbox
from tests.support.turns import is_ours

IN_VM = bool(os.environ.get("PYNETEMU_IN_VM"))
_LIST = os.environ.get("PYNETEMU_VM_TESTS", "")  # the file in which `./dev test` takes the tests that are left to the VM


class Lane:
    """What a session leaves to the virtual machine, and what it says about that at its end."""

    def __init__(self) -> None:
        self.lacks: set[str] = set()
        self.left: list[pytest.Item] = []

    def leave_out(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Takes from `items` those that cannot run here. In the virtual machine all run, and show what it lacks."""
        if IN_VM or config.option.collectonly:
            return
        for item in items:
            lacks = _needs(item) & missing() if _needs(item) else set()
            self.lacks |= lacks
            if lacks or item.get_closest_marker("vm"):
                self.left.append(item)
        if self.left:
            config.hook.pytest_deselected(items=self.left)
            items[:] = [item for item in items if item not in self.left]
        if _LIST:
            theirs = (item.nodeid for item in self.left if item.get_closest_marker("root") or is_ours(item.nodeid))
            Path(_LIST).write_text("".join(f"{nodeid}\n" for nodeid in theirs))

    def finish(self, session: pytest.Session, status: int, reporter: pytest.TerminalReporter) -> None:
        if not self.left:
            return
        why = f"this kernel lacks {', '.join(sorted(self.lacks))}" if self.lacks else "they are about its kernel"
        where = "left to" if _LIST else "not run, but by `./dev test` in"
        must = bool(os.environ.get("PYNETEMU_REQUIRE_ALL")) and not _LIST
        reporter.write_line(f"\n{len(self.left)} tests are {where} the virtual machine: {why}", red=must)
        if must:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        elif _LIST and status == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK


def _needs(item: pytest.Item) -> set[str]:
    """The features that a test needs; a name that pynetemu does not know is an error."""
    needs = {name for marker in item.iter_markers("needs") for name in marker.args}
    unknown = needs - set(_features()) if needs else set()
    if unknown:
        raise pytest.UsageError(f"{item.nodeid} needs {_quoted(unknown)}; pynetemu knows {_quoted(_features())}")
    return needs


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def missing() -> set[str]:
    """The features that this kernel lacks."""
    return {name for name, reason in _features().items() if reason}


@cache
def _features() -> dict[str, str]:
    """Why each feature is missing here, "" for one that is there. Asked once, and only when a test needs one."""
    sandbox = Sandbox.start()
    try:
        features = sandbox.connection.ask(Features())
    except PrivilegeError as error:
        raise pytest.UsageError(f"no sandbox can be made here: {error}") from error
    finally:
        sandbox.close()
    return {feature.name: feature.reason for feature in features}
