"""What the kernel knows in the nodes: routes, neighbors, what bridges have learned, counters."""

from pynetemu.lab.state import InterfaceState
from pynetemu.shell.answers import Table
from pynetemu.shell.argument_types import NodeNames
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell


@command
def routes(shell: Shell, *nodes: NodeNames) -> Table:
    """lists the nodes' routes, with the names of the gateways"""
    owners = _owners(shell)
    rows = [
        (
            route.node,
            "default" if route.destination.prefixlen == 0 else str(route.destination),
            [str(gateway) for gateway, _ in route.hops if gateway] or (None if route.kind == "unicast" else route.kind),
            [owners[str(gateway)] for gateway, _ in route.hops if str(gateway) in owners],
            [interface for _, interface in route.hops],
        )
        for route in shell.network.routes(*shell.chosen(nodes))
        if not route.destination.is_link_local
    ]
    return Table(("node", "to", "via", "name", "interface"), rows)


@command
def rules(shell: Shell, *nodes: NodeNames) -> Table:
    """lists the rules that choose routing tables"""
    found = shell.network.rules(*shell.chosen(nodes))
    return Table(("node", "ip", "priority", "rule"), [(r.node, r.version, r.priority, r.text) for r in found])


@command("neigh")
def arp(shell: Shell, *nodes: NodeNames) -> Table:
    """lists whose link addresses the nodes know (ARP, IPv6 ND)"""
    owners = _owners(shell)
    rows = [
        (n.node, str(n.address), owners.get(str(n.address)), n.mac or None, n.interface, n.state)
        for n in shell.network.neighbors(*shell.chosen(nodes))
    ]
    return Table(("node", "address", "name", "mac", "interface", "state"), rows)


@command
def fdb(shell: Shell, *switches: NodeNames) -> Table:
    """lists which node is behind which port of a switch"""
    owners = {interface.mac: f"{interface.node}:{interface.name}" for interface in shell.network.interfaces() if interface.mac}
    rows = [
        (entry.node, entry.mac, owners.get(entry.mac), entry.port, entry.vlan or None)
        for entry in shell.network.forwarding(*shell.chosen(switches))
        if entry.is_learned
    ]
    return Table(("switch", "mac", "name", "port", "vlan"), rows)


@command
def stats(shell: Shell, *nodes: NodeNames) -> Table:
    """lists the interfaces' counters"""
    columns = ("node", "interface", "rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "errors", "dropped")
    interfaces = shell.network.interfaces(*shell.chosen(nodes))
    return Table(columns, [(i.node, i.name, *_counters(i)) for i in interfaces if i.name != "lo"])


@command
def queues(shell: Shell, *nodes: NodeNames) -> Table:
    """lists the queueing disciplines and what they dropped"""
    rows = [
        (q.node, q.interface, q.kind, q.handle or None, q.parent or None, q.sent_packets, q.sent_bytes, q.dropped, q.waiting)
        for q in shell.network.queues(*shell.chosen(nodes))
        if q.interface != "lo"
    ]
    return Table(("node", "interface", "queue", "handle", "parent", "packets", "bytes", "dropped", "waiting"), rows)


@command
def sockets(shell: Shell, *nodes: NodeNames) -> Table:
    """lists on what the nodes' programs listen"""
    rows = [
        (s.node, s.protocol, str(s.address), s.port, s.interface or None, s.waiting, s.dropped)
        for s in shell.network.sockets(*shell.chosen(nodes))
    ]
    return Table(("node", "protocol", "address", "port", "interface", "waiting", "dropped"), rows)


def _counters(i: InterfaceState) -> tuple[int, ...]:
    errors, dropped = i.received_errors + i.sent_errors, i.received_dropped + i.sent_dropped
    return i.received_packets, i.received_bytes, i.sent_packets, i.sent_bytes, errors, dropped


def _owners(shell: Shell) -> dict[str, str]:
    """Which node has an address."""
    return {str(a.ip): i.node for i in shell.network.interfaces() for a in i.addresses if not a.is_loopback}
