"""Queueing disciplines and filters as messages of rtnetlink(7): linux/pkt_sched.h, linux/pkt_cls.h.

Packed by hand, since pyroute2 has no netem with slots, 64 bits or models of loss, and no cls_bpf with its program inside.

What they say is what `plan.as_shell.impairments` prints for tc(8).
"""

import socket
import struct
from fractions import Fraction

from pynetemu.engine.messages.framing import attribute
from pynetemu.plan.as_shell.impairments import loss_program
from pynetemu.plan.shaping.distributions import table
from pynetemu.plan.shaping.impairment import Impairment, Loss
from pynetemu.plan.shaping.mechanisms import netem_limit, tbf_burst

RTM_NEWQDISC, RTM_DELQDISC, RTM_NEWTFILTER, RTM_DELTFILTER = 36, 37, 44, 45
_TC_H_ROOT, _CLSACT_HANDLE, _CLSACT, _INGRESS = 0xFFFFFFFF, 0xFFFF0000, 0xFFFFFFF1, 0xFFFFFFF2
_TBF_HANDLE, _TBF_CLASS = 0x10000, 0x10001
_HEAD = struct.Struct("=BxxxiIII")  # struct tcmsg: family, index, handle, parent, info
_KIND, _OPTIONS = 1, 2
_ALL_PROTOCOLS = 3  # ETH_P_ALL
_FILTER = 1 << 16 | socket.htons(_ALL_PROTOCOLS)  # its preference and protocol
_DISTRIBUTION_SCALE, _SHORTEST, _LONGEST = 8192, -32768, 32767  # NETEM_DIST_SCALE, __s16
_ETHERNET = 1  # TC_LINKLAYER_ETHERNET


def _message(index: int, handle: int, parent: int, info: int, kind: str, options: bytes) -> bytes:
    head = _HEAD.pack(socket.AF_UNSPEC, index, handle, parent, info)
    return head + attribute(_KIND, kind.encode() + b"\0") + attribute(_OPTIONS, options)


def root(index: int) -> bytes:
    """The discipline of an interface, to be deleted."""
    return _HEAD.pack(socket.AF_UNSPEC, index, 0, _TC_H_ROOT, 0)


def netem(index: int, wanted: Impairment) -> bytes:
    """tc-netem(8). What is 0 is left out."""
    gap = 1 if wanted.reorder else 0
    random = wanted.loss if wanted.loss.model == "random" else Loss()
    numbers = (0, netem_limit(wanted), _share(random.shares[0]), gap, _share(wanted.duplicate), 0)
    options = struct.pack("=6I", *numbers)  # struct tc_netem_qopt; times follow, in nanoseconds
    options += attribute(10, struct.pack("=q", wanted.delay)) + attribute(11, struct.pack("=q", wanted.jitter))
    if wanted.jitter and wanted.distribution != "uniform":  # which is its own without a table
        values = (round(value * _DISTRIBUTION_SCALE) for value in table(wanted.distribution))
        clipped = [min(max(value, _SHORTEST), _LONGEST) for value in values]
        options += attribute(2, struct.pack(f"={len(clipped)}h", *clipped))
    if wanted.reorder:
        options += attribute(3, struct.pack("=II", _share(wanted.reorder), 0))
    if wanted.corrupt:
        options += attribute(4, struct.pack("=II", _share(wanted.corrupt), 0))
    if wanted.loss.model != "random":
        options += attribute(5, _loss_model(wanted.loss))
    if wanted.rate:
        bytes_per_second = wanted.rate // 8
        options += attribute(6, struct.pack("=IiIi", min(bytes_per_second, 2**32 - 1), 0, 0, 0))
        options += attribute(8, struct.pack("=Q", bytes_per_second)) if bytes_per_second >= 2**32 else b""
    if wanted.slot[1]:
        options += attribute(12, struct.pack("=qqiiqq", *wanted.slot, 0, 0, 0, 0))
    return _message(index, 0, _TC_H_ROOT, 0, "netem", options)


def _loss_model(loss: Loss) -> bytes:
    """NETEM_LOSS_GI with struct tc_netem_gimodel, or NETEM_LOSS_GE with tc_netem_gemodel, whose h is what a bad link keeps."""
    if loss.model == "four_state":
        p13, p31, p32, p23, p14 = map(_share, loss.shares)
        return attribute(1, struct.pack("=5I", p13, p31, p32, p14, p23))
    to_bad, to_good, bad, good = loss.shares
    return attribute(2, struct.pack("=4I", *map(_share, (to_bad, to_good, 1 - bad, good))))


def _share(share: Fraction) -> int:
    return int(share * (2**32 - 1))


def tbf(index: int, wanted: Impairment, frame: int) -> bytes:
    """tc-tbf(8), for frames of so many bytes at most."""
    bytes_per_second, burst = wanted.rate // 8, tbf_burst(wanted, frame)
    rate = struct.pack("=BBHhHI", 0, _ETHERNET, 0, -1, 0, min(bytes_per_second, 2**32 - 1))  # struct tc_ratespec
    ticks = min(2**32 - 1, burst * 8 * 10**9 // wanted.rate // 64)  # of 64 ns: PSCHED_SHIFT
    parameters = rate + bytes(12) + struct.pack("=3I", wanted.queue_bytes + burst, ticks, 0)
    options = attribute(1, parameters) + attribute(2, bytes(1024)) + attribute(6, struct.pack("=I", burst))
    if bytes_per_second >= 2**32:
        options += attribute(4, struct.pack("=Q", bytes_per_second))
    return _message(index, _TBF_HANDLE, _TC_H_ROOT, 0, "tbf", options)


def behind_tbf(index: int, kind: str) -> bytes:
    """A queue of the kernel's as the child of a tbf."""
    return _message(index, 0, _TBF_CLASS, 0, kind, b"")


def clsact(index: int) -> bytes:
    """The place for filters on arrival."""
    return _message(index, _CLSACT_HANDLE, _CLSACT, 0, "clsact", b"")


def loss_filter(index: int, loss: Loss) -> bytes:
    """A filter on arrival that drops at random: classic BPF, whose result is the action (TCA_BPF_FLAG_ACT_DIRECT)."""
    code = [struct.pack("=HBBI", *instruction) for instruction in loss_program(loss)]
    options = attribute(4, struct.pack("=H", len(code))) + attribute(5, b"".join(code)) + attribute(8, struct.pack("=I", 1))
    return _message(index, 1, _INGRESS, _FILTER, "bpf", options)


def filter_place(index: int) -> bytes:
    """The filter, to be deleted."""
    return _message(index, 1, _INGRESS, _FILTER, "bpf", b"")
