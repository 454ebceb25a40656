"""A plan for people to read: what each node has, and what is at the other end."""

from collections.abc import Iterator

from pynetemu.plan.inventory import Inventory, Place, ends
from pynetemu.plan.operations import (
    AddAddress,
    AddBridge,
    AddDevice,
    AddFile,
    AddHttpServer,
    AddMacvlan,
    AddMultipathRoute,
    AddNeighbors,
    AddPeer,
    AddRoute,
    AddRuleset,
    AddService,
    AddTunnel,
    AddVeth,
    AddVlan,
    AddWireGuard,
    Impair,
    IPNetwork,
    Plan,
    SetMaster,
    SetPort,
    SetPortVlans,
    SetUp,
    StartSpanningTree,
    parts_of,
)
from pynetemu.wording import counted

_KINDS = {"root": "the lab's machine"}
_MECHANISMS = {"netem": "by netem", "tbf": "by tbf", "filter": "by a filter on arrival", "relay": "by the relay"}
_USUAL = ("mcast_snooping 0", "forward_delay 200", "hello_time 100", "max_age 600", "priority 32768", "miimon 100")

_USUAL_OF_TUNNELS = ("dstport 4789", "ttl 64", "encaplimit none")


def as_text(plan: Plan) -> str:
    """A listing of the nodes, each with its interfaces, routes and services.

    Blue: 2 nodes, 1 link

    root (the lab's machine)
      eth0       192.168.0.194/24   known as host
      veth_root  10.0.0.1/24        to blue veth_blue
      root_web   http://root:8080/
    ...
    """
    inventory = Inventory(plan)
    links = sum(isinstance(link, AddVeth) for link in inventory.links)
    tunnels = len(inventory.links) - links
    counts = [counted(len(plan.nodes), "node"), counted(links, "link"), *([counted(tunnels, "tunnel")] if tunnels else [])]
    lines = [f"{plan.name}: {', '.join(counts)}"]
    lines += [_known(op) for op in inventory.of_type(AddNeighbors)]
    traits = _traits(inventory)
    rows = _rows(inventory, traits)
    for node in plan.nodes:
        kind = inventory.kinds[node]
        what = "this machine" if kind == "root" and plan.host else _KINDS.get(kind, kind)
        said = ", ".join([what, *traits.get((node, ""), [])])
        lines += ["", f"{node} ({said})", *_aligned(rows.get(node, []))]
    return "\n".join(lines) + "\n"


def _known(operation: AddNeighbors) -> str:
    first, last = operation.nodes[0], operation.nodes[-1]
    through = f" (only {', '.join(operation.nodes[i] for i in operation.centers)} and the others)" if operation.centers else ""
    return f"static ARP entries on {len(operation.nodes)} interfaces, {first} to {last}{through}"


def _rows(inventory: Inventory, traits: dict[Place, list[str]]) -> dict[str, list[tuple[str, str, str]]]:
    """For each node its lines: a name, what it has, and where that leads."""
    rows: dict[str, list[tuple[str, str, str]]] = {}
    for node, name, value, note in _entries(inventory):
        value = value or " ".join(map(str, inventory.addresses.get((node, name), [])))
        rows.setdefault(node, []).append((name, value, ", ".join([note, *traits.get((node, name), [])])))
    return rows


def _traits(inventory: Inventory) -> dict[Place, list[str]]:
    """What is special about nodes (by their name and "") and interfaces."""
    found: dict[Place, list[str]] = {}
    vrfs: set[Place] = set()
    for operation in parts_of(inventory.plan):
        match operation:
            case AddBridge(node=node, settings=settings) if inventory.is_bridge(node):
                found[node, ""] = [setting for setting in settings if setting not in _USUAL]
            case SetMaster(node=node, interface=interface, master=master) if not inventory.is_bridge(node):
                how = "in" if (node, master) in vrfs else "port of"
                found.setdefault((node, interface), []).append(f"{how} {master}")
            case AddDevice(node=node, interface=interface, kind="vrf"):
                vrfs.add((node, interface))
            case SetPort(node=node, interface=interface, settings=settings):
                found.setdefault((node, interface), []).extend(settings)
            case SetPortVlans(node=node, interface=interface, untagged=untagged, tagged=tagged):
                words = [f"vlan {untagged}"] if untagged else []
                words += [f"trunk {' '.join(map(str, tagged))}"] if tagged else []
                found.setdefault((node, interface), []).extend(words)
            case AddVeth(mtu=mtu) if mtu:
                for end in ends(operation):
                    found.setdefault(end, []).append(f"mtu {mtu}")
            case Impair(node=node, interface=interface, mechanism=mechanism, settings=settings):
                found.setdefault((node, interface), []).append(f"{', '.join(settings)} ({_MECHANISMS[mechanism]})")
            case AddTunnel(node=node, interface=interface, local=local, remote=remote, mtu=mtu):
                found[node, interface] = [f"from {local} to {remote}", f"mtu {mtu}"]
            case AddWireGuard(node=node, interface=interface, port=port, mtu=mtu):
                found[node, interface] = [f"port {port}", f"mtu {mtu}"]
            case AddPeer(node=node, interface=interface, endpoint=endpoint):
                found[node, interface].insert(0, f"by way of {endpoint}" if endpoint else "initiates")
            case StartSpanningTree(node=node):
                found[node, ""].insert(0, "spanning tree")
            case SetUp(node=node, interface=interface, late=True):
                found.setdefault((node, interface), []).append("spare link of the spanning tree")
            case _:
                pass
    return found


