"""pcapng files: tshark and scapy read back what was written."""

import struct
from pathlib import Path

import pytest

from pynetemu.capture.pcapng import Writer, end_of_blocks
from tests.support.tshark import about, as_json, fields

pytestmark = pytest.mark.pure

_NOW = 1_700_000_000_123_456_789
_NAMES = {"10.0.0.1": "root", "10.0.0.2": "blue", "fd00::2": "blue"}


def _ping(source: int, destination: int) -> bytes:
    """An ICMP echo request from 10.0.0.X to 10.0.0.Y."""
    head = bytes.fromhex("020000000001 020000000002 0800 45000020 0001 4000 40 01 0000")
    addresses = bytes((10, 0, 0, source, 10, 0, 0, destination))
    return head + addresses + bytes.fromhex("0800 0000 0007 0001") + bytes(4)


def _written(path: Path) -> Path:
    with path.open("wb") as file:
        writer = Writer(file, comment="a lab — größer")
        blue = writer.interface("blue:eth0", "blue, link to root", "02:00:00:00:00:02", filter="icmp")
        root = writer.interface("root:eth0")
        writer.names(_NAMES)
        writer.packet(blue, _NOW, _ping(2, 1), outgoing=True, number=1)
        writer.packet(root, _NOW + 1, _ping(2, 1), outgoing=False, number=1)
        drops = writer.interface("drops", "what the kernel dropped")
        writer.packet(drops, _NOW + 2, _ping(2, 1)[:40], length=1000, comment="dropped in root: kein Weg zurück", number=2)
        writer.packet(blue, _NOW + 3, _ping(2, 1) + b"odd")
        writer.statistics(blue, _NOW + 4, 2, 17, "of blue")
    return path


def test_tshark_reads_back_every_field(tmp_path: Path) -> None:
    read = fields(
        _written(tmp_path / "x.pcapng"),
        *("frame.interface_name", "frame.interface_description", "frame.time_epoch", "frame.packet_flags_direction"),
        *("frame.packet_id", "frame.comment", "frame.len", "frame.cap_len"),
    )
    assert read == [
        ("blue:eth0", "blue, link to root", "1700000000.123456789", "0x00000002", "1", "", "46", "46"),
        ("root:eth0", "", "1700000000.123456790", "0x00000001", "1", "", "46", "46"),
        ("drops", "what the kernel dropped", "1700000000.123456791", "", "2", "dropped in root: kein Weg zurück", "1000", "40"),
        ("blue:eth0", "blue, link to root", "1700000000.123456792", "", "", "", "49", "49"),
    ]  # fmt: skip


def test_tshark_shows_the_labs_names(tmp_path: Path) -> None:
    read = fields(_written(tmp_path / "x.pcapng"), "ip.src_host", "ip.dst_host", display_filter="frame.packet_id == 1")
    assert read == [("blue", "root"), ("blue", "root")]


def test_tsharks_json_has_the_same(tmp_path: Path) -> None:
    first, *_ = as_json(_written(tmp_path / "x.pcapng"))
    assert first["frame"]["frame.interface_id_tree"]["frame.interface_name"] == "blue:eth0"
    assert first["icmp"]["icmp.seq"] == "1"


def test_capinfos_shows_interfaces_losses_and_the_comment(tmp_path: Path) -> None:
    text = about(_written(tmp_path / "x.pcapng"))
    for part in "a lab — größer", "Capture application: pynetemu", "Number of interfaces in file: 3":
        assert part in text
    assert "Name = blue:eth0" in text and "Time precision = nanoseconds (9)" in text
    assert 'Capture filter = "icmp"' in text or "Filter string = icmp" in text


def test_scapy_reads_the_same_packets(tmp_path: Path) -> None:
    from scapy.layers.inet import ICMP, IP
    from scapy.utils import rdpcap

    packets = rdpcap(str(_written(tmp_path / "x.pcapng")))
    assert [(packet[IP].src, packet[ICMP].seq, packet.sniffed_on) for packet in packets[:2]] == [
        ("10.0.0.2", 1, "blue:eth0"),
        ("10.0.0.2", 1, "root:eth0"),
    ]
    assert [packet.direction for packet in packets] == [2, 1, None, None]
    assert float(packets[0].time) == pytest.approx(_NOW / 1e9)
    assert packets[2].comment == "dropped in root: kein Weg zurück".encode()


def test_a_long_comment_is_cut_and_the_file_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.packet(writer.interface("a"), _NOW, _ping(1, 2), comment="ä" * 100_000)
        writer.packet(0, _NOW, _ping(1, 2), comment="next")
    assert [comment for (comment,) in fields(path, "frame.comment")][1] == "next"


def test_the_end_of_the_last_whole_block(tmp_path: Path) -> None:
    data = _written(tmp_path / "x.pcapng").read_bytes()
    ends = [end_of_blocks(data, end) for end in range(len(data) + 1)]
    assert ends[-1] == len(data)
    assert all(end <= position for position, end in enumerate(ends))
    sizes = [struct.unpack_from("=I", data, start + 4)[0] for start in sorted(set(ends))[:-1]]
    assert sum(sizes) == len(data)
