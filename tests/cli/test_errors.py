"""Errors: what each says, keeps, and makes the program exit with."""

import inspect

import pytest

from pynetemu import errors
from pynetemu.errors import (
    CommandFailed,
    CommandNotFound,
    DescriptionError,
    PrivilegeError,
    Problem,
    PynetemuError,
)
from pynetemu.results import Result

pytestmark = pytest.mark.pure


def test_each_kind_has_its_exit_status() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, PynetemuError)]
    assert {kind.__name__: kind.exit_status for kind in kinds} == {
        "PynetemuError": 1,
        "DescriptionError": 2,
        "PrivilegeError": 3,
        "ConflictError": 1,
        "KernelError": 1,
        "ServiceError": 1,
        "LabError": 1,
        "DrawError": 2,
        "FilterError": 2,
        "UsageError": 2,
        "CommandError": 126,
        "CommandNotFound": 127,
        "CommandFailed": 1,
        "CommandTimeout": 126,
    }


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("wrong"), "wrong"),
        (Problem("wrong", "lab.py:7"), "lab.py:7: wrong"),
        (Problem("wrong", "lab.py:7", "h1 = Host()"), "lab.py:7: wrong\n    h1 = Host()"),
        (Problem("wrong", hint="do this"), "wrong\n    hint: do this"),
        (Problem("wrong", "lab.py:7", "h1 = Host()", "do this"), "lab.py:7: wrong\n    h1 = Host()\n    hint: do this"),
    ],
)
def test_a_problem_is_told_with_what_is_known_of_it(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_all_problems_of_a_description_are_told_and_kept() -> None:
    error = DescriptionError([Problem("one", "a:1"), Problem("two", hint="three")])
    assert str(error) == "a:1: one\ntwo\n    hint: three"
    assert [problem.text for problem in error.problems] == ["one", "two"]


def test_what_errors_keep() -> None:
    refused = PrivilegeError("the kernel forbids it", "sudo sysctl x=1")
    assert (refused.reason, refused.fix) == ("the kernel forbids it", "sudo sysctl x=1")
    assert str(refused) == "the kernel forbids it\n    fix: sudo sysctl x=1\n    `pynetemu doctor` tells more"
    result = Result("blue", ("false",), 7, "out", "err")
    failed = CommandFailed("it failed", result)
    assert (failed.result, str(failed)) == (result, "it failed")
    missing = CommandNotFound("nosuch", "there is no nosuch")
    assert (missing.program, str(missing)) == ("nosuch", "there is no nosuch")
