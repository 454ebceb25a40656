"""The base class of descriptions; `topology.description` reads them."""

from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from pynetemu.topology.part import Declaration, Part, bounded, caller, copied, next_order, quoted, read_settings_once

_P = TypeVar("_P", bound="Part | Topology")
BELONGINGS = attrgetter("declaration.belongings")
MOST_PARTS = 50_000  # of one topology; a lab of so many namespaces is beyond what a kernel carries
DEEPEST = 4  # lists within lists
_OURS = "_build", "_declaration", "_entries", "_failure", "_inner", "_keep", "_keep_new", "_loaded", "_parts", "_refuse_removal"


class Topology:
    """A network: its class attributes are the nodes, links and services, named by their attribute.

        class Blue(Topology):
            root = Root(address="192.168.0.194/24")
            blue = Host(default_via="10.0.0.1")
            wire = Link(root.interface("veth_root", "10.0.0.1/24"), blue.interface("veth_blue", "10.0.0.2/24"))

    What depends on a parameter is made by `build`, with `add`:

        class Star(Topology):
            s1 = Switch()

            def build(self, n: int = 3) -> None:
                for i in range(1, n + 1):
                    host = self.add(f"h{i}", Host())
                    self.add(Link(host.interface("eth0", f"10.0.0.{i}/24"), self.s1))

    `Star(n=5)` passes n to `build`, and so does `pynetemu FILE -p n=5`; `build` adds parts and takes none away. A class that
    derives from another has its parts too; it replaces one by an attribute of the same name. Each instance has copies of
    its own of the class's parts.

    Attributes may be lists and tables of parts: the hosts of `h = [Host(), Host()]` are h1 and h2, those of
    `desk = {"ann": Host()}` desk-ann, those of `grid = [[Host(), Host()]]` grid1-1 and grid1-2. And a topology may be a
    part of another, whose `addresses` and `pools` count then:

        class TwoSites(Topology):
            site1, site2 = Star(n=2), Star(n=5)
            wire = Link(site1.s1, site2.s1)

    Its nodes are called site1.s1, site1.h1 and so on.

    `addresses` says what interfaces get that are given none: "ipv4", "ipv6", "dual" for both, or "none"; `pools` are the
    networks from which they come, one of IPv4 and one of IPv6. `allow` has mistakes that are meant, to be seen in the lab:
    "overlaps" of networks, "loops" of switches, "gateways" that no node has, and different "mtu" at a switch.
    `arp` says who knows others' MAC addresses without asking: "permanent" everybody, "dynamic" nobody, "auto" those on
    links where so many would ask that the kernel's table of 1024 neighbors overflows.
    `ids` says how many user ids a lab of an ordinary user has: "one", or a "range" from /etc/subuid, for programs in which
    people log in (sshd, su). Labs of root have all.
    """

    addresses: str = "ipv4"
    pools: str | tuple[str, ...] = ("10.0.0.0/8", "fd00::/32")
    allow: str | tuple[str, ...] = ()
    arp: str = "auto"
    ids: str | Part = "one"  # or a node of that name

    _declaration = Declaration("", 0, order=-1)  # of a class: where it begins; of an instance: where it was made
    _parts: list[Part]
    _inner: list["Topology"]
    _failure: BaseException | None = None  # what `build` raised
    _loaded: tuple[str, dict[str, str]] | None = None  # the file, or shape, that it is from, and the parameters given to it

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in vars(cls).keys() & set(_OURS):
            raise AttributeError(_is_taken(name))
        cls._declaration = Declaration(*caller(), order=-1)
        read_settings_once(cls)
        for name, value in vars(cls).items():
            for _, entry in entries(name, value):
                for part in all_parts(entry):
                    part.declaration.registered = True
                    part.declaration.open = False

    def __new__(cls, *_: Any, **__: Any) -> Self:
        topology = super().__new__(cls)
        attributes, copied = own_copies(cls)
        vars(topology).update(attributes, _parts=[], _inner=[])
        for name, entry in copied:
            topology._keep(entry, name)
        return topology

    def __init__(self, *in_order: Any, **parameters: Any) -> None:
        vars(self)["_declaration"] = Declaration(*caller(), order=next_order())
        try:
            self._build(in_order, parameters)
        except (KeyboardInterrupt, RecursionError):
            raise  # what a recursion has left half-made is not to be read
        except BaseException as error:  # noqa: BLE001
            # plan.compile tells it together with all else that is wrong, `sys.exit()` too
            vars(self)["_failure"] = error

    def _build(self, in_order: tuple[Any, ...], parameters: dict[str, Any]) -> None:
        if isinstance(self.build, Part):
            return  # a name that plan.compile refuses
        if type(self).build is Topology.build and not (in_order or parameters):
            return
        import inspect

        if mistake := mistake_in_build(type(self)):
            raise TypeError(mistake)
        try:
            inspect.signature(self.build).bind(*in_order, **parameters)
        except TypeError:
            self._declaration.refused = in_order, parameters
        else:
            before = {id(entry): name for _, name, entry in self._entries()}
            with bounded(MOST_PARTS):
                returned: object = self.build(*in_order, **parameters)  # type: ignore[func-returns-value]
            for name, value in list(vars(self).items()):
                self._keep_new(name, value)  # what lists have got by `append`
            left = {id(entry) for _, _, entry in self._entries()}
            if gone := [name for key, name in before.items() if key not in left]:
                raise AttributeError(_stays(gone[0], type(self)))
            if any(not _declaration(entry).registered for _, entry in entries("returned", returned)):
                raise TypeError("build gives back parts, which nobody reads: write self.h1 = Host(), or self.add(...)")

    def _entries(self) -> "Iterator[tuple[str, str, Part | Topology]]":
        """All that attributes have, with the attribute and the name."""
        for attribute, value in list(vars(self).items()):
            if not attribute.startswith("_"):
                for name, entry in entries(attribute, value):
                    yield attribute, name, entry

    if TYPE_CHECKING:

        def build(self, *args: Any, **kwargs: Any) -> None:
            """As type checkers must know it: overridden, it may have any parameters. By itself it has none."""

    else:

        def build(self) -> None:
            """Adds what the class attributes do not say; to be overridden, with a default and a type for each parameter."""

    @overload
    def add(self, name: str, part: _P, /) -> _P: ...
    @overload
    def add(self, part: _P, /) -> _P: ...
    def add(self, *arguments: Any) -> Any:
        """Adds a part under a name and gives it back: `h1 = self.add("h1", Host())`. Only nodes and topologies need a name.

        A name with dots, "site1.h1", is that of a node in a topology that is a part of this one.
        """
        *names, part = arguments
        if len(names) > 1 or not isinstance(part, Part | Topology):
            raise TypeError('add takes a name and a part, as in add("h1", Host())')
        if part._declaration.registered if isinstance(part, Topology) else part.declaration.registered:
            raise ValueError(f"add: {quoted(part)} is part of a topology already")
        self._keep(part, names[0] if names else "")
        return part

    def __setattr__(self, name: str, value: object) -> None:
        if name in _OURS:
            raise AttributeError(_is_taken(name))
        self._refuse_removal(name, value)
        super().__setattr__(name, value)
        self._keep_new(name, value)

    def __delattr__(self, name: str) -> None:
        self._refuse_removal(name, None)
        super().__delattr__(name)

    def _refuse_removal(self, name: str, value: object) -> None:
        """Parts are in the lab once they have been made: an attribute that loses one would only hide it."""
        left = {id(entry) for _, entry in entries(name, value)}
        for entry_name, entry in entries(name, vars(self).get(name)):
            is_own = any(entry is part for part in (*self._parts, *self._inner))
            if id(entry) not in left and entry_name == _declaration(entry).name and is_own:
                raise AttributeError(_stays(entry_name, type(self)))

    def _keep_new(self, name: str, value: object) -> None:
        """Keeps what an attribute has and the topology has not."""
        if not name.startswith("_"):
            for entry_name, entry in entries(name, value):
                if not _declaration(entry).registered:
                    self._keep(entry, entry_name)

    def _keep(self, entry: "Part | Topology", name: str) -> None:
        if len(self._parts) == MOST_PARTS:
            self._parts.clear()  # nobody waits for what else would be wrong with them
            raise ValueError(f"a topology has {MOST_PARTS} parts at most")
        if isinstance(entry, Topology):
            entry._declaration.name = name
            entry._declaration.registered = True
            self._inner.append(entry)
            for part in all_parts(entry):
                part.declaration.within = f"{name}.{part.declaration.within}"
        else:
            before, dot, own = name.rpartition(".") if isinstance(name, str) else ("", "", name)
            entry.declaration.name, entry.declaration.within = own, before + dot
            entry.declaration.registered = True
            self._parts.append(entry)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copy = object.__new__(type(self))
        memo[id(self)] = copy
        memo[id(self._failure)] = self._failure  # a copy would have no traceback
        vars(copy).update(copied(vars(self), memo))
        return copy


