"""What becomes of the n-th packet of a flow: a function of seed, link, direction, flow and n, and of nothing else.

So a run repeats whatever else is under way: ARP or another flow moves nothing. A flow whose port or identifier the kernel chose
is known as the k-th of its kind, "the third connection from h1 to port 80 of h2".
"""

import hashlib
import struct
from collections.abc import Callable
from fractions import Fraction

from pynetemu.plan.shaping.impairment import Loss
from pynetemu.relay.frames import flow_of, lasting

LOST, STATE, TWICE, CORRUPT, JITTER, REORDER, PLACE = range(7)  # the draws of a packet, each of 32 bits
Draws = tuple[int, ...]
_DRAWS = struct.Struct("<7I")
_AT_ONCE = 16  # packets for which one digest has draws
_DIGEST = _DRAWS.size * _AT_ONCE
_MOST_FLOWS = 1 << 15  # that are remembered; the oldest half is forgotten when there are more


class Flow:
    """What is remembered of a flow: how many packets it had, the next draws, and the state of its model of loss."""

    __slots__ = ("count", "digest", "key", "state")

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.count = 0
        self.digest = b""
        self.state = 0


class Fates:
    """The fates of one direction of a link; `name` says which, the same in each run."""

    def __init__(self, seed: int, name: str) -> None:
        self._key = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
        self._flows: dict[bytes, Flow] = {}
        self._kinds: dict[bytes, int] = {}

    def next(self, frame: bytes) -> tuple[Flow, int, Draws]:
        """The flow of a frame, which of its packets it is (from 0), and its draws."""
        raw = flow_of(frame)
        flow = self._flows.get(raw)
        if flow is None:
            flow = self._new(raw)
        number = flow.count
        flow.count = number + 1
        place = number % _AT_ONCE
        if not place:
            flow.digest = hashlib.shake_128(self._key + number.to_bytes(8, "little") + flow.key).digest(_DIGEST)
        return flow, number, _DRAWS.unpack_from(flow.digest, place * _DRAWS.size)

    def _new(self, raw: bytes) -> Flow:
        if len(self._flows) >= _MOST_FLOWS:
            for old in list(self._flows)[: _MOST_FLOWS // 2]:
                del self._flows[old]
        kind = lasting(raw)
        if kind is None:
            key = raw
        else:
            number = self._kinds[kind] = self._kinds.get(kind, 0) + 1
            key = b"%b #%d" % (kind, number)
        flow = self._flows[raw] = Flow(key)
        return flow


def chance(share: Fraction) -> int:
    """A share as the bound below which a draw of 32 bits lies with that probability."""
    return int(share * 2**32)


Loser = Callable[[Flow, Draws], bool]  # whether a packet of a flow is lost


def loser(loss: Loss, apart: bool) -> Loser | None:
    """The model of a loss; None for none. With `apart` each flow has a state of its own, else the link has one."""
    bounds = tuple(map(chance, loss.shares))
    if not loss:
        return None
    if loss.model == "random":
        (lost,) = bounds
        return lambda _, draws: draws[LOST] < lost
    link = Flow(b"")
    step = _gilbert_elliott(*bounds) if loss.model == "gilbert_elliott" else _four_state(*bounds)
    return step if apart else lambda _, draws: step(link, draws)


def _gilbert_elliott(to_bad: int, to_good: int, bad: int, good: int) -> Loser:
    def step(flow: Flow, draws: Draws) -> bool:
        flow.state = int(draws[STATE] >= to_good if flow.state else draws[STATE] < to_bad)
        return draws[LOST] < (bad if flow.state else good)

    return step


def _four_state(p13: int, p31: int, p32: int, p23: int, p14: int) -> Loser:
    """The states 0 received, 1 received in a burst, 2 lost in a burst, 3 lost alone: loss_4state of net/sched/sch_netem.c."""

    def step(flow: Flow, draws: Draws) -> bool:
        draw = draws[STATE]
        if flow.state == 0:
            flow.state = 3 if draw < p14 else 2 if draw < p14 + p13 else 0
        elif flow.state == 1:
            flow.state = 2 if draw < p23 else 1
        elif flow.state == 2:
            flow.state = 1 if draw < p32 else 0 if draw < p32 + p31 else 2
        else:
            flow.state = 0
        return flow.state > 1

    return step
