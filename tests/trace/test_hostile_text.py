"""Text that strangers choose, in packets, services' output and names, is shown and does nothing."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from pynetemu import Host, Link, Network, Service, ServiceError, Topology, prints
from pynetemu.capture.live import Sighting
from pynetemu.draw.dot import as_dot
from pynetemu.draw.graph import read
from pynetemu.draw.mermaid import as_mermaid
from pynetemu.draw.svg import as_svg
from pynetemu.packets.dissect import dissect
from pynetemu.plan.compile import compile_plan
from pynetemu.safe_text import in_mermaid, printable, printable_lines
from pynetemu.shell.answers import Table
from pynetemu.trace.journeys.join import join
from pynetemu.trace.journeys.wiring import Wiring
from pynetemu.trace.sources.events import Event
from pynetemu.trace.trace import Trace
from pynetemu.trace.verdicts.verdict import Ending
from tests.support.pynetemu import PROGRAM, pynetemu
from tests.support.terminal import Terminal
from topologies.blue import Blue

_HOSTILE = 'a\x1b[2J\x1b]0;t\x07\r\n    click blue href "javascript:alert(1)"\n%%{init}%%;#\x9b31m\u202e<b>\b\x00'
_UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def _frame(packet: Packet) -> bytes:
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="10.0.0.2", dst="10.0.0.1") / packet)


def _asking(name: str) -> bytes:
    """A question of DNS for a name of one label, which may have any bytes (RFC 2181, 11)."""
    label = name.encode()[:63]
    question = struct.pack(">HHHHHH", 1, 0x100, 1, 0, 0, 0) + bytes([len(label)]) + label + b"\0" + struct.pack(">HH", 1, 1)
    return _frame(UDP(sport=5000, dport=53) / Raw(question))


_FRAMES = [
    _asking(_HOSTILE),
    _asking("\n    click blue call alert()\n"),
    _frame(TCP(sport=80, dport=5000, flags="PA") / Raw(b"HTTP/1.1 200 \x1b[1A\x08\x08\xc2\x9b2J\xe2\x80\xaegnp\r\n")),
    _frame(TCP(sport=5000, dport=80, flags="PA") / Raw(b"GET /\x1b]8;;http://x\x07 HTTP/1.1\r\n")),
]


@pytest.fixture(scope="module")
def trace() -> Trace:
    """One that nobody has judged."""
    seen = Trace(Wiring(compile_plan(Blue())))
    places = [("blue", "veth_blue", "out"), ("root", "veth_root", "in")]
    events = [
        Event(1000 * number + step, *place, frame, len(frame))  # type: ignore[arg-type]
        for number, frame in enumerate(_FRAMES)
        for step, place in enumerate(places)
    ]
    seen.journeys = join(events, seen.wiring)
    seen._endings = {journey.number: [Ending(leaf, "delivered") for leaf in journey.leaves] for journey in seen.journeys}
    return seen


def _lines(text: str) -> Iterator[str]:
    assert not _UNSAFE.search(text), ascii(text)
    yield from text.splitlines()


@pytest.mark.pure
@pytest.mark.parametrize("frame", _FRAMES)
def test_a_packet_s_line_is_one_line(frame: bytes) -> None:
    packet = dissect(frame)
    assert len(list(_lines(packet.text))) == 1
    assert len(list(_lines(Sighting(0, "blue", "eth0", True, packet, "blue", "root", 100).text))) == 1


@pytest.mark.pure
def test_what_it_says_can_still_be_read() -> None:
    assert dissect(_FRAMES[0]).text.startswith(r"UDP 5000 → 53 DNS A a\x1b[2J\x1b]0;t\x07\r\n    click")
    assert dissect(_FRAMES[2]).text == r"TCP 80 → 5000 HTTP/1.1 200 \x1b[1A\x08\x08\x9b2J\u202egnp"
    assert printable("Zoë → 東京 …") == "Zoë → 東京 …"
    assert printable_lines("a\tb\r\nc\rd\x1b[0m\n") == "a\tb\nc\\rd\\x1b[0m\n"


@pytest.mark.pure
def test_traces(trace: Trace) -> None:
    assert len(list(_lines(trace.ladder()))) == 1 + len(_FRAMES) + 1  # a head, the packets, the summary
    assert all(list(_lines(trace.story(number))) for number in range(1, len(_FRAMES) + 1))
    head, *lines = _lines(trace.to_mermaid())
    assert head == "sequenceDiagram"
    assert len(lines) == 2 + len(_FRAMES)
    assert all(re.fullmatch(r'    (participant \w+|blue->>root: [^"<>%`]+)', line) for line in lines), lines


@pytest.mark.pure
def test_each_sign_of_mermaid_has_its_entity() -> None:
    assert in_mermaid('#"<>;%`&') == "#35;#quot;#lt;#gt;#59;#37;#96;#amp;"
    assert in_mermaid("a-b c") == "a-b c"


@pytest.mark.parametrize(
    ("sign", "shown"),
    [
        *(("\x1f", "\\x1f"), ("\x20", " "), ("~", "~"), ("\x7f", "\\x7f"), ("\x9f", "\\x9f"), ("\xa0", "\xa0")),
        *(("\n", "\\n"), ("\t", "\\t"), ("\ud800", "\\ud800"), ("\udfff", "\\udfff"), ("\u200a", "\u200a")),
        *(("\u200b", "\\u200b"), ("\u202e", "\\u202e"), ("\u202f", "\u202f"), ("\ufeff", "\\ufeff")),
    ],
)
def test_what_is_not_simply_shown_is_escaped(sign: str, shown: str) -> None:
    assert printable(f"a{sign}b") == f"a{shown}b"
    in_lines = printable_lines(f"a{sign}b")
    assert in_lines == (f"a{sign}b" if sign in "\t\n" else f"a{shown}b")
    assert printable_lines("a\x08b\x0bc") == "a\\x08b\\x0bc"


def test_in_mermaid_nothing_is_language() -> None:
    text = in_mermaid(_HOSTILE)
    assert not re.search(r'[\n"<>%`]', text) and "click" in text
    assert re.sub(r"#(\d+|quot|lt|gt|amp);", "", text).isprintable()
    assert not set(re.sub(r"#(\d+|quot|lt|gt|amp);", "", text)) & set("#;")


@pytest.mark.pure
def test_pictures() -> None:
    class Named(Topology):
        blue, green = Host(), Host()
        wire = Link(blue, green)

    graph = read(compile_plan(Named()))
    object.__setattr__(graph.nodes[0], "labels", (_HOSTILE,))
    from xml.etree import ElementTree

    ElementTree.fromstring(as_svg(graph))
    for text in as_svg(graph), as_dot(graph), as_mermaid(graph):
        assert all("click" not in line[:10] for line in _lines(text))


@pytest.mark.pure
def test_tables() -> None:
    text = Table(("name", "list"), [(_HOSTILE, [_HOSTILE])]).text(True)
    assert len(list(_lines(text))) == 2


def test_logs_on_a_terminal_and_in_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "talk.sh").write_text("printf 'one\\033[2J\\ntwo\\bthree\\n'\nexec sleep 1000\n")
    (tmp_path / "lab.py").write_text(
        "from pynetemu import *\n\nclass Lab(Topology):\n    blue = Host()\n"
        f"    talk = Service(blue, 'sh {tmp_path}/talk.sh', ready=prints('three'))\n"
    )
    done = pynetemu("lab.py", "-c", "logs talk", cwd=tmp_path)
    assert done.stdout == "one\x1b[2J\ntwo\bthree\n", done.stderr
    with Terminal(*PROGRAM, "lab.py", prompt="lab> ", cwd=tmp_path, env={"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        assert terminal.ask("logs talk").splitlines()[-2:] == [r"one\x1b[2J", r"two\x08three"]
        terminal.enter("exit")
        terminal.wait()


def test_what_a_failed_service_printed(tmp_path: Path) -> None:
    (tmp_path / "talk.sh").write_text("printf '\\033[2Jforged\\r'\nexit 3\n")

    class Failing(Topology):
        blue = Host()
        talk = Service(blue, f"sh {tmp_path}/talk.sh", ready=prints("ready"))

    with pytest.raises(ServiceError) as caught, Network(Failing()):
        pass
    assert r"\x1b[2Jforged" in str(caught.value) and not _UNSAFE.search(str(caught.value))