_CAN_HAVE_PARTS = Part, Topology, list, tuple, dict


def mistake_in_build(cls: type[Topology]) -> str:
    """Why the `build` of a class cannot be run for what it does, "" when it can."""
    import inspect

    build = inspect.getattr_static(cls, "build")
    if isinstance(build, classmethod):
        return "build is a classmethod, which adds nothing to the topology itself: write def build(self)"
    if isinstance(build, staticmethod):
        build = build.__func__
    elif inspect.isfunction(build) and not inspect.signature(build).parameters:
        return "build has no self: write def build(self)"
    if not callable(build):
        return f"build is {quoted(build)}, not a method: write def build(self)"
    if inspect.iscoroutinefunction(build):
        return "build is async, and nothing awaits it: write def build(self)"
    if inspect.isgeneratorfunction(build) or inspect.isasyncgenfunction(build):
        return "build has a yield, so that calling it does nothing: add parts with self.add(...) instead"
    return ""


def _stays(name: str, cls: type) -> str:
    what = f"{name} is a part of this {cls.__name__} already, and stays one"
    return f"{what}: leave it out of the class, or let a class derived from it replace it"


def _is_taken(name: str) -> str:
    return f"{name} is a name that Topology uses itself: choose another one"


def _registered(entry: Part | Topology) -> list[Part]:
    """As `all_parts`, without what was made for them."""
    if isinstance(entry, Part):
        return [entry]
    return [*entry._parts, *(part for inner in entry._inner for part in _registered(inner))]


