"""What the network is made of, and how it looks now."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pynetemu.errors import LabError, UsageError
from pynetemu.lab.changing import LabChange
from pynetemu.lab.impairments import Direction, RunningLink, directions
from pynetemu.lab.pairs import RunningPair, between
from pynetemu.lab.state import InterfaceState
from pynetemu.plan.operations import Impair
from pynetemu.plan.shaping.impairment import SETTINGS
from pynetemu.shell.answers import Cell, Table
from pynetemu.shell.argument_types import LinkEnd, LinkSettings, NodeName, NodeNames
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell

_IN_SHORT = "sent", "lost", "dropped", "waiting", "late"  # of the counters, in the list of links
_PLAN_SUFFIXES = ".json", ".sh", ".txt"


@command
def nodes(shell: Shell, *nodes: NodeNames) -> Table:
    """lists the nodes with their addresses"""
    addresses: dict[str, list[str]] = {}
    for interface in _interfaces(shell, nodes):
        addresses.setdefault(interface.node, []).extend(_addresses(interface))
    kinds = shell.network.inventory.kinds
    power = shell.network.power
    said = {n: kind if power.get(n, "running") == "running" else f"{kind}, {power[n]}" for n, kind in kinds.items()}
    return Table(("node", "kind", "addresses"), [(n, said[n], addresses.get(n, [])) for n in shell.chosen(nodes)])


@command
def net(shell: Shell, *nodes: NodeNames) -> Table:
    """lists each node's links and what is at the other ends"""
    chosen = set(shell.chosen(nodes))
    ends = [end for link in shell.network.links() for end in (link.ends, link.ends[::-1])]
    order = {node: place for place, node in enumerate(shell.network.nodes)}
    ends.sort(key=lambda end: order[end[0][0]])
    rows = [(node, interface, peer, far) for (node, interface), (peer, far) in ends if node in chosen]
    return Table(("node", "interface", "peer", "peer_interface"), rows)


@command
def links(shell: Shell, *nodes: NodeNames) -> Table:
    """lists the links, and whether they are up

    Where links do something to packets, `there` and `back` say what in both directions, with `/` between both ways in what was
    counted: sent, lost (as asked), dropped (the queue was full), waiting, and late by a millisecond; `impair` tells more.
    """
    chosen = set(shell.chosen(nodes))
    found = [link for link in shell.network.links() if {link.node, link.peer_node} & chosen]
    does = {(d.node, d.interface): d for d in directions(shell.network)} if shell.network.inventory.of_type(Impair) else {}
    rows: list[tuple[Cell, ...]] = []
    for link in found:
        a, b = (":".join(end) for end in link.ends)
        both = [does.get(end) for end in link.ends]
        more = (*map(_words_of, both), *_both_ways(both)) if does else ()
        rows.append((a, b, "up" if link.is_up else "down", *more))
    return Table(("end", "other_end", "state", *(("there", "back", *_IN_SHORT) if does else ())), rows)


def _words_of(direction: Direction | None) -> list[str]:
    return list(direction.impairment.words) if direction else []


def _both_ways(directions: Sequence[Direction | None]) -> list[str | None]:
    """For each of the counters "there/back", None where neither is counted."""
    counted = [direction.counters if direction else None for direction in directions]
    if not any(counted):
        return [None] * len(_IN_SHORT)
    return ["/".join(str(getattr(c, name)) if c else "-" for c in counted) for name in _IN_SHORT]


@command("interfaces", "ip")
def intfs(shell: Shell, *nodes: NodeNames) -> Table:
    """lists the interfaces and addresses, as they are now

    For what `ip` does in one node say so: blue ip route; in all of them: all ip route.
    """
    rows = [
        (i.node, i.name, _state(i), _addresses(i, name=False), i.mac, i.mtu)
        for i in _interfaces(shell, nodes)
        if i.name != "lo"
    ]
    return Table(("node", "interface", "state", "addresses", "mac", "mtu"), rows)


