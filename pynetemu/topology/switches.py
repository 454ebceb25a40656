"""Nodes that pass frames on: bridges."""

from pynetemu.topology.nodes import Node


class Switch(Node):
    """A Linux bridge `br0` in a namespace of its own; each link to it is a port, named after the neighbour.

    s1 = Switch()
    """

    def __init__(self) -> None:
        pass
