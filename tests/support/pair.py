"""A lab of two: the root and a host, on one link; enough for most questions."""

from pynetemu import Host, Link, Root, Topology


class Pair(Topology):
    root = Root()
    blue = Host(default_via="10.0.0.1")
    wire = Link(root.interface("eth0", "10.0.0.1/24"), blue.interface("eth0", "10.0.0.2/24"))
