"""Connections that were made and came to nothing: reset, closed, left or stalled, before their server said a word or after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pynetemu.trace.journeys.flows import Side, segment_of, window_of
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.verdicts.case import PACKETS
from pynetemu.trace.verdicts.verdict import Reason

_LONG = 300_000_000  # ns of silence that are told when a client ends a connection that its server has not ended
_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10


@dataclass(slots=True)
class _Connection:
    """What each side has sent; `ends` has the first packet of each that ends its side, `shut` who had no room in the end."""

    client: str
    server: str
    asking: Side
    asked: Side
    bytes_sent: dict[Side, int]
    opened: int
    last: int = 0
    ends: dict[Side, tuple[Journey, int]] = field(default_factory=dict)
    shut: dict[Side, Journey] = field(default_factory=dict)
    heard: int = 0  # when the server sent something last
    has_come: bool = True  # whether the client has got that
    asked_last: int = 0  # when the client sent data last


def came_to_nothing(journeys: Sequence[Journey]) -> Iterator[Reason]:
    """Connections whose client has asked for something, and that ended without an answer, or stand still."""
    for connection in _connections(journeys):
        said_nothing = connection.bytes_sent[connection.asking] and not connection.bytes_sent[connection.asked]
        reason = _stalled(connection) or (_ending(connection) if said_nothing else _cut_off(connection))
        if reason is not None:
            yield reason


def _connections(journeys: Sequence[Journey]) -> list[_Connection]:
    """Those whose handshake was seen, as their client sees them: translation on the way gives no second one."""
    found: dict[frozenset[Side], _Connection] = {}
    for journey in journeys:
        segment = segment_of(journey.first.data)
        if segment is None:
            continue
        sender, receiver, flags, size = segment
        key = frozenset((sender, receiver))
        if flags & (_SYN | _ACK) == _SYN | _ACK and key not in found:
            server, client = journey.path[0], journey.path[-1]
            found[key] = _Connection(client, server, receiver, sender, {sender: 0, receiver: 0}, journey.time)
            continue
        if key not in found:
            key = _translated(journey, found) or key
        if key in found:
            _add(found[key], journey, (sender, flags, size))
    return list(found.values())


def _translated(journey: Journey, found: dict[frozenset[Side], _Connection]) -> frozenset[Side] | None:
    """The connection that a segment belongs to by how it looked elsewhere on its way."""
    for sighting in journey.sightings:
        segment = segment_of(sighting.event.data)
        if segment is not None and (key := frozenset(segment[:2])) in found:
            return key
    return None


def _add(connection: _Connection, journey: Journey, segment: tuple[Side, int, int]) -> None:
    sender, flags, size = segment
    side = connection.asking if journey.first.node == connection.client or sender == connection.asking else connection.asked
    connection.last = max(connection.last, journey.time)
    if side == connection.asked and size:
        connection.heard, connection.has_come = journey.time, connection.client in journey.path
    elif size:
        connection.asked_last = journey.time
    connection.bytes_sent[side] += 0 if journey.again else size
    if flags & (_FIN | _RST):
        connection.ends.setdefault(side, (journey, flags))
    elif window_of(journey.first.data) == 0:
        connection.shut[side] = journey
    else:
        connection.shut.pop(side, None)


def _stalled(connection: _Connection) -> Reason | None:
    """One side has no room for more, and has not made any until the end: its program does not read."""
    for side, journey in connection.shut.items():
        node = connection.client if side == connection.asking else connection.server
        text = f"the connection stalled: {node} takes no more, its receive window is 0, see packet {journey.number}"
        details = (f"a program of {node} does not read what it has got",)
        return Reason("stalled", text, details, f"{node} ss -tnmp", PACKETS)
    return None


def _cut_off(connection: _Connection) -> Reason | None:
    """A connection that its server reset while it was answering."""
    ended, ours = connection.ends.get(connection.asked), connection.ends.get(connection.asking)
    if (
        ended is None
        and ours is not None
        and connection.heard
        and connection.has_come
        and ours[0].time - connection.heard > _LONG
    ):
        sent, seconds = connection.bytes_sent[connection.asked], (ours[0].time - connection.heard) / 1e9
        text = f"{connection.server} stopped sending after {sent} bytes: {connection.client} gave up {seconds:.1f} s later"
        return Reason("connection", text, (), f"{connection.server} ss -tnp", PACKETS)
    if ended is None or not ended[1] & _RST or connection.ends.get(connection.asking, (ended[0], 0))[0].time < ended[0].time:
        return None
    sent = connection.bytes_sent[connection.asked]
    text = f"{connection.server} reset the connection after {sent} bytes, see packet {ended[0].number}"
    return Reason("connection", text, (), f"{connection.server} ss -tnp", PACKETS)


def _ending(connection: _Connection) -> Reason | None:
    ours, theirs = connection.ends.get(connection.asking), connection.ends.get(connection.asked)
    has_shut = ours is not None and not ours[1] & _RST and ours[0].time - connection.asked_last < _LONG  # it waits still
    if theirs is not None and (ours is None or has_shut or theirs[0].time <= ours[0].time):
        verb = "reset" if theirs[1] & _RST else "closed"
        text = f"{connection.server} {verb} the connection without an answer, see packet {theirs[0].number}"
        return Reason("connection", text, (), f"{connection.server} ss -tnp", PACKETS)
    if has_shut:
        text = f"{connection.server} has sent nothing on the connection, which {connection.client} closed when it had asked"
        return Reason("connection", text, (), f"{connection.server} ss -tnp", PACKETS)
    if ours is not None:
        seconds = (ours[0].time - connection.opened) / 1e9
        text = f"{connection.server} has sent nothing on the connection: {connection.client} gave up after {seconds:.1f} s"
        return Reason("connection", text, (), f"{connection.server} ss -tnp", PACKETS)
    return None
