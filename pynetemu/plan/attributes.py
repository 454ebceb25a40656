"""Attributes of topologies and parts that were hardly meant: settings misspelt, and parts that would not be seen."""

from collections import deque
from collections.abc import Iterator, ValuesView
from functools import cache
from types import CodeType, GeneratorType

from pynetemu.plan.problems import Problems
from pynetemu.plan.source import place_of_setting
from pynetemu.topology.description import Description, users_attributes
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Host, Node, Root
from pynetemu.topology.part import Part
from pynetemu.topology.switches import Switch
from pynetemu.topology.topology import DEEPEST, Topology, entries
from pynetemu.wording import misspelt, shortened

_OTHERS = Root, Host, Switch, Link, Topology  # whose settings are taken for those of other parts
_USUAL_NAMES = "a", "b", "address", "owner"  # that people have for things of their own
_MAY_HAVE_PARTS = Part, Topology, list, tuple, dict
_DEEPEST_LOOKED_AT = 12
_WITHOUT_ORDER = set, frozenset, deque, ValuesView


def check_attributes(description: Description, problems: Problems) -> None:
    """Tells of all attributes of a topology, of those in it, and of their parts."""
    parts = (*description.nodes, *description.interfaces, *description.links, *description.services, *description.filters)
    for part in parts:
        _check_part(part, problems)
    for one in (description, *_inner(description)):
        _check_topology(one, problems)


def _inner(description: Description) -> Iterator[Description]:
    for inner in description.inner:
        yield inner
        yield from _inner(inner)


def _check_part(part: Part, problems: Problems) -> None:
    kind = type(part)
    if kind.__module__.startswith("pynetemu.") and vars(part).keys() <= _known(kind):
        return  # as nearly all are
    for name in sorted(users_attributes(part).keys() - _known(kind)):
        if callable(getattr(part, name, None)):
            continue
        where, text = place_of_setting(name, part.declaration), f"{_said(part)} has no setting {name!r}"
        if meant := misspelt(name, settings_of(kind)):
            problems.add(where, text, _hint(meant))
        elif others := [other for other in _OTHERS if name in settings_of(other) and name not in _USUAL_NAMES]:
            hint = f"it is a setting of {shortened([other.__name__ for other in others])}, and has no effect here"
            problems.warn(where, text, hint)
        elif name == "name" and isinstance(part, Node):
            problems.warn(where, text, "a node is called as its attribute is, or by self.add(name, node)")


def _check_topology(description: Description, problems: Problems) -> None:
    for name, value in description.attributes.items():
        for text, hint in _oddities(name, value, description):
            problems.add(place_of_setting(name, description.kind_declaration), text, hint)


def _oddities(name: str, value: object, description: Description) -> Iterator[tuple[str, str]]:
    """What is wrong with an attribute of a topology, and a hint."""
    if _is_kind(value) and not _is_defined_within(value, description.kind):
        kind = value.__name__  # type: ignore[attr-defined]
        yield f"{name} is the class {kind}, not a part", f"write {name} = {kind}(), or call it _{name} if it is your own"
    elif isinstance(value, list | tuple) and any(map(_is_kind, value)):
        yield f"{name} has a class among its parts", "write Host(), with brackets"
    elif isinstance(value, _WITHOUT_ORDER) and any(isinstance(item, Part | Topology) for item in tuple(value)):
        text = f"{name} is a {type(value).__name__}; only a list or tuple can hold parts"
        yield text, f"write a list: {name} = [...]"
    elif isinstance(value, GeneratorType) and _makes_parts(value):
        yield f"{name} is a generator, which is never run", f"write a list: {name} = [... for ...]"
    elif isinstance(value, list | tuple | dict) and _hides_parts(value, DEEPEST + 1):
        text = f"{name} has parts in lists that are more than {DEEPEST} deep, where nobody looks"
        yield text, "fewer lists in one another"
    elif isinstance(value, list | tuple | dict) and (again := _repeated(name, value)):
        part, noun = again
        text = f"{name} has {part} more than once, which is one {noun} only"
        yield text, f"write {name} = [... for _ in range(3)], which makes a new one each time"
    elif not _has_entries(name, value) and (meant := _meant(name, value, description)):
        yield f"{description.name} has no {'method' if callable(value) else 'setting'} {name!r}", _hint(meant)


