"""Descriptions written as Python: `source(topology, "...")` is the text of a file that makes the same network.

    class Lab(Topology):
        s1 = Switch()
        h1, h2 = Host(), Host()
        wires = [Link(h1, s1), Link(h2, s1)]

Parts are attributes of the class; where a node's name cannot be one, all parts are made by `build`.
"""

import json
import keyword
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

import pynetemu.topology as everything
from pynetemu.topology.data import SETTINGS, kind_of
from pynetemu.topology.description import parts_in_order
from pynetemu.topology.devices import BridgePort
from pynetemu.topology.firewalls import Firewall
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Interface, Node, VlanInterface
from pynetemu.topology.part import Part
from pynetemu.topology.services import Ready
from pynetemu.topology.switches import Port
from pynetemu.topology.topology import Topology

_OURS = "self", "Topology"
_WIDTH = 120
_MOST_ON_A_LINE, _SHORT = 8, 12
_INDENT = "    "
_METHODS: dict[type[Part], str] = {Interface: "interface", Port: "port", VlanInterface: "vlan", BridgePort: "port"}
_HAS_MORE = 0x04  # CO_VARARGS, of inspect: a function with *arguments


def source(topology: Topology, told: str) -> str:
    """The file; `told` is what its first lines say."""
    return _Writer(topology).text(told)


