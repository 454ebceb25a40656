"""Durations, rates, sizes and percentages as tc(8) writes them: one reader and one printer for each.

    read_duration("20ms") == 20_000_000         nanoseconds
    read_rate("100mbit") == 100_000_000         bits per second
    read_size("64kb") == 65_536                 bytes
    read_percentage("0.5%") == Fraction(1, 200)

    duration(20_000_000) == "20ms", rate(100_000_000) == "100mbit", size(65_536) == "64kb"

What the printers give, the readers read back to the same value. Case does not matter, as for tc. A number without a unit is
refused, since readers disagree about it: to tc a time of 20 is 20 µs, to ping 20 s, and a loss of 0.5 may be a half or half a
percent. All readers raise Wrong, which says what is allowed.
"""

from fractions import Fraction

from pynetemu.plan.problems import Wrong

_DURATIONS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
_DURATION_NAMES = {
    **_DURATIONS,
    "nsec": 1,
    "nsecs": 1,
    "usec": 10**3,
    "usecs": 10**3,
    "µs": 10**3,
    "msec": 10**6,
    "msecs": 10**6,
    "sec": 10**9,
    "secs": 10**9,
    "m": 60 * 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
}
_RATES = {"bit": 1, "kbit": 10**3, "mbit": 10**6, "gbit": 10**9, "tbit": 10**12}
_RATE_NAMES = {
    **_RATES,
    "kibit": 2**10,
    "mibit": 2**20,
    "gibit": 2**30,
    "tibit": 2**40,
    "bps": 8,
    "kbps": 8 * 10**3,
    "mbps": 8 * 10**6,
    "gbps": 8 * 10**9,
    "tbps": 8 * 10**12,
    "kibps": 8 * 2**10,
    "mibps": 8 * 2**20,
    "gibps": 8 * 2**30,
    "tibps": 8 * 2**40,
}
_SIZES = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30}
_SIZE_NAMES = {**_SIZES, "k": 2**10, "m": 2**20, "g": 2**30}
_MOST = {"time": 2**63 - 1, "rate": 2**63 - 1, "size": 2**32 - 1}  # what the kernel's attributes hold: __s64, __u64, __u32


def read_duration(text: object) -> int:
    """A length of time in nanoseconds: "20ms", "1.5s", "200us", "2min". Raises Wrong."""
    return _read("time", text, _DURATION_NAMES, "20ms, 1.5s or 200us")


def read_rate(text: object) -> int:
    """Bits per second, more than 0: "100mbit", "2.5gbit". Bytes per second ("mbps" to tc) are refused. Raises Wrong."""
    number, unit = _split("rate", text, "100mbit or 2.5gbit")
    if unit.endswith("bps"):
        meant = f"{number}{unit.removesuffix('ps')}it"
        raise Wrong(f"{text!r} is ambiguous: {unit} is bytes per second to tc(8), and bits to many people", f"write {meant}")
    value = _read("rate", text, _RATE_NAMES, "100mbit or 2.5gbit")
    if value == 0:
        raise Wrong(f"{text!r} lets nothing pass", "a rate must be more than 0; take a link down with up=False")
    return value


def read_size(text: object) -> int:
    """A number of bytes: "64kb" is 65,536 as for tc(8), "1500b". Raises Wrong."""
    return _read("size", text, _SIZE_NAMES, "1500b, 64kb or 1mb")


def read_percentage(text: object) -> Fraction:
    """A share from 0 to 1, written with its sign: "0.5%" is Fraction(1, 200). Raises Wrong."""
    number, unit = _split("percentage", text, "0.5% or 10%")
    if unit != "%":
        hint = f"write {number}%" if not unit else "a percentage ends in %, as 0.5%"
        raise Wrong(f"{text!r} is not a percentage", hint)
    share = Fraction(number) / 100
    if share > 1:
        raise Wrong(f"{text!r} is more than 100%", "a percentage is from 0% to 100%")
    return share


def duration(nanoseconds: int) -> str:
    """As `read_duration` reads it, in the largest unit that needs no fraction, or at most three decimals."""
    return _written(nanoseconds, _DURATIONS)


def rate(bits: int) -> str:
    """As `read_rate` reads it."""
    return _written(bits, _RATES)


def size(count: int) -> str:
    """As `read_size` reads it."""
    return _written(count, _SIZES)


def percentage(share: Fraction) -> str:
    """As `read_percentage` reads it; a share without an end in decimals is cut after twelve."""
    return f"{_decimal(share * 100)}%"


def _read(what: str, text: object, units: dict[str, int], examples: str) -> int:
    number, unit = _split(what, text, examples)
    if unit not in units:
        known = ", ".join(units)
        raise Wrong(f"{text!r} has no unit that {what}s have", f"such as {examples}; the units are {known}")
    value = Fraction(number) * units[unit]
    if value.denominator != 1:
        value = Fraction(round(value))
    if value > _MOST[what]:
        raise Wrong(f"{text!r} is too large a {what}", f"at most {_written(_MOST[what], {unit: units[unit]})}")
    return int(value)


def _split(what: str, text: object, examples: str) -> tuple[str, str]:
    """The number and the unit of a text, "20" and "ms" of "20 ms"; without a unit it is refused where one is needed."""
    if not isinstance(text, str):
        raise Wrong(
            f"{text!r} is not a {what}", f'it is text with a unit, such as "{examples.partition(",")[0].partition(" ")[0]}"'
        )
    stripped = text.strip().lower()
    number = stripped.rstrip("abcdefghijklmnopqrstuvwxyzµ%").rstrip()
    unit = stripped[len(number) :].strip()
    whole, point, decimals = number.partition(".")
    digits = whole + decimals
    if not (digits.isascii() and digits.isdigit()) or (point and not decimals) or len(digits) > 30:
        raise Wrong(f"{text!r} is not a {what}", f"it is a number and a unit, such as {examples}")
    if not unit:
        raise Wrong(f"{text!r} has no unit", f"say which, such as {examples}")
    return number, unit


def _written(value: int, units: dict[str, int]) -> str:
    for unit, factor in reversed(units.items()):
        amount = Fraction(value, factor)
        if amount >= 1 and (amount * 1000).denominator == 1:
            return f"{_decimal(amount)}{unit}"
    unit, factor = next(iter(units.items()))
    return f"{_decimal(Fraction(value, factor))}{unit}"


def _decimal(number: Fraction) -> str:
    whole, rest = divmod(number, 1)
    decimals = f"{int(rest * 10**12):012d}".rstrip("0")
    return f"{int(whole)}.{decimals}" if decimals else str(int(whole))
