"""Packet filters and address translation: looked up, and written as nftables rules when all addresses are known."""

import ast
import linecache
from collections.abc import Iterator
from ipaddress import IPv4Address

from pynetemu.plan.operations import Address, AddRuleset, InterfaceAddress
from pynetemu.plan.problems import Problems, Wrong
from pynetemu.plan.resolve.network import ResolvedFirewall, ResolvedForward, ResolvedInterface, ResolvedNat, ResolvedNode
from pynetemu.plan.resolve.references import Resolver
from pynetemu.plan.values import not_one_of, read_plain_address, read_port, read_table_name
from pynetemu.topology.firewalls import Firewall, Nat
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Node
from pynetemu.topology.part import Declaration, quoted

_EVERYBODY = IPv4Address("255.255.255.255")
_CHAIN = """\
table inet {table} {{
\tchain {hook} {{
\t\ttype filter hook {hook} priority filter; policy {policy};
{rules}
\t}}
}}
"""
_RULES_BEGIN = 4  # the line of _CHAIN
_NAT = """\
table inet {table} {{
\tchain prerouting {{
\t\ttype nat hook prerouting priority dstnat;
{forwards}\t}}
\tchain postrouting {{
\t\ttype nat hook postrouting priority srcnat;
\t\toifname "{outside}" masquerade
\t}}
}}
"""


class Filters:
    """What has been read so far."""

    def __init__(self, resolver: Resolver, problems: Problems) -> None:
        self._resolver = resolver
        self._problems = problems
        self._names: dict[tuple[str, str], Declaration] = {}
        self._ports: dict[tuple[ResolvedInterface, str], ResolvedForward] = {}

    def read(self, part: Firewall | Nat) -> ResolvedFirewall | ResolvedNat | None:
        """The rules of a firewall or a Nat for its node; None when something is wrong, which is noted."""
        if part.declaration.refused:
            return None
        what = "the node of this firewall" if isinstance(part, Firewall) else "the node of this Nat"
        node = self._resolver.find_node(part.node, part.declaration, what)
        if node is None:
            return None
        if node.bridges:
            self._problems.add(part.declaration, f"{node.name} is a switch: packets pass it unseen", "take a router, or a host")
        return self._firewall(part, node) if isinstance(part, Firewall) else self._nat(part, node)

    def _firewall(self, part: Firewall, node: ResolvedNode) -> ResolvedFirewall | None:
        declaration = part.declaration
        policy = self._problems.check(declaration, _read_policy, part.policy)
        texts = {"ruleset": part.ruleset, **part.chains}
        read = {name: self._problems.check(declaration, _read_rules, name, text) for name, text in texts.items()}
        chains = {name: text for name, text in read.items() if text}
        if not chains and None not in read.values():
            self._problems.add(
                declaration, "this firewall has no rules", 'for instance: Firewall(r1, forward="ip saddr 10.0.1.0/24 drop")'
            )
        return ResolvedFirewall(node, self._name(node, declaration, "firewall"), policy or "accept", chains, declaration)

    def _nat(self, part: Nat, node: ResolvedNode) -> ResolvedNat | None:
        declaration = part.declaration
        if not node.forwards:
            hint = "write Router() or Root(forward=True)"
            self._problems.add(declaration, f"Nat needs a router; forwarding is off on {node.name}", hint)
        outside = self._outside(part, node)
        if outside is None:
            return None
        outside.hides = True
        table = self._problems.check(declaration, _read_forwards, part.forwards) or {}
        forwards = [found for port, target in table.items() if (found := self._forward(part, port, target))]
        for forward in forwards:
            port = f"{forward.protocol}/{forward.port}"
            first = self._ports.setdefault((outside, port), forward)
            if first is not forward:
                text = f"port {port} of {node.name} {outside.name} is forwarded twice"
                self._problems.add(declaration, text, "a port of the outside leads to one target")
            if forward.target is node:
                text = f"port {port} is forwarded to {node.name} itself"
                self._problems.add(declaration, text, "name the host behind it; what is for the router itself needs no forward")
        return ResolvedNat(node, self._name(node, declaration, "nat"), outside, forwards, declaration)

    def _outside(self, part: Nat, node: ResolvedNode) -> ResolvedInterface | None:
        found = self._resolver.ends_of(part.outside)
        own = [end for end in found if end.node.whole is node]
        if len(own) == 1:
            return own[0]
        hint = "wire = Link(router, isp), then Nat(router, outside=wire)"
        if isinstance(part.outside, Link) and part.outside.declaration.refused:
            return None
        self._problems.add(part.declaration, f"outside={quoted(part.outside)} is not an interface or link of {node.name}", hint)
        return None

    def _forward(self, part: Nat, port: object, target: object) -> ResolvedForward | None:
        declaration = part.declaration
        outer = self._problems.check(declaration, _read_outer_port, port)
        inner = self._problems.check(declaration, _read_target, port, target)
        if outer is None or inner is None:
            return None
        where, inner_port = inner
        if not isinstance(where, Node):
            address = self._problems.check(declaration, _read_ip, where, port)
            return None if address is None else ResolvedForward(*outer, address, inner_port)
        node = self._resolver.find_node(where, declaration, f"the target of port {port}")
        return None if node is None else ResolvedForward(*outer, node, inner_port)

    def _name(self, node: ResolvedNode, declaration: Declaration, usual: str) -> str:
        """The name of its table, which must be a node's only one of that name."""
        if declaration.name == "":
            tries = [usual, *(f"{usual}{number}" for number in range(2, len(self._names) + 3))]
            name = next(name for name in tries if (node.name, name) not in self._names)
        else:
            found = self._problems.check(declaration, read_table_name, declaration.name)
            if found is None:
                return usual
            name = found
        first = self._names.setdefault((node.name, name), declaration)
        if first is not declaration:
            text = f"{node.name} has a table of rules {name!r} already"
            self._problems.add(declaration, text, f"the other is at {first.where}; give this one another name")
        return name


