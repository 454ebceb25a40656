"""What the operations of a plan make and need, to be asked for what stands on something that changes."""

from collections.abc import Iterable, Iterator

from pynetemu.plan.operations.neighbors import AddNeighbors
from pynetemu.plan.operations.operation import Effect, Thing
from pynetemu.plan.operations.routes import AddMultipathRoute, AddRoute, ManyRoutes


class Things:
    """Of the operations that are kept here, by what they make, by what they need, and routes by their node."""

    def __init__(self, parts: Iterable[Effect]) -> None:
        self._makers: dict[Thing, list[Effect]] = {}
        self._needing: dict[Thing, list[Effect]] = {}
        self._routes: dict[str, list[Effect]] = {}
        self._neighbors: list[Effect] = []
        for part in parts:
            self.add(part)

    def add(self, part: Effect) -> None:
        """One more operation."""
        if isinstance(part, AddNeighbors):
            self._neighbors.append(part)
        elif isinstance(part, AddRoute | AddMultipathRoute | ManyRoutes):
            self._routes.setdefault(part.node, []).append(part)
        else:
            for thing in part.makes:
                self._makers.setdefault(thing, []).append(part)
            for thing in part.needs:
                self._needing.setdefault(thing, []).append(part)

    def drop(self, part: Effect) -> None:
        """One that was added, and goes."""
        if isinstance(part, AddNeighbors):
            _remove(self._neighbors, part)
        elif isinstance(part, AddRoute | AddMultipathRoute | ManyRoutes):
            _remove(self._routes[part.node], part)
        else:
            for thing in part.makes:
                _remove(self._makers[thing], part)
            for thing in part.needs:
                _remove(self._needing[thing], part)

    def makers(self, thing: Thing) -> list[Effect]:
        """Those that make something."""
        return self._makers.get(thing, [])

    def near(self, things: Iterable[Thing]) -> Iterator[Effect]:
        """Those that need some of these, and all routes of their nodes: a gateway may be on a network among them."""
        nodes: dict[str, None] = {}
        for thing in things:
            yield from self._needing.get(thing, ())
            nodes[str(thing[0])] = None
        for node in nodes:
            yield from self._routes.get(node, ())


def _remove(parts: list[Effect], part: Effect) -> None:
    """The very one, and not one that is equal."""
    del parts[next(place for place, other in enumerate(parts) if other is part)]
