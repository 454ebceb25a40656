"""What holds on Debian's own kernel, which is older than many and has every feature that labs use."""

import json
import os
import signal

import pytest

from pynetemu import Host, Link, Network, Switch, Topology
from tests.support.labs import processes_of, running
from tests.support.leftovers import of_machine
from tests.support.pynetemu import pynetemu
from tests.support.wait import wait_until

pytestmark = pytest.mark.vm


class Line(Topology):
    s1, s2 = Switch(), Switch()
    h1, h2 = Host(), Host()
    wires = Link(h1.interface("eth0", "10.0.0.1/24"), s1), Link(s1, s2), Link(s2, h2.interface("eth0", "10.0.0.2/24"))


def test_the_doctor_finds_every_feature() -> None:
    report = json.loads(pynetemu("doctor", "--json").stdout)
    assert report["works"]
    assert {feature["name"]: feature["reason"] for feature in report["features"] if feature["reason"]} == {}
    assert len(report["features"]) > 10


def test_the_articles_lab_works() -> None:
    from topologies.blue import Blue

    with Network(Blue()) as net:
        for near, far in ("blue", "root"), ("root", "blue"):
            assert "1 packets transmitted, 1 received" in net[near].run("ping", "-c1", "-W5", far).stdout
            assert f"Hello from {far}" in net[near].run("curl", "-s", f"{far}:8080").stdout


def test_a_killed_lab_leaves_nothing() -> None:
    before = of_machine()
    with running("doomed") as shell:
        os.kill(processes_of(shell.pid)["engine"], signal.SIGKILL)
        wait_until(lambda: of_machine() <= before, 1, "the lab's end")


def test_no_first_packet_is_lost_through_switches() -> None:
    """Before Linux 6.8 nothing but an event tells that a bridge forwards: see `wait_until_up` in engine/netlink.py."""
    for _ in range(3):
        with Network(Line()) as net:
            assert "1 received" in net["h1"].run("ping", "-c1", "-W5", "h2").stdout
