"""A node of a running network, as users hold it: commands, processes and sockets inside it, and packets made with scapy."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pynetemu.lab.lab import LabNode

if TYPE_CHECKING:
    from scapy.packet import Packet
    from scapy.plist import PacketList, SndRcvList


class RunningNode(LabNode):
    """A node by its name, from `net["blue"]`: runs commands, opens sockets, sends packets.

    with Network(Blue()) as net:
        net["blue"].run("ping", "-c1", "root").stdout
    """

    def send(self, packet: Any, *, count: int = 1, inter: float = 0.0, iface: str = "") -> int:
        """Sends packets made with scapy, as this node would; gives how many.

            net["blue"].send(IP(dst="10.0.0.1") / ICMP())

        Packets of the network layer take the node's routes, neighbors and firewall, and its source address where they have
        none; frames (`Ether(...)`, `ARP(...)`) go out by `iface`, by default the interface of the route. `inter` is the time
        between two of them, in seconds. Raises OSError as the node's kernel would for a program.
        """
        from pynetemu.crafting import scapy_node

        return scapy_node.send(self, packet, count, inter, iface)

    def sr(self, packet: Any, *, timeout: float = 2.0, iface: str = "", **options: Any) -> tuple["SndRcvList", "PacketList"]:
        """Sends packets, and takes the answers for so many seconds: ([(packet, answer), ...], [unanswered, ...])."""
        from pynetemu.crafting import scapy_node

        return scapy_node.sr(self, packet, timeout, iface, **options)

    def sr1(self, packet: Any, *, timeout: float = 2.0, iface: str = "", **options: Any) -> "Packet | None":
        """Sends a packet and gives its answer, None when there is none within so many seconds.

        answer = net["blue"].sr1(IP(dst="10.0.0.1") / TCP(dport=8080, flags="S"))
        """
        from pynetemu.crafting import scapy_node

        return scapy_node.sr1(self, packet, timeout, iface, **options)

    def sniff(
        self,
        filter: str = "",
        *,
        count: int = 0,
        timeout: float | None = None,
        prn: "Callable[[Packet], object] | None" = None,
    ) -> "PacketList":
        """Takes what the node's interfaces see as scapy's packets, until there are `count` or `timeout` seconds are over.

        `prn` is called with each as it comes. For files and for speed there is `Network.capture`.
        """
        from pynetemu.crafting import scapy_node

        return scapy_node.sniff(self, filter, count, timeout, prn)

    def scapy(self) -> AbstractContextManager[ModuleType]:
        """All of scapy, as if it ran in this node: its interfaces, routes and neighbors, and the lab's names as addresses.

            with net["blue"].scapy() as scapy:
                scapy.arping("10.0.0.0/24")

        That state is the whole process's, so one node at a time. `send`, `sr`, `sr1` and `sniff` need none of it.
        """
        from pynetemu.crafting import scapy_node

        return scapy_node.scapy_in(self)
