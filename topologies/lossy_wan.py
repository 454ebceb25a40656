"""Two sites over a long way that loses packets in bursts.

    h1 ── r1 ═════ 40 ms, bursts of loss, 50 mbit ═════ r2 ── h2

Try in its shell:

    h1 ping -c20 -i0.1 h2                  some are lost, several in a row
    impair                                 what the links did, counted
    iperf h1 h2                            what TCP makes of it
    impair r1 r2 loss=off                  the same way without loss
    impair r1 r2 preset=intercontinental   and a longer one
    trace h1 ping -c5 h2                   the link is named where one is lost
"""

from pynetemu import Host, Link, Router, Topology, gilbert_elliott


class Wan(Topology):
    h1, h2 = Host(), Host()
    r1, r2 = Router(), Router()
    site1, site2 = Link(h1, r1), Link(h2, r2)
    wan = Link(r1, r2, delay="40ms", jitter="3ms", loss=gilbert_elliott("1%", "25%"), rate="50mbit", seed=7)
