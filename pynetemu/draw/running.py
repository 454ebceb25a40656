"""A running lab as a graph: its nodes and links as they are now, with what differs from the description said beside it.

An interface that is called otherwise has "was eth0", one that has come from another node "from h2", one of the description
that is not there any more "deleted", a new one "added", one that should be up "down"; addresses that were added and deleted
have + and -.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pynetemu.draw.graph import Graph, read
from pynetemu.frozen import replaced
from pynetemu.lab.drift import Drift
from pynetemu.plan.inventory import Place
from pynetemu.plan.operations import AddAddress, AddDevice, AddVeth, ManyRoutes, Operation, Plan, SetUp, parts_of

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab


def running(lab: "Lab", addresses: bool = True, interfaces: bool = True) -> Graph:
    """The graph of a running lab; the rest is as for `read`. Raises LabError."""
    drift = Drift(lab)
    plan = Plan(lab.plan.name, tuple(_operations(lab.plan, drift)), lab.plan.host)
    return read(plan, addresses, interfaces, _notes(lab, drift))


def _operations(plan: Plan, drift: Drift) -> Iterator[Operation]:
    """Those of the plan with the names of now, and what is there besides."""
    places = {**drift.now, **drift.moved}
    for op in parts_of(plan):
        if isinstance(op, AddAddress | ManyRoutes):
            continue
        if isinstance(op, AddVeth):
            near, far = (places.get(end, end) for end in ((op.node, op.interface), (op.peer_node, op.peer_interface)))
            yield replaced(op, node=near[0], interface=near[1], peer_node=far[0], peer_interface=far[1])
        elif (interface := getattr(op, "interface", "")) and (op.node, interface) in places:
            yield replaced(op, interface=places[op.node, interface][1])
        else:
            yield op
    yield from _added(drift)
    planned = _planned_addresses(drift)
    for place, interface in drift.here.items():
        yield from (AddAddress(*place, address) for address in interface.addresses if address in planned.get(place, ()))


def _added(drift: Drift) -> Iterator[Operation]:
    done: set[Place] = set()
    added = {(one.node, one.name): one for one in drift.added}
    for place, one in added.items():
        if one.peer in added and place not in done:
            assert one.peer is not None
            done |= {place, one.peer}
            yield AddVeth(*place, one.mac, *one.peer, added[one.peer].mac)
        elif place not in done:
            yield AddDevice(*place, "dummy", (), one.mac)


def _planned_addresses(drift: Drift) -> dict[Place, list[object]]:
    """By the places of now."""
    planned = drift.inventory.addresses
    return {now: list(planned.get(place, ())) for place, now in drift.now.items()}


def _notes(lab: "Lab", drift: Drift) -> dict[Place, list[str]]:
    notes: dict[Place, list[str]] = {place: ["deleted"] for place in drift.planned}
    up = {(op.node, op.interface) for op in lab.inventory.of_type(SetUp)}
    for place, now in {**drift.now, **drift.moved}.items():
        notes.pop(place, None)
        words = [f"was {place[1]}"] if now[1] != place[1] else []
        words += [f"from {place[0]}"] if now[0] != place[0] else []
        words += ["down"] if place in up and not drift.here[now].is_up else []
        notes[now] = words
    for one in drift.added:
        notes[one.node, one.name] = ["added"]
    for difference in drift.addresses():
        _, _, word, address, _, interface = difference.command.split()
        notes.setdefault((difference.node, interface), []).append(f"{'+' if word == 'add' else '-'}{address}")
    return notes
