"""From a description to a plan: `compile_plan(Blue)` says what the kernel must become."""

from collections.abc import Callable, Iterator

from pynetemu.plan.attributes import check_attributes
from pynetemu.plan.emit import sections_of
from pynetemu.plan.macs import Macs
from pynetemu.plan.no_gc import no_collection
from pynetemu.plan.operations import (
    AddRuleset,
    InterfaceAddress,
    Operations,
    Plan,
)
from pynetemu.plan.operations.values import Kernel
from pynetemu.plan.problems import Problems
from pynetemu.plan.resolve import resolve
from pynetemu.plan.resolve.address_settings import read_ids
from pynetemu.plan.resolve.addresses import ending_number
from pynetemu.plan.resolve.network import (
    BRIDGE,
    ROOT_INTERFACE,
    ResolvedFirewall,
    ResolvedInterface,
    ResolvedLink,
    ResolvedNetwork,
    ResolvedNode,
)
from pynetemu.plan.standing import Standing
from pynetemu.plan.table import OperationTable, flat
from pynetemu.topology.description import Description, describe
from pynetemu.topology.memo import Memo
from pynetemu.topology.part import WrongSettingError, one_folder
from pynetemu.topology.topology import Topology


def compile_plan(
    topology: Topology | type[Topology],
    host: bool = False,
    kernel: Callable[[], Kernel] = lambda: None,
    running: Plan | None = None,
) -> Plan:
    """What the kernel must become.

        compile_plan(Blue).operations == (AddNode("root", "root"), AddNode("outside", "outside"), ...)

    With `host` the root is the machine itself, with the addresses that it has. `kernel` tells what its kernel has; it is
    asked when a link is more than a wire, and decides what makes it so. `running` is what a lab is made of that this becomes:
    names, MAC addresses and automatic addresses stay as they are there. Raises DescriptionError, with everything that is wrong.
    """
    with no_collection(), one_folder():
        description = describe(topology() if isinstance(topology, type) else topology)
        return compiled(description, host, kernel, Standing(running), None)[0]


def compiled(
    description: Description,
    host: bool,
    kernel: Callable[[], Kernel],
    standing: Standing,
    memo: Memo | None,
    tabled: bool = False,
) -> tuple[Plan, OperationTable | None]:
    """The plan, and where that is wanted its operations by whose they are."""
    problems = Problems()
    _check_use(description, problems)
    check_attributes(description, problems)
    network = resolve(description, problems, host, kernel, standing, memo)
    rulesets = list(_rulesets(network, problems))
    ids = read_ids(description, problems)
    problems.raise_all()
    root = next((node for node in network.nodes if node.own_address), None)
    own = None if host or root is None else root.own_address
    if root and own:
        _plug_in(root, own, network)
    _choose_macs(network, standing)
    if any(node.bridge.stp for node in network.nodes):
        from pynetemu.plan.resolve.loops import block_ports

        block_ports(network)
    sections = sections_of(network, rulesets, memo)
    table = OperationTable.of(sections) if tabled else None
    operations = Operations(flat(sections) if table is None else table.parts())
    for node in network.nodes:
        node.interfaces.clear()  # which know their node: so all of it goes now, and the garbage collector has less to look at
    return Plan(network.name, operations, host, own.ip if own else None, problems.warnings, ids), table


def _check_use(description: Description, problems: Problems) -> None:
    """What Python itself refused: arguments that do not fit, and an exception in `build`."""
    for part in (*description.nodes, *description.interfaces, *description.links, *description.services, *description.filters):
        if part.declaration.refused:
            from pynetemu.plan.signatures import explain_arguments

            problems.add_all(part.declaration, explain_arguments(type(part), part.declaration.refused))
    _check_topology(description, problems)
    if not description.nodes and not description.failure and not description.declaration.refused:
        problems.add(description.kind_declaration, f"{description.name} has no nodes", "for instance: h1 = Host()")


def _check_topology(description: Description, problems: Problems) -> None:
    """Its parameters and its `build`, and those of the topologies in it."""
    if description.declaration.refused:
        from pynetemu.plan.signatures import explain_parameters

        in_order, given = description.declaration.refused
        problems.add_all(description.declaration, explain_parameters(description.name, description.kind.build, given, in_order))
    elif isinstance(description.failure, WrongSettingError):
        problems.add(description.declaration, f"{description.name}: {description.failure.text}", description.failure.hint)
    elif description.failure:
        from pynetemu.plan.failures import explain_failure, place_of_build

        where = place_of_build(description.kind) or description.kind_declaration.where
        problems.add_first(explain_failure(description.failure, f"{description.name}.build failed", where))
    for inner in description.inner:
        _check_topology(inner, problems)


def _plug_in(root: ResolvedNode, address: InterfaceAddress, network: ResolvedNetwork) -> None:
    """Gives the root its own interface, with an outside to be plugged into."""
    outside = ResolvedNode("outside", "outside", root.declared)
    near, far = root.interfaces[ROOT_INTERFACE], ResolvedInterface(outside, ROOT_INTERFACE, root.declared)
    near.addresses.append(address)
    network.nodes.insert(network.nodes.index(root) + 1, outside)
    network.links.insert(0, ResolvedLink(near, far, root.declared))


def _rulesets(network: ResolvedNetwork, problems: Problems) -> Iterator[AddRuleset]:
    if not network.filters:
        return
    from pynetemu.plan.resolve.firewalls import ruleset_of_nat, rulesets_of_firewall

    for part in network.filters:
        if isinstance(part, ResolvedFirewall):
            yield from rulesets_of_firewall(part)
        else:
            yield ruleset_of_nat(part, problems)


def _choose_macs(network: ResolvedNetwork, standing: Standing) -> None:
    """For interfaces without one, and for bridges with a spanning tree: by theirs the root is chosen."""
    ends = [end for link in network.links for end in (link.a, link.b)]
    ends += network.devices
    given = {end.mac for end in ends if end.mac}
    for end in ends:
        kept = standing.macs.get((end.node.name, end.name), "")
        if not end.mac and kept not in given:
            end.mac = kept
    macs = Macs((end.mac for end in ends if end.mac), standing.others.has_mac)
    for end in ends:
        end.mac = end.mac or macs.take(f"{end.node.name} {end.name}", end.addresses)
        for vlan in end.vlans.values():
            vlan.mac = end.mac
    for node in network.nodes:
        if node.bridge.stp:
            node.mac = macs.take_number(ending_number(node.name), f"{node.name} {BRIDGE}")
