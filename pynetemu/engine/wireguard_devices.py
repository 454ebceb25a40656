"""What a WireGuard interface is: its public key, and its peers with the addresses that each may send from."""

from ipaddress import ip_address, ip_network
from typing import NamedTuple


class Device(NamedTuple):
    """`key` is in base64; `peers` has the allowed addresses of each by its key: "10.1.0.0/24"."""

    key: str
    peers: dict[str, tuple[str, ...]]

    def peer_for(self, address: str) -> str | None:
        """The key of the peer to which packets for an address go, and that alone may send from it."""
        wanted = ip_address(address)
        found: tuple[int, str] | None = None
        for key, allowed in self.peers.items():
            for network in map(ip_network, allowed):
                if wanted in network and (found is None or network.prefixlen > found[0]):
                    found = network.prefixlen, key
        return found[1] if found else None
