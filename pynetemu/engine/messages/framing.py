"""What all families of netlink have in common (netlink(7)): messages in a datagram, attributes, refusals, dumps.

    body = link_body + attribute(IFLA_IFNAME, b"eth0\\0")
    ask(connection, RTM_NEWLINK, body)                 what the kernel answers, until it says that it is done
    dump(connection, RTM_GETLINK, link_body)           all links

What the kernel refuses is raised as `Refusal`, and what is not a message as OSError with EBADMSG: nothing else is raised for
bytes that are not as they should be.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from itertools import accumulate, count
from typing import Any, NamedTuple

REQUEST, ACK, DUMP = 0x1, 0x4, 0x300  # NLM_F_*
CREATE, EXCLUSIVE, REPLACE = 0x400, 0x200, 0x100
ERROR, DONE = 2, 3  # types of messages of every family: NLMSG_ERROR, NLMSG_DONE
NESTED = 0x8000  # NLA_F_NESTED
_INTERRUPTED = 0x10  # NLM_F_DUMP_INTR: what is dumped has changed between two datagrams
_CAPPED, _HAS_WORDS = 0x100, 0x200  # NLM_F_CAPPED, NLM_F_ACK_TLVS, in the flags of an error
_WORDS = 1  # NLMSGERR_ATTR_MSG
_DATAGRAM = 1 << 17  # bytes; the kernel keeps below that
_MOST_DUMPS = 10

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence number, port
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr and struct nlattr: length, type
_CODE = struct.Struct("=i")  # the start of struct nlmsgerr
_PADDING = (b"", bytes(3), bytes(2), bytes(1))

_sequence_numbers = count(1)
Attributes = Mapping[int, bytes]  # by their type


class Message(NamedTuple):
    """A message of a datagram; `body` is what follows its header."""

    type: int
    flags: int
    sequence: int
    body: bytes


class Refusal(OSError):
    """The kernel has refused a request: its errno, and its text for it (extended acknowledgement) or errno's."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(code, reason)


