"""What the attributes of tunnels' interfaces say."""

import socket
import struct

import pytest

from pynetemu.engine.messages.tunnels import Tunnel, tunnel_of

pytestmark = pytest.mark.pure

_OWN, _OTHER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
_SIX = socket.inet_pton(socket.AF_INET6, "fd00::2")


def _host(number: int) -> bytes:
    return struct.pack("=I", number)


def test_vxlan() -> None:
    data = {1: _host(10), 2: _OTHER, 3: _host(7), 4: _OWN, 15: (4789).to_bytes(2)}
    assert tunnel_of("vxlan", data) == Tunnel(("10.0.0.1", "10.0.0.2"), 7, vxlan=(10, 4789))
    assert tunnel_of("vxlan", {1: _host(10), 16: _SIX}) == Tunnel(("::", "fd00::2"), vxlan=(10, 0))
    assert tunnel_of("vxlan", {1: _host(10), 4: _OWN}) == Tunnel(("10.0.0.1", "0.0.0.0"), vxlan=(10, 0))


def test_gre_and_ip_in_ip() -> None:
    ends = {6: _OWN, 7: _OTHER}
    assert tunnel_of("gre", ends) == Tunnel(("10.0.0.1", "10.0.0.2"))
    keyed = ends | {1: _host(3), 2: b"\x20\0", 4: (8).to_bytes(4), 20: _host(5)}
    assert tunnel_of("gre", keyed) == Tunnel(("10.0.0.1", "10.0.0.2"), 3, 5, key=8)
    assert tunnel_of("ip6gre", {7: _SIX}) == Tunnel(("::", "fd00::2"))
    assert tunnel_of("sit", {2: _OWN, 3: _OTHER, 20: _host(9)}) == Tunnel(("10.0.0.1", "10.0.0.2"), mark=9)
    assert tunnel_of("ipip", {}) == Tunnel(("0.0.0.0", "0.0.0.0"))


def test_geneve_has_no_end_of_its_own() -> None:
    assert tunnel_of("geneve", {2: _OTHER}) == Tunnel(("0.0.0.0", "10.0.0.2"))
    assert tunnel_of("geneve", {7: _SIX, 1: _host(9)}) == Tunnel(("::", "fd00::2"))


@pytest.mark.parametrize("kind", ["", "veth", "bridge", "wireguard"])
def test_others_are_none(kind: str) -> None:
    assert tunnel_of(kind, {2: _OTHER}) is None
