"""Two offices that are the same topology, joined over a provider's router.

    site1.h1 ── site1.s1 ── site1.gw ─── wan ─── site2.gw ── site2.s1 ── site2.h1 …
                                          │
                                         web

Try in its shell:

    site1.h1 ping -c1 site2.h1
    site1.h1 traceroute -n site2.h1
    site2.h1 curl web

A topology is a part of another as a node is; `pynetemu topologies/two_sites.py:Site -p n=5` runs one alone.
"""

from pynetemu import Host, HttpServer, Link, Router, Switch, Topology


class Site(Topology):
    gw, s1 = Router(), Switch()
    up = Link(gw, s1)

    def build(self, n: int = 2) -> None:
        self.h = [Host() for _ in range(n)]
        for host in self.h:
            self.add(Link(host, self.s1))


class TwoSites(Topology):
    site1, site2 = Site(), Site(n=3)
    wan, web = Router(), Host()
    left, right, down = Link(site1.gw, wan), Link(site2.gw, wan), Link(web, wan)
    page = HttpServer(web, port=80)
