"""The ladder: one line per packet, one column per node.

ms    blue      s1        root
0.000 ●━━━━━━━━━○━━━━━━━━━▶    1 ARP who-has 10.0.0.1 tell blue
0.041 ◀━━━━━━━━━○━━━━━━━━━●    2 ARP 10.0.0.1 is-at 02:42:0a:00:00:01
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from pynetemu.packets.dissect import Packet, dissect
from pynetemu.trace.evidence.meanwhile import Change
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.verdicts.verdict import Ending, died
from pynetemu.trace.views.changes import on_the_way
from pynetemu.trace.views.columns import Row, involved, order, way_to
from pynetemu.trace.views.style import Style
from pynetemu.wording import shortened

_TIME = 9  # characters of the time and the space after it
_WIDEST, _NARROWEST = 10, 4
_TEXT = 44  # characters that the text should have at least
_ALIGNED = 64  # texts up to so long have what follows them in one column


class Ladder:
    """Draws journeys, which are in the order of time."""

    def __init__(self, rows: Sequence[Row], wiring: Wiring, style: Style, changes: Sequence[Change] = ()) -> None:
        self._rows, self._wiring, self._style = rows, wiring, style
        self._changes = list(changes)
        self._told: dict[tuple[str, str], int] = {}  # reasons that have been told, with the packet's number
        self._packets = [dissect(journey.first.data, wiring.name) for journey, _ in rows]
        heads = [len(head) for packet in self._packets if len(head := self._head(packet)) <= _ALIGNED]
        self._column = max(heads, default=0)

    def lines(self) -> Iterator[str]:
        """The drawing, line by line; a list of what happened where the columns do not fit the terminal."""
        if not self._rows:
            return
        columns = order(self._rows)
        step = self._step(columns)
        if step == 0:
            yield from self._listing()
            return
        places = {node: number * step for number, node in enumerate(columns)}
        width = places[columns[-1]] + 1
        yield self._style.bold("   ms    " + "".join(_fit(node, step).ljust(step) for node in columns).rstrip())
        for (journey, endings), packet in zip(self._rows, self._packets, strict=True):
            yield from self._changed(journey.time)
            drawn = _paint(_draw(journey, endings, places, width, self._style), packet.protocol, self._style)
            text = self._text(journey, endings, packet, _TIME + width, set(columns))
            yield f"{self._time(journey)} {drawn}{text}".rstrip()
            yield from self._reasons(journey, endings, places)
        yield from self._changed(None)

    def _changed(self, until: int | None) -> Iterator[str]:
        """What changed in the lab before a packet, or after the last one, each with its time."""
        first = self._rows[0][0].time
        while self._changes and (until is None or self._changes[0].time < until):
            change = self._changes.pop(0)
            when = f"{(change.time - first) / 1e6:8.3f}"
            for number, line in enumerate(self._style.wrapped(self._style.words(f"! {change.text}"), _TIME, _TIME + 2)):
                yield self._style.bold(when + line[len(when) :] if number == 0 else line)

    def _time(self, journey: Journey) -> str:
        return f"{(journey.time - self._rows[0][0].time) / 1e6:8.3f}"

    def _step(self, columns: list[str]) -> int:
        """How far the columns are apart: 0 when they do not fit, and ways are written as text instead."""
        step = max(_WIDEST, max(map(len, columns)) + 2)
        if self._style.width is None or len(columns) == 1:
            return step
        room = self._style.width - _TIME - _TEXT
        step = min(step, max(_NARROWEST, room // max(1, len(columns) - 1)))
        return step if (len(columns) - 1) * step <= room + _TEXT // 2 else 0

    def _head(self, packet: Packet) -> str:
        if packet.protocol in ("ARP", "ND") or not packet.source or packet.inner is not None:
            return packet.text
        return f"{packet.text}  {self._wiring.name(packet.source)} → {self._wiring.name(packet.destination)}"

    def _text(self, journey: Journey, endings: Sequence[Ending], packet: Packet, used: int, columns: set[str]) -> str:
        style = self._style
        notes = on_the_way(journey, self._wiring.name)
        notes += ["sent again"] if journey.again else []
        others = [ending.node for ending in endings if ending.fate == "ignored" and ending.node not in columns]
        notes += [f"also → {_some(others)}"] if others else []
        head = style.cut(style.words(f" {journey.number:>4} {self._head(packet)}"), used)
        words = style.words("  " + " · ".join(notes)) if notes else ""
        padding = min(_ALIGNED, self._column) + 7 - len(head)
        if style.width is not None:  # the column is given up before the words are
            padding = min(padding, style.width - used - len(head) - len(words))
        tail = style.cut(" " * padding + words, used + len(head)) if notes else ""
        return style.of_protocol(packet.protocol, head) + style.dim(tail)

    def _reasons(self, journey: Journey, endings: Sequence[Ending], places: dict[str, int]) -> Iterator[str]:
        """Under a packet why it ended; a reason told before is pointed to."""
        for ending in endings:
            if ending.reason is None or ending.fate == "ignored":
                continue
            before = self._told.setdefault((ending.node, ending.reason.text), journey.number)
            indent = _TIME + places.get(ending.node, 0)
            if before == journey.number:
                yield from self._reason([ending.reason.text, *ending.reason.details], indent)
            elif ending.fate == "dropped":
                yield from self._reason([f"as packet {before}"], indent)

    def _reason(self, texts: Sequence[str], indent: int) -> Iterator[str]:
        style = self._style
        longest = max(map(len, texts))
        if style.width is not None and indent + 2 + longest > style.width:
            indent = max(_TIME, style.width - longest - 2)
        for number, text in enumerate(texts):
            lead = f"{style.signs.corner} " if number == 0 else "    "
            for line in style.wrapped(style.words(lead + text), indent, indent + 4):
                yield style.failed(line) if number == 0 else style.dim(line)

    def _listing(self) -> Iterator[str]:
        """For ways through more nodes than fit side by side: each as text, blue→s1→…→root."""
        for (journey, endings), packet in zip(self._rows, self._packets, strict=True):
            yield from self._changed(journey.time)
            yield self._time(journey) + self._text(journey, endings, packet, _TIME, set())
            yield from self._way(involved(journey, endings), died(endings))
            yield from self._reasons(journey, endings, {ending.node: 14 - _TIME for ending in endings})

    def _way(self, nodes: list[str], has_died: bool) -> Iterator[str]:
        """A way as text, on as many lines as it takes."""
        style = self._style
        line = " " * 14
        for number, node in enumerate(nodes):
            last = number == len(nodes) - 1
            step = style.words(node + (style.signs.dropped * has_died if last else "→"))
            if style.width is not None and len(line) + len(step) > style.width and line.strip():
                yield style.dim(line)
                line = " " * 14
            line += step
        yield style.dim(line)


def _fit(node: str, step: int) -> str:
    return node if len(node) < step else node[: step - 2] + "…"


def _some(nodes: Sequence[str]) -> str:
    return shortened(list(dict.fromkeys(nodes)), 5)


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
    """The line in colors: what died stands out, who saw nothing steps back."""
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
    before = ending.sighting.before
    if ending.fate == "dropped":
        return signs.dropped
    if ending.fate == "waiting":
        return signs.waiting
    if ending.fate == "ignored":
        return signs.passing
    if before is None:
        return signs.start
    way = way_to(ending.sighting)
    came_from = places.get(way[-2], places[journey.first.node]) if len(way) > 1 else 0
    return signs.right if places[ending.node] >= came_from else signs.left