def _read_policy(policy: object) -> str:
    if policy not in ("accept", "drop"):
        raise not_one_of("policy", policy, ("accept", "drop"))
    return str(policy)


def _read_rules(name: str, text: object) -> str:
    if not isinstance(text, str):
        raise Wrong(f"{name}={quoted(text)} is not a text", "rules are a string, one rule a line")
    return text if text.strip() else ""


def _read_forwards(forwards: object) -> dict[object, object]:
    if not isinstance(forwards, dict):
        raise Wrong(f"forwards={quoted(forwards)} is not a table", "it has targets by their port: forwards={8080: (h1, 80)}")
    return forwards


def _read_outer_port(port: object) -> tuple[str, int]:
    """8080 and "tcp/8080" and "udp/53" as protocol and number."""
    protocol, slash, number = port.partition("/") if isinstance(port, str) else ("tcp", "/", port)
    if protocol not in ("tcp", "udp") or not slash:
        raise Wrong(f"forwards={{{quoted(port)}: ...}} names no port", "8080, or 'udp/53'")
    return protocol, read_port(int(number) if isinstance(number, str) and number.isdigit() else number)


def _read_target(port: object, target: object) -> tuple[Node | object, int]:
    if not isinstance(target, tuple | list) or len(target) != 2:
        raise Wrong(
            f"forwards={{{quoted(port)}: {quoted(target)}}} has no target",
            f"a host and a port: {{{quoted(port)}: (h1, 80)}}",
        )
    return target[0], read_port(target[1])


def _read_ip(text: object, port: object) -> Address:
    address = read_plain_address(text)
    if address is None:
        hint = "a node of the lab, or an address such as '10.0.1.2'"
        raise Wrong(f"the target of port {quoted(port)} is {quoted(text)}, which is neither a node nor an address", hint)
    if address.is_multicast or address.is_unspecified or address.is_loopback or address == _EVERYBODY:
        raise Wrong(f"the target of port {quoted(port)} is {address}, which no host behind has", "a host's address")
    return address


def rulesets_of_firewall(firewall: ResolvedFirewall) -> Iterator[AddRuleset]:
    """One for each of its texts, so that nft's errors can be told at the user's lines."""
    for hook, rules in firewall.texts.items():
        chain = _CHAIN.format(table=firewall.name, hook=hook, policy=firewall.policy, rules=rules)
        text, begin = (rules, 1) if hook == "ruleset" else (chain, _RULES_BEGIN)
        source, begin = _place(rules, begin, firewall.declared)
        chains = () if hook == "ruleset" else (hook,)
        yield AddRuleset(firewall.node.name, firewall.name, text, begin, chains, source)


def ruleset_of_nat(nat: ResolvedNat, problems: Problems) -> AddRuleset:
    lines = ""
    for forward in nat.forwards:
        address = problems.check(nat.declared, _address_of, forward, nat)
        if address is not None:
            family, target = ("ip", f"{address}") if address.version == 4 else ("ip6", f"[{address}]")
            port = f"{forward.protocol} dport {forward.port}"
            lines += f'\t\tiifname "{nat.outside.name}" {port} dnat {family} to {target}:{forward.inner_port}\n'
    text = _NAT.format(table=nat.name, outside=nat.outside.name, forwards=lines)
    return AddRuleset(nat.node.name, nat.name, text, 0, ("prerouting", "postrouting"), nat.declared.where)


def _address_of(forward: ResolvedForward, nat: ResolvedNat) -> Address:
    """A host's address as its router would use it: one on a network that they share, else the first."""
    if not isinstance(forward.target, ResolvedNode):
        return forward.target
    shared = {address.network for interface in nat.node.interfaces.values() for address in interface.addresses}
    addresses: list[InterfaceAddress] = [a for end in forward.target.interfaces.values() for a in end.addresses]
    addresses += forward.target.loopback
    if not addresses:
        raise Wrong(f"the target of port {forward.port}, {forward.target.name}, has no address", "ports are forwarded to one")
    return min(addresses, key=lambda address: address.network not in shared).ip


def _place(text: str, begin: int, declared: Declaration) -> tuple[str, int]:
    """Where in the user's file a text begins, and which line of the ruleset that is; 0 where lines do not agree."""
    try:
        tree = ast.parse("".join(linecache.getlines(declared.file)))
    except SyntaxError:
        return declared.where, 0
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == text]
    for node in sorted(found, key=lambda node: node.lineno):
        if node.lineno >= declared.line:
            has_lines_of_file = (node.end_lineno or 0) - node.lineno == text.count("\n")  # else it is written with \\n
            return f"{declared.where.rpartition(':')[0]}:{node.lineno}", begin if has_lines_of_file else 0
    return declared.where, 0
