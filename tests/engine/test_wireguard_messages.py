"""What is said to WireGuard and heard from it, beside messages that are written here by hand (linux/wireguard.h)."""

import socket
import struct
from base64 import b64encode
from typing import Any, cast

import pytest

from pynetemu.engine import wireguard
from pynetemu.engine.messages import wireguard as messages
from pynetemu.engine.messages.framing import NESTED, Message, attribute
from pynetemu.engine.wireguard import WireGuard

pytestmark = pytest.mark.pure

_KEY, _PRIVATE = bytes(range(32)), bytes(range(32, 64))
_FAMILY = 33
_NAME = attribute(2, b"wg0\0")
_EVERYTHING = [
    attribute(1, struct.pack("=H", family)) + attribute(2, address) + attribute(3, b"\0")
    for family, address in ((socket.AF_INET, bytes(4)), (socket.AF_INET6, bytes(16)))
]


class _Kernel:
    """Answers about one interface, and keeps what was sent."""

    def __init__(self, *attributes: bytes) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self._told = b"".join(attributes)

    def ask(self, _: object, kind: int, body: bytes) -> list[Message]:
        if kind == 16:  # GENL_ID_CTRL
            assert body == b"\3\1\0\0" + attribute(2, b"wireguard\0")
            return [Message(16, 0, 0, b"\1\2\0\0" + attribute(1, struct.pack("=H", _FAMILY)))]
        self.sent.append((kind, body))
        return [Message(_FAMILY, 0, 0, b"\0\1\0\0" + self._told)] if body[0] == 0 else []


def _talking_to(kernel: _Kernel, monkeypatch: pytest.MonkeyPatch) -> WireGuard:
    monkeypatch.setattr(wireguard, "dump", kernel.ask)
    monkeypatch.setattr(WireGuard._ask, "__defaults__", (kernel.ask,))
    return WireGuard(cast(Any, None))


def _list(kind: int, *items: bytes) -> bytes:
    """Items in a list, by their numbers, which the kernel does not look at."""
    return attribute(kind | NESTED, b"".join(attribute(number | NESTED, item) for number, item in enumerate(items, 1)))


def test_a_new_key_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = _Kernel()
    monkeypatch.setattr("os.urandom", lambda size: _PRIVATE[:size])
    _talking_to(kernel, monkeypatch).set_key("wg0", 51820)
    assert kernel.sent == [(_FAMILY, b"\1\1\0\0" + _NAME + attribute(3, _PRIVATE) + attribute(6, struct.pack("=H", 51820)))]


@pytest.mark.parametrize(
    ("endpoint", "keepalive", "settings"),
    [
        ("", 0, b""),
        (
            "10.0.0.1:51820",
            25,
            attribute(4, struct.pack("=H", socket.AF_INET) + b"\xca\x6c\x0a\0\0\1" + bytes(8)) + attribute(5, b"\x19\0"),
        ),
        (
            "[fd00::1]:51820",
            0,
            attribute(4, struct.pack("=H", socket.AF_INET6) + b"\xca\x6c" + bytes(4) + b"\xfd" + bytes(14) + b"\1" + bytes(4)),
        ),
    ],
)
def test_peers_are_added(endpoint: str, keepalive: int, settings: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = _Kernel()
    _talking_to(kernel, monkeypatch).add_peer("wg0", b64encode(_KEY), endpoint, keepalive)
    peer = attribute(1, _KEY) + settings + _list(9, *_EVERYTHING)
    assert kernel.sent == [(_FAMILY, b"\1\1\0\0" + _NAME + _list(8, peer))]


def test_peers_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = _Kernel()
    _talking_to(kernel, monkeypatch).remove_peer("wg0", b64encode(_KEY))
    peer = attribute(1, _KEY) + attribute(3, struct.pack("=I", 1))
    assert kernel.sent == [(_FAMILY, b"\1\1\0\0" + _NAME + _list(8, peer))]


def test_keys_and_handshakes_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    met = attribute(1, _KEY) + attribute(6, struct.pack("=qq", 1_700_000_000, 5)) + _list(9, *_EVERYTHING)
    not_met = attribute(1, _PRIVATE) + attribute(6, bytes(16))
    kernel = _Kernel(_NAME, attribute(4, _PRIVATE), _list(8, met, not_met))
    link = _talking_to(kernel, monkeypatch)
    assert link.public_key("wg0") == b64encode(_PRIVATE)
    assert link.has_met("wg0", b64encode(_KEY))
    assert not link.has_met("wg0", b64encode(_PRIVATE))
    assert not link.has_met("wg0", b64encode(bytes(32)))
    assert kernel.sent[0] == (_FAMILY, b"\0\1\0\0" + _NAME)


def test_a_device_is_read_with_its_peers_in_any_number_of_messages() -> None:
    ours = attribute(1, _KEY) + _list(9, attribute(1, b"\2\0") + attribute(2, bytes([10, 1, 0, 0])) + attribute(3, b"\x18"))
    more = attribute(1, _KEY) + _list(9, attribute(1, b"\x0a\0") + attribute(2, bytes(16)) + attribute(3, b"\0"))
    head = b"\0\1\0\0"
    found = messages.device_of([head + attribute(4, _PRIVATE) + _list(8, ours), head + _list(8, more)])
    name = b64encode(_KEY).decode()
    assert found == messages.Device(b64encode(_PRIVATE).decode(), {name: ("10.1.0.0/24", "::/0")})
    assert found.peer_for("10.1.0.7") == name
    assert found.peer_for("10.2.0.7") is None
    assert found.peer_for("fd00::1") == name


def test_an_address_that_is_none_is_told() -> None:
    peer = attribute(1, _KEY) + _list(9, attribute(2, b"\1\2\3"))
    with pytest.raises(OSError, match="an allowed address of 3 bytes"):
        messages.device_of([b"\0\1\0\0" + _list(8, peer)])
