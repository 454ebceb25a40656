"""Neighbors that know each other, to be printed as a script."""

from pynetemu import Host, Link, Root, Router, Switch, Topology


class Told(Topology):
    addresses = "dual"
    arp = "permanent"
    root, r1, s1, h1 = Root(), Router(), Switch(), Host()
    a, b, c = Link(root, s1), Link(r1, s1), Link(h1, s1)