def _hint(meant: str) -> str:
    return f"did you mean {meant!r}? An attribute of your own needs a name that is less like it"


def _has_entries(name: str, value: object) -> bool:
    return next(entries(name, value), None) is not None


def _meant(name: str, value: object, description: Description) -> str | None:
    if callable(value):
        return misspelt(name, ("build",)) if description.kind.build is Topology.build else None
    kind: type = description.kind
    return misspelt(name, settings_of(kind))


def _is_kind(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Part | Topology)


def _is_defined_within(value: object, kind: type[Topology]) -> bool:
    """Whether it is a class that a topology of the user's has in its body."""
    outer = getattr(value, "__qualname__", "").rpartition(".")[0]
    return any(base.__qualname__ == outer for base in kind.__mro__)


def _makes_parts(generator: "GeneratorType[object, object, object]") -> bool:
    frame = generator.gi_frame
    names = generator.gi_code.co_names
    return frame is not None and any(_is_kind(frame.f_globals.get(name)) for name in names)


def _hides_parts(value: object, deep: int, around: tuple[int, ...] = ()) -> bool:
    """Whether parts are in containers that are so deep in one another, or deeper; lists that are in themselves are none."""
    if isinstance(value, Part | Topology):
        return deep < 0
    if id(value) in around or len(around) > _DEEPEST_LOOKED_AT or not isinstance(value, list | tuple | dict):
        return False
    items = value.values() if isinstance(value, dict) else value
    return any(_hides_parts(item, deep - 1, (*around, id(value))) for item in items if isinstance(item, _MAY_HAVE_PARTS))


def _repeated(name: str, value: object) -> tuple[str, str] | None:
    """The name of a part that is in a list more than once, and nowhere else by a name of its own; and what it is."""
    seen: set[int] = set()
    names: dict[int, str] = {}
    for entry_name, entry in entries(name, value):
        if id(entry) in seen and _name(entry) == names[id(entry)]:
            return names[id(entry)], "node" if isinstance(entry, Node) else "link" if isinstance(entry, Link) else "part"
        names.setdefault(id(entry), entry_name)
        seen.add(id(entry))
    return None


def _name(entry: Part | Topology) -> str:
    return entry._declaration.name if isinstance(entry, Topology) else entry.declaration.name


def _said(part: Part) -> str:
    kind = type(part).__name__
    return f"the {kind} {part.declaration.full_name}" if part.declaration.name else f"this {kind}"


@cache
def settings_of(kind: type) -> tuple[str, ...]:
    """The names of all settings of a kind of part or topology: attributes of our classes, and parameters."""
    found: dict[str, None] = {}
    for base in kind.__mro__:
        if base.__module__.startswith("pynetemu."):
            found |= dict.fromkeys(name for name, value in vars(base).items() if not callable(value))
            if "__init__" in vars(base):
                found |= dict.fromkeys(_parameters(vars(base)["__init__"].__code__))
    return tuple(name for name in found if not name.startswith("_") and name != "self")


def _parameters(code: CodeType) -> tuple[str, ...]:
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


@cache
def _known(kind: type) -> frozenset[str]:
    """The attributes that parts of a kind have of us."""
    init = (vars(base)["__init__"].__code__.co_names for base in kind.__mro__ if _has_our_init(base))
    return frozenset((*settings_of(kind), "declaration", *(name for names in init for name in names)))


def _has_our_init(base: type) -> bool:
    return base.__module__.startswith("pynetemu.") and "__init__" in vars(base)
