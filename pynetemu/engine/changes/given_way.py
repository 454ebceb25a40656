"""What was made by hand and is in the way of a change: it gives way, is named, and comes back when the change is taken back."""

import errno
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from pynetemu.engine import apply
from pynetemu.engine.apply.links import queue_up
from pynetemu.engine.changes import kept
from pynetemu.engine.messages import packing
from pynetemu.engine.messages.framing import REQUEST
from pynetemu.engine.messages.tables import ADDRESS_BODY, RTM_GETADDR, RTM_NEWLINK, AddressMessage, RouteMessage
from pynetemu.engine.netlink import Refused
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.plan.operations import AddAddress, AddMultipathRoute, AddRoute
from pynetemu.plan.operations.operation import Effect
from pynetemu.plan.operations.steps import Replace, Undo

_LONGEST_NAME = 15
_METRICS = {4: 0, 6: 1024}  # of routes to which none was given (ip-route(8))
_Key = tuple[int, IPv4Network | IPv6Network]  # of a route: its table, and where it leads
_Route = AddRoute | AddMultipathRoute


class GivenWay:
    """Of one change; `told` are the lines about it."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self.told: list[str] = []
        self._renamed: list[tuple[str, int, str, str]] = []  # node, index, name before and now
        self._routes: dict[str, list[RouteMessage]] = {}
        self._addresses: list[Effect] = []

    def interfaces(self, node: Node, names: Iterable[str]) -> None:
        """Interfaces that are called as new ones will be get other names."""
        for name in names:
            index = self._nodes.find(node.name, name)
            if index and index not in node.indexes.values():
                now = self._free_name(node, name)
                _rename(node, index, now, any(link.is_up for link in self._nodes.ask(node.name, index)))
                self._renamed.append((node.name, index, name, now))
                self.told.append(f"{node.name} {name}, which was made by hand, is called {now} now")

    def _free_name(self, node: Node, name: str) -> str:
        number = 1
        while self._nodes.find(node.name, now := f"{name[: _LONGEST_NAME - 6]}-old{number if number > 1 else ''}"):
            number += 1
        return now

    def routes(self, steps: Iterable[Effect], before: Iterable[Effect]) -> None:
        """Routes in whose place the plan's come; `before` is what the lab was made of."""
        wanted: dict[str, dict[_Key, _Route]] = {}
        for step in steps:
            new = step.new if isinstance(step, Replace) else step
            if isinstance(new, AddRoute | AddMultipathRoute):
                wanted.setdefault(new.node, {})[new.table, new.destination] = new
        if not wanted:
            return
        planned = {
            (op.node, op.table, op.destination): frozenset(map(str, op.gateways))
            for op in before
            if isinstance(op, AddRoute | AddMultipathRoute) and op.node in wanted
        }
        for name in wanted.keys() & self._nodes.keys():
            for route in kept.routes(self._nodes[name]):
                to = ip_network(route.destination)
                is_in_the_way = (kept.table(route), to) in wanted[name] and route.metric == _METRICS[to.version]
                gateways = frozenset(hop.gateway for hop in route.hops if hop.gateway)
                if is_in_the_way and planned.get((name, kept.table(route), to)) != gateways:
                    self._routes.setdefault(name, []).append(route)
                    self.told.append(f"{name}: the route {_words(route)}, which was set by hand, has given way")

    def addresses(self, steps: Sequence[Effect]) -> None:
        """Addresses that are there already, at interfaces that stay."""
        made = {thing for step in steps if not isinstance(step, Undo | Replace) for thing in step.makes if len(thing) == 2}
        wanted: dict[str, list[AddAddress]] = {}
        for step in steps:
            if isinstance(step, AddAddress) and (step.node, step.interface) not in made and step.node in self._nodes:
                wanted.setdefault(step.node, []).append(step)
        gone = {step.of for step in steps if isinstance(step, Undo) and isinstance(step.of, AddAddress)}
        for name, own in wanted.items():
            node = self._nodes[name]
            found = map(AddressMessage, node.link.dump_bytes(RTM_GETADDR, ADDRESS_BODY.pack(0, 0, 0, 0, 0)))
            there = {(address.index, f"{address.text}/{address.prefix_length}") for address in found}
            for step in own:
                if (node.indexes.get(step.interface), str(step.address)) in there and step not in gone:
                    self._addresses.append(step)
                    self.told.append(f"{name} {step.interface} has {step.address} already, by hand")

    def come_back(self) -> None:
        """Makes it as it was, as far as nobody has changed it meanwhile."""
        if self._addresses:
            apply.carry_out([step for step in self._addresses if step.node in self._nodes], self._nodes, apply.IN_ANY_STATE)  # type: ignore[attr-defined]
        for name, index, before, now in self._renamed:
            node = self._nodes.get(name)
            links = [] if node is None else list(self._nodes.ask(name, index))
            if node is not None and links and links[0].name == now and not self._nodes.find(name, before):
                _rename(node, index, before, links[0].is_up)
        for name, routes in self._routes.items():
            if (node := self._nodes.get(name)) is not None:
                kept.set_again(node, map(kept.as_message, routes))


def _rename(node: Node, index: int, name: str, is_up: bool) -> None:
    """Kernels before 6.2 rename only what is down, and forget its routes meanwhile."""
    try:
        _queue_name(node, index, name)
        node.link.flush()
    except Refused as refused:
        if refused.errno != errno.EBUSY:
            raise
        messages = kept.what_goes_with(node, index)
        queue_up(node.link, None, index, False)
        _queue_name(node, index, name)
        queue_up(node.link, None, index, is_up)
        node.link.flush()
        kept.set_again(node, messages)


def _queue_name(node: Node, index: int, name: str) -> None:
    node.link.queue_bytes(None, RTM_NEWLINK, REQUEST, packing.link(index, packing.name(name)))


def _words(route: RouteMessage) -> str:
    to = "default" if route.destination in ("0.0.0.0/0", "::/0") else route.destination
    return " ".join([to, *(f"via {hop.gateway}" for hop in route.hops if hop.gateway)])
