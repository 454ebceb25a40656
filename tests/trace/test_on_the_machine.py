"""`--host`: a trace sees the lab's interfaces of the machine, explains its firewall, and nothing else of it."""

from collections.abc import Iterator

import pytest

from tests.support.machine import Machine
from tests.support.pynetemu import BLUE, PROGRAM

pytestmark = [pytest.mark.root, pytest.mark.slow]

_RULE = "root nft add rule inet own input ip saddr 10.0.0.2 icmp type echo-request drop"


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Machine() as machine:
        yield machine


def test_the_machines_firewall_is_explained_and_its_own_traffic_is_not_shown(machine: Machine) -> None:
    lines = [
        _RULE,
        "trace blue sh -c 'ping -c1 -W0.3 10.0.0.1 || true'",
        "trace root ping -c1 172.30.0.2",
        "root nft list ruleset",
    ]
    done = machine.run(*PROGRAM, "--host", str(BLUE), *(word for line in lines for word in ("-c", line)))
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.split("PING 172.30.0.2")
    assert "dropped by nftables in root: table inet own, chain input, rule" in first
    assert "ip saddr 10.0.0.2 icmp type echo-request drop" in first
    assert "1 received" in second
    assert "no packet was seen" in second
    assert "pynetemu_trace" not in second
