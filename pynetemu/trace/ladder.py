"""The ladder: one line per packet, one column per node.

ms    blue      s1        root
0.000 ●━━━━━━━━━○━━━━━━━━━▶    1 ARP who-has 10.0.0.1 tell blue
0.041 ◀━━━━━━━━━○━━━━━━━━━●    2 ARP 10.0.0.1 is-at 02:42:0a:00:00:01
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from pynetemu.trace.changes import on_the_way
from pynetemu.trace.columns import Row, involved, order
from pynetemu.trace.dissect import Packet, dissect
from pynetemu.trace.fates import Ending, Reason, died
from pynetemu.trace.journeys import Journey
from pynetemu.trace.style import Style
from pynetemu.trace.wiring import Wiring

_TIME = 9  # characters of the time and the space after it
_WIDEST, _NARROWEST = 10, 4
_TEXT = 44  # characters that the text should have at least


def ladder(rows: Sequence[Row], wiring: Wiring, style: Style) -> Iterator[str]:
    """The lines for these journeys, which are in the order of time."""
    if not rows:
        return
    columns, step = _layout(order(rows), style)
    if step == 0:
        yield from _listing(rows, wiring, style)
        return
    places = {node: number * step for number, node in enumerate(columns)}
    width = places[columns[-1]] + 1
    start = rows[0][0].time
    yield style.bold("   ms    " + "".join(_name(node, step).ljust(step) for node in columns).rstrip())
    for journey, endings in rows:
        packet = dissect(journey.first.data, wiring.name)
        drawn = _draw(journey, endings, places, width, style)
        shown = _paint(drawn, packet.protocol, style)
        text = _text(journey, endings, packet, wiring, style, _TIME + width, set(columns))
        yield f"{(journey.time - start) / 1e6:8.3f} {shown}{text}".rstrip()
        for ending in _told(endings):
            yield from _reason(ending.reason, _TIME + places.get(ending.node, 0), style)


def _layout(columns: list[str], style: Style) -> tuple[list[str], int]:
    """The columns, and how far they are apart: 0 when they do not fit, and ways are written as text instead."""
    longest = max(map(len, columns))
    step = max(_WIDEST, longest + 2)
    if style.width is None or len(columns) == 1:
        return columns, step
    room = style.width - _TIME - _TEXT
    step = min(step, max(_NARROWEST, room // max(1, len(columns) - 1)))
    return columns, step if (len(columns) - 1) * step <= room + _TEXT // 2 else 0


def _name(node: str, step: int) -> str:
    return node if len(node) < step else node[: step - 2] + "…"


def _draw(journey: Journey, endings: Sequence[Ending], places: dict[str, int], width: int, style: Style) -> list[str]:
    """The line of signs: the way first, then the nodes on it."""
    signs = style.signs
    line = [" "] * width
    for column in places.values():
        line[column] = signs.quiet
    nodes = involved(journey, endings)
    for sighting in journey.sightings:
        before = sighting.before
        if before is not None and {before.event.node, sighting.event.node} <= set(nodes):
            near, far = sorted((places[before.event.node], places[sighting.event.node]))
            for column in range(near + 1, far):
                line[column] = signs.line if line[column] in (" ", signs.line) else signs.crossing
    for node in nodes:
        line[places[node]] = signs.passing
    line[places[journey.first.node]] = signs.start
    for ending in endings:
        if ending.node in nodes:
            line[places[ending.node]] = _sign(ending, journey, places, style)
    return line


def _paint(line: list[str], protocol: str, style: Style) -> str:
    """The line in colours: what died stands out, who saw nothing steps back."""
    shown = []
    for sign, run in groupby(line):
        text = "".join(run)
        if sign == style.signs.dropped:
            shown.append(style.failed(text))
        elif sign == style.signs.quiet:
            shown.append(style.dim(text))
        else:
            shown.append(style.of_protocol(protocol, text) if sign != " " else text)
    return "".join(shown)


def _sign(ending: Ending, journey: Journey, places: dict[str, int], style: Style) -> str:
    signs = style.signs
    match ending.fate:
        case "dropped":
            return signs.dropped
        case "waiting":
            return signs.waiting
        case "ignored":
            return signs.passing
    if ending.node == journey.first.node and not journey.links_crossed:
        return signs.start
    before = ending.sighting.before
    came_from = places.get(before.event.node, 0) if before else places[journey.first.node]
    return signs.right if places[ending.node] >= came_from else signs.left


def _text(
    journey: Journey, endings: Sequence[Ending], packet: Packet, wiring: Wiring, style: Style, used: int, columns: set[str]
) -> str:
    head = f" {journey.number:>4} {packet.text}"
    if packet.protocol not in ("ARP", "ND") and packet.source and packet.inner is None:
        head += f"  {wiring.name(packet.source)} → {wiring.name(packet.destination)}"
    notes = on_the_way(journey, wiring.name)
    if journey.again:
        notes.append("sent again")
    others = [ending.node for ending in endings if ending.fate == "ignored" and ending.node not in columns]
    if others:
        notes.append("also → " + ", ".join(dict.fromkeys(others)))
    head = style.cut(style.words(head), used)
    tail = style.cut(style.words("   " + " · ".join(notes)), used + len(head)) if notes else ""
    return style.of_protocol(packet.protocol, head) + style.dim(tail)


def _told(endings: Sequence[Ending]) -> list[Ending]:
    """The endings with a reason to tell; the same reason once."""
    told: dict[tuple[str, str], Ending] = {}
    for ending in endings:
        if ending.reason is not None and ending.fate != "ignored":
            told.setdefault((ending.node, ending.reason.text), ending)
    return list(told.values())


def _reason(reason: Reason | None, indent: int, style: Style) -> Iterator[str]:
    assert reason is not None
    corner = f"{style.signs.corner} "
    texts = [reason.text, *reason.details]
    longest = max(map(len, texts))
    if style.width is not None and indent + 2 + longest > style.width:
        indent = max(_TIME, style.width - longest - 2)
    for number, text in enumerate(texts):
        lead = corner if number == 0 else "    "
        words = style.cut(style.words(lead + text), indent)
        yield " " * indent + (style.failed(words) if number == 0 else style.dim(words))


def _listing(rows: Sequence[Row], wiring: Wiring, style: Style) -> Iterator[str]:
    """For ways through more nodes than fit side by side: each as text, blue→s1→…→root."""
    start = rows[0][0].time
    for journey, endings in rows:
        packet = dissect(journey.first.data, wiring.name)
        failed = died(endings)
        way = "→".join(involved(journey, endings)) + (style.signs.dropped if failed else "")
        yield f"{(journey.time - start) / 1e6:8.3f}{_text(journey, endings, packet, wiring, style, 9, set())}"
        yield style.dim(style.cut(style.words(" " * 14 + way), 0))
        for ending in _told(endings):
            yield from _reason(ending.reason, 14, style)
