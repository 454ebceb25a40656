"""A packet filter between two networks: only web traffic may pass, and only from h1.

    h1 ──┐
         s1 ──── r1 (nftables) ──── web
    h2 ──┘

Try in its shell:

    h1 curl -s web
    h2 curl -s -m 1 web                  not allowed: no answer
    h1 ping -c1 -W1 web                  not allowed either
    r1 nft list ruleset                  the counters tell what was dropped
    trace h2 curl -m 1 web               where it died, and by which rule
"""

from pynetemu import Firewall, Host, HttpServer, Link, Router, Switch, Topology


class Filtered(Topology):
    h1 = Host()
    h2 = Host()
    s1 = Switch()
    r1 = Router()
    web = Host()

    Link(h1, s1)
    Link(h2, s1)
    Link(s1, r1)
    Link(r1, web)

    web_page = HttpServer(web, port=80)
    firewall = Firewall(
        r1,
        policy="drop",
        forward="""
            ct state established,related accept
            ip saddr 10.0.1.1 tcp dport 80 accept
            counter comment "everything else"
        """,
    )