@command
def ports(shell: Shell, *switches: NodeNames) -> Table:
    """lists the switches' ports and what is plugged into them

    `learned` is how many addresses the switch has seen behind the port; `fdb` lists them.
    """
    peers = {end: other for link in shell.network.links() for end, other in (link.ends, link.ends[::-1])}
    with_bridge = [i for i in _interfaces(shell, switches) if i.master]
    learned: dict[tuple[str, str], int] = {}
    for entry in shell.network.forwarding(*dict.fromkeys(i.node for i in with_bridge)) if with_bridge else []:
        learned[entry.node, entry.port] = learned.get((entry.node, entry.port), 0) + entry.is_learned
    rows = [
        (*port, i.master, ":".join(peers.get(port, ())) or None, _state(i), learned.get(port, 0))
        for i in with_bridge
        for port in [(i.node, i.name)]
    ]
    return Table(("switch", "port", "bridge", "peer", "state", "learned"), rows)


@command
def dump(shell: Shell, *nodes: NodeNames) -> Table:
    """lists the nodes with their interfaces and routes in short"""
    chosen, kinds = shell.chosen(nodes), shell.network.inventory.kinds
    interfaces: dict[str, list[str]] = {node: [] for node in chosen}
    for interface in _interfaces(shell, nodes):
        if interface.name != "lo":
            interfaces[interface.node].append(_with_addresses(interface))
    routes = dict.fromkeys(chosen, 0)
    for route in shell.network.routes(*chosen):
        routes[route.node] += not route.destination.is_link_local
    rows = [(node, kinds[node], routes[node], interfaces[node]) for node in chosen]
    return Table(("node", "kind", "routes", "interfaces"), rows)


@command
def link(shell: Shell, a: LinkEnd, b: LinkEnd, state: Literal["up", "down"]) -> int:
    """takes the link between two nodes down, or up again

    a, b  the nodes at its ends; NODE:INTERFACE where they have several links

    Routes and addresses that the kernel drops with the link come back with it.
    """
    shell.network.set_link(a, b, up=state == "up")
    return 0


@command
def impair(shell: Shell, a: LinkEnd = "", b: LinkEnd = "", *settings: LinkSettings, one_way: bool = False) -> Table:
    """changes what a link does to packets, or lists it

    impair h1 r1 delay=20ms loss=1% rate=10mbit    changes these, in both directions
    impair h1 r1 loss=off                          takes one setting away; `off` alone takes all
    impair h1 r1                                   shows that link with its counters, `impair` all
    impair h1 h3 delay=20ms                        between both only, where they share a switch and have no link of their own

    --one-way  only what is sent from the first node to the second

    Settings are those of Link, and preset=NAME is one of dsl, cable, lte and others. Packets under way come as they would have
    come. `late` counts those that left a millisecond too late, `overload` those that the machine was too slow for.
    """
    if not a:
        found = directions(shell.network)
    elif not b:
        raise UsageError("impair: name both ends of a link, as in: impair h1 s1 delay=20ms")
    else:
        link = between(shell.network, a, b)
        if settings:
            for line in _change(link, settings, one_way).told:
                print(f"pynetemu: {line}", file=sys.stderr)
        found = list(link.directions)
    rows = [_direction_row(direction) for direction in found]
    counted = ("sent", "lost", "dropped", "waiting", "late", "overload")
    return Table(("from", "to", "settings", "by", *counted), rows)


def _change(link: RunningLink | RunningPair, words: tuple[str, ...], one_way: bool) -> LabChange:
    if words == ("off",) and not one_way:
        return link.reset()
    settings: dict[str, object] = {}
    for word in words if words != ("off",) else [f"{name}=off" for name in (*SETTINGS, "towards")]:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"impair: {word!r} is not a setting: write NAME=VALUE, as in loss=1%, or off alone")
        settings[name] = None if value == "off" else int(value) if name == "seed" and value.isdigit() else value
    if not one_way:
        return link.set(**settings)  # type: ignore[arg-type]
    if shared := settings.keys() & {"preset", "mechanism"}:
        raise UsageError(f"impair: {min(shared)} applies to both directions: leave --one-way out")
    return link.set(a_to_b=settings)


def _direction_row(direction: Direction) -> tuple[Cell, ...]:
    c = direction.counters
    counted = (None,) * 6 if c is None else (c.sent, c.lost, c.dropped, c.waiting, c.late, c.overload)
    places = f"{direction.node}:{direction.interface}", f"{direction.peer_node}:{direction.peer_interface}"
    return (*places, list(direction.impairment.words) or "a wire", direction.mechanism or None, *counted)


