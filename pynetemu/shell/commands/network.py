"""What the network is made of."""

from pynetemu.plan.operations import AddAddress, AddNode
from pynetemu.shell.answers import Table
from pynetemu.shell.command import command
from pynetemu.shell.kinds import NodeNames
from pynetemu.shell.shell import Shell


@command
def nodes(shell: Shell, *nodes: NodeNames) -> Table:
    """lists the nodes with their addresses"""
    addresses: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for operation in shell.network.plan.operations:
        if isinstance(operation, AddNode):
            kinds[operation.node] = operation.kind
        elif isinstance(operation, AddAddress):
            addresses.setdefault(operation.node, []).append(f"{operation.interface} {operation.address}")
    shown = shell.chosen(nodes)
    return Table(("node", "kind", "addresses"), [(node, kinds[node], addresses.get(node, [])) for node in shown])


@command
def plan(shell: Shell, *, as_shell: bool = False) -> int:
    """shows what the network is made of

    --as-shell  as a sh script of ip commands
    """
    from pynetemu.plan.shell import as_shell as shell_script
    from pynetemu.plan.text import as_text

    print((shell_script if as_shell else as_text)(shell.network.plan).rstrip("\n"))
    return 0
