"""What runs as a description that makes it again: `net.save("now.py")`.

The description of the lab is changed into what the kernel has: interfaces that were renamed, addresses, links, routes, and what
links do. What descriptions have no words for, such as rules and interfaces that are down, is done by commands, as services of
nodes. Then it is compiled, and what would come out otherwise than it is now is written down too: names, addresses, routes.
"""

import os
import shlex
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from pynetemu.errors import DescriptionError, LabError, UsageError
from pynetemu.lab import arguments
from pynetemu.lab.drift import Difference, Drift, given_addresses
from pynetemu.lab.kernel import kernel_has
from pynetemu.lab.state import InterfaceState, RouteState
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.ends import LinkEnd, ends_of_links, interfaces_of_parts
from pynetemu.plan.inventory import Inventory, Place
from pynetemu.plan.operations import AddMultipathRoute, AddRoute, AddRuleset, AddVeth, IPNetwork
from pynetemu.topology.as_python import source
from pynetemu.topology.data import NoDataError, from_data, to_data
from pynetemu.topology.description import parts_in_order
from pynetemu.topology.devices import Bridge, BridgePort, Device, Dummy
from pynetemu.topology.editing import drop_with_all
from pynetemu.topology.firewalls import Firewall
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Host, Interface, Node, VlanInterface
from pynetemu.topology.services import Service, finished
from pynetemu.topology.switches import Port, Switch
from pynetemu.topology.topology import Topology
from pynetemu.topology.tunnels import Tunnel

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab
    from pynetemu.plan.operations import InterfaceAddress, Plan

_Routes = dict[IPNetwork, frozenset[object]]
_ROUNDS = 4  # of compiling and writing down what came out otherwise
_ALLOW: tuple[str, ...] = "overlaps", "loops", "gateways", "mtu"  # what runs may have all of these
_METRICS = {4: 0, 6: 1024}  # of routes to which none was given (ip-route(8))


