"""Labs with a fault that was not rehearsed, and healthy ones: what a trace says first is the truth.

`python -m tests.trace.cases` plays them all, on both engines, those too that are not right yet.
"""

import os

import pytest

from tests.trace.cases.play import CaseOfTrace, Engine, cases, play

pytestmark = pytest.mark.slow

_ENGINE: Engine = "kernel" if os.getuid() == 0 else "sockets"
_RIGHT = [case for case in cases() if _ENGINE not in case.states and not case.lacks and not case.hides]


@pytest.mark.parametrize("case", _RIGHT, ids=[case.name for case in _RIGHT])
def test_its_headline_is_the_truth(case: CaseOfTrace) -> None:
    played = play(case, _ENGINE)
    assert played.state == "right", f"{played.headline}\ntruth: {case.truth}\n{played.output}"
