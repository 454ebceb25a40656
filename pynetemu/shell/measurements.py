"""What pings and transfers have found, as text for people and as data."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from pynetemu.measure.ping import Ping, Pings
from pynetemu.measure.throughput import Throughput
from pynetemu.shell.answers import Answer, Table
from pynetemu.terminal_output import can_print, paint, width
from pynetemu.wording import counted, shortened

_MOST_LINES = 20
_VERSION = 1  # of the form in which results are kept: `--json`


@dataclass(frozen=True, slots=True)
class Pinged(Answer):
    """Pings of all pairs: a matrix of round trips, of marks when there are many nodes, and what is lost."""

    pings: Pings
    full: bool
    status: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", 130 if self.pings.interrupted else int(bool(self.pings.lost)))

    def text(self, everything: bool) -> str:
        parts = [self._pairs(everything)] if self.full else [*self._matrix(), *self._losses(everything)]
        return "\n".join([*parts, self._summary()])

    def data(self) -> object:
        return {
            "version": _VERSION,
            "sent": self.pings.sent,
            "received": self.pings.received,
            "loss": round(self.pings.loss, 6),
            "seconds": round(self.pings.seconds, 6),
            "interrupted": self.pings.interrupted,
            "pairs": [_pair_data(ping) for ping in self.pings.pairs if ping.sent],
        }

    def _pairs(self, everything: bool) -> str:
        rows = [
            (p.source, p.target, f"{p.received}/{p.sent}", *map(_ms, _spread(p.rtts)), p.error or None)
            for p in self.pings.pairs
            if p.sent
        ]
        return Table(("source", "target", "answers", "min", "avg", "max", "mdev", "note"), rows).text(everything)

    def _matrix(self) -> Iterator[str]:
        """Round trips where they fit the width, else marks, else nothing."""
        nodes = self.pings.nodes
        known = {(ping.source, ping.target): ping for ping in self.pings.pairs}
        name = max(map(len, nodes))
        column = max(5, *map(len, nodes)) + 2
        if name + column * len(nodes) <= width():
            yield " " * name + "".join(paint(node.rjust(column), "bold") for node in nodes)
            for source in nodes:
                cells = [_cell(known.get((source, target)), column) for target in nodes]
                yield paint(source.ljust(name), "bold") + "".join(cells)
        elif name + 1 + len(nodes) <= width() and self.pings.lost:
            for source in nodes:
                marks = "".join(_mark(known.get((source, target))) for target in nodes)
                yield f"{paint(source.ljust(name), 'bold')} {marks}"

    def _losses(self, everything: bool) -> Iterator[str]:
        """Who does not reach whom: nodes that answer nobody, then a line for each node with what else it misses."""
        answered = {ping.target for ping in self.pings.pairs if ping.rtts}
        silent = {ping.target for ping in self.pings.lost} - answered if len(self.pings.nodes) > 3 else set()
        if silent:
            yield f"{shortened(sorted(silent, key=self.pings.nodes.index))} {paint('answers nobody', 'red')}"
        missing: dict[str, list[Ping]] = {}
        for ping in self.pings.lost:
            if ping.target not in silent:
                missing.setdefault(ping.source, []).append(ping)
        shown = list(missing.items()) if everything else list(missing.items())[:_MOST_LINES]
        for source, pings in shown:
            reasons = sorted({ping.error for ping in pings if ping.error})
            because = f"  ({', '.join(reasons)})" if reasons else ""
            names = [ping.target for ping in pings]
            whom = "anybody" if len(names) == len(self.pings.nodes) - 1 - len(silent - {source}) > 2 else shortened(names)
            yield f"{paint(source, 'bold')} {paint('has no answer from', 'red')} {whom}{because}"
        if len(missing) > len(shown):
            yield f"and {counted(len(missing) - len(shown), 'more node')}; --all shows them"

    def _summary(self) -> str:
        pings = self.pings
        asked = sum(bool(ping.sent) for ping in pings.pairs)
        part = f", {asked} of {len(pings.pairs)} pairs" if asked < len(pings.pairs) else ""
        low, average, high, _ = _spread(pings.rtts)
        times = f"; rtt min/avg/max {_ms(low)}/{_ms(average)}/{_ms(high)} ms" if pings.rtts else ""
        text = f"{pings.received} of {pings.sent} answered, {_percent(pings.loss)} lost{part}, in {pings.seconds:.2f} s{times}"
        return paint(f"interrupted: {text}" if pings.interrupted else text, "red" if pings.lost else "green")


@dataclass(frozen=True, slots=True)
class Sent(Answer):
    """What has gone from one node to another."""

    found: Throughput
    status: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", int(self.found.bytes == 0))

    def text(self, everything: bool) -> str:  # noqa: ARG002
        found = self.found
        rate = paint(bits(found.rate), "bold")
        line = f"{found.source} to {found.target}: {rate} of {found.protocol.upper()} in {found.seconds:.1f} s"
        if found.protocol == "udp":
            line += f"; {found.received} of {found.sent} datagrams, {_percent(found.loss)} lost, jitter {found.jitter:.3f} ms"
        return line

    def data(self) -> object:
        found = self.found
        data: dict[str, object] = {
            "version": _VERSION,
            "source": found.source,
            "target": found.target,
            "protocol": found.protocol,
            "seconds": round(found.seconds, 6),
            "bytes": found.bytes,
            "bits_per_second": round(found.rate),
        }
        if found.protocol == "udp":
            data |= {"sent": found.sent, "received": found.received, "loss": found.loss, "jitter_ms": found.jitter}
        return data


def bits(rate: float) -> str:
    """bits(14.2e9) == "14.2 Gbit/s" """
    for unit, size in ("G", 1e9), ("M", 1e6), ("k", 1e3):
        if rate >= size:
            return f"{rate / size:.3g} {unit}bit/s" if rate < 999.5 * size else f"{rate / size:.0f} {unit}bit/s"
    return f"{rate:.0f} bit/s"


def _pair_data(ping: Ping) -> dict[str, object]:
    return {
        "source": ping.source,
        "target": ping.target,
        "address": ping.address,
        "sent": ping.sent,
        "received": ping.received,
        "rtts_ms": [round(rtt, 4) for rtt in ping.rtts],
        "error": ping.error or None,
    }


def _spread(rtts: Sequence[float]) -> tuple[float | None, ...]:
    """Least, mean, greatest and standard deviation, as ping(8) tells them."""
    return (min(rtts), fmean(rtts), max(rtts), pstdev(rtts)) if rtts else (None,) * 4


def _ms(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def _percent(part: float) -> str:
    """0%, 0.02%, 12%: never 0% for what is not nothing, nor 100% for what is not all."""
    digits = next(d for d in range(8) if part in (0, 1) or 0 < round(part, d + 2) < 1) if part else 0
    return f"{part * 100:.{digits}f}%"


def _cell(ping: Ping | None, column: int) -> str:
    if ping is None:
        return paint(("·" if can_print("·") else ".").rjust(column), "faint")
    if not ping.sent:
        return "?".rjust(column)
    if not ping.rtts:
        return paint("X".rjust(column), "bold red")
    text = _ms(fmean(ping.rtts))[:5]
    return text.rjust(column) if ping.answered else paint(f"{text}!".rjust(column), "red")


def _mark(ping: Ping | None) -> str:
    if ping is None or not ping.sent:
        return " " if ping is None else "?"
    return "." if ping.answered else paint("X", "bold red")
