"""Bonds, dummies and VRFs, to be printed as a script."""

from pynetemu import Bond, Dummy, Host, Link, Router, Switch, Topology, Vrf


class Devices(Topology):
    addresses = "dual"
    h1, h2, h3, s1 = Host(), Host(), Host(), Switch()
    r1, r2 = Router(), Router()
    a, b, c, d = Link(h1, s1), Link(h1, s1), Link(h2, r1), Link(h3, r1)
    bond = Bond(h1, [a, b], mode="balance-xor")
    between, more = Link(r1, r2), Link(s1, r1)
    red, blue = Vrf(r1, 10, [c, between]), Vrf(r1, 20, [d])
    own = Dummy(r2, "10.9.9.9/32", "fd00:9::9/128")