def all_parts(entry: Part | Topology) -> list[Part]:
    """A part by itself; all of a topology's."""
    if isinstance(entry, Part):
        return [entry]
    found = [*reachable(entry._parts), *(part for inner in entry._inner for part in all_parts(inner))]
    if len({*map(id, found)}) == len(found):
        return found
    return list({id(part): part for part in found}.values())


def reachable(parts: list[Part]) -> Iterator[Part]:
    """Parts, and what was made for them."""
    if not any(map(BELONGINGS, parts)):
        yield from parts
        return
    for registered in parts:
        yield registered
        yield from registered.declaration.belongings


def entries(name: str, value: object) -> Iterator[tuple[str, "Part | Topology"]]:
    """The parts and topologies that an attribute has, with their names; lists are numbered from 1, as people do.

    Lists and tables may be in one another: the hosts of `grid = [[Host(), Host()]]` are grid1-1 and grid1-2.
    """
    if isinstance(value, Part | Topology):
        yield name, value
    elif isinstance(value, list | tuple | dict):
        yield from _entries_within(name, value, ())


def _entries_within(name: str, value: object, around: tuple[int, ...]) -> Iterator[tuple[str, "Part | Topology"]]:
    """`around` are the containers that this one is in, of which it may be one itself."""
    if isinstance(value, Part | Topology):
        yield name, value
    elif id(value) in around or len(around) > DEEPEST:
        return
    elif isinstance(value, list | tuple):
        dash = "-" if name[-1:].isdigit() else ""
        for number, item in enumerate(value, 1):
            if isinstance(item, _CAN_HAVE_PARTS):
                yield from _entries_within(f"{name}{dash}{number}", item, (*around, id(value)))
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, _CAN_HAVE_PARTS):
                yield from _entries_within(f"{name}-{_word(key)}", item, (*around, id(value)))


