"""The same host by way of two satellites: one far away that stands still, many near ones that pass by.

    ground ═════ geo: 279 ms one way ══════ far
    ground ═════ leo: 20 ms, some jitter ═══ near

Try in its shell:

    pingall                                who is how far away
    ground ping -c3 far
    ground ping -c10 -i0.2 near
    impair                                 the settings of both, with counters
"""

from pynetemu import Host, Link, Topology


class Satellites(Topology):
    ground, far, near = Host(), Host(), Host()
    geo = Link(ground, far, preset="geo")
    leo = Link(ground, near, preset="leo")
