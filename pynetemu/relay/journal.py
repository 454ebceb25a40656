"""Fates of packets in a file: written while packets pass, and read to meet them again.

A line has the flow's key in hexadecimal, the packet's number in it from 0, and "lost", or the draw for its jitter with what
else befell it: "corrupted:" with the draw for the place, "twice", "ahead".
"""

from pynetemu.plan.shaping.journals import HEADER, read_fates
from pynetemu.relay.fates import CORRUPT, JITTER, LOST, PLACE, REORDER, TWICE, Draws, Fates, Flow, Loser

_ALWAYS, _NEVER = -1, 2**32  # draws that are below every bound, and below none


class Journal:
    """Adds to a file, to so many lines in all."""

    def __init__(self, path: str, most: int) -> None:
        """Raises OSError."""
        self._file = open(path, "a+", buffering=1, encoding="utf-8")  # noqa: SIM115  # open as long as it is written
        self._file.seek(0)
        self._left = most - sum(1 for line in self._file if not line.startswith("#"))
        self._file.write(f"{HEADER}\n")

    def write(self, flow: Flow, number: int, fate: str) -> None:
        if self._left > 0:
            self._left -= 1
            self._file.write(f"{flow.key.hex()} {number} {fate}\n")

    def close(self) -> None:
        self._file.close()


class Told:
    """The fates of a journal, and those of a direction's own draws for packets that it does not have."""

    def __init__(self, text: str, own: Fates) -> None:
        """Raises Wrong."""
        self.own = own
        self._draws: dict[tuple[bytes, int], Draws] = {}
        for key, number, words in read_fates(text):
            self._draws[key, number] = _as_draws(words)

    def next(self, frame: bytes) -> tuple[Flow, int, Draws]:
        flow, number, draws = self.own.next(frame)
        return flow, number, self._draws.get((flow.key, number), draws)


def _as_draws(words: list[str]) -> Draws:
    draws = [_NEVER] * (PLACE + 1)
    if words == ["lost"]:
        draws[LOST] = _ALWAYS
        return tuple(draws)
    draws[JITTER] = int(words[0], 16)
    draws[REORDER] = _ALWAYS if "ahead" in words else _NEVER
    draws[TWICE] = _ALWAYS if "twice" in words else _NEVER
    for word in words[1:]:
        if word.startswith("corrupted:"):
            draws[CORRUPT], draws[PLACE] = _ALWAYS, int(word.partition(":")[2], 16)
    return tuple(draws)


def told_or(own: Loser | None) -> Loser:
    """Losses as a journal has them, else those of a model."""

    def is_lost(flow: Flow, draws: Draws) -> bool:
        if 0 <= draws[LOST] < _NEVER:
            return own is not None and own(flow, draws)
        return draws[LOST] < 0

    return is_lost
