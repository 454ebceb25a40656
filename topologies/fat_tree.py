"""A data center's network: a fat tree of routers, in which every host has several ways of equal cost to every other.

    r1 ─ r4           core
    r5 ─ r12          aggregation, two to a pod
    r13 ─ r20         edge, two to a pod
    h1 ─ h16          two on each edge router

Try in its shell:

    pingall
    r13 ip route show 10.200.16.0/24                   two gateways: the flows are shared
    h1 traceroute -n h16
    trace h1 curl -s h16                               which way this flow takes, there and back

`pynetemu topologies/fat_tree.py -p k=6` has 54 hosts and 45 routers.
"""

from pynetemu import FatTree, HttpServer


class DataCenter(FatTree):
    def build(self, k: int = 4, routed: bool = True) -> None:
        super().build(k, routed)
        for host in self.hosts:
            self.add(HttpServer(host, port=80))
