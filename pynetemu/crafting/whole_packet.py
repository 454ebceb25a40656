"""A frame as scapy's packet, taken apart in full."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scapy.packet import Packet


def whole_packet(frame: bytes) -> "Packet":
    """The frame with all of its layers: `whole_packet(frame)[IP].dst`."""
    import scapy.layers.inet  # without these two, scapy takes IP for a payload
    import scapy.layers.inet6  # noqa: F401
    from scapy.layers.l2 import Ether

    return Ether(frame)
