"""The base class of descriptions, and how a description is read out of one."""

import inspect
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from pynetemu.topology.filters import Firewall, Nat
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Interface, Node
from pynetemu.topology.part import Declaration, Part, caller
from pynetemu.topology.services import HttpServer, Service

_P = TypeVar("_P", bound=Part)


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

    `Star(n=5)` passes n to `build`, and so does `pynetemu FILE -p n=5`. A class that derives from another has its parts
    too; it replaces one by an attribute of the same name. Each instance has copies of its own of the class's parts.

    `addresses` says what interfaces get that are given none: "ipv4", "ipv6", "dual" for both, or "none"; `pools` are the
    networks from which they come, one of IPv4 and one of IPv6.
    """

    addresses: str = "ipv4"
    pools: str | tuple[str, ...] = ("10.0.0.0/8", "fd00::/32")

    _declaration = Declaration("", 0, order=-1)  # of a class: where it begins; of an instance: where it was made
    _parts: list[Part]
    _failure: Exception | None = None  # what `build` raised

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._declaration = Declaration(*caller(), order=-1)
        for value in vars(cls).values():
            if isinstance(value, Part):
                value.declaration.registered = True
                value.declaration.open = False

    def __new__(cls, **_: Any) -> Self:
        topology = super().__new__(cls)
        copies = _copies(cls)
        vars(topology).update(copies, _parts=list({id(part): part for part in copies.values()}.values()))
        return topology

    def __init__(self, **parameters: Any) -> None:
        self._declaration = Declaration(*caller(), order=-1)
        if isinstance(self.build, Part):
            return  # a name that plan.compile refuses
        try:
            inspect.signature(self.build).bind(**parameters)
        except TypeError:
            self._declaration.refused = (), parameters
            return
        try:
            self.build(**parameters)
        except Exception as error:  # noqa: BLE001
            # plan.compile tells it together with all else that is wrong
            self._failure = error

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
        """Adds a part under a name and gives it back: `h1 = self.add("h1", Host())`. Only nodes need a name."""
        *names, part = arguments
        if len(names) > 1 or not isinstance(part, Part):
            raise TypeError('add takes a name and a part, as in add("h1", Host())')
        if part.declaration.registered:
            raise ValueError(f"add: {part!r} is part of a topology already")
        self._register(part, names[0] if names else "")
        return part

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if isinstance(value, Part) and not value.declaration.registered:
            self._register(value, name)

    def _register(self, part: Part, name: str) -> None:
        part.declaration.name = name
        part.declaration.registered = True
        self._parts.append(part)


@dataclass(frozen=True, slots=True)
class Description:
    """All that a topology says, in the order in which the user wrote it."""

    kind: type[Topology]
    kind_declaration: Declaration
    declaration: Declaration
    failure: Exception | None
    addresses: object
    pools: object
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    services: tuple[HttpServer | Service, ...]
    filters: tuple[Firewall | Nat, ...]
    interfaces: tuple[Interface, ...]

    @property
    def name(self) -> str:
        return self.kind.__name__


def describe(topology: Topology) -> Description:
    """Reads the parts out of a topology: those that were registered, and what belongs to its nodes."""
    parts = sorted(_reachable(topology._parts), key=lambda part: part.declaration.order)
    return Description(
        kind=type(topology),
        kind_declaration=type(topology)._declaration,
        declaration=topology._declaration,
        failure=topology._failure,
        addresses=topology.addresses,
        pools=topology.pools,
        nodes=tuple(part for part in parts if isinstance(part, Node)),
        links=tuple(part for part in parts if isinstance(part, Link)),
        services=tuple(part for part in parts if isinstance(part, HttpServer | Service)),
        filters=tuple(part for part in parts if isinstance(part, Firewall | Nat)),
        interfaces=tuple(part for part in parts if isinstance(part, Interface)),
    )


def _reachable(parts: list[Part]) -> Iterator[Part]:
    seen: set[int] = set()
    for registered in parts:
        for part in (registered, *registered.declaration.belongings):
            if id(part) not in seen:
                seen.add(id(part))
                yield part


def _copies(cls: type[Topology]) -> dict[str, Part]:
    """A topology's own copies of its class's parts, in which the replacement stands for what it replaced in a base."""
    declared: dict[str, list[Part]] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Part):
                declared.setdefault(name, []).append(value)
            else:
                declared.pop(name, None)
    new = {id(parts[-1]): object.__new__(type(parts[-1])) for parts in declared.values()}
    copies = {name: new[id(parts[-1])] for name, parts in declared.items()}
    memo = {id(part): copies[name] for name, parts in declared.items() for part in parts}
    for name, copy in copies.items():
        if not vars(copy):  # else it has two names, of which the first counts
            first, last = declared[name][0], declared[name][-1]
            vars(copy).update(deepcopy(vars(last), memo))
            copy.declaration.name = name
            copy.declaration.order = first.declaration.order
            copy.declaration.open = True
    return copies
