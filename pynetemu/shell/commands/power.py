"""Nodes as machines: paused, stopped, and back."""

from pynetemu.shell.argument_types import NodeNames
from pynetemu.shell.command import command
from pynetemu.shell.shell import Shell


@command
def pause(shell: Shell, node: NodeNames, *more: NodeNames) -> int:
    """stops the programs of a node where they are

    Its links are down. `resume` starts it again.
    """
    shell.network.pause(*shell.chosen((node, *more)))
    return 0


@command
def resume(shell: Shell, node: NodeNames, *more: NodeNames) -> int:
    """lets a paused node go on"""
    shell.network.resume(*shell.chosen((node, *more)))
    return 0


@command
def stop(shell: Shell, node: NodeNames, *more: NodeNames) -> int:
    """turns a node off, as a machine

    Its programs are killed, its links are down. `start` turns it on again. What it has written to /etc and /var is kept.
    """
    shell.network.stop(*shell.chosen((node, *more)))
    return 0


@command
def start(shell: Shell, node: NodeNames, *more: NodeNames) -> int:
    """turns a stopped node on again, with its services"""
    shell.network.start(*shell.chosen((node, *more)))
    return 0
