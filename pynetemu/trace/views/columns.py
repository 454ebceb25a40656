"""Which nodes a ladder shows, in which order: that of the packets' ways."""

from collections.abc import Sequence

from pynetemu.trace.journeys.journey import Journey, Sighting
from pynetemu.trace.verdicts.verdict import Ending

Row = tuple[Journey, Sequence[Ending]]

_MOST_COPIES = 6  # nodes that got a copy of what was for nobody: more are only named


def involved(journey: Journey, endings: Sequence[Ending]) -> list[str]:
    """The nodes on the ways that led somewhere; copies that nobody wanted are left out, unless there was nothing else."""
    nodes = {journey.first.node}
    wanted = [ending.sighting for ending in endings if ending.fate not in ("ignored", "unanswered")]
    wanted += [ending.sighting for ending in endings if ending.fate == "unanswered" and ending.sighting.before]
    if not wanted and len(journey.path) <= _MOST_COPIES:
        wanted = journey.leaves
    for leaf in wanted:
        nodes.update(way_to(leaf))
    return [node for node in journey.path if node in nodes]


def way_to(leaf: Sighting) -> list[str]:
    """The nodes from where a packet began to where it was seen, each stay once: ["blue", "s1", "root"]."""
    way: list[str] = []
    sighting: Sighting | None = leaf
    while sighting is not None:
        if not way or way[-1] != sighting.event.node:
            way.append(sighting.event.node)
        sighting = sighting.before
    return way[::-1]


def order(rows: Sequence[Row]) -> list[str]:
    """The nodes of all rows: first the longest way in its order, then each other node beside the one it came from."""
    ways = [involved(journey, endings) for journey, endings in rows]
    columns: list[str] = []
    came_from: dict[str, str] = {}
    for way in sorted(ways, key=len, reverse=True):
        for number, node in enumerate(way):
            if node not in columns:
                came_from[node] = way[number - 1] if number else ""
                columns.insert(_place_beside(came_from[node], columns, came_from), node)
    if rows and columns and columns.index(rows[0][0].first.node) > len(columns) // 2:
        columns.reverse()
    return columns


def _place_beside(node: str, columns: list[str], came_from: dict[str, str]) -> int:
    """Where what came from a node goes: behind others from there that lead no further, so that ways cross little."""
    if node not in columns:
        return len(columns)
    at = columns.index(node) + 1
    while at < len(columns) and came_from[columns[at]] == node:
        if at + 1 < len(columns) and came_from[columns[at + 1]] == columns[at]:
            break
        at += 1
    return at
