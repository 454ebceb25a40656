"""Descriptions as data for JSON, and back: for the engine to keep, so that every terminal has what a running lab was made of.

A description comes back as one topology without others in it, whose nodes have their full names, each part with the user's
file and line. Parts of the user's own classes come back as what those derive from, with the values that they have.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from json import JSONEncoder
from typing import Any

from pynetemu.topology import devices, firewalls, links, nodes, services, switches, tunnels
from pynetemu.topology.description import parts_in_order, users_attributes
from pynetemu.topology.part import Declaration, Part
from pynetemu.topology.services import Ready
from pynetemu.topology.topology import Topology

SETTINGS = "addresses", "pools", "allow", "arp"
_MODULES = devices, firewalls, links, nodes, services, switches, tunnels
_KINDS: dict[str, type[Part]] = {
    name: kind
    for module in _MODULES
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Part) and kind.__module__ == module.__name__
}
_AS_TEXT = IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
_PLAIN = str, int, float, bool, type(None)


_encode = JSONEncoder(separators=(",", ":")).encode
_END = b"]}"


Cut = tuple[int, int, bytes]  # the begin and end of a place in a text, as it is after the cuts before, and what comes there


class NoDataError(Exception):
    """A description has a value that is the user's own, and cannot be given to others."""


def to_data(topology: Topology) -> dict[str, Any]:
    """What a topology says, all that is in others in it too; raises NoDataError."""
    writer = _Writer()
    parts = [writer.part(part) for part in _parts_of(topology, writer)]
    return {**_head(topology, writer), "parts": parts}


def to_text(topology: Topology) -> str:
    """The same as JSON. Raises NoDataError."""
    return _encode(to_data(topology))


class DescriptionText:
    """The text of a description, to be changed where the description changes, instead of being written anew.

    text = DescriptionText(topology)
    text.whole()                                what `to_text` gives
    text.cuts(more, [host, link], [])           where it is another now, for parts that are new; None where all of it is
    """

    def __init__(self, topology: Topology) -> None:
        self._writer = _Writer()
        self._parts: list[Part | None] = [*_parts_of(topology, self._writer)]
        self._texts = [self._text(part) for part in self._parts if part is not None]
        self._head = _begin(topology, self._writer)
        self._last = max((part.declaration.order for part in self._parts if part is not None), default=-1)

    def whole(self) -> bytes:
        """All of it."""
        return b"".join((self._head, b",".join(self._texts), _END))

    def cuts(self, topology: Topology, changed: Iterable[Part], gone: Iterable[Part]) -> list[Cut] | None:
        """What makes the text one of another topology, in which parts are new, or say something else, and others are gone.

        None where that takes a new text: this one is of no use then. A part that has gone leaves its number, which others
        have in their texts, to nobody. Raises NoDataError.
        """
        places, parts, writer = self._writer.places, self._parts, self._writer
        if writer.registered < len(parts):
            return None  # parts that are in no list of the topology come after all others
        cuts: list[Cut] = []
        for part in gone:
            number = places.pop(id(part))
            parts[number] = None
            cuts.append(self._cut(number, b"null"))
        in_order = sorted(changed, key=lambda part: part.declaration.order)
        for part in in_order:
            if id(part) not in places:
                if part.declaration.order < self._last:
                    return None  # it comes before others
                self._last = part.declaration.order
                places[id(part)] = len(parts)
                parts.append(part)
        writer.registered = len(parts)
        for part in in_order:
            if not all(id(other) in places for other in _referred(vars(part).values())):
                return None
            number, text = places[id(part)], self._text(part)
            if number == len(self._texts) or text != self._texts[number]:
                cuts.append(self._cut(number, text))
        head = _begin(topology, writer)
        if head != self._head:
            cuts.append((0, len(self._head), head))
            self._head = head
        return cuts if 2 * parts.count(None) <= len(parts) else None

    def _cut(self, number: int, text: bytes) -> Cut:
        cut: Cut
        begin = len(self._head) + sum(map(len, self._texts[:number])) + number
        if number < len(self._texts):
            cut = begin, begin + len(self._texts[number]), text
            self._texts[number] = text
        else:
            cut = (begin - 1, begin - 1, b"," + text) if number else (begin, begin, text)
            self._texts.append(text)
        return cut

    def _text(self, part: Part) -> bytes:
        return _encode(self._writer.part(part)).encode()


def _begin(topology: Topology, writer: "_Writer") -> bytes:
    return f'{_encode(_head(topology, writer))[:-1]},"parts":['.encode()


def _referred(values: Iterable[object]) -> Iterator[Part]:
    for value in values:
        if isinstance(value, Part):
            yield value
        elif isinstance(value, Mapping):
            yield from _referred((*value.keys(), *value.values()))
        elif isinstance(value, tuple | list | set | frozenset):
            yield from _referred(value)


