"""Decides what became of each packet: by where it was seen last, and by what that node would do with it."""

from pynetemu.trace.dissect import Packet, dissect
from pynetemu.trace.fates import Ending, Reason
from pynetemu.trace.journeys import Journey, Sighting
from pynetemu.trace.wiring import Wiring


class Judge:
    """Knows the plan; what else it needs it asks the nodes."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def endings(self, journey: Journey) -> list[Ending]:
        """How a journey ended, at each place where it did."""
        return [self._ending(leaf) for leaf in journey.leaves]

    def _ending(self, leaf: Sighting) -> Ending:
        event = leaf.event
        if event.kind == "drop":
            return Ending(leaf, "dropped", Reason("kernel", f"dropped in {event.node}: {event.reason}", source="kernel"))
        if event.kind == "out":
            return self._sent(leaf)
        return self._arrived(leaf, dissect(event.data))

    def _sent(self, leaf: Sighting) -> Ending:
        event = leaf.event
        peer = self._wiring.peers.get((event.node, event.interface))
        if peer is None or self._wiring.kinds.get(peer[0]) == "outside":
            return Ending(leaf, "delivered")
        text = f"sent on {event.interface}, but never arrived at {peer[0]} {peer[1]}"
        return Ending(leaf, "dropped", Reason("link", text))

    def _arrived(self, leaf: Sighting, packet: Packet) -> Ending:
        event = leaf.event
        mine = event.node in self._wiring.owners.get(packet.destination, ())
        if mine:
            return Ending(leaf, "delivered")
        if event.data[0] & 1 or packet.protocol in ("ARP", "ND"):
            return Ending(leaf, "ignored")
        return Ending(leaf, "dropped", Reason("vanished", f"vanished in {event.node}"))
