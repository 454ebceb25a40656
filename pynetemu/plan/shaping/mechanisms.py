"""Which mechanism does what a link is to do to packets: the kernel's own where it can, else the relay.

netem(8) does nearly all, where the kernel has it. tbf(8) does rates. A loss and nothing else is a filter that drops on
arrival: where a sender is told of a drop, as at its own queue, it sends again. The relay, a process of the lab, does all but
the kernel's own queues.
"""

from collections.abc import Sequence

from pynetemu.plan.operations.impairments import Impair, Mechanism
from pynetemu.plan.operations.values import Kernel
from pynetemu.plan.problems import Wrong
from pynetemu.plan.shaping.impairment import KERNELS_QUEUES, Impairment, Limit, Loss, Queue, from_words
from pynetemu.plan.units import rate

_NEEDED: dict[Mechanism, set[str]] = {"tbf": {"tbf"}, "netem": {"netem"}, "filter": {"ingress", "cls_bpf"}}  # in this order
MECHANISMS: tuple[Mechanism, ...] = ("netem", "tbf", "filter", "relay")
RELAY_RATE = 10**9  # bits per second, about what the relay carries on one core: docs/limitations.md
FULL_SIZE = 1514
_ROOM_FOR_BUFFERS = 10**6  # bytes of a queue, 16 buffers
_NETEMS_LEAST = 1000  # packets, its own default
_FASTEST = 10**6  # packets per second for which netem has room where no rate bounds them


def choose(wanted: Impairment, kernel: Kernel, asked: object = None) -> Mechanism:
    """The mechanism for one direction, or the one that the user asked for; raises Wrong for what none can do."""
    if asked is not None:
        return _as_asked(wanted, asked)
    if wanted.queue.kind in KERNELS_QUEUES:
        return _for_kernels_queue(wanted, kernel)
    has = kernel or frozenset()
    for mechanism, needed in _NEEDED.items():
        if needed <= has and not _cannot(wanted, mechanism):
            return mechanism
    return "relay"


def choose_for_link(
    wanted: Sequence[Impairment], kernel: Kernel, asked: object = None, relayed: bool = False
) -> list[Mechanism | None]:
    """The mechanisms of both directions, None for nothing; raises Wrong, and where there is nothing to do for unknown ones too.

    If one needs the relay, or the link is `relayed` already, both go through it, but for the kernel's own queues.
    """
    if asked is not None:
        _check_is_known(asked)
    chosen = [choose(direction, kernel, asked) if direction else None for direction in wanted]
    if "relay" in chosen or (relayed and asked is None):
        pairs = zip(wanted, chosen, strict=True)
        return [how if how is None or direction.queue.kind in KERNELS_QUEUES else "relay" for direction, how in pairs]
    return chosen


def _as_asked(wanted: Impairment, asked: object) -> Mechanism:
    mechanism = _check_is_known(asked)
    if reason := _cannot(wanted, mechanism):
        raise Wrong(f"mechanism={mechanism} {reason}", "leave it out, and the first that can is taken")
    return mechanism


def _check_is_known(asked: object) -> Mechanism:
    for mechanism in MECHANISMS:
        if asked == mechanism:
            return mechanism
    raise Wrong(f"mechanism={asked!r} is not known", f"one of {', '.join(MECHANISMS)}; left out, the first that can")


def _for_kernels_queue(wanted: Impairment, kernel: Kernel) -> Mechanism:
    if reason := _cannot(wanted, "tbf"):
        raise Wrong(
            f"queue={wanted.queue.kind} is the kernel's, behind tbf, which {reason}",
            "codel() and red() work with everything else",
        )
    if kernel is not None and not {"tbf", wanted.queue.kind} <= kernel:
        raise Wrong(f"this kernel has no {wanted.queue.kind}", "queue=codel() and red(...) work on any")
    return "tbf"


def _cannot(wanted: Impairment, mechanism: str) -> str:
    """Why a mechanism does not do it, "" when it does."""
    if wanted.schedule and mechanism != "relay":
        return "changes nothing by itself, and there is a schedule"
    if wanted.towards and mechanism != "relay":
        return "treats all packets alike, and towards= is for those to one node"
    if mechanism == "relay":
        return f"has no queue {wanted.queue.kind}" if wanted.queue.kind in KERNELS_QUEUES else ""
    if mechanism == "netem":
        if wanted.seed is not None:
            return "draws by the order of arrival, and seed= asks for the same fates in every run"
        return "" if (wanted.queue, wanted.limit) == (Queue(), Limit()) else "has a single queue for delay and rate"
    if mechanism == "tbf":
        only = Impairment(rate=wanted.rate, queue=wanted.queue, limit=wanted.limit)
        fits = wanted == only and wanted.queue.kind in ("pfifo", *KERNELS_QUEUES)
        return "" if wanted.rate and fits else "does rates, with queues pfifo, fq_codel, cake and pie, and nothing else"
    fits = wanted == Impairment(loss=wanted.loss) and wanted.loss.model == "random" and wanted.loss != Loss()
    return "" if fits else "does random losses, and nothing else"


def begins_anew(old: Impair, new: Impair) -> bool:
    """Whether the old one must go before the new one comes: something else does it, or tbf would keep the old one's queue."""
    queues = [from_words(operation.settings).queue.kind in KERNELS_QUEUES for operation in (old, new)]
    return old.mechanism != new.mechanism or queues == [True, False]


def note(wanted: Impairment, mechanism: Mechanism) -> str:
    """What must be known of a mechanism, for people who read the plan."""
    if mechanism == "relay" and (wanted.rate == 0 or wanted.rate > RELAY_RATE):
        return f"carries about {rate(RELAY_RATE)}"
    return ""


def takes_buffers(wanted: Impairment) -> bool:
    """Whether the relay may pass on what are several packets yet, up to 64 kB of TCP, as a plain wire does.

    Not where each packet has a fate of its own, or waits for a rate that such a buffer takes long for, or fills a queue.
    """
    if wanted != Impairment(delay=wanted.delay, rate=wanted.rate, limit=wanted.limit, seed=wanted.seed):
        return False
    has_room = not wanted.limit.packets and wanted.queue_bytes >= _ROOM_FOR_BUFFERS
    return not wanted.rate or (wanted.rate >= RELAY_RATE and has_room)


def netem_limit(wanted: Impairment) -> int:
    """How many packets netem must hold: those on their way, and those that wait. (Its own 1000 are too few, and drop.)"""
    longest = wanted.delay + 4 * wanted.jitter + wanted.slot[1]
    if not wanted.rate:
        return _NETEMS_LEAST + longest * _FASTEST // 10**9
    return max(2, -(-(longest * wanted.rate // (8 * 10**9) + wanted.queue_bytes) // FULL_SIZE))


def tbf_burst(wanted: Impairment, frame: int) -> int:
    """Bytes that pass at once: what comes in 1 ms, and two frames at least."""
    return max(2 * frame, wanted.rate // 8000)
