"""web answers blue now and then, and sometimes somebody else does. Why?

    blue ─┐
          s1 ───── web
    red ──┘

Try in its shell:

    trace blue ping -c1 -W1 10.0.1.10
"""

from pynetemu import Host, HttpServer, Link, Service, Switch, Topology, finished


class AddressTwice(Topology):
    s1 = Switch()
    blue = Host()
    red = Host()
    web = Host()
    wires = (
        Link(blue.interface("eth0", "10.0.1.2/24"), s1),
        Link(red.interface("eth0", "10.0.1.3/24"), s1),
        Link(web.interface("eth0", "10.0.1.10/24"), s1),
    )
    page = HttpServer(web, port=80)
    # Somebody has given red another address by hand.
    by_hand = Service(red, "ip addr add 10.0.1.10/24 dev eth0", ready=finished())
