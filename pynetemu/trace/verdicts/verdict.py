"""What became of a packet: where it was delivered, ignored, or lost, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pynetemu.trace.journeys.journey import Sighting

KINDS = (
    "address",
    "arp",
    "bridge",
    "checksum",
    "connection",
    "duplicate",
    "emulated",
    "fdb",
    "flood",
    "forwarding",
    "fragments",
    "gre",
    "ignored",
    "ipsec",
    "iptables",
    "isolated",
    "kernel",
    "link",
    "loss",
    "lost",
    "mac",
    "malformed",
    "martian",
    "mtu",
    "multicast",
    "nft",
    "port",
    "protocol",
    "queue",
    "queued",
    "refused",
    "route",
    "rp_filter",
    "socket",
    "stalled",
    "stp",
    "tc",
    "ttl",
    "tunnel",
    "unanswered",
    "vanished",
    "vlan",
    "vxlan",
    "wireguard",
    "xdp",
)  # of reasons
Fate = Literal["delivered", "ignored", "dropped", "unanswered", "waiting"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a packet went no further, for people.

    `kind` is one word for tests and scripts ("nft", "route", "ttl", "arp", "port"…), `text` the answer in one line, `details`
    what it consists in (a rule's text, a counter), `hint` what to try. `source` says who knows it: the kernel for this very
    packet, or what the node's counters and tables suggest afterwards; `proof` has what the kernel says, if it says anything.
    """

    kind: str
    text: str
    details: tuple[str, ...] = ()
    hint: str = ""
    source: str = ""
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """One end of a journey; a packet that a switch sends to several ports has several."""

    sighting: Sighting
    fate: Fate
    reason: Reason | None = None

    @property
    def node(self) -> str:
        """Where the packet ended."""
        return self.sighting.event.node


def died(endings: Sequence[Ending]) -> bool:
    """Whether the packet was lost: at one place dropped, and nowhere delivered."""
    fates = {ending.fate for ending in endings}
    return bool(fates & {"dropped", "waiting"}) and "delivered" not in fates
