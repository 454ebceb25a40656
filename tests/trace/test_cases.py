"""Labs with a fault that was not rehearsed, and healthy ones: what a trace says first is the truth.

Each commit plays another third of them, of the further ones a twelfth, PYNETEMU_ALL_CASES=1 all that are right.
`python -m tests.trace.cases` plays those too that are not yet, on both engines.
"""

import os

import pytest

from tests.support.turns import turn
from tests.trace.cases.play import CaseOfTrace, Engine, cases, play

pytestmark = pytest.mark.slow

_ENGINE: Engine = "kernel" if os.getuid() == 0 else "sockets"
_RIGHT = [case for case in cases() if _ENGINE not in case.states and not case.lacks and not case.hides]


def _chosen() -> list[CaseOfTrace]:
    often, seldom = ([case for case in _RIGHT if case.seldom == wanted] for wanted in (False, True))
    return [*turn(often, 3), *turn(seldom, 12)]


def _marks(case: CaseOfTrace) -> list[pytest.MarkDecorator]:
    """Those that need another kernel take long in the virtual machine."""
    needs = [pytest.mark.vm if need == "vm" else pytest.mark.needs(need) for need in case.needs]
    return [*needs, pytest.mark.long] if needs else []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name, marks=_marks(case)) for case in _chosen()])
def test_its_headline_is_the_truth(case: CaseOfTrace) -> None:
    played = play(case, _ENGINE)
    if played.state != "right":  # what a lab's programs do in time they may do later on a busy machine
        played = play(case, _ENGINE, patience=5)
    assert played.state == "right", f"{played.headline}\ntruth: {case.truth}\n{played.output}"
