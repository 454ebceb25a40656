"""A home behind a router that translates addresses: inside hosts share its one address outside.

    h1 10.0.1.1 ──┐                                            ┌── web
                  s1 ──── gateway 198.51.100.2 ──── isp ──── s2
    h2 10.0.1.2 ──┘

Try in its shell:

    h1 curl -s web                       web sees the gateway's address, not h1's
    web ping -c1 h1                      from outside there is no way in
    web curl -s gateway:8080             but one port is forwarded, to h2
    gateway nft list ruleset
"""

from pynetemu import Host, HttpServer, Link, Nat, Router, Switch, Topology


class Home(Topology):
    h1 = Host()
    h2 = Host()
    s1 = Switch()
    gateway = Router(default_via="198.51.100.1")
    isp = Router()
    s2 = Switch()
    web = Host()

    Link(h1, s1)
    Link(h2, s1)
    Link(s1, gateway)
    uplink = Link(gateway.interface("wan", "198.51.100.2/30"), isp.interface("home", "198.51.100.1/30"))
    Link(isp, s2)
    Link(web, s2)

    nat = Nat(gateway, outside=uplink, forwards={8080: (h2, 80)})
    web_page = HttpServer(web, port=80)
    h2_page = HttpServer(h2, port=80)
