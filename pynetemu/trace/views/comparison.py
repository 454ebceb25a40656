"""Two traces beside each other: which packets took another path, or came to another end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pynetemu.packets.background import is_background
from pynetemu.packets.dissect import dissect
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.verdicts.outcome import BAD, outcome
from pynetemu.trace.verdicts.verdict import Ending
from pynetemu.trace.views.columns import way_to
from pynetemu.trace.views.style import Style
from pynetemu.wording import counted

if TYPE_CHECKING:
    from pynetemu.trace.verdicts.record import TraceRecord

_MOST = 40  # packets that are shown


@dataclass(frozen=True, slots=True)
class PacketDifference:
    """A packet of two traces: `before` and `after` are its paths, empty in the trace that has none like it.

    `what` says how they differ; `parts` is the last node that both were in before their paths parted, "" where one follows the
    other to its end. `reasons` are why it went no further, before and after, "" where it arrived.
    """

    text: str
    what: Literal["the same", "path", "end", "only before", "only after"]
    before: tuple[str, ...]
    after: tuple[str, ...]
    parts: str = ""
    reasons: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A packet of one of the traces, as far as it is compared."""

    text: str
    path: tuple[str, ...]
    reason: str


def differences(before: "TraceRecord", after: "TraceRecord") -> list[PacketDifference]:
    """Each packet with the one like it in the other trace: of the same kind, made by the same part, in the same order."""
    ours, theirs = _packets(before), _packets(after)
    keys = [*dict.fromkeys([*ours, *theirs])]
    return [_difference(ours.get(key), theirs.get(key)) for key in keys]


def _packets(trace: "TraceRecord") -> dict[tuple[object, ...], _Seen]:
    """By kind, who made it, and its number among those; questions for MAC addresses only where they went wrong."""
    found: dict[tuple[object, ...], _Seen] = {}
    numbers: dict[tuple[object, ...], int] = {}
    own = {line.node for line in trace.lines}
    for journey in trace:
        packet, endings = dissect(journey.first.data), trace.endings(journey)
        bad = any(ending.fate in BAD for ending in endings)
        if is_background(journey.first.data) or (packet.protocol in ("ARP", "ND") and not bad):
            continue
        key = packet.protocol, packet.kind, journey.first.node in own
        numbers[key] = numbers.get(key, 0) + 1
        found[*key, numbers[key]] = _seen(trace, journey, endings)
    return found


def _seen(trace: "TraceRecord", journey: Journey, endings: Sequence[Ending]) -> _Seen:
    name = trace.wiring.name
    packet = dissect(journey.first.data, name)
    between = "" if packet.protocol in ("ARP", "ND") else f"  {name(packet.source)} → {name(packet.destination)}"
    good = [ending for ending in endings if ending.fate == "delivered"]
    ended = [*good, *(ending for ending in endings if ending.fate in BAD), *endings]
    path = way_to(ended[0].sighting) if ended else list(journey.path)
    bad = [] if good else [ending.reason.text for ending in endings if ending.reason and ending.fate in BAD]
    return _Seen(packet.text + between, tuple(path), bad[0] if bad else "")


def _difference(before: _Seen | None, after: _Seen | None) -> PacketDifference:
    if before is None or after is None:
        seen = before or after
        assert seen is not None
        if before is None:
            return PacketDifference(seen.text, "only after", (), seen.path, "", ("", seen.reason))
        return PacketDifference(seen.text, "only before", seen.path, (), "", (seen.reason, ""))
    reasons = before.reason, after.reason
    if before.path != after.path:
        both = zip(before.path, after.path, strict=False)
        shared = next(
            (number for number, (one, other) in enumerate(both) if one != other), min(map(len, (before.path, after.path)))
        )
        parts = before.path[shared - 1] if 0 < shared < min(len(before.path), len(after.path)) else ""
        return PacketDifference(after.text, "path", before.path, after.path, parts, reasons)
    what: Literal["end", "the same"] = "the same" if reasons[0] == reasons[1] else "end"
    return PacketDifference(after.text, what, before.path, after.path, "", reasons)


def comparison(before: "TraceRecord", after: "TraceRecord", style: Style) -> str:
    """As text: the packets that differ with both paths, those that do not by their number, and what each trace came to."""
    found = differences(before, after)
    unlike = [one for one in found if one.what != "the same"]
    lines = [line for one in unlike[:_MOST] for line in _lines(one, style)]
    if len(unlike) > _MOST:
        lines.append(style.dim(f"   … {counted(len(unlike) - _MOST, 'more packet')} that differ"))
    if same := len(found) - len(unlike):
        lines.append(style.dim(f"   {counted(same, 'packet')} took the same path to the same end"))
    for name, trace in (("before", before), ("after", after)):
        lines += _outcome(name, trace, style)
    return "\n".join(lines)


def _lines(one: PacketDifference, style: Style) -> Iterator[str]:
    arrow = f" {style.signs.arrow} "
    yield style.bold(style.words(f" {one.text}"))
    for name, path, reason in (("before", one.before, one.reasons[0]), ("after", one.after, one.reasons[1])):
        if not path:
            yield style.dim(f"   {name:<6}  not seen")
            continue
        sign = style.signs.dropped if reason else style.signs.fine
        yield from style.wrapped(style.words(f"{name:<6}  {arrow.join(path)} {sign}"), 3, 11)
        if reason:
            yield from map(style.failed, style.wrapped(style.words(reason), 11))
    if one.parts:
        yield style.dim(f"   the paths part at {one.parts}")


def _outcome(name: str, trace: "TraceRecord", style: Style) -> Iterator[str]:
    rows = [(journey, trace.endings(journey)) for journey in trace if not is_background(journey.first.data)]
    found = outcome(trace, rows)
    if found.cause is not None:
        told = style.words(f"{style.signs.dropped} {name}: {found.cause.text}")
        yield from map(style.failed, style.wrapped(told, 1, 3))
        if found.cause.hint:
            yield style.words(f"   try: {found.cause.hint}")
    elif found.status:
        yield style.bold(f" ! {name}: no packet was lost, and the line failed with status {found.status}")
    else:
        yield style.fine(f" {style.signs.fine} {name}: {found.answered or 'all arrived'}")
