"""Sightings of one packet joined into its journey: across links, switches, routers and address translation.

    for journey in join(events, wiring):
        print(journey.number, journey.path)

Where the engine knows the kernel's buffer (sk_buff), that is the packet's identity: a veth, a bridge and a router hand the same
one on. Addresses are used again for later packets, so topology and content must agree as well. Where it does not, a packet is
known by its bytes: the same frame at both ends of a link, and in a node by what no hop changes (`identity`).
"""

from collections.abc import Iterable

from pynetemu.packets.background import is_background
from pynetemu.trace.journeys.by_buffer import ByBuffer
from pynetemu.trace.journeys.by_content import ByContent
from pynetemu.trace.journeys.journey import Journey
from pynetemu.trace.journeys.retransmissions import mark_repeats
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event


def join(events: Iterable[Event], wiring: Wiring) -> list[Journey]:
    """The journeys of all packets, in the order in which they began; events must be in the order of time.

    They are numbered from 1; what kernels chat by themselves comes last.
    """
    content, buffer = ByContent(wiring), ByBuffer(wiring)
    if wiring.under:  # what comes to a macvlan has the stamp of its coming to the parent
        events = sorted(events, key=lambda event: (event.time, (event.node, event.interface) in wiring.under))
    for event in events:
        if event.buffer:
            buffer.add(event)
        else:
            content.add(event)
    journeys = sorted([*content.journeys, *buffer.journeys], key=lambda one: (is_background(one.first.data), one.time))
    for number, journey in enumerate(journeys, start=1):
        journey.number = number
    mark_repeats(journeys)
    return journeys
