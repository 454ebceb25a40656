"""What the kernel's trace of rules has of a packet is found again in the frame that was seen."""

import struct

import pytest

from pynetemu.trace.sources.nftrace import fingerprint, fingerprint_of_headers

_ADDRESSES = bytes.fromhex("fd000001000000000000000000000011fd000003000000000000000000000021")
_ECHO = bytes.fromhex("8000123400070001") + b"x" * 40


def _ipv6(kind: int, payload: bytes) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(payload), kind, 64) + _ADDRESSES + payload


def _fragment(offset: int, payload: bytes, kind: int = 58) -> bytes:
    return _ipv6(44, struct.pack(">BBHI", kind, 0, offset | 1, 77) + payload)


@pytest.mark.parametrize(
    "packet",
    [
        _ipv6(58, _ECHO),
        _fragment(0, _ECHO),
        _ipv6(0, bytes([58, 0]) + bytes(6) + _ECHO),  # options for every hop
        _ipv6(43, bytes([60, 0]) + bytes(6) + bytes([58, 1]) + bytes(14) + _ECHO),  # a routing header and options
        _ipv6(51, bytes([58, 4]) + bytes(22) + _ECHO),  # an authentication header
    ],
    ids=["none", "first fragment", "hop by hop", "two of them", "authentication"],
)
def test_extension_headers_are_left_out(packet: bytes) -> None:
    assert fingerprint(packet) == fingerprint_of_headers(packet[:40], _ECHO[:20])


def test_a_later_fragment_has_no_payload_of_its_own() -> None:
    later = _fragment(1448, _ECHO)
    assert fingerprint(later) == fingerprint_of_headers(later[:20], b"")
    assert fingerprint(later) != fingerprint(_fragment(0, _ECHO))


def test_ipv4_is_known_by_its_number_and_the_payload_behind_options() -> None:
    header = bytes.fromhex("47000044abcd0000400100000a01000b0a030015") + bytes(8)
    assert fingerprint(header + _ECHO) == fingerprint_of_headers(header, _ECHO[:20])
    assert fingerprint(header + _ECHO) != fingerprint(header[:4] + b"\xab\xce" + header[6:] + _ECHO)


@pytest.mark.parametrize("size", range(0, 60, 7))
def test_what_was_seen_in_part_is_no_error(size: int) -> None:
    assert isinstance(fingerprint(_fragment(0, _ECHO)[:size]), bytes)
