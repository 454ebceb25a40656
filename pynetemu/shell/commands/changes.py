"""Changes of the running lab, by hand."""

from typing import Literal

from pynetemu.errors import UsageError
from pynetemu.shell.argument_types import NodeName
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell
from pynetemu.topology import Host, Hub, Link, Router, Switch

_KINDS = {"host": Host, "router": Router, "switch": Switch, "hub": Hub}


@command
def add(shell: Shell, kind: Literal["host", "router", "switch", "hub", "link"], name: str, *nodes: NodeName) -> int:
    """adds a node with links to others, or a link

    add host h3 s1      a host at the switch s1
    add link r1 s2      one more link

    name   of the new node; of a link's first end
    nodes  that it gets links to

    Addresses and routes are assigned automatically, those of others too. `undo` takes it back.
    """
    if kind == "link" and len(nodes) != 1:
        raise UsageError("add: a link has two ends: add link h1 s1")
    links = [Link(name, node) for node in nodes]
    print(shell.network.add(*links) if kind == "link" else shell.network.add(name, _KINDS[kind](), *links))
    return 0


@command
def remove(shell: Shell, *names: str) -> int:
    """removes nodes with all of theirs, or links (h1-s1)

    remove h3
    remove h1-s1

    The programs in a removed node end. `undo` makes it again, without them.
    """
    if not names:
        raise UsageError("remove: say what: a node, or h1-s1 for the link between two")
    print(shell.network.remove(*names))
    return 0


@command
def move(shell: Shell, node: NodeName, old: NodeName, to: NodeName) -> int:
    """plugs a link of a node in at another one

    move h1 s1 s2

    The node's interface keeps its name and MAC address; an automatic address is one of its new network.
    """
    print(shell.network.move(node, old, to))
    return 0


@command
def undo(shell: Shell) -> int:
    """takes the last change of the lab back, whoever made it

    Changes are those by `add`, `remove`, `move`, `reload` and `pynetemu apply`. The next `undo` takes back the change before.
    """
    print(shell.network.undo())
    return 0