class _Writer:
    """Writes all parts of a topology that `topology.data` has given, each after those that it refers to."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._parts = parts_in_order(topology)
        self._nodes = [part for part in self._parts if isinstance(part, Node)]
        self._uses: dict[int, int] = {}
        for part in self._parts:
            for used in _parts_in(part):
                self._uses[id(used)] = self._uses.get(id(used), 0) + 1
        self._at_links = {id(end) for part in self._parts if isinstance(part, Link) for end in (part.a, part.b)}
        self._imported = {"Topology"}
        self._shown: dict[int, str] = {}  # how a part is referred to
        self._taken = {*everything.__all__, *_OURS, *dir(Topology)}
        names = [part.declaration.full_name for part in self._parts if part.declaration.name]
        is_plain = all(map(self._is_plain, names)) and len(set(names)) == len(names)
        self._builds = not is_plain  # then `build` makes all
        self._taken.update(names if is_plain else ())

    def text(self, told: str) -> str:
        body = [*self._lines_of_nodes(), *self._lines_of_others()]
        if self._builds:
            body = ["def build(self) -> None:", *_indented(body)]
        name = type(self._topology).__name__
        name = self._free(name) if name in {*self._imported, *_OURS} else name
        settings = [f"{word} = {_literal(getattr(self._topology, word))}" for word in SETTINGS if self._is_set(word)]
        head = [*settings, ""] if settings else []
        imports = f"from pynetemu import {', '.join(sorted(self._imported))}"
        if len(imports) > _WIDTH:
            imports = "\n".join(["from pynetemu import (", *_indented(f"{word}," for word in sorted(self._imported)), ")"])
        lines = ['"""', *told.splitlines(), '"""', "", imports, "", "", f"class {name}(Topology):", *_indented([*head, *body])]
        return "\n".join(lines).rstrip() + "\n"

    def _is_set(self, word: str) -> bool:
        return bool(getattr(self._topology, word) != getattr(Topology, word))

    def _is_plain(self, name: str) -> bool:
        return name.isidentifier() and not keyword.iskeyword(name) and name not in self._taken and not name.startswith("_")

    def _free(self, wanted: str) -> str:
        """A word like this that means nothing else."""
        word = "".join(sign if sign.isalnum() else "_" for sign in wanted).strip("_") or "part"
        word = f"n{word}" if word[0].isdigit() or keyword.iskeyword(word) else word
        tries = (word if number == 1 else f"{word}_{number}" for number in range(1, len(self._taken) + 3))
        found = next(one for one in tries if one not in self._taken)
        self._taken.add(found)
        return found

    def _name(self, part: Part) -> str:
        """The word that a part is to be known by, in a class its own name."""
        declaration = part.declaration
        usual = f"{part.node.declaration.name}_{part.name}" if isinstance(part, Interface) else "link"
        wanted = declaration.full_name if declaration.name else usual
        if not self._builds and declaration.name:
            return self._shown.setdefault(id(part), wanted)
        return self._shown.setdefault(id(part), self._free(wanted))

    def _lines_of_nodes(self) -> Iterator[str]:
        """A line for each; in a class, those that are alike share lines."""
        if self._builds:
            for node in self._nodes:
                call = self._call(node)
                yield f"{self._name(node)} = self.add({_literal(node.declaration.full_name)}, {call})"
            return
        for call, alike in groupby(self._nodes, key=self._call):
            some = list(alike)
            at_once = _MOST_ON_A_LINE if len(call) < _SHORT else 1
            for start in range(0, len(some), at_once):
                names = [self._name(node) for node in some[start : start + at_once]]
                yield f"{', '.join(names)} = {', '.join([call] * len(names))}"

    def _lines_of_others(self) -> Iterator[str]:
        """Interfaces of one link alone are written in it, links whose names are numbers after a word as a list."""
        written: set[int] = {id(node) for node in self._nodes}
        for part in self._parts:
            yield from self._lines_of(part, written)

    def _lines_of(self, part: Part, written: set[int]) -> Iterator[str]:
        if id(part) in written or self._is_inline(part):
            return
        written.add(id(part))
        for used in _parts_in(part):
            if self._is_inline(used):
                for inner in _parts_in(used):
                    yield from self._lines_of(inner, written)
            yield from self._lines_of(used, written)
        call, name = self._call(part), part.declaration.name
        if self._builds:
            before = f"{self._name(part)} = " if self._uses.get(id(part)) else ""
            named = f"{_literal(part.declaration.full_name)}, " if name else ""
            yield f"{before}self.add({named}{call})"
        else:
            yield f"{self._name(part)} = {call}" if name or self._uses.get(id(part)) else call

    def _is_inline(self, part: Part) -> bool:
        """An interface without a name of its own that one link ends at, and nothing else is about."""
        is_one = type(part) in _METHODS and not part.declaration.name and self._uses.get(id(part)) == 1
        return is_one and not isinstance(part, VlanInterface) and id(part) in self._at_links

    def _reference(self, part: Part) -> str:
        return self._call(part) if self._is_inline(part) else self._name(part)

    def _call(self, part: Part) -> str:
        """What makes a part, with what is not as usual."""
        kind = kind_of(part)
        words = [f"{name}={self._value(value)}" if name else self._value(value) for name, value in _arguments(part, kind)]
        if kind in _METHODS:
            return f"{words[0]}.{_METHODS[kind]}({', '.join(words[1:])})"
        self._imported.add(kind.__name__)
        return f"{kind.__name__}({', '.join(words)})"

    def _value(self, value: object) -> str:
        match value:
            case Part():
                return self._reference(value)
            case Ready():
                self._imported.add(value.kind)
                return f"{value.kind}({'' if value.kind == 'finished' else _literal(value.value)})"
            case Mapping():
                return f"{{{', '.join(f'{self._value(key)}: {self._value(one)}' for key, one in value.items())}}}"
            case tuple() | list():
                return f"[{', '.join(map(self._value, value))}]"
        return _literal(value)


def _arguments(part: Part, kind: type[Part]) -> Iterator[tuple[str, object]]:
    """The arguments of its constructor that are not as usual: by position under "", others by their names."""
    code, usual = kind.__init__.__code__, kind.__init__.__defaults__ or ()
    count = code.co_argcount
    named = code.co_varnames[count : count + code.co_kwonlyargcount]
    more = code.co_varnames[count + code.co_kwonlyargcount] if code.co_flags & _HAS_MORE else ""
    several: Iterable[object] = getattr(part, more) if more else ()
    positional = [(name, _of(part, name)) for name in code.co_varnames[1:count]]
    while len(positional) > count - 1 - len(usual) and not several and _is_usual(part, kind, positional[-1][0], usual[-1]):
        positional, usual = positional[:-1], usual[:-1]
    yield from (("", value) for _, value in positional)
    yield from (("", value) for value in several)
    defaults = kind.__init__.__kwdefaults__ or {}
    for name in named:
        if not _is_usual(part, kind, name, defaults.get(name)):
            yield name, _of(part, name)


def _of(part: Part, name: str) -> object:
    """The value of an argument, which some parts keep under another name."""
    if isinstance(part, Port) and name in ("vlan", "trunk"):
        return part.untagged if name == "vlan" else part.tagged
    if isinstance(part, Firewall) and name in part.chains:
        return part.chains[name]
    return getattr(part, name)


def _is_usual(part: Part, kind: type[Part], name: str, default: object) -> bool:
    value = _of(part, name)
    if isinstance(part, VlanInterface) and name == "name":
        return value == f"{part.parent.name or ''}.{part.number}"
    usual = getattr(kind, name, default) if default is None and not callable(getattr(kind, name, None)) else default
    empty: tuple[object, ...] = ((), {}, [], None)
    return value == usual or (value in empty and usual in empty)


def _parts_in(part: Part) -> Iterator[Part]:
    """The parts that a part refers to."""
    for value in vars(part).values():
        yield from _within(value)


def _within(value: object) -> Iterator[Part]:
    if isinstance(value, Part):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _within(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _within(one)


def _literal(value: object) -> str:
    """A value as Python; text of several lines as such."""
    if isinstance(value, str):
        if "\n" in value and value.isascii() and not any(sign in value for sign in ("\\", "'''", "\r", "\0")):
            return f"'''{value}'''"
        return json.dumps(value, ensure_ascii=False) if value.isprintable() else repr(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)


def _indented(lines: Iterable[str]) -> list[str]:
    """Lines a level deeper; the further lines of a text stay as they are."""
    return [f"{_INDENT}{line}" if line else "" for line in lines]
