"""What a WireGuard interface is: its public key, and its peers with the addresses that each may send from (linux/wireguard.h).

Read by hand, since `encoders` takes longer to load than a trace may.
"""

import socket
import struct
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import NamedTuple

from pynetemu.engine.messages.framing import ask, attribute, attributes, dump, malformed

NETLINK_GENERIC = 16
_CONTROL, _GET_FAMILY, _GET_DEVICE = 16, 3, 0  # GENL_ID_CTRL, CTRL_CMD_GETFAMILY, WG_CMD_GET_DEVICE
_HEAD = struct.Struct("=BBH")  # struct genlmsghdr: command, version, reserved
_FAMILY_ID, _FAMILY_NAME = 1, 2  # CTRL_ATTR_*
_NAME, _KEY, _MARK, _PEERS = 2, 4, 7, 8  # WGDEVICE_A_IFNAME, _PUBLIC_KEY, _FWMARK, _PEERS
_PEER_KEY, _ENDPOINT, _ALLOWED = 1, 4, 9  # WGPEER_A_PUBLIC_KEY, _ENDPOINT, _ALLOWEDIPS
_ADDRESS, _LENGTH = 2, 3  # WGALLOWEDIP_A_IPADDR, _CIDR_MASK
_SIZES = {4: socket.AF_INET, 16: socket.AF_INET6}


class Device(NamedTuple):
    """`key` is in base64; `peers` has the allowed addresses of each by its key: "10.1.0.0/24".

    `endpoints` are the addresses that peers are sent to, of those that have one; `mark` is that of what is sent.
    """

    key: str
    peers: dict[str, tuple[str, ...]]
    endpoints: Mapping[str, str] = MappingProxyType({})
    mark: int = 0

    def peer_for(self, address: str) -> str | None:
        """The key of the peer to which packets for an address go, and that alone may send from it."""
        wanted = ip_address(address)
        found: tuple[int, str] | None = None
        for key, allowed in self.peers.items():
            for network in map(ip_network, allowed):
                if wanted in network and (found is None or network.prefixlen > found[0]):
                    found = network.prefixlen, key
        return found[1] if found else None


def device(connection: socket.socket, interface: str) -> Device:
    """Asks over a generic netlink socket of a namespace. Raises OSError for what is refused."""
    name = attribute(_FAMILY_NAME, b"wireguard\0")
    (answer,) = ask(connection, _CONTROL, _HEAD.pack(_GET_FAMILY, 1, 0) + name)
    family = int.from_bytes(dict(attributes(answer.body, _HEAD.size))[_FAMILY_ID], "little")
    answers = dump(connection, family, _HEAD.pack(_GET_DEVICE, 1, 0) + attribute(_NAME, interface.encode() + b"\0"))
    return device_of([answer.body for answer in answers])


def device_of(bodies: list[bytes]) -> Device:
    """Of the answers of the kernel, which are several where there are many peers."""
    key, peers, endpoints, mark = "", dict[str, tuple[str, ...]](), dict[str, str](), 0
    for body in bodies:
        found = dict(attributes(body, _HEAD.size))
        key = b64encode(found.get(_KEY, b"")).decode() or key
        mark = int.from_bytes(found.get(_MARK, b""), sys.byteorder) or mark
        for _, peer in attributes(found.get(_PEERS, b"")):
            told = dict(attributes(peer))
            name = b64encode(told.get(_PEER_KEY, b"")).decode()
            peers[name] = (*peers.get(name, ()), *_allowed(told.get(_ALLOWED, b"")))
            if end := _address_of(told.get(_ENDPOINT, b"")):
                endpoints[name] = end
    return Device(key, peers, endpoints, mark)


def _address_of(endpoint: bytes) -> str:
    """The address in struct sockaddr_in or sockaddr_in6, "" where there is none."""
    if len(endpoint) >= 28 and int.from_bytes(endpoint[:2], sys.byteorder) == socket.AF_INET6:
        return socket.inet_ntop(socket.AF_INET6, endpoint[8:24])
    return socket.inet_ntop(socket.AF_INET, endpoint[4:8]) if len(endpoint) >= 8 else ""


def _allowed(data: bytes) -> Iterator[str]:
    for _, network in attributes(data):
        told = dict(attributes(network))
        packed = told.get(_ADDRESS, b"")
        if len(packed) not in _SIZES:
            raise malformed(f"an allowed address of {len(packed)} bytes")
        yield f"{socket.inet_ntop(_SIZES[len(packed)], packed)}/{told.get(_LENGTH, bytes(1))[0]}"
