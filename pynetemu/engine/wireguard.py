"""Keys and peers of WireGuard interfaces, by generic netlink (linux/wireguard.h); the kernel does all of the cryptography.

A private key is any 32 random bytes, of which the kernel fixes five bits (curve25519_clamp_secret); it makes the public
key, which is read back from the interface. Private keys stay in the kernel. Messages are pyroute2's, whose keys are base64.
"""

import os
import socket
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from pynetemu.engine.messages.encoders import Attributes, Encoder, body, decoded
from pynetemu.engine.messages.framing import Message, ask, dump

# After the stub of its package, which `encoders` has made:
from pyroute2.netlink import ctrlmsg  # isort: skip
from pyroute2.netlink.generic.wireguard import wgmsg  # isort: skip

NETLINK_GENERIC = 16
_CONTROL, _GET_FAMILY, _GET_DEVICE, _SET_DEVICE = 16, 3, 0, 1  # GENL_ID_CTRL, CTRL_CMD_*, WG_CMD_*
_REMOVE_ME = 0x1  # WGPEER_F_REMOVE_ME
_EVERYTHING = ((socket.AF_INET, bytes(4)), (socket.AF_INET6, bytes(16)))


class WireGuard:
    """What is done with WireGuard interfaces over a generic netlink socket of their network namespace."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        (family,) = self._ask(_CONTROL, ctrlmsg(), _GET_FAMILY, [("CTRL_ATTR_FAMILY_NAME", "wireguard")])
        self._family = family.get_attr("CTRL_ATTR_FAMILY_ID")

    def set_key(self, interface: str, port: int) -> None:
        """Gives an interface a new private key."""
        key = b64encode(os.urandom(32))
        self._set(interface, ("WGDEVICE_A_PRIVATE_KEY", key), ("WGDEVICE_A_LISTEN_PORT", port))

    def public_key(self, interface: str) -> bytes:
        """In base64."""
        keys = (device.get_attr("WGDEVICE_A_PUBLIC_KEY") for device in self._devices(interface))
        return next(bytes(key) for key in keys if key)

    def has_met(self, interface: str, key: bytes) -> bool:
        """Whether there has been a handshake with a peer."""
        return any(
            peer.get_attr("WGPEER_A_PUBLIC_KEY") == key and any(_seconds(peer))
            for device in self._devices(interface)
            for peer in device.get_attr("WGDEVICE_A_PEERS") or ()
        )

    def add_peer(self, interface: str, key: bytes, endpoint: str, keepalive: int) -> None:
        """A peer to which all packets may go, and from which all may come; `endpoint` is as in wg(8), "[fd00::1]:51820"."""
        peer: list[tuple[str, Any]] = [("WGPEER_A_PUBLIC_KEY", key)]
        if endpoint:
            address, _, port = endpoint.rpartition(":")
            peer.append(("WGPEER_A_ENDPOINT", {"addr": address.strip("[]"), "port": int(port)}))
        if keepalive:
            peer.append(("WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL", keepalive))
        peer.append(("WGPEER_A_ALLOWEDIPS", [_all_of(family, address) for family, address in _EVERYTHING]))
        self._set(interface, _only(peer))

    def remove_peer(self, interface: str, key: bytes) -> None:
        self._set(interface, _only([("WGPEER_A_PUBLIC_KEY", key), ("WGPEER_A_FLAGS", _REMOVE_ME)]))

    def _set(self, interface: str, *settings: tuple[str, Any]) -> None:
        attributes = [("WGDEVICE_A_IFNAME", interface), *settings]
        self._ask(self._family, wgmsg(), _SET_DEVICE, attributes)

    def _devices(self, interface: str) -> list[Encoder]:
        return self._ask(self._family, wgmsg(), _GET_DEVICE, [("WGDEVICE_A_IFNAME", interface)], dump)

    def _ask(
        self, kind: int, message: Encoder, command: int, attributes: Attributes, by: Callable[..., list[Message]] = ask
    ) -> list[Encoder]:
        """The answers to a request. Raises OSError for what is refused."""
        message["cmd"], message["version"] = command, 1
        answers = by(self._socket, kind, body(message, attributes))
        return [decoded(type(message), answer) for answer in answers]


def _only(peer: Attributes) -> tuple[str, Any]:
    return "WGDEVICE_A_PEERS", [{"attrs": peer}]


def _all_of(family: int, address: bytes) -> dict[str, Any]:
    attributes = [("WGALLOWEDIP_A_FAMILY", family), ("WGALLOWEDIP_A_IPADDR", address), ("WGALLOWEDIP_A_CIDR_MASK", 0)]
    return {"attrs": attributes}


def _seconds(peer: Encoder) -> tuple[int, int]:
    """When the last handshake was: seconds and nanoseconds since 1970, 0 for never."""
    time = peer.get_attr("WGPEER_A_LAST_HANDSHAKE_TIME") or {"tv_sec": 0, "tv_nsec": 0}
    return time["tv_sec"], time["tv_nsec"]
