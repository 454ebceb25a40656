"""`--host`: the lab's root is the machine itself. Here "the machine" is a network namespace that the test makes.

The machine has an interface `uplink` to a neighbor, with a default route, a rule, an nft table and sysctls of its own.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.labs import processes_of
from tests.support.machine import Machine
from tests.support.pynetemu import BLUE, BRIDGE, PROGRAM, ended_by_interrupt
from tests.support.tshark import fields
from tests.support.wait import wait_until

pytestmark = pytest.mark.root

_HOST = [*PROGRAM, "--host", str(BLUE)]


@pytest.fixture
def machine() -> Iterator[Machine]:
    """It must be the same afterwards as before, whatever the lab was and however it ended."""
    with Machine() as machine:
        before = machine.state()
        yield machine
        wait_until(lambda: machine.state()["links"] == before["links"], 10.0, "the end of the lab's links")
        assert machine.state() == before


def test_the_root_is_the_machine_with_its_addresses_files_and_name(machine: Machine) -> None:
    done = machine.run(
        *_HOST,
        *["-c", "blue ping -c1 -W2 root", "-c", "root ping -c1 -W2 blue", "-c", "blue curl -s root:8080"],
        *["-c", "root curl -s blue:8080", "-c", "blue curl -s host:8080", "-c", "root ip -j addr show dev uplink"],
        *["-c", "root cat /etc/hosts", "-c", "root hostname", "-c", "root readlink /proc/self/ns/net"],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("1 received") == 2
    assert done.stdout.count("Hello from root. You are 10.0.0.2") == 2
    assert "Hello from blue. You are 10.0.0.1" in done.stdout
    assert "172.30.0.1" in done.stdout
    assert Path("/etc/hosts").read_text().strip() in done.stdout
    assert machine.run("readlink", "/proc/self/ns/net").stdout in done.stdout


def test_while_it_runs_the_machine_has_its_ends_of_the_links_and_nothing_else_is_changed(machine: Machine) -> None:
    before = machine.state()
    with machine.lab(*_HOST):
        during = machine.state()
        assert {*during["links"]} - {*before["links"]} == {"veth_root"}
        assert set(during["addresses"]) - set(before["addresses"]) >= {"veth_root 10.0.0.1/24"}
        assert all("uplink" not in address for address in set(during["addresses"]) ^ set(before["addresses"]))
        assert during["sysctls"] == before["sysctls"]
        assert (during["rules"], during["nft"]) == (before["rules"], before["nft"])
        assert all("veth_root" in route for route in set(during["routes"]) ^ set(before["routes"]))


@pytest.mark.slow
@pytest.mark.parametrize("who", ["shell", "front", "init", "engine"])
def test_killing_a_part_of_the_lab_leaves_the_machine_as_it_was(machine: Machine, who: str) -> None:
    with machine.lab(*_HOST) as shell:
        os.kill(processes_of(shell.pid)[who], signal.SIGKILL)


@pytest.mark.slow
def test_ctrl_c_leaves_the_machine_as_it_was(machine: Machine) -> None:
    """At its start, at several moments, and while a program runs."""
    for milliseconds in 40, 80, 120:
        process = machine.start(*_HOST, "-c", "blue sleep 1000", process_group=0)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(milliseconds / 1000)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=10)
        assert ended_by_interrupt(process.returncode, errors), errors


def test_everything_that_the_machine_has_already_is_told_at_once(machine: Machine, tmp_path: Path) -> None:
    """An interface name, an address, a route that overlaps, a port in use."""
    (tmp_path / "lab.py").write_text(
        "from pynetemu import Host, HttpServer, Link, Root, Topology\n"
        "class Lab(Topology):\n"
        "    root = Root()\n"
        "    h1 = Host()\n"
        '    a = Link(root.interface("uplink", "10.0.1.1/24"), h1)\n'
        '    b = Link(root.interface("b", "172.30.0.1/30"), h1)\n'
        '    c = Link(root.interface("c", "172.30.0.177/25"), h1)\n'
        '    d = Link(root.interface("d", "fd99::7/64"), h1)\n'
        "    web = HttpServer(root, port=8111)\n"
        '    e = Link(root.interface("e", "10.0.2.1/24"), root.interface("f"))\n'
    )
    before = machine.state()
    with machine.listening(8111):
        done = machine.run(*PROGRAM, "--host", str(tmp_path / "lab.py"), "-c", "h1 true", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    for number, text in (
        (5, "this machine has an interface uplink already"),
        (6, "this machine has the address 172.30.0.1 already"),
        (7, "this machine has a route to 172.30.0.0/24 already, which 172.30.0.177/25 overlaps"),
        (8, "this machine has a route to fd99::/64 already, which fd99::7/64 overlaps"),
        (9, "port 8111 of this machine is in use"),
        (10, "both ends of the link e are on this machine"),
    ):
        assert f"lab.py:{number}: {text}" in done.stderr
    assert "hint: nothing was changed" in done.stderr
    assert machine.state() == before


def test_packet_filters_of_the_machine_are_refused(machine: Machine, tmp_path: Path) -> None:
    """The kernel would keep them after the lab, or after a crash."""
    (tmp_path / "lab.py").write_text(
        "from pynetemu import Firewall, Host, Link, Nat, Root, Topology\n"
        "class Lab(Topology):\n"
        "    root = Root(forward=True)\n"
        "    h1 = Host()\n"
        '    wire = Link(root.interface("a", "10.0.1.1/24"), h1)\n'
        '    wall = Firewall(root, input="tcp dport 9 drop")\n'
        "    nat = Nat(root, outside=wire)\n"
    )
    done = machine.run(*PROGRAM, "--host", str(tmp_path / "lab.py"), "-c", "h1 true", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "lab.py:6: the rules of wall would be this machine's own" in done.stderr
    assert "lab.py:7: the rules of nat would be this machine's own" in done.stderr


@pytest.mark.slow
def test_a_birth_that_fails_half_way_leaves_the_machine_as_it_was(machine: Machine, tmp_path: Path) -> None:
    """The last of forty links gets a route that the kernel refuses: the others exist already by then."""
    before = machine.state()
    script = tmp_path / "script.py"
    script.write_text(
        "from ipaddress import ip_address, ip_network\n"
        "from pynetemu import Host, KernelError, Link, Network, Root, Topology\n"
        "from pynetemu.plan.operations import AddRoute, Plan\n"
        "class Lab(Topology):\n"
        "    root = Root()\n"
        "    def build(self):\n"
        "        for i in range(40):\n"
        "            host = self.add(f'h{i}', Host())\n"
        "            self.add(Link(self.root.interface(f'v{i}', f'10.1.{i}.1/24'), host.interface('e', f'10.1.{i}.2/24')))\n"
        "good = Network(Lab(), host=True).plan\n"
        "bad = AddRoute('root', ip_network('10.9.0.0/16'), ip_address('10.200.0.1'), source='lab.py:3')\n"
        "plan = Plan(good.name, (*good.operations, bad), host=True)\n"
        "try:\n"
        "    Network(plan).open()\n"
        "except KernelError as error:\n"
        "    import subprocess\n"
        "    print(error, subprocess.run(['ip', '-br', 'link'], capture_output=True, text=True).stdout.count('v'))\n"
    )
    done = machine.run(PROGRAM[0], str(script))
    assert "the kernel refused `ip -n root route add 10.9.0.0/16 via 10.200.0.1`" in done.stdout + done.stderr
    assert machine.state() == before


def test_services_of_the_root_accept_from_the_labs_own_links_only(machine: Machine) -> None:
    with machine.lab(*_HOST):
        from_outside = machine.neighbor("curl", "-sS", "--max-time", "5", "http://172.30.0.1:8080/")
        assert from_outside.returncode == 7, from_outside  # curl(1): failed to connect
        also = machine.neighbor("curl", "-sS", "--max-time", "5", "http://10.0.0.1:8080/")
        assert also.returncode == 7, also
        itself = machine.run("curl", "-sS", "--max-time", "5", "http://127.0.0.1:8080/")
        assert itself.returncode == 7, itself


@pytest.mark.slow
def test_a_switch_on_the_machine_and_two_labs_of_which_the_second_is_refused(machine: Machine) -> None:
    with machine.lab(*PROGRAM, "--host", str(BRIDGE)):
        done = machine.run(*PROGRAM, "--host", str(BRIDGE), "-c", "root true")
        assert done.returncode == 1
        assert "this machine has" in done.stderr


def test_a_program_that_changes_the_machine_changes_it() -> None:
    """It is the machine, not a copy: that is what the option is for."""
    with Machine() as machine:
        done = machine.run(*_HOST, "-c", "root ip link set uplink mtu 1400")
        assert done.returncode == 0, done.stderr
        (uplink,) = json.loads(machine.run("ip", "-j", "link", "show", "uplink").stdout)
        assert uplink["mtu"] == 1400


def test_without_the_option_the_machine_is_not_touched(machine: Machine) -> None:
    assert machine.run(*PROGRAM, str(BLUE), "-c", "root ip link set eth0 mtu 1400").returncode == 0


@pytest.mark.slow
def test_captures_and_traces_see_the_labs_links_and_not_the_machines(machine: Machine, tmp_path: Path) -> None:
    theirs = "root ping -c1 -W2 172.30.0.2"  # the machine's neighbor, by its uplink
    done = machine.run(
        *[*_HOST, "--capture", str(tmp_path / "x.pcapng")],
        *["-c", f"capture icmp --during '{theirs}'", "-c", f"trace --filter icmp {theirs}", "-c", "blue ping -c1 root"],
        *["-c", "capture root icmp --during 'blue ping -c1 root'"],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("1 received") == 4
    assert done.stdout.count("root.veth_root") == 2 and "uplink" not in done.stdout
    assert "172.30.0.2" not in "".join(line for line in done.stdout.splitlines() if "ICMP" in line)
    assert {place for (place,) in fields(tmp_path / "x.pcapng", "frame.interface_name")} == {"blue:veth_blue", "root:veth_root"}


def test_a_routed_lab_gives_the_machine_routes_to_its_networks_and_leaves_its_default_route(
    machine: Machine, tmp_path: Path
) -> None:
    lab = tmp_path / "routed.py"
    lab.write_text(
        "from pynetemu import Host, Link, Root, Router, Topology\n"
        "class Routed(Topology):\n"
        "    root, r1, h1 = Root(), Router(), Host()\n"
        '    up = Link(root.interface("up", "10.77.0.1/24"), r1)\n'
        "    down = Link(r1, h1)\n"
    )
    done = machine.run(*PROGRAM, "--host", str(lab), "-c", "root ping -c1 -W2 h1", "-c", "root ip route")
    assert "1 received" in done.stdout, done.stderr
    assert "default via 172.30.0.2" in done.stdout
    assert "10.200.1.0/24 via 10.77.0.254 dev up" in done.stdout


def test_what_would_stay_or_take_over_the_machines_ways_is_refused(machine: Machine, tmp_path: Path) -> None:
    lab = tmp_path / "greedy.py"
    lab.write_text(
        "from pynetemu import Bridge, Host, Link, Root, Router, Topology, Vxlan\n"
        "class Greedy(Topology):\n"
        '    root = Root(loopback="10.78.0.1/32", routes={"172.30.0.0/16": "10.77.0.2"}, default_via="10.77.0.2")\n'
        "    h1 = Host()\n"
        '    up = Link(root.interface("up", "10.77.0.1/24"), h1.interface("eth0", "10.77.0.2/24"))\n'
        '    docker9 = Bridge(root, "docker9", "172.29.0.1/16")\n'
        "    tunnel = Vxlan(root, h1, id=9)\n"
    )
    done = machine.run(*PROGRAM, "--host", str(lab), "-c", "root true")
    assert done.returncode == 1
    for device in "docker9", "vxlan9":
        assert f"{device} would be on this machine alone, where nothing would remove it after a crash" in done.stderr
    assert "10.78.0.1/32 would stay on this machine's loopback after a crash" in done.stderr
    assert "this machine has a route to 172.30.0.0/24 already, which that to 172.30.0.0/16 overlaps" in done.stderr
    assert "the lab would have a default route on this machine" in done.stderr


def test_routes_of_every_kind_and_table_that_packets_are_led_by_are_refused(tmp_path: Path) -> None:
    links = [f'    l{i} = Link(root.interface("l{i}", "10.{i}.0.1/24"), h1)\n' for i in (41, 42, 43, 44, 45, 46)]
    (tmp_path / "lab.py").write_text(
        "from pynetemu import Host, Link, Root, Topology\nclass Lab(Topology):\n    root = Root()\n    h1 = Host()\n"
        + "".join(links)
        + '    six = Link(root.interface("six", "fd77::1/64"), h1)\n'
    )
    with Machine() as machine:
        for words in (
            "unreachable 10.41.0.0/16",
            "blackhole 10.42.0.0/16",
            "prohibit 10.43.0.0/16",
            "10.44.0.0/16 dev uplink table 52",
            "10.45.0.0/16 dev uplink table 53",  # to which no rule leads
            "default dev uplink table 52",
            "local 10.46.0.9/32 dev lo table local",
        ):
            assert machine.run("ip", "route", "add", *words.split()).returncode == 0
        assert machine.run("ip", "rule", "add", "lookup", "52").returncode == 0
        assert machine.run("ip", "-6", "route", "add", "unreachable", "fd77::/48").returncode == 0
        before = machine.state()
        done = machine.run(*PROGRAM, "--host", str(tmp_path / "lab.py"), "-c", "h1 true", cwd=tmp_path)
        assert machine.state() == before
    assert done.returncode == 1
    for text in (
        "a route to 10.41.0.0/16 (unreachable) already",
        "a route to 10.42.0.0/16 (blackhole) already",
        "a route to 10.43.0.0/16 (prohibit) already",
        "a route to 10.44.0.0/16 (table 52) already",
        "a route to 10.46.0.9/32 (its own) already",
        "a route to fd77::/48 (unreachable) already",
    ):
        assert text in done.stderr, done.stderr
    assert "10.45." not in done.stderr


def test_of_two_labs_that_start_at_once_one_comes_up_and_loses_nothing(machine: Machine) -> None:
    """The one that is refused takes nothing of the other's away."""
    line = "sh -c 'read -r _ || true; ip -br link show veth_root; ping -c1 -W2 blue'"
    both = [machine.start(*_HOST, "-c", f"root {line}") for _ in range(2)]
    try:
        wait_until(lambda: any(process.poll() is not None for process in both), 20)
    finally:
        ends = [process.communicate("\n", timeout=20) for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], ends
    (kept, refused) = sorted(ends, key=lambda end: "1 received" not in end[0])
    assert "veth_root" in kept[0] and "1 received" in kept[0]
    assert "this machine has an interface veth_root already" in refused[1]


