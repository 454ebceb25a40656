"""Keys and peers of WireGuard interfaces, by generic netlink (linux/wireguard.h); the kernel does all of the cryptography.

A private key is any 32 random bytes, of which the kernel fixes five bits (curve25519_clamp_secret); it makes the public
key, which is read back from the interface. Private keys stay in the kernel.
"""

import os
import socket
import struct
from collections.abc import Callable
from ipaddress import ip_address

from pynetemu.engine.messages.framing import NESTED, Message, ask, attribute, attributes, dump, text, unpack

NETLINK_GENERIC = 16
_CONTROL, _GET_FAMILY, _FAMILY_ID, _FAMILY_NAME = 16, 3, 1, 2  # linux/genetlink.h
_GET_DEVICE, _SET_DEVICE = 0, 1
_IFNAME, _PRIVATE_KEY, _PUBLIC_KEY, _LISTEN_PORT, _PEERS = 2, 3, 4, 6, 8  # WGDEVICE_A_*
_PEER_KEY, _PEER_FLAGS, _PEER_ENDPOINT, _PEER_KEEPALIVE, _PEER_HANDSHAKE, _PEER_ALLOWED = 1, 3, 4, 5, 6, 9  # WGPEER_A_*
_REMOVE_ME = 0x1  # WGPEER_F_REMOVE_ME
_ALLOWED_FAMILY, _ALLOWED_ADDRESS, _ALLOWED_LENGTH = 1, 2, 3  # WGALLOWEDIP_A_*
_NUMBER = struct.Struct("=H")
_GENERIC = struct.Struct("=BBH")  # struct genlmsghdr: command, version

Attributes = dict[int, bytes]


class WireGuard:
    """What is done with WireGuard interfaces over a generic netlink socket of their network namespace."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        name = text(_FAMILY_NAME, "wireguard")
        (family,) = self._ask(_CONTROL, _GET_FAMILY, name)
        (self._family,) = unpack(_NUMBER, family.get(_FAMILY_ID, b""))

    def set_key(self, interface: str, port: int) -> None:
        """Gives an interface a new private key."""
        named = text(_IFNAME, interface)
        settings = attribute(_PRIVATE_KEY, os.urandom(32)) + attribute(_LISTEN_PORT, struct.pack("=H", port))
        self._ask(self._family, _SET_DEVICE, named + settings)

    def public_key(self, interface: str) -> bytes:
        named = text(_IFNAME, interface)
        devices = self._ask(self._family, _GET_DEVICE, named, dump)
        return next(device[_PUBLIC_KEY] for device in devices if _PUBLIC_KEY in device)

    def has_met(self, interface: str, key: bytes) -> bool:
        """Whether there has been a handshake with a peer."""
        named = text(_IFNAME, interface)
        for device in self._ask(self._family, _GET_DEVICE, named, dump):
            for _, peer in attributes(device.get(_PEERS, b"")):
                found = dict(attributes(peer))
                if found.get(_PEER_KEY) == key and any(found.get(_PEER_HANDSHAKE, b"")):
                    return True
        return False

    def add_peer(self, interface: str, key: bytes, endpoint: str, keepalive: int) -> None:
        """A peer to which all packets may go, and from which all may come."""
        peer = attribute(_PEER_KEY, key)
        if endpoint:
            peer += attribute(_PEER_ENDPOINT, _socket_address(endpoint))
        if keepalive:
            peer += attribute(_PEER_KEEPALIVE, struct.pack("=H", keepalive))
        everything = [(socket.AF_INET, bytes(4)), (socket.AF_INET6, bytes(16))]
        allowed = b"".join(attribute(NESTED, _allowed(family, address)) for family, address in everything)
        peer += attribute(_PEER_ALLOWED | NESTED, allowed)
        named = text(_IFNAME, interface)
        peers = attribute(_PEERS | NESTED, attribute(NESTED, peer))
        self._ask(self._family, _SET_DEVICE, named + peers)

    def remove_peer(self, interface: str, key: bytes) -> None:
        peer = attribute(_PEER_KEY, key) + attribute(_PEER_FLAGS, struct.pack("=I", _REMOVE_ME))
        self._ask(self._family, _SET_DEVICE, text(_IFNAME, interface) + attribute(_PEERS | NESTED, attribute(NESTED, peer)))

    def _ask(self, kind: int, command: int, payload: bytes, by: Callable[..., list[Message]] = ask) -> list[Attributes]:
        """The attributes of each answer to a request. Raises OSError for what is refused."""
        answers = by(self._socket, kind, _GENERIC.pack(command, 1, 0) + payload)
        return [dict(attributes(answer.body, _GENERIC.size)) for answer in answers]


def _allowed(family: int, address: bytes) -> bytes:
    found = attribute(_ALLOWED_FAMILY, struct.pack("=H", family)) + attribute(_ALLOWED_ADDRESS, address)
    return found + attribute(_ALLOWED_LENGTH, bytes(1))


def _socket_address(endpoint: str) -> bytes:
    """10.0.0.1:51820 or [fd00::1]:51820 as struct sockaddr_in or sockaddr_in6."""
    text, _, port = endpoint.rpartition(":")
    address = ip_address(text.strip("[]"))
    head = struct.pack("=H", socket.AF_INET if address.version == 4 else socket.AF_INET6) + struct.pack(">H", int(port))
    return head + address.packed + bytes(8) if address.version == 4 else head + bytes(4) + address.packed + bytes(4)
