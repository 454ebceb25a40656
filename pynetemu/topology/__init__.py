"""What users write: a network as a class.

    class Blue(Topology):
        root = Root(address="192.168.0.194/24")
        blue = Host(default_via="10.0.0.1")
        wire = Link(root.interface("veth_root", "10.0.0.1/24"), blue.interface("veth_blue", "10.0.0.2/24"))

Everything here is a pure description. Parts keep the values they were given, wrong ones too: `plan.compile` tells all
that is wrong at once, each with the user's file and line.
"""

from pynetemu.topology.devices import Bond, Bridge, Dummy, Macvlan, Vrf
from pynetemu.topology.firewalls import Firewall, Nat
from pynetemu.topology.impairments import Preset, codel, four_state, gilbert_elliott, presets, red, schedule
from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Host, Interface, Node, Root, Router, VlanInterface
from pynetemu.topology.services import HttpServer, Ready, Service, finished, prints, tcp, udp
from pynetemu.topology.switches import Hub, Port, Switch
from pynetemu.topology.topology import Topology
from pynetemu.topology.tunnels import Gre, Vxlan, WireGuard

__all__ = [
    "Bond",
    "Bridge",
    "Dummy",
    "Firewall",
    "Gre",
    "Host",
    "HttpServer",
    "Hub",
    "Interface",
    "Link",
    "Macvlan",
    "Nat",
    "Node",
    "Port",
    "Preset",
    "Ready",
    "Root",
    "Router",
    "Service",
    "Switch",
    "Topology",
    "VlanInterface",
    "Vrf",
    "Vxlan",
    "WireGuard",
    "codel",
    "finished",
    "four_state",
    "gilbert_elliott",
    "presets",
    "prints",
    "red",
    "schedule",
    "tcp",
    "udp",
]
