"""One of three hosts on a switch gets nothing. Why?

    blue ─┐
          s1 ── web
    red ──┘

Try in its shell:

    trace blue ping -c1 -W0.4 web

By hand: `s1 bridge fdb show`: web's MAC address stands behind the port of red, and is static.
"""

from pynetemu import Host, Link, Service, Switch, Topology, finished


class WrongPort(Topology):
    s1 = Switch()
    blue, red, web = Host(), Host(), Host()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), s1),
        Link(red.interface("eth0", "10.0.1.3/24"), s1),
        Link(web.interface("eth0", "10.0.1.4/24", mac="02:00:00:00:00:04"), s1),
    )
    # web was plugged in elsewhere once.
    by_hand = Service(s1, "bridge fdb replace 02:00:00:00:00:04 dev red master static sticky", ready=finished())
