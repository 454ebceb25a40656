"""Settings over time: as steps and as ramps, from any moment on, as after a relay that was started again."""

from fractions import Fraction

import pytest

from pynetemu.plan.shaping.impairment import Impairment, read_impairment
from pynetemu.plan.shaping.ramps import between
from pynetemu.relay.course import Course

pytestmark = pytest.mark.pure


def _delays(course: Course, *moments: float) -> list[float | None]:
    """In ms."""
    found = (course.at(moment)[0] for moment in moments)
    return [None if settings is None else settings.delay / 1e6 for settings in found]


def _steps(*pairs: tuple[float, int]) -> list[tuple[float, Impairment]]:
    return [(at, Impairment(delay=delay * 1_000_000)) for at, delay in pairs]


def test_steps_hold_until_the_next_one_and_the_last_for_ever() -> None:
    course = Course(_steps((1.0, 10), (2.0, 20)), 0.0, 100.0, linear=False)
    assert _delays(course, 100.5, 101.0, 101.9, 102.0, 500.0) == [None, 10, 10, 20, 20]
    assert [course.at(moment)[1] for moment in (100.5, 101.0, 102.0)] == [101.0, 102.0, None]


def test_with_a_period_the_last_step_holds_until_the_first_comes_again() -> None:
    course = Course(_steps((1.0, 10), (2.0, 20)), 4.0, 100.0, linear=False)
    assert _delays(course, 100.5, 102.0, 104.5, 105.0, 106.0, 901.5) == [None, 20, 20, 10, 20, 10]
    assert course.at(103.0)[1] == 105.0
    assert course.at(901.5)[1] == 902.0


def test_a_ramp_changes_evenly_and_often() -> None:
    course = Course(_steps((0.0, 20), (10.0, 220)), 0.0, 100.0, linear=True)
    assert _delays(course, 100.0, 102.5, 105.0, 110.0, 200.0) == [20, 70, 120, 220, 220]
    assert course.at(105.0)[1] == pytest.approx(105.01)
    assert course.at(109.999)[1] == 110.0
    assert course.at(110.0)[1] is None


def test_what_lies_between_two_settings() -> None:
    first = read_impairment({"delay": "10ms", "loss": "0%", "rate": "1mbit", "queue": "codel", "seed": 3})
    second = read_impairment({"delay": "30ms", "loss": "10%", "rate": "5mbit", "duplicate": "1%"})
    middle = between(first, second, 0.5)
    assert (middle.delay, middle.rate, middle.loss.shares[0]) == (20_000_000, 3_000_000, Fraction(1, 20))
    assert (middle.duplicate, middle.queue.kind, middle.seed) == (Fraction(1, 200), "codel", 3)
    assert between(first, Impairment(), 0.5).rate == first.rate
    bursts = read_impairment({"loss": "gilbert_elliott 1% 25%"})
    assert between(first, bursts, 0.9).loss == first.loss
    assert between(bursts, bursts, 0.3).loss == bursts.loss
