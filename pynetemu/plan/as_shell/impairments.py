"""What links do to packets, as commands of tc(8) where the kernel does it."""

from collections.abc import Iterator
from fractions import Fraction
from shlex import quote

from pynetemu.plan.as_shell.words import in_node, tc
from pynetemu.plan.operations import Impair
from pynetemu.plan.shaping.impairment import KERNELS_QUEUES, Impairment, Loss, from_words
from pynetemu.plan.shaping.mechanisms import FULL_SIZE, begins_anew, netem_limit, tbf_burst
from pynetemu.plan.units import duration, percentage, rate

TITLES = {Impair: "What the links do to packets"}
_PLACE = "pref 1 handle 1"
_OFFLOADS = "tso off gso off tx-udp-segmentation off"  # so that each packet has its own fate
_RANDOM = 0xFFFFF000 + 56  # SKF_AD_OFF + SKF_AD_RANDOM, linux/filter.h
SHOT, UNSPECIFIED = 2, 0xFFFFFFFF  # TC_ACT_SHOT, TC_ACT_UNSPEC: linux/pkt_cls.h


def lines(operation: Impair, root: str | None) -> Iterator[str]:
    wanted = from_words(operation.settings)
    near, far = quote(operation.interface), quote(operation.peer_interface)
    sender = tc(operation.node, root)
    if operation.mechanism == "netem":
        yield f"{sender} qdisc replace dev {near} root netem {netem_words(wanted)}"
    elif operation.mechanism == "tbf":
        yield f"{sender} qdisc replace dev {near} root handle 1: tbf {_tbf_words(wanted)}"
        if wanted.queue.kind in KERNELS_QUEUES:
            yield f"{sender} qdisc replace dev {near} parent 1:1 {wanted.queue.kind}"
    elif operation.mechanism == "filter":
        receiver = tc(operation.peer_node, root)
        yield f"{receiver} qdisc replace dev {far} clsact"
        code = ",".join(" ".join(map(str, instruction)) for instruction in loss_program(wanted.loss))
        yield f"{receiver} filter replace dev {far} ingress {_PLACE} bpf da bytecode '4,{code}'"
    else:
        what = f"from {operation.node} {near} to {operation.peer_node} {far}: {', '.join(operation.settings)}"
        yield f"# the relay, a process of pynetemu's, is left out: {what}"
        return
    yield f"{in_node(operation.node, root)}ethtool -K {near} {_OFFLOADS}"


def undo(operation: Impair, root: str | None) -> Iterator[str]:
    if operation.mechanism == "filter":
        yield f"{tc(operation.peer_node, root)} filter delete dev {quote(operation.peer_interface)} ingress {_PLACE}"
    elif operation.mechanism == "relay":
        yield f"# the relay lets all pass from {operation.node} {operation.interface}"
    else:
        yield f"{tc(operation.node, root)} qdisc delete dev {quote(operation.interface)} root"


def replace(old: Impair, new: Impair, root: str | None) -> Iterator[str]:
    if begins_anew(old, new):
        yield from undo(old, root)
    yield from lines(new, root)


def netem_words(wanted: Impairment) -> str:
    """As tc-netem(8) takes them; what is 0 is left out, since it refuses "loss 0%"."""
    words = []
    if wanted.delay:
        jitter = f" {duration(wanted.jitter)} distribution {wanted.distribution}" if wanted.jitter else ""
        if wanted.distribution == "uniform":  # netem's own way without a table
            jitter = f" {duration(wanted.jitter)}" if wanted.jitter else ""
        words.append(f"delay {duration(wanted.delay)}{jitter}")
    if wanted.loss:
        words.append(f"loss {_netem_loss(wanted.loss)}")
    for name in ("duplicate", "corrupt", "reorder"):
        if share := getattr(wanted, name):
            words.append(f"{name} {percentage(share)}")
    if wanted.rate:
        words.append(f"rate {rate(wanted.rate)}")
    if wanted.slot[1]:
        words.append(f"slot {' '.join(map(duration, wanted.slot))}")
    return " ".join([*words, f"limit {netem_limit(wanted)}"])


def _netem_loss(loss: Loss) -> str:
    if loss.model == "random":
        return f"random {percentage(loss.shares[0])}"
    if loss.model == "four_state":
        return f"state {' '.join(map(percentage, loss.shares))}"
    return f"gemodel {' '.join(map(percentage, loss.shares))}"


def _tbf_words(wanted: Impairment) -> str:
    burst = tbf_burst(wanted, FULL_SIZE)
    return f"rate {rate(wanted.rate)} burst {burst}b limit {wanted.queue_bytes + burst}b"


def loss_program(loss: Loss) -> list[tuple[int, int, int, int]]:
    """Classic BPF (linux/filter.h) that drops this share of what arrives, each by a number drawn at random."""
    least = min(2**32 - 1, int(loss.shares[0] * Fraction(2**32)))
    return [(0x20, 0, 0, _RANDOM), (0x35, 1, 0, least), (0x06, 0, 0, SHOT), (0x06, 0, 0, UNSPECIFIED)]
