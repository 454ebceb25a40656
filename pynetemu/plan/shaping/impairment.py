"""What one direction of a link does to packets: one value from the description to the kernel, the relay and the shell.

    wanted = read_impairment({"delay": "20ms", "loss": "0.5%"})
    wanted.delay == 20_000_000, wanted.words == ("delay 20ms", "loss 0.5%")
    from_words(wanted.words) == wanted

`words` are what plans have: each a setting's name and its text, as users write it.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Literal

from pynetemu.frozen import frozen
from pynetemu.plan.problems import Wrong
from pynetemu.plan.units import (
    duration,
    percentage,
    rate,
    read_duration,
    read_percentage,
    read_rate,
    read_size,
    size,
)
from pynetemu.topology.part import quoted
from pynetemu.wording import near_or_all

Distribution = Literal["normal", "uniform", "pareto"]
DISTRIBUTIONS: tuple[Distribution, ...] = ("normal", "uniform", "pareto")
LossModel = Literal["random", "gilbert_elliott", "four_state"]
QueueKind = Literal["pfifo", "drop-head", "codel", "red", "fq_codel", "cake", "pie"]
KERNELS_QUEUES: tuple[QueueKind, ...] = ("fq_codel", "cake", "pie")
QUEUES: tuple[QueueKind, ...] = ("pfifo", "drop-head", "codel", "red", *KERNELS_QUEUES)
_SHARES: dict[LossModel, tuple[int, int]] = {"gilbert_elliott": (2, 4), "four_state": (2, 5)}  # least and most
_OTHERS = {"gilbert_elliott": ("100%", "0%"), "four_state": ("0%", "100%", "0%")}  # those that may be left out
_LONGEST_DELAY = 600 * 10**9
_MOST_PACKETS = 10**6
_TARGET, _INTERVAL = 5 * 10**6, 100 * 10**6  # ns: RFC 8289, section 4.3
_FULL_SIZE = 1514  # bytes of an Ethernet frame with the usual 1500
_STANDING = 100 * 10**6  # ns of `rate` that the queue holds by default, and at least so many full frames:
_LEAST_QUEUE = 10 * _FULL_SIZE


@frozen
class Loss:
    """Which packets are lost: `shares` are the model's probabilities, in the order of its function's parameters."""

    model: LossModel = "random"
    shares: tuple[Fraction, ...] = (Fraction(0),)

    def __bool__(self) -> bool:
        return self.model != "random" or self.shares[0] > 0

    def __str__(self) -> str:
        shares = " ".join(map(percentage, self.shares))
        return shares if self.model == "random" else f"{self.model} {shares}"


@frozen
class Queue:
    """Where packets wait for `rate`: of CoDel `target` and `interval` (ns), of RED `least`, `most` (bytes), `probability`."""

    kind: QueueKind = "pfifo"
    target: int = _TARGET
    interval: int = _INTERVAL
    least: int = 0
    most: int = 0
    probability: Fraction = Fraction(0)
    ecn: bool = False

    def __str__(self) -> str:
        words: list[str] = [self.kind]
        if self.kind == "codel":
            words += ["target", duration(self.target), "interval", duration(self.interval)]
        if self.kind == "red":
            words += [size(self.least), size(self.most), percentage(self.probability)]
        return " ".join([*words, *(["ecn"] if self.ecn else [])])


@frozen
class Limit:
    """How much waits at most: one of both is 0."""

    packets: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        return f"{self.packets} packets" if self.packets else size(self.bytes)


@frozen
class Schedule:
    """Settings from some times on (ns, from the link's begin); again after `every` if that is not 0; `linear` for ramps."""

    steps: "tuple[tuple[int, Impairment], ...]" = ()
    every: int = 0
    linear: bool = False

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __str__(self) -> str:
        parts = [f"{duration(at)} does {'; '.join(settings.words)}".rstrip() for at, settings in self.steps]
        parts += [f"every {duration(self.every)}"] if self.every else []
        return " | ".join([*parts, *(["linear"] if self.linear else [])])


@frozen
class Impairment:
    """What one direction of a link does to packets; all 0 and None for a plain wire.

        read_impairment({"delay": "20ms", "loss": "0.5%"}).delay == 20_000_000

    Times are in nanoseconds, `rate` in bits per second (0: as fast as it goes), shares are fractions. `slot` is the least and
    the greatest time between bunches of packets. `towards` has what is done besides to packets for one node of the segment,
    `schedule` what changes over time.
    """

    delay: int = 0
    jitter: int = 0
    distribution: Distribution = "normal"
    loss: Loss = Loss()
    rate: int = 0
    queue: Queue = Queue()
    limit: Limit = Limit()
    duplicate: Fraction = Fraction(0)
    reorder: Fraction = Fraction(0)
    corrupt: Fraction = Fraction(0)
    slot: tuple[int, int] = (0, 0)
    seed: int | None = None
    towards: "tuple[tuple[str, Impairment], ...]" = ()
    schedule: Schedule = Schedule()

    def __bool__(self) -> bool:
        """Whether it does anything: a seed alone does not."""
        return self != Impairment(seed=self.seed)

    @property
    def words(self) -> tuple[str, ...]:
        """The settings that are not as on a plain wire, each with its name: ("delay 20ms", "loss 0.5%")."""
        changed = (name for name in self.__match_args__ if getattr(self, name) != getattr(_PLAIN, name))
        return tuple(f"{name} {_WRITERS[name](getattr(self, name))}" for name in changed)

    @property
    def queue_bytes(self) -> int:
        """How many bytes wait at most for the rate; of a limit in packets as many full-size frames."""
        if self.limit.packets:
            return self.limit.packets * _FULL_SIZE
        return self.limit.bytes or max(_LEAST_QUEUE, self.rate * _STANDING // (8 * 10**9))


_PLAIN = Impairment()


def read_impairment(settings: Mapping[str, object], seen: Callable[[Wrong], None] | None = None) -> Impairment:
    """The value of settings as users write them. Raises Wrong, or tells `seen` all that is wrong."""
    values: dict[str, Any] = {}
    wrongs: list[Wrong] = []
    for name, value in settings.items():
        try:
            values[name] = _read(name, value)
        except Wrong as found:
            wrongs.append(found)
    impairment = _PLAIN if wrongs else Impairment(**values)
    for wrong in wrongs or _contradictions(impairment, set(values)):
        if seen is None:
            raise wrong
        seen(wrong)
    return impairment


def from_words(words: Iterable[str]) -> Impairment:
    """What `Impairment.words` gave; raises Wrong."""
    return read_impairment(dict(_pair(word) for word in words))


def _pair(word: str) -> tuple[str, object]:
    name, _, text = word.partition(" ")
    return name, int(text) if name == "seed" and text.isdigit() else text


def _read(name: str, value: object) -> Any:
    if name not in _READERS:
        raise Wrong(f"a link has no setting {name!r}", near_or_all(str(name), _READERS))
    try:
        return _READERS[name](value)
    except Wrong as wrong:
        raise Wrong(f"{name}: {wrong.text}", wrong.hint) from None
    except Exception as error:
        # methods of the value's own class fail: to compare it, to show it
        raise Wrong(f"{name}: the value cannot be read: {type(error).__name__}", f"it is {quoted(value)}") from error


def _contradictions(found: Impairment, given: set[str]) -> Iterable[Wrong]:
    if found.jitter > found.delay:
        text = f"jitter {duration(found.jitter)} is more than the delay of {duration(found.delay)}"
        yield Wrong(text, "no packet arrives before it is sent: at most the delay")
    if "distribution" in given and not found.jitter:
        yield Wrong("distribution needs jitter: it says how jitter is spread", 'for instance: jitter="2ms"')
    if found.reorder and not found.delay:
        yield Wrong("reorder needs a delay: packets overtake delayed ones", 'for instance: delay="20ms"')
    for name in ("queue", "limit"):
        if name in given and not found.rate:
            yield Wrong(f"{name} needs a rate: only a link with a rate has a queue", 'for instance: rate="10mbit"')
    if found.queue.kind in KERNELS_QUEUES and found.limit != Limit():
        yield Wrong(f"limit with queue={found.queue.kind} cannot be set", f"leave it out: {found.queue.kind} has its own limit")


def _towards(value: object) -> tuple[tuple[str, Impairment], ...]:
    """From a table, node: settings, or from what `_towards_text` gave."""
    if isinstance(value, str) and " does " in value:
        parts = [part.strip().partition(" does ")[::2] for part in value.split("|")]
        value = {node: dict(_pair(word) for word in text.split("; ") if word) for node, text in parts}
    if not isinstance(value, Mapping):
        raise Wrong(f"{quoted(value)} is not a table", 'it has settings by node: {"h2": {"delay": "20ms"}}')
    found = []
    for node, settings in value.items():
        if not isinstance(settings, Mapping):
            raise Wrong(f"{node}: {quoted(settings)} is not a table", 'it has settings: {"delay": "20ms"}')
        for name in ("seed", "towards", "schedule"):
            if name in settings:
                raise Wrong(f"{node}: {name} is of the whole direction", "write it beside towards")
        if wanted := read_impairment(settings):
            check_part(wanted)
            found.append((str(node), wanted))
    return tuple(sorted(found, key=lambda one: one[0]))


def _schedule(value: object) -> Schedule:
    """From what `schedule(...)` gave: "0s does delay 20ms; loss 1% | 5s does delay 80ms | every 10s | linear"."""
    hint = 'schedule((0, {"delay": "20ms"}), ("5s", {"delay": "80ms"}))'
    if not isinstance(value, str):
        raise Wrong(f"{quoted(value)} is not a schedule", f"write {hint}")
    steps: list[tuple[int, Impairment]] = []
    every, linear = 0, False
    for part in (part.strip() for part in value.split("|")):
        time, does, text = part.partition(" does")
        if does:
            settings = read_impairment(dict(_pair(word) for word in text.strip().split("; ") if word))
            check_step(settings, repr(part))
            steps.append((read_duration(time), settings))
        elif part == "linear":
            linear = True
        elif part.startswith("every "):
            every = read_duration(part.removeprefix("every "))
        else:
            raise Wrong(f"{part!r} is not a step", f"write {hint}")
    times = [time for time, _ in steps]
    if not times or times != sorted(set(times)):
        raise Wrong("its times do not rise", f"write {hint}")
    if every and every <= times[-1]:
        raise Wrong(f"every {duration(every)} is over before the last step", f"more than {duration(times[-1])}")
    return Schedule(tuple(steps), every, linear)


def check_step(wanted: Impairment, shown: str) -> None:
    """Raises Wrong for what cannot be settings for a while."""
    if wanted.towards or wanted.schedule or wanted.seed is not None:
        raise Wrong(f"{shown} has what does not change over time", "seed and towards stand beside the schedule")
    check_part(wanted)


def check_part(wanted: Impairment) -> None:
    """Raises Wrong for what cannot be done to packets for one node only, or for a while."""
    if wanted.queue.kind in KERNELS_QUEUES:
        raise Wrong(f"queue={wanted.queue.kind} is the kernel's, and of all packets", "codel and red are the relay's")


def _towards_text(towards: tuple[tuple[str, Impairment], ...]) -> str:
    return " | ".join(f"{node} does {'; '.join(wanted.words)}" for node, wanted in towards)


def _delay(value: object) -> int:
    found = read_duration(value)
    if found > _LONGEST_DELAY:
        raise Wrong(f"{value!r} is too long", f"at most {duration(_LONGEST_DELAY)}")
    return found


def _distribution(value: object) -> Any:
    return _one_of(value, DISTRIBUTIONS)


def _one_of(value: object, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise Wrong(f"{value!r} is not known", f"one of {', '.join(choices)}")
    return value


def _loss(value: object) -> Loss:
    words = value.split() if isinstance(value, str) else []
    if not words or words[0] not in _SHARES:
        return Loss("random", (read_percentage(value),))
    model: Any = words[0]
    least, most = _SHARES[model]
    given = words[1:]
    if not least <= len(given) <= most:
        raise Wrong(f"{value!r} has {len(given)} probabilities", f"{model} takes {least} to {most}, as in '{model} 1% 25%'")
    left_out = _OTHERS[model][len(given) - least :]
    return Loss(model, tuple(map(read_percentage, (*given, *left_out))))


def _queue(value: object) -> Queue:
    words = value.split() if isinstance(value, str) else []
    kind: Any = _one_of(words[0] if words else value, QUEUES)
    options = words[1:]
    ecn = options[-1:] == ["ecn"]
    options = options[:-1] if ecn else options
    if ecn and kind not in ("codel", "red"):
        raise Wrong(f"{value!r}: {kind} has no ecn here", "codel and red have")
    if kind == "red":
        return _red(options, ecn)
    if kind == "codel" and len(options) in (0, 2, 4):
        named = dict(zip(options[::2], options[1::2], strict=True))
        if named.keys() <= {"target", "interval"}:
            times = {name: read_duration(text) for name, text in named.items()}
            return Queue(kind, times.get("target", _TARGET), times.get("interval", _INTERVAL), ecn=ecn)
    if options:
        hint = "'codel target 5ms interval 100ms'" if kind == "codel" else f"only {kind!r}"
        raise Wrong(f"{value!r} has options that {kind} does not take", f"write {hint}")
    return Queue(kind)


def _red(options: list[str], ecn: bool) -> Queue:
    if len(options) not in (2, 3):
        raise Wrong(f"red takes two sizes and a probability, not {' '.join(options)!r}", "as in 'red 15kb 45kb 10%'")
    least, most = map(read_size, options[:2])
    if not 0 < least < most:
        raise Wrong(f"red drops nothing below {options[0]} and all above {options[1]}", "the first is less than the second")
    return Queue("red", least=least, most=most, probability=read_percentage(([*options, "10%"])[2]), ecn=ecn)


def _limit(value: object) -> Limit:
    words = value.split() if isinstance(value, str) else []
    if len(words) == 2 and words[1] in ("packets", "packet") and words[0].isascii() and words[0].isdigit():
        count = int(words[0]) if len(words[0]) < 9 else _MOST_PACKETS + 1
        if not 1 <= count <= _MOST_PACKETS:
            raise Wrong(f"{value!r} cannot be", f"from 1 to {_MOST_PACKETS} packets")
        return Limit(packets=count)
    if not isinstance(value, str):
        raise Wrong(f"{value!r} is not a limit", "text with a unit, such as '100 packets' or '64kb'")
    found = read_size(value)
    if found < _FULL_SIZE:
        raise Wrong(f"{value!r} has no room for a packet", f"at least {_FULL_SIZE}b, or '100 packets'")
    return Limit(bytes=found)


def _slot(value: object) -> tuple[int, int]:
    words = value.split() if isinstance(value, str) else []
    if len(words) not in (1, 2):
        raise Wrong(f"{value!r} is not a time between bunches", "such as '10ms' or '10ms 20ms'")
    least, most = _delay(words[0]), _delay(words[-1])
    if least > most or not most:
        raise Wrong(f"{value!r} is not a time between bunches", "the least and the greatest, as in '10ms 20ms'")
    return least, most


def _seed(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**64:
        raise Wrong(f"{value!r} is not a seed", "a whole number from 0 to 2^64-1")
    return value


_READERS: dict[str, Callable[[object], Any]] = {
    "delay": _delay,
    "jitter": _delay,
    "distribution": _distribution,
    "loss": _loss,
    "rate": read_rate,
    "queue": _queue,
    "limit": _limit,
    "duplicate": read_percentage,
    "reorder": read_percentage,
    "corrupt": read_percentage,
    "slot": _slot,
    "seed": _seed,
    "towards": _towards,
    "schedule": _schedule,
}
SETTINGS = tuple(name for name in _READERS if name != "towards")  # of a whole link; `towards` is of one direction
_WRITERS: dict[str, Callable[[Any], str]] = {
    "delay": duration,
    "jitter": duration,
    "distribution": str,
    "loss": str,
    "rate": rate,
    "queue": str,
    "limit": str,
    "duplicate": percentage,
    "reorder": percentage,
    "corrupt": percentage,
    "slot": lambda slot: " ".join(map(duration, slot)),
    "seed": str,
    "towards": _towards_text,
    "schedule": str,
}
