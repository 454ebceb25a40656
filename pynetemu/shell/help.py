"""What `help` says about a command, out of its signature and docstring."""

from collections.abc import Sequence
from itertools import groupby

from pynetemu.network.network import Network
from pynetemu.shell.command import Command
from pynetemu.terminal_output import fitted, paint
from pynetemu.wording import shortened

_GRAMMAR = """\
NODE COMMAND ...       runs a command in a node: blue ping -c1 root
NODE COMMAND | ...     the rest of the line is for the node's sh: blue ip addr | wc -l
NODE COMMAND &         runs it in the background
NODE                   opens a shell in the node; exit or Ctrl-D comes back
NODE send PACKET       sends what scapy makes; so do sr1, sr; NODE sniff; NODE scapy
NODES COMMAND ...      runs it in several at once: h1,h2 uptime; h* ip addr; all id
!COMMAND ...           runs a command on this machine, outside the lab
CMD -h, help CMD       tell about one of these commands; CMD | ..., CMD > FILE
CMD; CMD && CMD        one after the other; after a node's name they are the node's
"""


def overview(nodes: Sequence[str]) -> str:
    """All that can be typed: the nodes, what to do with them, and each command by its topic."""
    from pynetemu.shell import registry

    lines = [fitted(f"Nodes: {shortened(nodes, 12)}\n\n{_GRAMMAR.rstrip()}")]
    for topic, commands in groupby(sorted(registry.all_commands(), key=registry.place), key=lambda command: command.topic):
        lines += ["", paint(topic if "." in topic else topic.capitalize(), "bold")]
        lines += [fitted(f"{', '.join([command.name, *command.other_names]):<21}  {command.about}") for command in commands]
    return "\n".join(lines)


def help_of_node(name: str, network: Network) -> str:
    """What a node is, and what can be done with it; with "all", with all of them."""
    if name == "all":
        return f"{paint('all COMMAND ...', 'bold')}\n{fitted(f'    runs it in every node: {shortened(network.nodes, 12)}')}"
    kind = network.inventory.kinds[name]
    addresses = [str(address) for address in network.inventory.addresses_of_nodes.get(name, ())]
    lines = [f"    runs a command in the {kind} {name}; {name} alone opens a shell in it"]
    if addresses:
        lines += ["", f"    addresses: {shortened(addresses)}"]
    lines += ["", f"    {name} ip addr, nodes and links show more"]
    return "\n".join([paint(f"{name} COMMAND ...", "bold"), *map(fitted, lines)])


def help_text(command: Command) -> str:
    """The usage, what it is for, and a line for each option."""
    lines = [f"    {command.about}"]
    if command.explanation:
        lines += ["", *(f"    {line}".rstrip() for line in command.explanation.splitlines())]
    if command.options:
        width = max(len(option.heading) for option in command.options)
        lines += ["", *(f"    {option.heading:<{width}}  {option.about}".rstrip() for option in command.options)]
    if command.other_names:
        lines += ["", f"    also: {', '.join(command.other_names)}"]
    return "\n".join([paint(fitted(command.usage), "bold"), *map(fitted, lines)])
