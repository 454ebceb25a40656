"""What is done to the packets between two nodes of a shared segment, and to no others."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pynetemu.errors import LabError
from pynetemu.frozen import replaced
from pynetemu.lab import arguments
from pynetemu.lab.arguments import as_usage
from pynetemu.lab.changing import LabChange, become, until_first
from pynetemu.lab.impairments import Direction, RunningLink, changed, changed_plan, is_named, preset_for, wanted_now
from pynetemu.plan.inventory import Inventory, Place
from pynetemu.plan.operations import Plan, SetMaster
from pynetemu.plan.problems import Wrong
from pynetemu.plan.shaping.impairment import Impairment, check_part

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab


class RunningPair:
    """Two nodes of a shared segment, to see and to change what packets between both meet: `net.pair("h1", "h3")`.

        pair = net.pair("h1", "h3")
        pair.set(delay="20ms", loss="1%")
        pair.set(b_to_a={"rate": "1mbit"})
        pair.reset()

    The relay does it at each node's own link: to what is sent to the MAC addresses that the other node has when it is set, and
    before what the link does to all packets. Broadcast and multicast are not among them, nor what routers bring.
    """

    def __init__(self, lab: "Lab", a: Place, b: Place) -> None:
        self._lab = lab
        self.a, self.b = a, b

    def __repr__(self) -> str:
        return f"<RunningPair {':'.join(self.a)} {':'.join(self.b)} of {self._lab.name}>"

    @property
    def directions(self) -> tuple[Direction, Direction]:
        """What both directions do now; `impair` counts it with each node's own link."""
        (there, back), a, b = self._wanted(self._lab.plan), self.a, self.b
        return (
            Direction(*a, *b, there, "relay" if there else "", None),
            Direction(*b, *a, back, "relay" if back else "", None),
        )

    def _wanted(self, plan: Plan) -> tuple[Impairment, Impairment]:
        links = self._link(self.a), self._link(self.b)
        there, back = (dict(wanted_now(plan, (link.a, link.b))[0].towards) for link in links)
        return there.get(self.b[0], Impairment()), back.get(self.a[0], Impairment())

    def _link(self, near: Place) -> RunningLink:
        return RunningLink(self._lab, near, self._lab.inventory.wired_peers[near])

    @until_first
    def set(
        self,
        *,
        a_to_b: Mapping[str, object] | None = None,
        b_to_a: Mapping[str, object] | None = None,
        preset: str | None = None,
        **settings: object,
    ) -> LabChange:
        """Changes settings, those of `Link` but for `seed` and `mechanism`; None takes one away.

        Raises UsageError for wrong settings, KernelError and LabError: then all is as it was. `net.undo()` takes it back.
        """
        given = arguments.table("a_to_b", a_to_b), arguments.table("b_to_a", b_to_a)
        plan = self._lab.plan
        sides = zip(self._wanted(plan), ("up", "down"), given, strict=True)
        try:
            every = {name for table in (settings, *filter(None, given)) for name, value in table.items() if value is not None}
            if others := [name for name in ("seed", "mechanism", "towards", "schedule") if name in every]:
                raise Wrong(f"{others[0]} is of a whole link", "that of each node's own link holds")
            found = [changed(before, {**preset_for(preset, side), **settings, **(own or {})}) for before, side, own in sides]
            for wanted in found:
                check_part(wanted)
            return self._become(plan, *found)
        except Wrong as wrong:
            raise as_usage(wrong) from None

    @until_first
    def reset(self) -> LabChange:
        """Treats the packets between both as all others again. Raises as `set`."""
        return self._become(self._lab.plan, Impairment(), Impairment())

    def _become(self, now: Plan, there: Impairment, back: Impairment) -> LabChange:
        plan = now
        for near, far, wanted in ((self.a, self.b, there), (self.b, self.a, back)):
            link = self._link(near)
            before, other = wanted_now(plan, (link.a, link.b))
            towards = {**dict(before.towards), far[0]: wanted}
            kept = tuple(sorted((node, what) for node, what in towards.items() if what))
            plan = changed_plan(self._lab, (link.a, link.b), plan, [replaced(before, towards=kept), other])
        return become(self._lab, now, plan, same=True)


def find_pair(lab: "Lab", a: str, b: str) -> RunningPair:
    """Two nodes, each NODE or NODE:INTERFACE, on one segment. Raises LabError."""
    if not (isinstance(a, str) and isinstance(b, str)):
        raise LabError('a pair is named by both nodes: pair("h1", "h3")')
    inventory = lab.inventory
    ports = _ports(inventory)
    ways = [
        (near, far)
        for near in inventory.wired_peers
        if is_named(a, near) and near not in ports
        for far in _on_segment(inventory, ports, near)
        if is_named(b, far)
    ]
    if len(ways) == 1:
        return RunningPair(lab, *ways[0])
    if ways:
        choices = ", ".join(f"{':'.join(near)} {':'.join(far)}" for near, far in ways)
        raise LabError(f"{a} and {b} share several segments; say which: {choices}")
    raise LabError(f"{a} and {b} share no switch or hub\n    hint: for what a link between two nodes does: net.link")


def _ports(inventory: Inventory) -> dict[Place, Place]:
    """The ports of bridges, those in hosts too, each with its bridge."""
    of = {(op.node, op.interface): (op.node, op.master) for op in inventory.of_type(SetMaster)}
    return {port: bridge for port, bridge in of.items() if bridge in inventory.bridges}


def _on_segment(inventory: Inventory, ports: Mapping[Place, Place], start: Place) -> Iterator[Place]:
    """The interfaces of other nodes that are reached through switches, hubs and bridges in hosts only."""
    seen, waiting = {start}, [start]
    while waiting:
        far = inventory.wired_peers.get(waiting.pop())
        if far is None or far not in ports:
            continue
        for port in (place for place, bridge in ports.items() if bridge == ports[far] and place not in seen):
            seen.add(port)
            if (beyond := inventory.wired_peers.get(port)) is None:
                continue
            if beyond in ports:
                seen.add(beyond)
                waiting.append(port)
            elif beyond != start:
                yield beyond


def between(lab: "Lab", a: str, b: str) -> RunningLink | RunningPair:
    """The link between two nodes, else the pair on a segment. Raises LabError."""
    from pynetemu.lab.impairments import find

    try:
        return find(lab, a, b)
    except LabError:
        try:
            return find_pair(lab, a, b)
        except LabError:
            pass
        raise
