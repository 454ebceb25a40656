"""The labs of the cases, before anything in them is broken."""

from pynetemu import (
    Bond,
    Bridge,
    Gre,
    Host,
    HttpServer,
    Hub,
    Link,
    Macvlan,
    Router,
    Service,
    Switch,
    Topology,
    Vrf,
    Vxlan,
    WireGuard,
    tcp,
)

# What is asked is read, too: else socat may find nobody who reads it, and closes the connection before anything was sent.
_BULK = "exec socat {}-LISTEN:90,fork,reuseaddr SYSTEM:'cat <&0 >/dev/null & head -c 100000 /dev/zero'"


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


class Campus(Topology):
    """h1, h2 ── s1 ── r1 ── r2 ── r3 ── s3 ── web, db: three routers, IPv4 and IPv6."""

    addresses = "dual"
    pools = ("10.0.0.0/8", "fd00::/32")
    h1, h2 = Host(), Host()
    s1, s3 = Switch(), Switch()
    r1, r2, r3 = Router(), Router(), Router()
    web, db = Host(), Host()
    Link(h1.interface("eth0", "10.1.0.11/24", "fd00:1::11/64"), s1)
    Link(h2.interface("eth0", "10.1.0.12/24", "fd00:1::12/64"), s1)
    Link(r1.interface("eth0", "10.1.0.1/24", "fd00:1::1/64"), s1)
    Link(r1.interface("eth1", "10.12.0.1/30", "fd00:12::1/64"), r2.interface("eth0", "10.12.0.2/30", "fd00:12::2/64"))
    Link(r2.interface("eth1", "10.23.0.1/30", "fd00:23::1/64"), r3.interface("eth0", "10.23.0.2/30", "fd00:23::2/64"))
    Link(r3.interface("eth1", "10.3.0.1/24", "fd00:3::1/64"), s3)
    Link(web.interface("eth0", "10.3.0.21/24", "fd00:3::21/64"), s3)
    Link(db.interface("eth0", "10.3.0.22/24", "fd00:3::22/64"), s3)
    page = HttpServer(web, port=80)
    big = Service(web, _BULK.format("TCP6"), ready=tcp(90))


class HubOffice(Topology):
    """Office with hubs where it has switches."""

    h1, h2 = Host(), Host()
    s1, s2 = Hub(), Hub()
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


class Bonded(Topology):
    """h1 with two links in a bond ── s1 ── r1 ── web."""

    h1, web = Host(), Host()
    s1, r1 = Switch(), Router()
    bond = Bond(h1, [Link(h1, s1), Link(h1, s1)], "10.1.0.11/24", name="bond0")
    Link(r1.interface("eth0", "10.1.0.1/24"), s1)
    Link(r1.interface("eth1", "10.2.0.1/24"), web.interface("eth0", "10.2.0.21/24"))
    page = HttpServer(web, port=80)


class Virtual(Topology):
    """a1, b1 ── r1 ── a2, b2: r1 has one VRF for the a's and one for the b's."""

    a1, a2, b1, b2 = Host(), Host(), Host(), Host()
    r1 = Router()
    w = Link(a1.interface("eth0", "10.1.0.11/24"), r1.interface("w", "10.1.0.1/24"))
    x = Link(a2.interface("eth0", "10.2.0.21/24"), r1.interface("x", "10.2.0.1/24"))
    y = Link(b1.interface("eth0", "10.3.0.11/24"), r1.interface("y", "10.3.0.1/24"))
    z = Link(b2.interface("eth0", "10.4.0.21/24"), r1.interface("z", "10.4.0.1/24"))
    red, blue = Vrf(r1, 10, [w, x]), Vrf(r1, 20, [y, z])
    page = HttpServer(a2, port=80)


class GreSites(Topology):
    """pc1 ── a ── core ── b ── pc2, and a GRE tunnel with a key from a to b through core."""

    pc1, pc2 = Host(), Host()
    a, b, core = Router(), Router(), Router()
    Link(pc1.interface("eth0", "10.1.0.11/24"), a.interface("lan", "10.1.0.1/24"))
    Link(pc2.interface("eth0", "10.2.0.21/24"), b.interface("lan", "10.2.0.1/24"))
    Link(a.interface("up", "192.168.1.1/30"), core.interface("west", "192.168.1.2/30"))
    Link(b.interface("up", "192.168.2.1/30"), core.interface("east", "192.168.2.2/30"))
    tunnel = Gre(a.interface("gre1", "172.16.0.1/30"), b.interface("gre1", "172.16.0.2/30"), key=7)
    page = HttpServer(pc2, port=80)


class WireGuardSites(Topology):
    """pc1 ── a ── core ── b ── pc2, and a WireGuard tunnel from a to b through core."""

    pc1, pc2 = Host(), Host()
    a, b, core = Router(), Router(), Router()
    Link(pc1.interface("eth0", "10.1.0.11/24"), a.interface("lan", "10.1.0.1/24"))
    Link(pc2.interface("eth0", "10.2.0.21/24"), b.interface("lan", "10.2.0.1/24"))
    Link(a.interface("up", "192.168.1.1/30"), core.interface("west", "192.168.1.2/30"))
    Link(b.interface("up", "192.168.2.1/30"), core.interface("east", "192.168.2.2/30"))
    tunnel = WireGuard(a.interface("wg0", "172.16.0.1/30"), b.interface("wg0", "172.16.0.2/30"))
    page = HttpServer(pc2, port=80)


class Vepa(Topology):
    """box1, box2 ── s1 ── r1: the boxes are macvlans of mode vepa on pc's link."""

    pc, box1, box2 = Host(), Host(), Host()
    s1, r1 = Switch(), Router()
    wire = pc.interface("eth0", "10.1.0.10/24")
    Link(wire, s1)
    Link(r1.interface("eth0", "10.1.0.1/24"), s1)
    one = Macvlan(wire, box1, "10.1.0.31/24", mode="vepa")
    two = Macvlan(wire, box2, "10.1.0.32/24", mode="vepa")


class PrivateBoxes(Topology):
    """As Vepa, with macvlans of mode private."""

    pc, box1, box2 = Host(), Host(), Host()
    s1, r1 = Switch(), Router()
    wire = pc.interface("eth0", "10.1.0.10/24")
    Link(wire, s1)
    Link(r1.interface("eth0", "10.1.0.1/24"), s1)
    one = Macvlan(wire, box1, "10.1.0.31/24", mode="private")
    two = Macvlan(wire, box2, "10.1.0.32/24", mode="private")