def _word(key: object) -> str:
    return key if isinstance(key, str) else quoted(key)


def kinds_within(cls: type[Topology]) -> set[type[Topology]]:
    """The classes of the topologies that are attributes of this one."""
    found = (entry for name, value in vars(cls).items() for _, entry in entries(name, value))
    return {type(entry) for entry in found if isinstance(entry, Topology)}


def own_copies(cls: type[Topology]) -> tuple[dict[str, object], list[tuple[str, Part | Topology]]]:
    """A topology's own copies of its class's attributes, and of their entries, each of which has one name.

    The replacement of an attribute stands for what it replaced in a base.
    """
    declared: dict[str, list[object]] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if any(True for _ in entries(name, value)):
                declared.setdefault(name, []).append(value)
            else:
                declared.pop(name, None)
    latest = {name: dict(entries(name, values[-1])) for name, values in declared.items()}
    new = {id(entry): _empty(entry) for found in latest.values() for entry in found.values()}
    memo: dict[int, Any] = dict(new)
    replaced: dict[int, list[Part | Topology]] = {}  # by the entry that stands for them, with it
    for name, values in declared.items():
        for value in values:
            for entry_name, entry in entries(name, value):
                if replacement := latest[name].get(entry_name):
                    memo[id(entry)] = new[id(replacement)]
                    replaced.setdefault(id(replacement), []).append(entry)
    names: dict[int, tuple[str, Part | Topology]] = {}
    topologies_first = sorted(latest.values(), key=lambda found: not any(isinstance(e, Topology) for e in found.values()))
    for found in topologies_first:
        for entry_name, entry in found.items():
            if id(entry) not in names:  # else it has two names, of which the first counts
                names[id(entry)] = entry_name, _fill(new[id(entry)], entry, replaced[id(entry)], memo)
    attributes = {name: copied(values[-1], memo) for name, values in declared.items()}
    for _, entry in names.values():
        for part in all_parts(entry):
            part.declaration.open = True
    first = [names[id(entry)] for found in latest.values() for entry in found.values()]
    return attributes, list({id(entry): (name, entry) for name, entry in first}.values())


def _fill(copy: Any, entry: Part | Topology, replaced: list[Part | Topology], memo: dict[int, Any]) -> Part | Topology:
    """Makes a copy of an entry, which takes the place of the first that it replaced, and whose parts take theirs."""
    if isinstance(entry, Topology):
        memo[id(entry._failure)] = entry._failure  # a copy would have no traceback
    vars(copy).update(copied(vars(entry), memo))
    _declaration(copy).order = _declaration(replaced[0]).order
    parts = {part.declaration.full_name: part for part in _registered(copy)} if replaced[1:] else {}
    for old in replaced[:-1]:
        memo.update((id(part), parts[name]) for part in _registered(old) if (name := part.declaration.full_name) in parts)
    filled: Part | Topology = copy
    return filled


def _empty(entry: Part | Topology) -> Any:
    return object.__new__(type(entry))


def _declaration(entry: Part | Topology) -> Declaration:
    return entry._declaration if isinstance(entry, Topology) else entry.declaration
