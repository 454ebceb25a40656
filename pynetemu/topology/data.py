"""Descriptions as data for JSON, and back: for the engine to keep, so that every terminal has what a running lab was made of.

A description comes back as one topology without others in it, whose nodes have their full names, each part with the user's
file and line. Parts of the user's own classes come back as what those derive from, with the values that they have.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from json import JSONEncoder
from typing import Any

from pynetemu.topology import devices, firewalls, links, nodes, services, switches, tunnels
from pynetemu.topology.description import parts_in_order, users_attributes
from pynetemu.topology.memo import Memo
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


class NoDataError(Exception):
    """A description has a value that is the user's own, and cannot be given to others."""


def to_data(topology: Topology) -> dict[str, Any]:
    """What a topology says, all that is in others in it too; raises NoDataError."""
    writer = _Writer()
    parts = [writer.part(part) for part in _parts_of(topology, writer, _direct)]
    return {**_head(topology, writer), "parts": parts}


def to_text(topology: Topology, memo: Memo | None = None) -> str:
    """The same as JSON, in which the texts of parts that the `memo` has are not made anew. Raises NoDataError."""
    encode = JSONEncoder(separators=(",", ":")).encode
    if memo is None:
        return encode(to_data(topology))
    writer = _Writer()
    known: list[dict[str, Any]] = []  # what is kept of each part, in their order

    def known_direct(part: Part) -> list[Part]:
        kept = memo.of(part)
        known.append(kept)
        if "direct" not in kept:
            kept["direct"], kept["refers"] = _direct(part), [*_referred(vars(part).values())]
        direct: list[Part] = kept["direct"]
        return direct

    found = _parts_of(topology, writer, known_direct)
    parts = [_text(part, writer, kept, encode) for part, kept in zip(found, known, strict=True)]
    return f'{encode(_head(topology, writer))[:-1]},"parts":[{",".join(parts)}]}}'


def _text(part: Part, writer: "_Writer", kept: dict[str, Any], encode: Callable[[object], str]) -> str:
    """It follows from the part, and from the numbers of its file, and of it and the parts that it refers to."""
    places = writer.places
    numbers = [writer.file(part), places[id(part)] < writer.registered, *[places.get(id(other)) for other in kept["refers"]]]
    if kept.get("numbers") != numbers:
        kept["text"] = encode(writer.part(part))
        kept["numbers"] = numbers
    text: str = kept["text"]
    return text


def _referred(values: Iterable[object]) -> Iterator[Part]:
    for value in values:
        if isinstance(value, Part):
            yield value
        elif type(value) is tuple:
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
    found: list[Part] = [object.__new__(_KINDS[kind]) for kind, *_ in data["parts"]]
    first = -len(found)  # parts that are added come after these, those too that have been made already
    for order, (part, (_, file, line, name, within, own, values)) in enumerate(zip(found, data["parts"], strict=True), first):
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


def _parts_of(topology: Topology, writer: "_Writer", direct: Callable[[Part], list[Part]]) -> list[Part]:
    """Its parts, and what these refer to: an interface that a link in no node's block has, say."""
    found = parts_in_order(topology)
    writer.places = {id(part): place for place, part in enumerate(found)}
    writer.registered = len(found)
    for part in found:  # which grows
        for value in direct(part):
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
