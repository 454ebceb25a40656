"""Two groups of hosts that share one link: the classic place to watch flows compete.

    h1 ─┐             ┌─ h3
        s1 ───────── s2
    h2 ─┘  bottleneck └─ h4

Try in its shell:

    pingall
    iperf h1 h3                                        what the link carries
    s1 tc qdisc add dev s2 root tbf rate 10mbit burst 32kbit latency 50ms
    iperf h1 h3                                        what is left of it
    s1 tc -s qdisc show dev s2                         what the queue has dropped
    stats s1                                           the ports' counters

`pynetemu topologies/dumbbell.py -p hosts=5` has five on either side, `-p routed=true` routers in the middle.
"""

from pynetemu import Dumbbell, HttpServer


class Bottleneck(Dumbbell):
    def build(self, hosts: int = 2, routed: bool = False) -> None:
        super().build(hosts, routed)
        for host in self.right:
            self.add(HttpServer(host, port=80))
