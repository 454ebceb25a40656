"""Filters: what tcpdump compiles, and libpcap's own words for what is wrong."""

import shutil
import subprocess

import pytest

from pynetemu.capture.pcap_filter import compile_filter, instructions
from pynetemu.errors import FilterError

pytestmark = pytest.mark.pure

_NAMES = {"blue": ["10.0.0.2"], "root": ["10.0.0.1", "fd00::1"], "ip": ["10.0.0.9"]}


def _by_tcpdump(text: str) -> list[tuple[int, ...]]:
    done = subprocess.run(["tcpdump", "-y", "EN10MB", "-ddd", text], capture_output=True, text=True, check=True)
    return [tuple(map(int, line.split())) for line in done.stdout.splitlines()[1:]]


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is the judge")
@pytest.mark.parametrize(
    "text",
    [
        "icmp or arp",
        "tcp port 80 and host 10.0.0.2",
        "ip6",
        "udp[8:4] = 0x01020304",
        "tcp[tcpflags] & tcp-syn != 0",
        "less 100",
    ],
)
def test_the_program_is_tcpdumps(text: str) -> None:
    assert instructions(compile_filter(text)) == _by_tcpdump(text)


def test_nothing_is_let_through_by_no_program() -> None:
    assert compile_filter("  ") == b""


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("host blue", "host 10.0.0.2"),
        ("src blue and dst root", "src 10.0.0.2 and dst (10.0.0.1 or fd00::1)"),
        ("icmp and not (host blue or root)", "icmp and not (host 10.0.0.2 or (10.0.0.1 or fd00::1))"),
        ("ip host blue", "ip host 10.0.0.2"),
        ("ether host 02:00:00:00:00:01", "ether host 02:00:00:00:00:01"),
    ],
)
def test_nodes_go_by_name(text: str, same: str) -> None:
    assert compile_filter(text, _NAMES) == compile_filter(same)


@pytest.mark.parametrize(
    ("text", "words"),
    [("tcp porrt 80", "syntax error"), ("icmp and", "syntax error"), ("port nosuchport", "unknown port 'nosuchport'")],
)
def test_a_wrong_filter_is_told_in_libpcaps_words(text: str, words: str) -> None:
    with pytest.raises(FilterError, match=words) as caught:
        compile_filter(text)
    assert repr(text) in str(caught.value)
