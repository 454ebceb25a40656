"""Connections that were made and came to nothing: reset, closed, or left, before their server said a word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.verdicts.verdict import Reason

_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10
_TCP = 6
_SEEN = "the packets"

_Side = tuple[bytes, bytes]  # an address and a port


@dataclass(slots=True)
class _Connection:
    """What each side has sent; `ends` has the first packet of each that ends its side."""

    client: str
    server: str
    bytes_sent: dict[_Side, int]
    opened: int
    ends: dict[_Side, tuple[Journey, int]] = field(default_factory=dict)


def came_to_nothing(journeys: Sequence[Journey]) -> Iterator[Reason]:
    """Connections whose client has asked for something, and whose server has sent no byte of an answer."""
    open_ones: dict[frozenset[_Side], tuple[_Side, _Connection]] = {}
    for journey in journeys:
        segment = _segment(journey.first.data)
        if segment is None:
            continue
        sender, receiver, flags, size = segment
        key = frozenset((sender, receiver))
        if flags & (_SYN | _ACK) == _SYN | _ACK and key not in open_ones:
            server, client = journey.path[0], journey.path[-1]
            open_ones[key] = receiver, _Connection(client, server, {sender: 0, receiver: 0}, journey.time)
        elif key in open_ones:
            connection = open_ones[key][1]
            connection.bytes_sent[sender] += size
            if flags & (_FIN | _RST):
                connection.ends.setdefault(sender, (journey, flags))
    for key, (asking, connection) in open_ones.items():
        asked = next((side for side in key if side != asking), asking)
        said_nothing = connection.bytes_sent[asking] and not connection.bytes_sent[asked]
        if said_nothing and (reason := _ending(connection, asking, asked)):
            yield reason


def _ending(connection: _Connection, client: _Side, server: _Side) -> Reason | None:
    ours, theirs = connection.ends.get(client), connection.ends.get(server)
    if theirs is not None and (ours is None or theirs[0].time <= ours[0].time):
        verb = "reset" if theirs[1] & _RST else "closed"
        text = f"{connection.server} {verb} the connection without an answer, see packet {theirs[0].number}"
        return Reason("connection", text, (), f"{connection.server} ss -tnp", _SEEN)
    if ours is not None and theirs is None:
        seconds = (ours[0].time - connection.opened) / 1e9
        text = f"{connection.server} has sent nothing on the connection: {connection.client} gave up after {seconds:.1f} s"
        return Reason("connection", text, (), f"{connection.server} ss -tnp", _SEEN)
    return None


def _segment(frame: bytes) -> tuple[_Side, _Side, int, int] | None:
    """The sender, the receiver, the flags and the size of the payload of a frame with TCP."""
    if frame[12:14] == b"\x08\x00" and len(frame) >= 34 and frame[23] == _TCP and not int.from_bytes(frame[20:22]) & 0x1FFF:
        at, size, addresses = 14 + (frame[14] & 15) * 4, int.from_bytes(frame[16:18]), (frame[26:30], frame[30:34])
    elif frame[12:14] == b"\x86\xdd" and len(frame) >= 54 and frame[20] == _TCP:
        at, size, addresses = 54, 40 + int.from_bytes(frame[18:20]), (frame[22:38], frame[38:54])
    else:
        return None
    if len(frame) < at + 20:
        return None
    payload = size - (at - 14) - (frame[at + 12] >> 4) * 4
    return (addresses[0], frame[at : at + 2]), (addresses[1], frame[at + 2 : at + 4]), frame[at + 13], max(0, payload)