@command
def switch(shell: Shell, switch: NodeName, state: Literal["start", "stop"]) -> int:
    """stops a switch, or starts it again

    Nothing passes a stopped switch; its ports stay as they are.
    """
    bridges = [i.name for i in shell.network.interfaces(switch) if i.kind == "bridge"]
    if not bridges:
        raise LabError(f"{switch} is not a switch: it has no bridge")
    for bridge in bridges:
        word = "up" if state == "start" else "down"
        shell.network[switch].run("ip", "link", "set", "dev", bridge, word, check=True)
    if state == "start":  # who has asked in vain asks once a second, and would seem to be cut off until then
        shell.network.forget_neighbors(unanswered_too=True)
    return 0


@command
def plan(shell: Shell, *, as_shell: bool = False, json: bool = False) -> int:
    """shows what the network was made of

    --as-shell  as a sh script of ip commands
    --json      as data
    """
    if as_shell and json:
        raise UsageError("plan: --as-shell or --json, not both")
    print(_plan_text(shell, ".sh" if as_shell else ".json" if json else ""))
    return 0


@command
def graph(shell: Shell, *, ascii: bool = False, output: Path | None = None, described: bool = False) -> int:
    """draws the network as it is, and says what differs

    --ascii       with no other characters than ASCII's
    -o, --output  into a file: x.svg, x.png, x.dot or x.mmd (Mermaid)
    --described   as the description has it
    """
    from pynetemu.draw.graph import read
    from pynetemu.draw.running import running

    shown = read(shell.network.plan) if described else running(shell.network)
    if output is not None:
        from pynetemu.draw.files import save as save_picture

        save_picture(shown, str(output))
        return 0
    from pynetemu.draw.canvas import CHARACTERS
    from pynetemu.draw.text import picture
    from pynetemu.terminal_output import can_print, has_colors, width

    plain = ascii or not can_print(CHARACTERS)
    print(picture(shown, max(width(), 20), plain, has_colors()), end="")
    return 0


@command
def save(shell: Shell, file: Path, *, force: bool = False) -> int:
    """writes what runs, or its plan, into a file

    save now.py      a description that makes again what runs, what was changed by hand too

    --force  writes over a description that is there

    The plan: .json as data, .sh as a script of ip commands, .txt for people; .svg, .png, .dot and .mmd as a picture.
    """
    if file.suffix == ".py":
        for text in shell.network.save(file, overwrite=force):
            print(f"pynetemu: not in {file}: {text}", file=sys.stderr)
        return 0
    from pynetemu.draw.files import SUFFIXES as PICTURES

    if file.suffix in PICTURES:
        return graph(shell, output=file, described=True) or 0
    if file.suffix not in _PLAN_SUFFIXES:
        *others, last = ".py", *_PLAN_SUFFIXES, *PICTURES
        raise UsageError(f"save: {file}: its name ends in {', '.join(others)} or {last}")
    try:
        file.write_text(_plan_text(shell, file.suffix) + "\n", encoding="utf-8")
    except OSError as error:
        raise LabError(f"save: {file}: {error.strerror}") from None
    return 0


def _plan_text(shell: Shell, suffix: str) -> str:
    if suffix == ".sh":
        from pynetemu.plan.as_shell import as_shell

        return as_shell(shell.network.plan).rstrip("\n")
    if suffix == ".json":
        from json import dumps

        from pynetemu.plan.data import to_data

        return dumps(to_data(shell.network.plan), indent=2)
    from pynetemu.plan.text import as_text

    return as_text(shell.network.plan).rstrip("\n")


def _interfaces(shell: Shell, nodes: tuple[tuple[str, ...], ...]) -> list[InterfaceState]:
    return shell.network.interfaces(*shell.chosen(nodes))


def _addresses(interface: InterfaceState, name: bool = True) -> list[str]:
    """Those that others use: neither loopback's own nor link-local ones."""
    shown = [str(a) for a in interface.addresses if not a.is_loopback and not a.is_link_local]
    return [f"{interface.name} {address}" for address in shown] if name else shown


def _with_addresses(interface: InterfaceState) -> str:
    """eth0:10.0.0.1/24"""
    return ":".join([interface.name, "+".join(_addresses(interface, name=False))]).rstrip(":")


def _state(interface: InterfaceState) -> str:
    if not interface.is_up:
        return "down"
    return "up" if interface.has_carrier else "no carrier"
