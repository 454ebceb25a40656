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


def program_of_that_name(word: str, rest: str, shell: "ShellLike") -> str:
    """What to say when somebody has wanted a program that a command has the name of, as in `ip netns exec blue ip addr`."""
    nodes, words = shell.network.nodes, rest.split()
    if word == "ip" and words[:2] == ["netns", "exec"] and len(words) > 3 and words[2] in nodes:
        return f"a node's name does that: {' '.join(words[2:])}"
    if not words or not nodes or shutil.which(word) is None:
        return ""
    return f"for the program say where: {nodes[-1]} {word} {rest}, or !{word} {rest} on this machine"


def unknown(word: str, shell: "ShellLike") -> str:
    """The error, with what may have been meant: a name like it, a program that needs a node before it."""
    nodes = shell.network.nodes
    if word in _MININETS:
        hint = _MININETS[word]
    elif word == "sudo":
        hint = f"in nodes everybody is root already: {nodes[-1] if nodes else 'NODE'} COMMAND"
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
