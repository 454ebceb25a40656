"""Round trips as ping(8) measures them, on a machine that may be busy: what is late once is asked again."""

import re

from pynetemu import RunningNode
from tests.support.wait import wait_until


def ping(node: RunningNode, target: str, *options: str) -> tuple[int, float]:
    """How many answers came, and the least round trip in ms; 0.0 where none came."""
    told = str(node.run("ping", "-q", "-i", "0.01", *options, target).stdout)
    least = re.search(r"= ([\d.]+)/", told)
    return int((re.findall(r"(\d+) received", told) or [0])[0]), float(least[1]) if least else 0.0


def check_round_trip(node: RunningNode, target: str, *options: str, at_least: float = 0.0, below: float) -> None:
    """None takes less than so many ms, and sooner or later one takes less than so many."""

    def is_soon() -> bool:
        answers, least = ping(node, target, "-c3", "-W5", *options)
        assert not answers or least >= at_least
        return answers > 0 and least < below

    wait_until(is_soon, what=f"a round trip of {at_least:g} to {below:g} ms")
