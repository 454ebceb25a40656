"""Which nodes a ladder shows, in which order: that of the packets' ways."""

from collections.abc import Sequence

from pynetemu.trace.fates import Ending
from pynetemu.trace.journeys import Journey, Sighting

Row = tuple[Journey, Sequence[Ending]]


def involved(journey: Journey, endings: Sequence[Ending]) -> list[str]:
    """The nodes on the ways that led somewhere; of a copy that nobody wanted, only those are left out that saw nothing else."""
    wanted = [ending.sighting for ending in endings if ending.fate != "ignored"]
    nodes: set[str] = {journey.first.node}
    for leaf in wanted:
        sighting: Sighting | None = leaf
        while sighting is not None:
            nodes.add(sighting.event.node)
            sighting = sighting.before
    return [node for node in journey.path if node in nodes]


def order(rows: Sequence[Row]) -> list[str]:
    """The nodes of all rows: first the longest way in its order, then each other node beside the one it came from."""
    ways = [involved(journey, endings) for journey, endings in rows]
    columns: list[str] = []
    for way in sorted(ways, key=len, reverse=True):
        for number, node in enumerate(way):
            if node not in columns:
                before = way[number - 1] if number else None
                at = columns.index(before) + 1 if before in columns else len(columns)
                columns.insert(at, node)
    if rows and columns and columns.index(rows[0][0].first.node) > len(columns) // 2:
        columns.reverse()
    return columns
