"""A packet that ended in a node, with all that is known about it: what causes are asked about."""

from dataclasses import dataclass

from pynetemu.packets.dissect import Packet
from pynetemu.trace.evidence.evidence import Evidence
from pynetemu.trace.evidence.lookups import Decision, Link
from pynetemu.trace.evidence.rules import Keys, keys_of
from pynetemu.trace.journeys.journey import Sighting
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.nftrace import fingerprint
from pynetemu.trace.verdicts.conversations import Conversations

KERNEL, TABLES, COUNTERS, RULES = "the kernel's word", "asked afterwards", "counters", "the kernel's trace of rules"
BYTES, PACKETS = "the packet's own bytes", "the packets"


@dataclass(frozen=True, slots=True)
class Case:
    """A packet that ended in a node: `interface` is where it was seen last, `code` the kernel's name for the reason.

    `arrived` says whether it came by that interface, or was made in the node.
    """

    leaf: Sighting
    packet: Packet
    evidence: Evidence
    wiring: Wiring
    conversations: Conversations
    code: str = ""
    arrived: bool = True

    @property
    def node(self) -> str:
        return self.leaf.event.node

    @property
    def interface(self) -> str:
        return self.leaf.event.interface

    def who(self, address: str) -> str:
        """An address with the name of its node: "10.0.2.2 (root)"."""
        name = self.wiring.name(address)
        return address if name == address else f"{address} ({name})"

    def counted(self, counter: str) -> int:
        """By how much a counter of the node has grown meanwhile."""
        return self.evidence.moved.get(self.node, {}).get(counter, 0)

    @property
    def keys(self) -> Keys:
        """What the node's routing looked it up by."""
        event = self.leaf.event
        known = event.mark or self.evidence.firewall.marks.get((self.node, fingerprint(event.data[14:])))
        return keys_of(self.packet, event.data, self.interface if self.arrived else "", event.mark if known is None else known)

    def decide(self) -> Decision | None:
        """What the node's routing says of it."""
        tables = self.evidence.tables(self.node)
        if tables is None or self.packet.ttl is None:  # it is no IP
            return None
        keys = self.keys
        decision = tables.decide(keys)
        self.evidence.note(self.node, f"route for {keys.text}", decision.text(tables.names))
        return decision

    def way_out(self) -> tuple[Decision, Link | None] | None:
        """The decision and the interface by which it should have left, for a packet that is to be passed on."""
        decision, tables = self.decide(), self.evidence.tables(self.node)
        if decision is None or tables is None or decision.kind != "forwarded":
            return None
        return decision, tables.links.get(tables.names.get(decision.interface, ""))
