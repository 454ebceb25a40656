"""A ring of switches: the spanning tree shuts one port, and opens it when another link breaks.

          h1                          s1 is the root of the tree: its priority is the lowest,
          |                           and s2 and s3 are as near to it; so one end of the
    s2 ── s1 ── s3                    link between these two is shut, that of s3
    |            |
    h2 └────────┘ h3

Try in its shell:

    s3 bridge link                     the state of each port
    s1 ip link set s3 down             and then: h1 ping h3, which answers again after 4 seconds
    s3 bridge monitor link             what happens to the ports meanwhile
    s1 tcpdump -c4 -ni s2 stp          the bridges' own packets

4 seconds are the least that the kernel allows; Switch(stp="standard") has the 30 and more of IEEE 802.1D.
"""

from pynetemu import Host, Link, Switch, Topology


class Ring(Topology):
    s1 = Switch(stp=True, priority=4096)
    s2, s3 = Switch(stp=True), Switch(stp=True)
    h1, h2, h3 = Host(), Host(), Host()

    left, right, spare = Link(s1, s2), Link(s1, s3), Link(s2, s3)
    to_h1, to_h2, to_h3 = Link(h1, s1), Link(h2, s2), Link(h3, s3)
