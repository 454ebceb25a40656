"""What to say of a word that is no node and no command."""

import shutil
from typing import TYPE_CHECKING

from pynetemu.plan.nearest import nearest
from pynetemu.shell import registry

if TYPE_CHECKING:
    from pynetemu.shell.protocol import ShellLike

_MININETS = {
    "dpctl": "switches are Linux bridges here: `s1 bridge link`, `ports`, `fdb`",
    "controller": "switches are Linux bridges here, which learn by themselves",
}


def unknown(word: str, shell: "ShellLike") -> str:
    """The error, with what may have been meant: a name like it, a program that needs a node before it."""
    nodes = shell.network.nodes
    near = nearest(word, [*nodes, *registry.names(), *shell.aliases])
    if word in _MININETS:
        hint = _MININETS[word]
    elif shutil.which(word):
        hint = f"to run the program say where: {nodes[-1] if nodes else 'NODE'} {word} ..., or !{word} on this machine"
    elif near:
        hint = f"did you mean {near!r}?"
    else:
        shown = ", ".join(nodes[:8]) + (f" and {len(nodes) - 8} more" if len(nodes) > 8 else "")
        hint = f"the nodes are {shown}; `help` lists the commands"
    return f"no node or command {word!r}; {hint}"
