"""The labs of the cases, before anything in them is broken."""

from pynetemu import Bridge, Host, HttpServer, Link, Macvlan, Router, Service, Switch, Topology, Vxlan, tcp

_BULK = "exec socat {}-LISTEN:90,fork,reuseaddr SYSTEM:'head -c 100000 /dev/zero'"


class Office(Topology):
    """h1, h2 ── s1 ── r1 ── r2 ── s2 ── web, db."""

    h1, h2 = Host(), Host()
    s1, s2 = Switch(), Switch()
    r1, r2 = Router(), Router()
    web, db = Host(), Host()
    Link(h1.interface("eth0", "10.1.0.11/24"), s1)
    Link(h2.interface("eth0", "10.1.0.12/24"), s1)
    Link(r1.interface("eth0", "10.1.0.1/24"), s1)
    Link(r1.interface("eth1", "10.12.0.1/30"), r2.interface("eth0", "10.12.0.2/30"))
    Link(r2.interface("eth1", "10.2.0.1/24"), s2)
    Link(web.interface("eth0", "10.2.0.21/24"), s2)
    Link(db.interface("eth0", "10.2.0.22/24"), s2)
    page = HttpServer(web, port=80)


class OfficeWithBulk(Topology):
    """Office, with a server of 100,000 bytes."""

    h1, h2 = Host(), Host()
    s1, s2 = Switch(), Switch()
    r1, r2 = Router(), Router()
    web, db = Host(), Host()
    Link(h1.interface("eth0", "10.1.0.11/24"), s1)
    Link(h2.interface("eth0", "10.1.0.12/24"), s1)
    Link(r1.interface("eth0", "10.1.0.1/24"), s1)
    Link(r1.interface("eth1", "10.12.0.1/30"), r2.interface("eth0", "10.12.0.2/30"))
    Link(r2.interface("eth1", "10.2.0.1/24"), s2)
    Link(web.interface("eth0", "10.2.0.21/24"), s2)
    Link(db.interface("eth0", "10.2.0.22/24"), s2)
    page = HttpServer(web, port=80)
    big = Service(web, _BULK.format("TCP"), ready=tcp(90))


class DualOffice(Topology):
    """Office, with IPv6 too."""

    addresses = "dual"
    pools = ("10.0.0.0/8", "fd00::/32")
    h1, h2 = Host(), Host()
    s1, s2 = Switch(), Switch()
    r1, r2 = Router(), Router()
    web, db = Host(), Host()
    Link(h1.interface("eth0", "10.1.0.11/24", "fd00:1::11/64"), s1)
    Link(h2.interface("eth0", "10.1.0.12/24", "fd00:1::12/64"), s1)
    Link(r1.interface("eth0", "10.1.0.1/24", "fd00:1::1/64"), s1)
    Link(r1.interface("eth1", "10.12.0.1/30", "fd00:12::1/64"), r2.interface("eth0", "10.12.0.2/30", "fd00:12::2/64"))
    Link(r2.interface("eth1", "10.2.0.1/24", "fd00:2::1/64"), s2)
    Link(web.interface("eth0", "10.2.0.21/24", "fd00:2::21/64"), s2)
    Link(db.interface("eth0", "10.2.0.22/24", "fd00:2::22/64"), s2)
    page = HttpServer(web, port=80)


class DualOfficeWithBulk(Topology):
    """DualOffice, with a server of 100,000 bytes."""

    addresses = "dual"
    pools = ("10.0.0.0/8", "fd00::/32")
    h1, h2 = Host(), Host()
    s1, s2 = Switch(), Switch()
    r1, r2 = Router(), Router()
    web, db = Host(), Host()
    Link(h1.interface("eth0", "10.1.0.11/24", "fd00:1::11/64"), s1)
    Link(h2.interface("eth0", "10.1.0.12/24", "fd00:1::12/64"), s1)
    Link(r1.interface("eth0", "10.1.0.1/24", "fd00:1::1/64"), s1)
    Link(r1.interface("eth1", "10.12.0.1/30", "fd00:12::1/64"), r2.interface("eth0", "10.12.0.2/30", "fd00:12::2/64"))
    Link(r2.interface("eth1", "10.2.0.1/24", "fd00:2::1/64"), s2)
    Link(web.interface("eth0", "10.2.0.21/24", "fd00:2::21/64"), s2)
    Link(db.interface("eth0", "10.2.0.22/24", "fd00:2::22/64"), s2)
    page = HttpServer(web, port=80)
    big = Service(web, _BULK.format("TCP6"), ready=tcp(90))


class Diamond(Topology):
    """h1 ── r1 ── r2 or r3 ── r4 ── web: the cases say which way is taken."""

    h1, web = Host(), Host()
    r1, r2, r3, r4 = Router(auto_routes=False), Router(auto_routes=False), Router(auto_routes=False), Router(auto_routes=False)
    Link(h1.interface("eth0", "10.1.0.11/24"), r1.interface("lan", "10.1.0.1/24"))
    Link(r1.interface("up", "10.12.0.1/30"), r2.interface("west", "10.12.0.2/30"))
    Link(r1.interface("down", "10.13.0.1/30"), r3.interface("west", "10.13.0.2/30"))
    Link(r2.interface("east", "10.24.0.1/30"), r4.interface("up", "10.24.0.2/30"))
    Link(r3.interface("east", "10.34.0.1/30"), r4.interface("down", "10.34.0.2/30"))
    Link(r4.interface("lan", "10.4.0.1/24"), web.interface("eth0", "10.4.0.21/24"))
    page = HttpServer(web, port=80)


class Overlay(Topology):
    """a ── core ── b, and a VXLAN tunnel from a to b through it."""

    a, b = Router(), Router()
    core = Router()
    Link(a.interface("up", "10.11.0.1/30"), core.interface("west", "10.11.0.2/30"))
    Link(b.interface("up", "10.12.0.1/30"), core.interface("east", "10.12.0.2/30"))
    tunnel = Vxlan(a.interface("vx", "172.16.0.1/24"), b.interface("vx", "172.16.0.2/24"), id=10)


class Boxed(Topology):
    """pc ── r1, and box, whose only interface is a macvlan on pc's."""

    pc = Host()
    box = Host()
    r1 = Router()
    wire = pc.interface("eth0", "10.1.0.10/24")
    Link(wire, r1.interface("eth0", "10.1.0.1/24"))
    mv = Macvlan(wire, box, "10.1.0.20/24")


class Bridged(Topology):
    """vm1, vm2 ── a bridge in hyp, which routes to up."""

    vm1, vm2 = Host(), Host()
    hyp = Router()
    up = Router()
    br = Bridge(hyp, "br0", "10.1.0.1/24")
    Link(vm1.interface("eth0", "10.1.0.11/24"), br)
    Link(vm2.interface("eth0", "10.1.0.12/24"), br)
    Link(hyp.interface("wan", "10.9.0.1/30"), up.interface("eth0", "10.9.0.2/30"))
