"""What the words of a line tell of the packets that it would have sent."""

import pytest

from pynetemu.trace.evidence.rules import Keys
from pynetemu.trace.evidence.traced_line import TracedLine
from pynetemu.trace.verdicts.unsent import keys_of_line

pytestmark = pytest.mark.pure

_WEB = "10.3.0.21"


@pytest.mark.parametrize(
    ("line", "protocol", "port"),
    [
        (f"curl -s http://{_WEB}/", 6, 80),
        (f"curl -s http://{_WEB}:8080/page", 6, 8080),
        (f"wget https://{_WEB}", 6, 443),
        (f"nc -z -w1 {_WEB} 25", 6, 25),
        (f"nc -u {_WEB} 514", 17, 514),
        (f"dig @{_WEB} odd.test", 17, 53),
        (f"python3 -c 'connect({_WEB})'", 0, 0),
    ],
)
def test_programs_that_are_known(line: str, protocol: int, port: int) -> None:
    ports = (0, port) if port else None
    assert keys_of_line(TracedLine("h1", tuple(line.split()), 1), _WEB) == Keys(
        "", _WEB, "", protocol, ports, mark=0, is_guess=True
    )


def test_pings_are_known_whole() -> None:
    line = TracedLine("h1", ("ping", "-m", "5", "-Q", "0x12", _WEB), 1)
    assert keys_of_line(line, _WEB) == Keys("", _WEB, "", 1, None, 0x10, 5)
    shell = TracedLine("h1", ("sh", "-c", "ping -c1 fd00::1 | grep x"), 1)
    assert keys_of_line(shell, "fd00::1") == Keys("", "fd00::1", "", 58, None, 0, 0)
