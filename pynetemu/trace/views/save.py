"""A trace as a pcapng file for Wireshark: each packet at each interface that saw it, by one number."""

import os
from typing import TYPE_CHECKING

from pynetemu.capture.pcapng import Writer
from pynetemu.trace.journeys.journey import Journey, Sighting
from pynetemu.trace.saved import as_block, as_json

if TYPE_CHECKING:
    from pynetemu.trace.verdicts.record import TraceRecord

_DROPS = ("drops", "packets that the kernel dropped, each with its reason as comment")


def save(trace: "TraceRecord", file: str | os.PathLike[str]) -> None:
    """As JSON where the name ends so, else as pcapng, which has the same in a block of its own. Raises OSError."""
    if os.fspath(file).endswith(".json"):
        content = as_json(trace)
        with open(file, "wb") as output:
            output.write(content)
        return
    block = as_block(trace)
    with open(file, "wb") as output:
        writer = Writer(output, f"a trace by pynetemu, seen by {trace.engine}, {trace.lost} packets missed")
        writer.names({address: trace.wiring.name(address) for address, nodes in trace.wiring.owners.items() if len(nodes) == 1})
        numbers: dict[tuple[str, str], int] = {}
        seen = [(sighting, journey) for journey in trace for sighting in journey.sightings]
        for sighting, journey in sorted(seen, key=lambda pair: pair[0].event.time):
            event = sighting.event
            place = ("", "") if event.kind == "drop" else (event.node, event.interface)
            if place not in numbers:
                numbers[place] = writer.interface(*_described(trace, place))
            outgoing = None if event.kind == "drop" else event.kind == "out"
            comment = _comment(trace, journey, sighting)
            writer.packet(numbers[place], event.time, event.data, event.length, outgoing, journey.number, comment)
        writer.custom(block)


def _described(trace: "TraceRecord", place: tuple[str, str]) -> tuple[str, str]:
    if place == ("", ""):
        return _DROPS
    peer = trace.wiring.peers.get(place)
    return ":".join(place), f"{place[0]}, link to {peer[0]}" if peer else place[0]


def _comment(trace: "TraceRecord", journey: Journey, sighting: Sighting) -> str:
    reasons = [ending.reason for ending in trace.endings(journey) if ending.sighting is sighting and ending.reason]
    return "; ".join(" · ".join((reason.text, *reason.details)) for reason in reasons)