def pack(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """A message, with struct nlmsghdr before its body."""
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    """An attribute, padded to 4 bytes."""
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + _PADDING[len(value) & 3]


def text(kind: int, value: str) -> bytes:
    """A string as an attribute, which ends with a zero byte."""
    return attribute(kind, os.fsencode(value) + b"\0")


def as_text(value: bytes) -> str:
    """The string of an attribute, to be shown: the kernel takes any bytes as an interface's name."""
    return value.rstrip(b"\0").decode(errors="backslashreplace")


def messages(data: bytes) -> Iterator[Message]:
    """The messages of a datagram."""
    return map(Message._make, _each(data))


def bodies(data: bytes) -> list[tuple[int, bytes]]:
    """Their types and bodies alone, of a dump that is passed on whole: of a large lab there are tens of thousands."""
    return [(kind, body) for kind, _, _, body in _each(data)]


def _each(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    offset, end, read = 0, len(data), _HEADER.unpack_from
    while offset < end:
        length, kind, flags, sequence, _ = read(data, offset) if offset + 16 <= end else (0, 0, 0, 0, 0)
        if length < 16 or offset + length > end:
            raise malformed(f"a message of {length} bytes where {end - offset} are left")
        yield kind, flags, sequence, data[offset + 16 : offset + length]
        offset += (length + 3) & ~3


def by_type(data: bytes, offset: int = 0) -> Attributes:
    """The attributes from an offset on by their type; of several of a type the last."""
    layout = _layout(data, offset)
    return dict(attributes(data, offset)) if layout is None else _LaidOut(layout.places, data, offset)


def attributes(data: bytes, offset: int = 0) -> list[tuple[int, bytes]]:
    """The attributes from an offset on, as (type, value), the type without its two flags (NLA_TYPE_MASK)."""
    layout = _layout(data, offset)
    if layout is not None:
        return list(zip(layout.kinds, layout.values.unpack_from(data, offset), strict=True))
    heads: list[int] = []
    found = []
    start, end, read = offset, len(data), _ATTRIBUTE.unpack_from
    while offset + 4 <= end:
        length, kind = read(data, offset)
        if length < 4 or offset + length > end:
            raise malformed(f"attribute {kind & 0x3FFF} of {length} bytes where {end - offset} are left")
        heads += (length, kind)
        found.append((kind & 0x3FFF, data[offset + 4 : offset + length]))
        offset += (length + 3) & ~3
    if len(found) >= _WORTH_KNOWING:
        _note(len(data) - start, tuple(heads))
    return found


class _Layout:
    """Where the attributes of a message are. A link has fifty, and those of a lab's thousand links are all at the same places:
    then two structures take a message apart, one that has the lengths and types only, which must be these, and one that has
    the values. That is three times as fast as going from one to the next."""

    def __init__(self, expected: tuple[int, ...]) -> None:
        lengths, kinds = expected[::2], expected[1::2]
        padded = [(length - 4, -length & 3) for length in lengths]
        padded[-1] = padded[-1][0], 0  # there need not be any behind the last one
        self.expected = expected
        self.kinds = tuple(kind & 0x3FFF for kind in kinds)
        self.heads = struct.Struct("=" + "".join(f"HH{length + padding}x" for length, padding in padded))
        self.values = struct.Struct("=" + "".join(f"4x{length}s{padding}x" for length, padding in padded))
        ends = list(accumulate(4 + length + padding for length, padding in padded))
        begins = [4 + end for end in (0, *ends[:-1])]
        sizes = [length for length, _ in padded]
        self.places = {kind: (at, at + size) for kind, at, size in zip(self.kinds, begins, sizes, strict=True)}


class _LaidOut(Mapping[int, bytes]):
    """The attributes of a message whose layout is known: a reader wants a few of a link's fifty."""

    __slots__ = ("_data", "_offset", "_places")

    def __init__(self, places: dict[int, tuple[int, int]], data: bytes, offset: int) -> None:
        self._places, self._data, self._offset = places, data, offset

    def __getitem__(self, kind: int) -> bytes:
        begin, end = self._places[kind]
        return self._data[self._offset + begin : self._offset + end]

    def get(self, kind: int, default: Any = None) -> Any:
        """As of any mapping, which would catch an exception for those that are not there."""
        return self[kind] if kind in self._places else default

    def __contains__(self, kind: object) -> bool:
        return kind in self._places

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _layout(data: bytes, offset: int) -> _Layout | None:
    """That of the attributes from an offset on, if it is known."""
    for layout in _layouts.get(len(data) - offset, ()):
        if layout.heads.unpack_from(data, offset) == layout.expected:
            return layout
    return None


def _note(size: int, heads: tuple[int, ...]) -> None:
    """Makes a layout of one that comes twice."""
    if len(_layouts) + len(_seen) > _MOST_LAYOUTS:
        _layouts.clear()
        _seen.clear()
    known = _layouts.setdefault(size, [])
    if _seen.get(size) == heads and len(known) < _MOST_OF_A_SIZE:
        known.append(_Layout(heads))
    _seen[size] = heads


_WORTH_KNOWING = 3  # attributes
_MOST_LAYOUTS = 1000  # sizes
_MOST_OF_A_SIZE = 3
_layouts: dict[int, list[_Layout]] = {}  # by the size of all attributes
_seen: dict[int, tuple[int, ...]] = {}  # the last ones of each size


def unpack(form: struct.Struct, data: bytes, offset: int = 0) -> tuple[Any, ...]:
    """The values of a structure that may be followed by more."""
    if len(data) - offset < form.size:
        raise malformed(f"{len(data) - offset} bytes where a structure needs {form.size}")
    return form.unpack_from(data, offset)


def malformed(what: str) -> OSError:
    """The error for bytes that are no message of the kind that was expected."""
    return OSError(errno.EBADMSG, f"the kernel's message cannot be read: {what}")


def refusal(message: Message) -> Refusal | None:
    """Why the kernel has refused something, None of a message that says no such thing."""
    if message.type != ERROR and (message.type != DONE or len(message.body) < _CODE.size):
        return None
    (code,) = unpack(_CODE, message.body)
    return Refusal(-code, _words(message) or os.strerror(-code)) if code < 0 else None


def _words(message: Message) -> str:
    """The kernel's message in words: after the code, in an error also after the request, which may be its header only."""
    if not message.flags & _HAS_WORDS:
        return ""
    start = _CODE.size
    if message.type == ERROR:
        (length, *_) = unpack(_HEADER, message.body, start)
        start += _HEADER.size if message.flags & _CAPPED else (length + 3) & ~3
    return next((as_text(value) for kind, value in attributes(message.body, start) if kind == _WORDS), "")


def raise_if_refused(message: Message) -> None:
    """Raises Refusal for an error, and nothing for an acknowledgement."""
    if (refused := refusal(message)) is not None:
        raise refused


def ask(connection: socket.socket, kind: int, body: bytes) -> list[Message]:
    """Sends a request; gives back the answers, without the acknowledgement that ends them."""
    return _ask(connection, kind, body, ACK)[:-1]


def dump(connection: socket.socket, kind: int, body: bytes) -> list[Message]:
    """All links, addresses or whatever `kind` asks for; asked again when they have changed while they were told."""
    for _ in range(_MOST_DUMPS):
        answers = _ask(connection, kind, body, DUMP)
        if not any(answer.flags & _INTERRUPTED for answer in answers):
            return answers[:-1]
    raise OSError(errno.EAGAIN, f"what the kernel was asked for has changed {_MOST_DUMPS} times while it was listed")


def dump_whole(connection: socket.socket, kind: int, body: bytes) -> bytes:
    """As `dump`, but gives the messages as they came, for `messages`: for who passes them on."""
    for _ in range(_MOST_DUMPS):
        sequence = next(_sequence_numbers) & 0xFFFFFFFF
        connection.send(pack(kind, REQUEST | DUMP, sequence, body))
        parts: list[bytes] = []
        is_done = was_interrupted = False
        while not is_done:
            data = connection.recv(_DATAGRAM)
            end, is_done, interrupted = _end_of_messages(data, sequence)
            was_interrupted |= interrupted
            parts.append(data[:end])
        if not was_interrupted:
            return b"".join(parts)
    raise OSError(errno.EAGAIN, f"what the kernel was asked for has changed {_MOST_DUMPS} times while it was listed")


def _end_of_messages(data: bytes, sequence: int) -> tuple[int, bool, bool]:
    """Where a datagram's messages end, whether the dump does so too, and whether it was interrupted."""
    offset, end, interrupted = 0, len(data), False
    while offset < end:
        length, kind, flags, number, _ = _HEADER.unpack_from(data, offset) if offset + 16 <= end else (0, 0, 0, 0, 0)
        if length < 16 or offset + length > end:
            raise malformed(f"a message of {length} bytes where {end - offset} are left")
        if number != sequence:  # the rest of a request that was given up
            return 0, False, False
        interrupted |= bool(flags & _INTERRUPTED)
        if kind in (ERROR, DONE):
            raise_if_refused(Message(kind, flags, number, data[offset + 16 : offset + length]))
            return offset, True, interrupted
        offset += (length + 3) & ~3
    return offset, False, interrupted


def _ask(connection: socket.socket, kind: int, body: bytes, flags: int) -> list[Message]:
    """Sends a request; gives back the answers and what ends them: an acknowledgement, or the end of a dump."""
    sequence = next(_sequence_numbers) & 0xFFFFFFFF
    connection.send(pack(kind, REQUEST | flags, sequence, body))
    answers: list[Message] = []
    while True:
        for message in messages(connection.recv(_DATAGRAM)):
            if message.sequence != sequence:  # what a socket hears besides, and the rest of a request that was given up
                continue
            answers.append(message)
            if message.type in (ERROR, DONE):
                raise_if_refused(message)
                return answers
