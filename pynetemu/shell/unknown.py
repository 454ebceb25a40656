"""What to say of a word that is not a node and no command."""

import re
import shutil
from typing import TYPE_CHECKING

from pynetemu.shell import registry
from pynetemu.shell.language import SH_WORDS
from pynetemu.wording import did_you_mean, shortened

if TYPE_CHECKING:
    from pynetemu.shell.protocol import ShellLike

_VARIABLE = re.compile(r"[A-Za-z_]\w*=")
_MININETS = {
    "dpctl": "switches are Linux bridges here: `s1 bridge link`, `ports`, `fdb`",
    "controller": "switches are Linux bridges here, which learn by themselves",
}


def unknown(word: str, shell: "ShellLike") -> str:
    """The error, with what may have been meant: a name like it, a program that needs a node before it."""
    nodes = shell.network.nodes
    if word in _MININETS:
        hint = _MININETS[word]
    elif word == "export" or _VARIABLE.match(word):
        hint = f"variables are for a command in a node: {nodes[-1] if nodes else 'NODE'} NAME=VALUE COMMAND"
    elif word in SH_WORDS or word.startswith(("(", "{")):
        hint = (
            f"it is one of sh's: say where, as in {nodes[-1] if nodes else 'NODE'} {word} ..., or !{word} ... on this machine"
        )
    elif shutil.which(word):
        hint = f"to run the program say where: {nodes[-1] if nodes else 'NODE'} {word} ..., or !{word} on this machine"
    else:
        meant = did_you_mean(word, [*nodes, *registry.names(), *shell.aliases])
        hint = meant or f"the nodes are {shortened(nodes)}; `help` lists the commands"
    return f"no node or command {word!r}; {hint}"
