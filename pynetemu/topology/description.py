"""How a description is read out of a topology."""

from functools import cache
from operator import attrgetter
from typing import Any

from pynetemu.frozen import frozen
from pynetemu.topology.firewalls import Firewall, Nat
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Interface, Node
from pynetemu.topology.part import Declaration, Part
from pynetemu.topology.services import HttpServer, Service
from pynetemu.topology.topology import Topology, reachable


@frozen
class Description:
    """All that a topology says, in the order in which the user wrote it; `inner` are the topologies in it.

    `attributes` are what its classes and itself have under names of the user's own choice, but for those that begin with _.
    """

    kind: type[Topology]
    kind_declaration: Declaration
    declaration: Declaration
    failure: BaseException | None
    addresses: object
    pools: object
    allow: object
    arp: object
    ids: object
    attributes: dict[str, object]
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    services: tuple[HttpServer | Service, ...]
    filters: tuple[Firewall | Nat, ...]
    interfaces: tuple[Interface, ...]
    inner: tuple["Description", ...]

    @property
    def name(self) -> str:
        return self.kind.__name__


def describe(topology: Topology) -> Description:
    """Reads the parts out of a topology: those that were registered, and what belongs to its nodes."""
    parts = parts_in_order(topology)
    kinds = set(map(type, parts))
    found: dict[type, list[Any]] = {}
    for sort in (Node, Link, Service, Firewall, Interface):
        of_sort = {kind for kind in kinds if sort in _sorts(kind)}
        found[sort] = [part for part in parts if type(part) in of_sort] if of_sort else []
    return Description(
        kind=type(topology),
        kind_declaration=type(topology)._declaration,
        declaration=topology._declaration,
        failure=topology._failure,
        addresses=topology.addresses,
        pools=topology.pools,
        allow=topology.allow,
        arp=topology.arp,
        ids=topology.ids,
        attributes=users_attributes(topology),
        nodes=tuple(found[Node]),
        links=tuple(found[Link]),
        services=tuple(found[Service]),
        filters=tuple(found[Firewall]),
        interfaces=tuple(found[Interface]),
        inner=tuple(describe(inner) for inner in topology._inner),
    )


_ORDER = attrgetter("declaration.order")
_SORTS: tuple[tuple[type[Part], type[Part]], ...] = (  # each with that of its list
    (Node, Node),
    (Link, Link),
    (HttpServer, Service),
    (Service, Service),
    (Firewall, Firewall),
    (Nat, Firewall),
    (Interface, Interface),
)


@cache
def _sorts(kind: type[Part]) -> list[type[Part]]:
    return [sort for base, sort in _SORTS if issubclass(kind, base)]


def users_attributes(thing: Topology | Part) -> dict[str, object]:
    """The public attributes that a part or topology has from the user: of itself, and of classes that are not ours."""
    found: dict[str, object] = {}
    for base in reversed(type(thing).__mro__):
        if not base.__module__.startswith("pynetemu."):
            found |= vars(base)
    return {name: value for name, value in {**found, **vars(thing)}.items() if not name.startswith("_")}


def parts_in_order(topology: Topology) -> list[Part]:
    """A topology's own parts in their order, those of each topology in it together, in its place."""
    if not topology._inner:
        ordered = sorted(reachable(topology._parts), key=_ORDER)
        return ordered if len({*map(id, ordered)}) == len(ordered) else list({id(part): part for part in ordered}.values())
    places = [(part.declaration.order, [part]) for part in reachable(topology._parts)]
    places += [(inner._declaration.order, parts_in_order(inner)) for inner in topology._inner]
    ordered = [part for _, parts in sorted(places, key=lambda place: place[0]) for part in parts]
    return list({id(part): part for part in ordered}.values())
