"""The types of what operations hold."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Literal

NodeKind = Literal["root", "host", "router", "switch", "hub", "outside"]
Address = IPv4Address | IPv6Address
InterfaceAddress = IPv4Interface | IPv6Interface
Kernel = frozenset[str] | None  # the features that it has, by their names in `engine.features`; None when nobody knows
IPNetwork = IPv4Network | IPv6Network