_LAB = """
from pynetemu import Host, Link, Root, Topology

class Hosted(Topology):
    root = Root()
    blue = Host(default_via="10.0.0.1")
    wire = Link(root.interface("to_blue", "10.0.0.1/24"), blue.interface("eth0", "10.0.0.2/24"))
"""
_MORE = """
    green = Host()
    other = Link(root.interface("{name}", "{network}.1/24"), green.interface("eth0", "{network}.2/24"))
"""


def test_a_lab_on_the_machine_is_changed_and_the_machine_is_as_it_was_before(machine: Machine, tmp_path: Path) -> None:
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    old.write_text(_LAB)
    with machine.lab(*PROGRAM, "--host", str(old), "--name", "hosted"):
        during = machine.state()
        for name, network, told in [("uplink", "10.0.1", "uplink"), ("to_green", "172.30.0", "172.30.0")]:  # the machine's own
            new.write_text(_LAB + _MORE.format(name=name, network=network))
            done = machine.run(*PROGRAM, "apply", str(new), "hosted")
            assert done.returncode != 0 and told in done.stderr, done.stderr
            assert machine.state() == during
        new.write_text(_LAB + _MORE.format(name="to_green", network="10.0.1"))
        assert machine.run(*PROGRAM, "apply", str(new), "hosted").stdout == "added green; changed root\n"
        assert {*machine.state()["links"]} - {*during["links"]} == {"to_green"}
        assert machine.run("ping", "-c1", "-W2", "10.0.1.2").returncode == 0
        undone = machine.run("sh", "-c", f"echo undo | {' '.join(PROGRAM)} attach hosted")
        assert undone.stdout == "removed green; changed root\n", undone.stderr
        assert machine.state() == during
        assert machine.run(*PROGRAM, "apply", str(new), "hosted").returncode == 0
