"""How jitter is spread: tables from which a uniform draw takes a value, as netem does it."""

import math
from functools import lru_cache

from pynetemu.plan.shaping.impairment import Distribution

SIZE = 4096
_PARETO_MEAN, _PARETO_DEVIATION = 1.5, math.sqrt(0.75)  # of the shape 3, from 1 on


@lru_cache(maxsize=4)
def table(distribution: Distribution) -> tuple[float, ...]:
    """SIZE values in rising order, of mean 0: normal and pareto have the deviation 1, uniform lies between -1 and 1."""
    if distribution == "normal":
        from statistics import NormalDist

        normal = NormalDist()
        return tuple(normal.inv_cdf((i + 0.5) / SIZE) for i in range(SIZE))
    if distribution == "pareto":
        values = [((1 - (i + 0.5) / SIZE) ** (-1 / 3) - _PARETO_MEAN) / _PARETO_DEVIATION for i in range(SIZE)]
        mean = sum(values) / SIZE
        return tuple(value - mean for value in values)
    return tuple(2 * (i + 0.5) / SIZE - 1 for i in range(SIZE))
