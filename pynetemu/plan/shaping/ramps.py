"""Settings on the way from some to others."""

from fractions import Fraction
from typing import Any

from pynetemu.plan.shaping.impairment import Impairment, Loss

_TIMES = "delay", "jitter", "rate"
_SHARES = "duplicate", "reorder", "corrupt"
_FINEST = 10**9


def between(first: Impairment, second: Impairment, share: float) -> Impairment:
    """What is numbers lies so far between both, 0.0 to 1.0; all else is as at first.

    Between a rate and none, and between two models of loss, there is nothing.
    """
    values: dict[str, Any] = {name: getattr(first, name) for name in first.__match_args__}
    part = Fraction(round(share * _FINEST), _FINEST)
    for name in _TIMES:
        one, other = getattr(first, name), getattr(second, name)
        if name != "rate" or (one and other):
            values[name] = round(one + (other - one) * part)
    for name in _SHARES:
        values[name] = _between(getattr(first, name), getattr(second, name), part)
    if first.loss.model == second.loss.model:
        shares = zip(first.loss.shares, second.loss.shares, strict=True)
        values["loss"] = Loss(first.loss.model, tuple(_between(one, other, part) for one, other in shares))
    return Impairment(**values)


def _between(one: Fraction, other: Fraction, part: Fraction) -> Fraction:
    return one if one == other else (one + (other - one) * part).limit_denominator(_FINEST)