def _head(topology: Topology, writer: "_Writer") -> dict[str, Any]:
    settings = {name: writer.value(getattr(topology, name)) for name in SETTINGS}
    loaded = None if topology._loaded is None else list(topology._loaded)
    return {"name": type(topology).__name__, "loaded": loaded, "settings": settings, "files": list(writer.files)}


def from_data(data: Mapping[str, Any]) -> Topology:
    """The topology; raises KeyError, TypeError and ValueError for what is none."""
    settings = {name: _value(value, []) for name, value in data["settings"].items()}
    topology: Topology = type(str(data["name"]), (Topology,), {"__module__": __name__, **settings})()
    if data["loaded"] is not None:
        vars(topology)["_loaded"] = str(data["loaded"][0]), dict(data["loaded"][1])
    said = [part or ("Host",) for part in data["parts"]]  # one that has gone has left its number to nobody
    found: list[Part] = [object.__new__(_KINDS[kind]) for kind, *_ in said]
    first = -len(found)  # parts that are added come after these, those too that have been made already
    for order, (part, (_, *there)) in enumerate(zip(found, said, strict=True), first):
        if not there:
            continue
        file, line, name, within, own, values = there
        part.declaration = Declaration(data["files"][file], line, order, name, True, within=within)
        vars(part).update({word: _value(value, found) for word, value in values.items()})
        if own:
            topology._parts.append(part)
    return topology


def kind_of(part: Part) -> type[Part]:
    """The class of ours that a part is of."""
    return next(kind for kind in type(part).__mro__ if kind.__module__.startswith("pynetemu."))


def _direct(part: Part) -> list[Part]:
    return [value for value in vars(part).values() if isinstance(value, Part)]


def _parts_of(topology: Topology, writer: "_Writer") -> list[Part]:
    """Its parts, and what these refer to: an interface that a link in no node's block has, say."""
    found = parts_in_order(topology)
    writer.places = {id(part): place for place, part in enumerate(found)}
    writer.registered = len(found)
    for part in found:  # which grows
        for value in _direct(part):
            if id(value) not in writer.places:
                writer.places[id(value)] = len(found)
                found.append(value)
    return found


class _Writer:
    """Knows the numbers of the parts, and the files that they are from."""

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        self.registered = 0  # how many of the parts are the topology's own; the others are only referred to
        self.files: dict[str, int] = {}

    def part(self, part: Part) -> list[Any]:
        kind, declaration = kind_of(part), part.declaration
        own = vars(part) if kind is type(part) else users_attributes(part)
        values: dict[str, Any] = {}
        for name, value in own.items():
            if type(value) in _PLAIN:
                values[name] = value
            elif name != "declaration":
                try:
                    values[name] = self.value(value)
                except NoDataError:
                    if name in kind.__init__.__code__.co_varnames or hasattr(kind, name):  # else it is the user's alone
                        raise
        place = self.file(part), declaration.line
        return [kind.__name__, *place, declaration.name, declaration.within, self.is_registered(part), values]

    def is_registered(self, part: Part) -> bool:
        """Whether it is the topology's own."""
        return self.places[id(part)] < self.registered

    def file(self, part: Part) -> int:
        """The number of the file that a part is from."""
        return self.files.setdefault(part.declaration.file, len(self.files))

    def value(self, value: object) -> Any:
        """As JSON has it; what is none of its kinds is a table of one entry, whose name says what it is."""
        if type(value) in _PLAIN:
            return value
        match value:
            case Part():
                if id(value) not in self.places:
                    raise NoDataError(f"{value!r} is no part of this topology")
                return {"part": self.places[id(value)]}
            case list() | tuple() | range():
                return [self.value(one) for one in value]
            case set() | frozenset():
                return [self.value(one) for one in sorted(value, key=repr)]
            case Mapping():
                return {"table": [[self.value(key), self.value(one)] for key, one in value.items()]}
            case Ready():
                return {"ready": [value.kind, self.value(value.value)]}
            case os.PathLike():
                return os.fspath(value)
        if isinstance(value, _AS_TEXT):
            return str(value)
        raise NoDataError(f"{value!r} cannot be written")


def _value(data: Any, parts: list[Part]) -> Any:
    if isinstance(data, list):
        return tuple(_value(one, parts) for one in data)
    if not isinstance(data, dict):
        return data
    ((kind, inner),) = data.items()
    if kind == "part":
        return parts[inner]
    if kind == "ready":
        return Ready(inner[0], _value(inner[1], parts))
    return {_value(key, parts): _value(one, parts) for key, one in inner}
