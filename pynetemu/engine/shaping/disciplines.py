"""Queueing disciplines and filters for what a link is to do: the messages that make them.

What they say is what `plan.as_shell.impairments` prints for tc(8).
"""

import struct
from fractions import Fraction
from typing import Any

from pynetemu.engine.messages.queueing import CLSACT, CLSACT_HANDLE, FIRST_FILTER, INGRESS, ROOT, discipline
from pynetemu.plan.as_shell.impairments import loss_program
from pynetemu.plan.shaping.distributions import table
from pynetemu.plan.shaping.impairment import Impairment, Loss
from pynetemu.plan.shaping.mechanisms import netem_limit, tbf_burst

_TBF_HANDLE, _TBF_CLASS = 0x10000, 0x10001
_DISTRIBUTION_SCALE, _SHORTEST, _LONGEST = 8192, -32768, 32767  # NETEM_DIST_SCALE, __s16
_ETHERNET = 1  # TC_LINKLAYER_ETHERNET
_MOST = 2**32 - 1  # what fits into fields of 32 bits
_ACT_DIRECT = 1  # TCA_BPF_FLAG_ACT_DIRECT: the program's result is the action

_Attributes = list[tuple[str, Any]]


def root(index: int) -> bytes:
    """The discipline of an interface, to be deleted."""
    return discipline(index, ROOT)


def netem(index: int, wanted: Impairment) -> bytes:
    """tc-netem(8). What is 0 is left out."""
    random = wanted.loss if wanted.loss.model == "random" else Loss()
    attrs: _Attributes = [("TCA_NETEM_LATENCY64", wanted.delay), ("TCA_NETEM_JITTER64", wanted.jitter)]  # nanoseconds
    if wanted.jitter and wanted.distribution != "uniform":  # which is its own without a table
        values = (round(value * _DISTRIBUTION_SCALE) for value in table(wanted.distribution))
        clipped = [min(max(value, _SHORTEST), _LONGEST) for value in values]
        attrs.append(("TCA_NETEM_DELAY_DIST", struct.pack(f"={len(clipped)}h", *clipped)))
    if wanted.reorder:
        attrs.append(("TCA_NETEM_REORDER", {"probability": _share(wanted.reorder)}))
    if wanted.corrupt:
        attrs.append(("TCA_NETEM_CORRUPT", {"probability": _share(wanted.corrupt)}))
    if wanted.loss.model != "random":
        attrs.append(("TCA_NETEM_LOSS", {"attrs": [_loss_model(wanted.loss)]}))
    if wanted.rate:
        bytes_per_second = wanted.rate // 8
        attrs.append(("TCA_NETEM_RATE", {"rate": min(bytes_per_second, _MOST)}))
        attrs += [("TCA_NETEM_RATE64", bytes_per_second)] if bytes_per_second > _MOST else []
    if wanted.slot[1]:
        attrs.append(("TCA_NETEM_SLOT", {"min_delay": wanted.slot[0], "max_delay": wanted.slot[1]}))
    options = {
        "limit": netem_limit(wanted),
        "loss": _share(random.shares[0]),
        "gap": 1 if wanted.reorder else 0,
        "duplicate": _share(wanted.duplicate),
        "attrs": attrs,
    }
    return discipline(index, ROOT, "netem", options)


def _loss_model(loss: Loss) -> tuple[str, dict[str, int]]:
    """Of Gilbert and Elliott's, h is what a bad link keeps (struct tc_netem_gemodel)."""
    if loss.model == "four_state":
        return "NETEM_LOSS_GI", dict(zip(("p13", "p31", "p32", "p23", "p14"), map(_share, loss.shares), strict=True))
    to_bad, to_good, bad, good = loss.shares
    return "NETEM_LOSS_GE", dict(zip(("p", "r", "h", "k1"), map(_share, (to_bad, to_good, 1 - bad, good)), strict=True))


def _share(share: Fraction) -> int:
    return int(share * _MOST)


def tbf(index: int, wanted: Impairment, frame: int) -> bytes:
    """tc-tbf(8), for frames of so many bytes at most."""
    bytes_per_second, burst = wanted.rate // 8, tbf_burst(wanted, frame)
    parameters = {
        "link_layer": _ETHERNET,
        "cell_align": -1,
        "rate": min(bytes_per_second, _MOST),
        "peak": bytes(12),
        "limit": wanted.queue_bytes + burst,
        "buffer": min(_MOST, burst * 8 * 10**9 // wanted.rate // 64),  # ticks of 64 ns: PSCHED_SHIFT
    }
    attrs: _Attributes = [("TCA_TBF_PARMS", parameters), ("TCA_TBF_RTAB", bytes(1024)), ("TCA_TBF_BURST", burst)]
    attrs += [("TCA_TBF_RATE64", bytes_per_second)] if bytes_per_second > _MOST else []
    return discipline(index, ROOT, "tbf", {"attrs": attrs}, _TBF_HANDLE)


def behind_tbf(index: int, kind: str) -> bytes:
    """A queue of the kernel's as the child of a tbf."""
    return discipline(index, _TBF_CLASS, kind)


def clsact(index: int) -> bytes:
    """The place for filters on arrival."""
    return discipline(index, CLSACT, "clsact", handle=CLSACT_HANDLE)


def loss_filter(index: int, loss: Loss) -> bytes:
    """A filter on arrival that drops at random, by classic BPF."""
    code = [struct.pack("=HBBI", *instruction) for instruction in loss_program(loss)]
    attrs = [("TCA_BPF_OPS_LEN", len(code)), ("TCA_BPF_OPS", b"".join(code)), ("TCA_BPF_FLAGS", _ACT_DIRECT)]
    return discipline(index, INGRESS, "bpf", {"attrs": attrs}, 1, FIRST_FILTER)