def save(lab: "Lab", topology: Topology, file: "str | os.PathLike[str]", overwrite: bool = False) -> list[str]:
    """Writes a description of what runs; gives what could not be written. Raises UsageError for a file that is there."""
    path = os.path.abspath(arguments.path("file", file))
    if os.path.isdir(path):
        raise UsageError(f"{os.fspath(file)} is a folder\n    hint: the name of a file in it: {os.path.join(path, 'lab.py')}")
    if os.path.lexists(path) and not overwrite:
        raise UsageError(f"{os.fspath(file)} is there already\n    hint: to write it anew, say so: --force, or overwrite=True")
    text, told = written(lab, topology, os.path.dirname(path))
    try:
        with open(path, "w" if overwrite else "x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise LabError(f"{os.fspath(file)}: {error.strerror}") from None
    return told


def written(lab: "Lab", topology: Topology, folder: str) -> tuple[str, list[str]]:
    """The text of a file in this folder, and what is not in it."""
    try:
        data = to_data(topology)
    except NoDataError as error:
        raise LabError(f"the description of this lab cannot be written: {error}") from None
    drift = Drift(lab)
    try:
        saved = _Saved(lab, drift, from_data(data), by_parts=True)
        saved.finish()
    except DescriptionError:  # what was done by hand cannot be described: an address that two nodes have
        saved = _Saved(lab, drift, from_data(data), by_parts=False)
        saved.finish()
    saved.settle_in(folder)
    head = f"The lab {lab.name} as it was at {time.strftime('%H:%M on %d %B %Y')}: written by `save` of pynetemu."
    remarks = [f"Not in here: {text}." for text in saved.told]
    return source(saved.topology, "\n".join([head, *([""] if remarks else []), *remarks])), saved.told


class _Saved:
    """A copy of the description that becomes what runs; `by_parts` changes its parts, else commands do it all."""

    def __init__(self, lab: "Lab", drift: Drift, topology: Topology, by_parts: bool) -> None:
        self.topology, self._lab, self._drift = topology, lab, drift
        self.told: list[str] = []
        self._commands: dict[str, list[str]] = {}
        self._parts = parts_in_order(topology)
        self._nodes = {part.declaration.full_name: part for part in self._parts if isinstance(part, Node)}
        self._ends = ends_of_links(self._parts, drift.inventory)
        self._devices = interfaces_of_parts(self._parts, drift.inventory)
        self._wanted: dict[tuple[int, str], tuple[LinkEnd, InterfaceState]] = {}  # ends that are there, as they are
        self._lacking: set[Place] = set()  # interfaces that cannot be made again
        self._pinned: set[str] = set()  # nodes whose routes are written down
        self._natural: set[Place] = set()  # interfaces that parts describe, by their names now
        self._impair()
        if by_parts:
            self._change_links()
            self._change_devices()
            self._add_links()
        self._by_parts = by_parts
        self._run_commands()
        self._filter_packets()

    def finish(self) -> None:
        """Compiles it, and writes down what comes out otherwise; raises DescriptionError."""
        for node, lines in self._commands.items():
            service = Service(self._nodes[node], "\n".join(["set -e", *lines]), ready=finished())
            self._add(f"{node.replace('.', '_').replace('-', '_')}_by_hand", service)
        for _ in range(_ROUNDS if self._by_parts else 0):
            inventory = Inventory(self._compiled())
            ends = ends_of_links(parts_in_order(self.topology), inventory)
            changed = [self._pin(place, end, inventory) for place, end in ends.items()]
            routes = _routes_by_node(inventory)
            changed += [self._pin_routes(node, routes.get(node, {})) for node in self._nodes]
            if not any(changed):
                return

    def _compiled(self) -> "Plan":
        """Its plan; what runs may have mistakes that a description must allow. Raises DescriptionError."""
        with suppress(DescriptionError):
            return self._compiled_with(self.topology.allow)
        plan, allowed = self._compiled_with(_ALLOW), _ALLOW
        for word in _ALLOW:
            fewer = tuple(other for other in allowed if other != word)
            with suppress(DescriptionError):
                plan, allowed = self._compiled_with(fewer), fewer
        return plan

    def _compiled_with(self, allow: Iterable[str]) -> "Plan":
        before = self.topology.allow
        vars(self.topology)["allow"] = allow  # text, or several
        try:
            return compile_plan(self.topology, self._lab.host, partial(kernel_has, None))
        except DescriptionError:
            vars(self.topology)["allow"] = before
            raise

    def _add(self, name: str, part: Service | Firewall | Link | Dummy) -> None:
        part.declaration.name, part.declaration.file = name, ""  # it is in no file of the user's
        self.topology._parts.append(part)

    # What links do.

    def _impair(self) -> None:
        from pynetemu.lab.impairments import impair_like

        for place, (link, side) in self._ends.items():
            if side == "a" and not isinstance(link, Tunnel):
                impair_like(link, self._lab, place, self._drift.inventory.wired_peers[place])

    # What interfaces are.

    def _change_links(self) -> None:
        gone: set[int] = set()
        for place, end in self._ends.items():
            current = self._drift.here.get(self._drift.now.get(place) or self._drift.moved.get(place) or ("", ""))
            if current is None:
                if not isinstance(end[0], Tunnel):
                    gone.add(id(end[0]))
                continue
            self._wanted[id(end[0]), end[1]] = end, current
            self._natural.add((current.node, current.name))
            if place in self._drift.moved or current.name != place[1]:
                self._interface(end, current.node).name = current.name
            planned = self._drift.inventory.addresses.get(place, []) if place not in self._drift.moved else []
            self._set(end, current, planned, self._drift.inventory.macs.get(place, ""))
        self._set_mtus()
        drop_with_all(self.topology, gone)

    def _set_mtus(self) -> None:
        """Those of whole links; where the ends differ commands do it."""
        for (link, side), current in self._wanted.values():
            other = self._wanted.get((id(link), "b" if side == "a" else "a"))
            if isinstance(link, Tunnel) or side == "b" or other is None:
                continue
            if current.mtu == other[1].mtu != (link.mtu or 1500):
                link.mtu = current.mtu

    def _set(self, end: LinkEnd, current: InterfaceState, planned: Sequence["InterfaceAddress"], mac: str) -> None:
        """The addresses and the MAC address, where they are not those of the description's plan."""
        there = given_addresses(current, planned)
        if set(there) != set(planned):
            self._interface(end).addresses = tuple(map(str, there))
            self._interface(end).auto_addresses = bool(there)
        if mac and current.mac != mac and not isinstance(self._interface(end), Port):
            self._interface(end).mac = current.mac

    def _interface(self, end: LinkEnd, node: str = "") -> Interface:
        """The interface at the end of a link, made where there is only a node; at another `node` if it has moved there."""
        link, side = end
        here = getattr(link, side)
        if isinstance(here, Interface) and not isinstance(here, Device):
            if not node or here.node is self._nodes[node]:
                return here
            here.node.declaration.belongings[:] = [one for one in here.node.declaration.belongings if one is not here]
            self.topology._parts[:] = [one for one in self.topology._parts if one is not here]
        made: Interface
        if isinstance(here, Bridge) and not node:
            made = BridgePort(here)
        else:
            owner = self._nodes[node] if node else here
            made = Port(owner) if isinstance(owner, Switch) else Interface(owner)
        setattr(link, side, made)
        return made

    def _change_devices(self) -> None:
        for place, part in self._devices.items():
            current = self._drift.here.get(self._drift.now.get(place) or ("", ""))
            if current is None:
                continue
            self._natural.add((current.node, current.name))
            if current.name != place[1]:
                part.name = current.name
            planned = self._drift.inventory.addresses.get(place, [])
            there = given_addresses(current, planned)
            if set(there) != set(planned):
                part.addresses, part.auto_addresses = tuple(map(str, there)), bool(there)
            mac = self._drift.inventory.macs.get(place, "")
            if mac and current.mac != mac and not isinstance(part, VlanInterface):
                part.mac = current.mac

    def _add_links(self) -> None:
        """Veth pairs between nodes, and dummies, that were made by hand."""
        done: set[Place] = set()
        for one in self._drift.added:
            place = one.node, one.name
            peer = self._drift.here.get(one.peer) if one.peer is not None else None
            if place in done or one.node not in self._nodes:
                continue
            if one.kind == "dummy" and not one.master and not isinstance(self._nodes[one.node], Switch):
                addresses = map(str, given_addresses(one, []))
                dummy = Dummy(self._nodes[one.node], *addresses, name=one.name, mac=one.mac)
                dummy.auto_addresses = bool(dummy.addresses)
                done.add(place)
            elif peer is not None and self._can_end(one) and self._can_end(peer):
                done |= {place, (peer.node, peer.name)}
                link = Link(self._new_end(one), self._new_end(peer), mtu=one.mtu if one.mtu == peer.mtu != 1500 else None)
                self._add("", link)
                self._wanted[id(link), "a"], self._wanted[id(link), "b"] = ((link, "a"), one), ((link, "b"), peer)
        self._natural |= done

    def _can_end(self, one: InterfaceState) -> bool:
        """A port of a switch, or an interface of another node that is no port."""
        node = self._nodes.get(one.node)
        return node is not None and (one.master == "br0" if isinstance(node, Switch) else not one.master)

    def _new_end(self, one: InterfaceState) -> Interface:
        node = self._nodes[one.node]
        if isinstance(node, Switch):
            return Port(node, one.name)
        addresses = [str(address) for address in given_addresses(one, [])]
        return Interface(node, one.name, *addresses, auto_addresses=bool(addresses), mac=one.mac)

    # What is done by commands.

    def _run_commands(self) -> None:
        drift = self._drift
        for place, op in drift.planned.items():
            if place not in drift.now and place not in drift.moved and not (self._by_parts and isinstance(op, AddVeth)):
                self._run(Difference(place[0], f"ip link del dev {place[1]}"))
        if not self._by_parts:
            links = *drift.links(), *drift.settings_of_links(), *drift.bridges(), *drift.addresses()
            for difference in (*links, *drift.routes(), *drift.rules(), *drift.sysctls(), *drift.described_filters()):
                self._run(difference)
            return
        for one in drift.added:
            if (one.node, one.name) not in self._natural:
                self._run(drift.made(one))
            elif not one.is_up:
                self._run(Difference(one.node, f"ip link set dev {one.name} down"))
        for difference in drift.settings_of_links():
            if not self._is_described(difference):
                self._run(difference)
        for difference in drift.bridges():
            self._run(difference)
        for difference in drift.addresses():
            if (difference.node, difference.command.split()[-1]) not in self._natural:
                self._run(difference)
        self._add_routes()
        for difference in (*drift.rules(), *drift.sysctls(), *drift.described_filters()):
            self._run(difference)

    def _run(self, difference: Difference) -> None:
        words = difference.command.split()
        about = {(difference.node, name) for word, name in pairwise(words) if word in ("dev", "link", "master", "iif", "oif")}
        if difference.is_remark and words[:3] == ["ip", "link", "add"]:
            self._lacking.add((difference.node, words[3]))
        if difference.is_remark or difference.node not in self._nodes or not about.isdisjoint(self._lacking):
            self.told.append(f"{difference.node} {difference.command}")
        elif difference.command not in self._commands.setdefault(difference.node, []):
            self._commands[difference.node].append(difference.command)

    def _is_described(self, difference: Difference) -> bool:
        """Whether parts say this setting of an interface."""
        _, _, _, _, name, word, *value = difference.command.split()
        place = difference.node, name
        if place not in self._natural:
            return False
        added = place in {(one.node, one.name) for one in self._drift.added}
        if added:
            return word == "up"
        if word == "address":
            return not isinstance(self._nodes.get(difference.node), Switch)
        end = next((end for end, current in self._wanted.values() if (current.node, current.name) == place), None)
        return word == "mtu" and end is not None and end[0].mtu == int(value[0])

    # Routes.

    def _add_routes(self) -> None:
        for node in self._drift.state.nodes:
            for route in self._drift.unplanned_routes(node):
                if not _is_plain(route):
                    self._run(Difference(node, f"ip route add {route.text}"))
        for difference in self._drift.routes():
            if difference.command.startswith("ip route del") and " table " in difference.command:
                self._run(difference)

    def _routes_now(self, node: str) -> _Routes:
        found = (route for route in self._drift.routes_of(node) if _is_plain(route))
        return {route.destination: frozenset(gateway for gateway, _ in route.hops) for route in found}

    def _pin_routes(self, name: str, planned: _Routes) -> bool:
        """Writes the routes of a node down, where they are others than would be found automatically."""
        node, now = self._nodes[name], self._routes_now(name)
        is_ours = isinstance(node, Host) and not (self._lab.host and name == self._drift.inventory.root)
        if not isinstance(node, Host) or not is_ours or planned == now or name in self._pinned:
            return False
        self._pinned.add(name)
        texts = {str(destination): sorted(map(str, gateways)) for destination, gateways in now.items()}
        defaults = [gateways[0] for to, gateways in texts.items() if to in ("0.0.0.0/0", "::/0") and len(gateways) == 1]
        node.auto_routes, node.default_via = False, defaults[0] if len(defaults) == 1 else defaults or None
        node.routes = {
            to: gateways[0] if len(gateways) == 1 else gateways
            for to, gateways in texts.items()
            if to not in ("0.0.0.0/0", "::/0") or len(gateways) > 1
        }
        return True

    # What would come out otherwise.

    def _pin(self, place: Place, end: LinkEnd, inventory: Inventory) -> bool:
        _, current = self._wanted.get((id(end[0]), end[1]), (None, None))
        if current is None:
            return False
        changed = False
        if place != (current.node, current.name):
            self._interface(end).name = current.name
            changed = True
        planned = inventory.addresses.get(place, [])
        there = given_addresses(current, planned)
        if set(there) != set(planned):
            interface = self._interface(end)
            interface.addresses, interface.auto_addresses = tuple(map(str, there)), bool(there)
            changed = True
        mac = inventory.macs.get(place, "")
        if not changed and mac and mac != current.mac and not current.master and not isinstance(self._interface(end), Port):
            changed = self._interface(end).mac != current.mac  # else it follows from the name and the address
            self._interface(end).mac = current.mac
        return changed

    # Filters, and what is seen from the file's folder.

    def _filter_packets(self) -> None:
        described = {op.node for op in self._drift.inventory.of_type(AddRuleset)}
        for found in self._drift.state.packet_filters:
            if found.node in described or (self._lab.host and found.node == self._drift.inventory.root):
                continue
            node, run = self._nodes[found.node], self._lab[found.node].run
            if found.tool == "nft":
                text = str(run("nft", "-s", "list", "table", found.family, found.table, check=True).stdout)
                self._add("", Firewall(node, text))
            else:
                text = str(run(f"{found.tool}-save", "-t", found.table, check=True).stdout)
                lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
                self._commands.setdefault(found.node, []).append(f"{found.tool}-restore <<'END'\n{lines}\nEND")

    def settle_in(self, folder: str) -> None:
        """Commands run, and mounts are looked for, in the folder of the description."""
        for part in parts_in_order(self.topology):
            before = os.path.dirname(os.path.abspath(part.declaration.file)) if part.declaration.file else ""
            if not before or before == folder:
                continue
            if isinstance(part, Service):
                part.command = f"cd {shlex.quote(before)} && {part.command}"
            if isinstance(part, Host) and part.mounts:
                part.mounts = {to: os.path.join(before, what) for to, what in part.mounts.items()}


def _routes_by_node(inventory: Inventory) -> dict[str, _Routes]:
    """Those of the main tables that a plan has."""
    found: dict[str, _Routes] = {}
    operations: list[AddRoute | AddMultipathRoute] = [*inventory.of_type(AddRoute)]
    for op in [*operations, *inventory.of_type(AddMultipathRoute)]:
        if not op.table:
            found.setdefault(op.node, {})[op.destination] = frozenset(op.gateways)
    return found


def _is_plain(route: RouteState) -> bool:
    """Whether a description has words for it: by way of gateways, in the main table."""
    plain = route.kind == "unicast" and not route.table and route.source is None and not route.ds_field
    usual = route.metric in (0, _METRICS[route.destination.version])
    return plain and usual and all(gateway is not None for gateway, _ in route.hops)
