"""A plan for people to read: what each node has, and what is at the other end."""

from collections.abc import Iterator

from pynetemu.plan.operations import (
    AddAddress,
    AddHttpServer,
    AddMultipathRoute,
    AddNode,
    AddRoute,
    AddRuleset,
    AddService,
    AddVeth,
    IPNetwork,
    Plan,
)

_KINDS = {"root": "the lab's machine"}


def as_text(plan: Plan) -> str:
    """A listing of the nodes, each with its interfaces, routes and services.

    Blue: 2 nodes, 1 link

    root (the lab's machine)
      eth0       192.168.0.194/24   known as host
      veth_root  10.0.0.1/24        to blue veth_blue
      root_web   http://root:8080/
    ...
    """
    hidden = {op.node for op in plan.operations if isinstance(op, AddNode) and op.kind == "outside"}
    links = sum(isinstance(op, AddVeth) and not hidden & {op.node, op.peer_node} for op in plan.operations)
    lines = [f"{plan.name}: {_count(len(plan.nodes), 'node')}, {_count(links, 'link')}"]
    rows = _rows(plan, hidden)
    for operation in plan.operations:
        if isinstance(operation, AddNode) and operation.node not in hidden:
            kind = "this machine" if operation.kind == "root" and plan.host else _KINDS.get(operation.kind, operation.kind)
            lines += ["", f"{operation.node} ({kind})", *_aligned(rows.get(operation.node, []))]
    return "\n".join(lines) + "\n"


def _rows(plan: Plan, hidden: set[str]) -> dict[str, list[tuple[str, str, str]]]:
    """For each node its lines: a name, what it has, and where that leads."""
    addresses: dict[tuple[str, str], list[str]] = {}
    for operation in plan.operations:
        if isinstance(operation, AddAddress):
            addresses.setdefault((operation.node, operation.interface), []).append(str(operation.address))
    rows: dict[str, list[tuple[str, str, str]]] = {}
    for node, *row in _entries(plan, hidden):
        name, value, note = row
        rows.setdefault(node, []).append((name, value or " ".join(addresses.get((node, name), [])), note))
    return rows


def _entries(plan: Plan, hidden: set[str]) -> Iterator[tuple[str, str, str, str]]:
    owners = {op.address.ip: op.node for op in plan.operations if isinstance(op, AddAddress)}
    for operation in plan.operations:
        match operation:
            case AddVeth(node=node, interface=interface, peer_node=peer, peer_interface=far):
                yield node, interface, "", "known as host" if peer in hidden else f"to {peer} {far}"
                yield peer, far, "", f"to {node} {interface}"
            case AddAddress(node=node, interface="lo", address=address):
                yield node, "lo", str(address), ""
            case AddRoute(node=node, destination=destination, via=via):
                yield node, _destination(destination), f"via {via}", owners.get(via, "")
            case AddMultipathRoute(node=node, destination=destination, vias=vias):
                gateways = ", ".join(owners.get(via, "") for via in vias)
                yield node, _destination(destination), f"via {' or '.join(map(str, vias))}", gateways
            case AddRuleset(node=node, name=name, text=text):
                yield node, name, f"nftables rules, {_count(len(text.splitlines()), 'line')}", ""
            case AddHttpServer(node=node, name=name, port=port):
                yield node, name, f"http://{node}:{port}/", ""
            case AddService(node=node, name=name, command=command, ready=ready):
                yield node, name, command, f"ready: {ready}" if ready else ""
            case _:
                pass


def _destination(destination: IPNetwork) -> str:
    if destination.prefixlen:
        return str(destination)
    return "default" if destination.version == 4 else "default (IPv6)"


def _aligned(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)] if rows else []
    for name, value, note in rows:
        yield f"  {name:{widths[0]}}  {value:{widths[1]}}  {note}".rstrip()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
