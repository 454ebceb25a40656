"""Hosts around a switch, as many as you like: `pynetemu topologies/star.py -p n=5`.

         h1 10.0.0.1
              |
    h2 ───── s1 ───── h3

Try in its shell:

    h1 ping -c 1 h3
    s1 bridge fdb show br br0          which host the switch has seen behind which port
    h2 ip neigh
"""

from pynetemu import Host, Link, Switch, Topology


class Star(Topology):
    s1 = Switch()

    def build(self, n: int = 3) -> None:
        for i in range(1, n + 1):
            host = self.add(f"h{i}", Host())
            self.add(Link(host.interface("eth0", f"10.0.{i // 256}.{i % 256}/16"), self.s1))
