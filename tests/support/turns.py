"""Which of many tests that are alike run this time: each commit takes others, so that all of them run within a few.

turn(cases, 3)          every third, another one for each commit; PYNETEMU_ALL_CASES=1 takes all
shared(pages)           in CI, which runs the tests of root and of an ordinary user: to each a half, which one by the commit
is_ours("tests/x.py")   the same of one that is known by its name, where the two kinds of user have other lists
"""

import os
import subprocess
from collections.abc import Iterable
from functools import cache
from typing import TypeVar
from zlib import crc32

from tests.support.pynetemu import CLONE

_T = TypeVar("_T")


def turn(things: Iterable[_T], of: int) -> list[_T]:
    """Those of this commit; in a copy without its history the first of each `of`."""
    return list(things) if _all_are_wanted() else list(things)[_commit() % of :: of]


def shared(things: Iterable[_T]) -> list[_T]:
    """Those of this kind of user. All of them, where the other kind may not run."""
    if _all_are_wanted() or not os.environ.get("PYNETEMU_REQUIRE_ALL"):
        return list(things)
    return list(things)[(_commit() + (os.getuid() == 0)) % 2 :: 2]


def is_ours(name: str) -> bool:
    """Whether one of this name is for this kind of user; always, where the other kind may not run."""
    if _all_are_wanted() or not os.environ.get("PYNETEMU_REQUIRE_ALL"):
        return True
    return (_commit() + crc32(name.encode()) + (os.getuid() == 0)) % 2 == 0


def _all_are_wanted() -> bool:
    return bool(os.environ.get("PYNETEMU_ALL_CASES"))


@cache
def _commit() -> int:
    """`./dev test` tells it to both kinds of user: git shows a clone to its owner only, and a copy has no history."""
    return int(os.environ.get("PYNETEMU_COMMIT") or _said_by_git() or "0", 16)


def _said_by_git() -> str:
    asked = ["git", "rev-parse", "--verify", "-q", "HEAD"]
    return subprocess.run(asked, cwd=CLONE, capture_output=True, text=True, check=False).stdout.strip()