def _entries(inventory: Inventory) -> Iterator[tuple[str, str, str, str]]:
    owners = {address: places[-1][0] for address, places in inventory.owners.items()}
    for operation in inventory.plan.operations:
        match operation:
            case AddVeth(node=node, interface=interface, peer_node=peer, peer_interface=far):
                yield node, interface, "", "known as host" if peer == inventory.outside else f"to {peer} {far}"
                yield peer, far, "", f"to {node} {interface}"
            case AddTunnel() | AddWireGuard():
                peer, far = operation.peer_node, operation.peer_interface
                yield operation.node, operation.interface, "", f"{tunnel_text(operation)} to {peer} {far}"
            case AddBridge(node=node, interface=interface) if not inventory.is_bridge(node):
                yield node, interface, "", "bridge"
            case AddDevice(node=node, interface=interface, kind=kind, settings=settings):
                yield node, interface, "", " ".join([kind, *(s.removeprefix("mode ") for s in settings if s not in _USUAL)])
            case AddMacvlan(node=node, interface=interface, parent_node=below, parent=parent):
                yield node, interface, "", f"macvlan on {below} {parent}"
            case AddVlan(node=node, interface=interface, parent=parent, vlan=vlan):
                yield node, interface, "", f"VLAN {vlan} of {parent}"
            case AddAddress(node=node, interface="lo", address=address):
                yield node, "lo", str(address), ""
            case AddRoute(node=node, destination=destination, via=via, table=table):
                note = ", ".join([owners.get(via, ""), *([f"table {table}"] if table else [])])
                yield node, _destination(destination), f"via {via}", note
            case AddMultipathRoute(node=node, destination=destination, vias=vias):
                gateways = ", ".join(owners.get(via, "") for via in vias)
                yield node, _destination(destination), f"via {' or '.join(map(str, vias))}", gateways
            case AddRuleset(node=node, name=name, text=text):
                yield node, name, f"nftables rules, {counted(len(text.splitlines()), 'line')}", ""
            case AddFile(node=node, path=path, kind=kind, content=content):
                shown = {"file": counted(len(content.splitlines()), "line"), "private": "own folder", "mount": content}
                yield node, path, shown[kind], ""
            case AddHttpServer(node=node, name=name, port=port):
                yield node, name, f"http://{node}:{port}/", ""
            case AddService(node=node, name=name, command=command, ready=ready, user=user):
                notes = [f"as {user}" if user else "", f"ready: {ready}" if ready else ""]
                yield node, name, command, ", ".join(filter(None, notes))
            case _:
                pass


def tunnel_text(operation: AddTunnel | AddWireGuard) -> str:
    """What a tunnel is called: "VXLAN 10", "GRE", "WireGuard"."""
    if isinstance(operation, AddWireGuard):
        return "WireGuard"
    words = {"vxlan": "VXLAN", "gre": "GRE", "ip6gre": "GRE"}[operation.kind]
    said = [setting.removeprefix("id ") for setting in operation.settings if setting not in _USUAL_OF_TUNNELS]
    return " ".join([words, *said])


def _destination(destination: IPNetwork) -> str:
    if destination.prefixlen:
        return str(destination)
    return "default" if destination.version == 4 else "default (IPv6)"


def _aligned(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)] if rows else []
    for name, value, note in rows:
        yield f"  {name:{widths[0]}}  {value:{widths[1]}}  {note}".rstrip()
