"""What runs, written as a description: started, it is the same, as ip, bridge and nft tell it."""

import json
from pathlib import Path

import pytest

from pynetemu import (
    Firewall,
    Host,
    HttpServer,
    LabError,
    Link,
    Network,
    Router,
    Service,
    Switch,
    Topology,
    UsageError,
    finished,
)
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.load import load
from pynetemu.topology.as_python import source
from pynetemu.topology.data import from_data, to_data
from tests.support.kernel_state import lasting_differences, settled
from tests.support.pynetemu import pynetemu

_FILES = sorted(Path(__file__).parents[2].joinpath("topologies").glob("*.py"))


@pytest.mark.pure
@pytest.mark.parametrize("file", [*map(str, _FILES), "fat-tree:k=4", "tree:depth=2,fanout=2"], ids=lambda file: Path(file).name)
def test_a_description_that_is_written_makes_the_same_plan(file: str, tmp_path: Path) -> None:
    topology = load(file)
    written = tmp_path / "written.py"
    written.write_text(source(from_data(to_data(topology)), "What it is."))
    assert compile_plan(load(str(written))) == compile_plan(topology)


class Odd(Topology):
    """Names and texts that are no words of Python."""

    def build(self) -> None:
        self.s1 = self.add("s1", Switch())
        for name in ("class", "h-1", "Link", "site1.h1"):
            host = self.add(name, Host(files={"/etc/motd": "it's\n\"'''\\ \x07 ä\n"}))
            self.add(Link(host, self.s1))


@pytest.mark.pure
def test_names_and_texts_of_any_kind_can_be_written(tmp_path: Path) -> None:
    written = tmp_path / "written.py"
    written.write_text(source(from_data(to_data(Odd())), "What it is."))
    assert compile_plan(load(str(written))) == compile_plan(Odd)


class Lab(Topology):
    s1, s2 = Switch(), Switch()
    r1 = Router()
    h1, h2, h3, h4, h5 = Host(), Host(), Host(), Host(), Host()
    wires = [Link(h1, s1.port(isolated=True)), Link(h2, s1), Link(r1, s1), Link(r1, s2), Link(h3, s2), Link(h4, s2)]
    far = Link(h5.interface("lan"), s2)
    guard = Firewall(r1, forward="tcp dport 23 drop")
    page = HttpServer(h2, port=80)
    mark = Service(h2, "echo described > /var/mark", ready=finished())


_BY_HAND = {
    "h1": """ip link set eth0 down; ip link set eth0 name wan; ip link set wan up mtu 1400
             ip route add default via 10.0.1.254; ip addr add 10.0.1.77/24 brd + dev wan""",
    "s1": "ip link set h1 mtu 1400",
    "h2": """ip addr del 10.0.1.2/24 dev eth0; ip addr add 10.0.1.99/24 brd + dev eth0
             ip route add default via 10.0.1.254; ip route add 10.6.0.0/16 via 10.0.1.254""",
    "r1": """ip rule add from 10.0.1.0/24 lookup 100 pref 100; ip route add blackhole 10.9.0.0/16
             ip route add 10.7.0.0/16 via 10.0.1.99 table 100; sysctl -qw net.ipv4.conf.all.rp_filter=2""",
    "h3": """nft 'table inet mine { chain i { type filter hook input priority 0; tcp dport 81 drop; }; }'
             ip link add x0 type veth peer name x1; ip addr add 10.77.0.1/24 brd + dev x0; ip link set x0 up
             ip link set x1 up""",
    "h4": "ip link del eth0",
}


def test_what_was_changed_by_hand_is_made_again_by_the_saved_file(tmp_path: Path) -> None:
    file = tmp_path / "saved.py"
    with Network(Lab, name="saving-1") as net:
        for node, lines in _BY_HAND.items():
            net[node].run("sh", "-ec", lines, check=True)
        net.add("h9", Host(), Link("h9", "s1"))
        net.add("h8", Host(), Link("h8", "s2"), HttpServer("h8", port=8080))
        net.remove("h9")
        net.move("h5", "s2", "s1")
        net.link("h8", "s2").set(delay="3ms", a_to_b={"loss": "1%"})
        assert net.save(file) == []
        was = settled(net)
        with Network(load(str(file)), name="saving-2") as again:
            assert not lasting_differences(again, was)
            assert [d.impairment for d in again.link("h8", "s2").directions] == [
                d.impairment for d in net.link("h8", "s2").directions
            ]
            assert again["h2"].run("curl", "-s", "h8:8080").stdout
            assert again["h2"].run("cat", "/var/mark").stdout == "described\n"


def test_a_saved_file_is_not_written_over_and_says_what_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "saved.py"
    with Network(Lab, name="saving-3") as net:
        away = "ip link add mv0 link eth0 type macvlan mode bridge; ip link set mv0 netns h2"  # where no eth0 is below it
        own = "ip link add mv1 link eth0 type macvlan mode private; ip addr add 10.88.0.1/24 dev mv1; ip link set mv1 up"
        net["h1"].run("sh", "-ec", f"{away}; {own}; ip route add 10.89.0.0/16 dev mv1", check=True)
        at_it = "ip addr add 10.87.0.1/24 dev mv0; ip link set mv0 up; ip route add 10.86.0.0/16 dev mv0"
        net["h2"].run("sh", "-ec", at_it, check=True)
        done = pynetemu("save", net.name, file)
        assert (done.returncode, done.stdout) == (0, "")
        assert "not in" in done.stderr and "h2 ip link add mv0 type macvlan" in done.stderr
        assert "Not in here: h2 ip link add mv0 type macvlan" in file.read_text()
        assert "Not in here: h2 ip route add 10.86.0.0/16 dev mv0" in file.read_text()
        with Network(load(str(file)), name="saving-7") as again:
            assert {i.name for i in again.interfaces("h1")} == {"lo", "eth0", "mv1"}
            (link,) = json.loads(again["h1"].run("ip", "-j", "-d", "addr", "show", "dev", "mv1", check=True).stdout)
            assert (link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["mode"]) == ("macvlan", "private")
            assert "10.88.0.1" in [address["local"] for address in link["addr_info"]]
            assert again["h1"].run("ip", "route", "show", "10.89.0.0/16").stdout.split()[:3] == ["10.89.0.0/16", "dev", "mv1"]
        with pytest.raises(UsageError, match="is there already"):
            net.save(file)
        assert pynetemu("save", net.name, file).returncode == 2
        assert pynetemu("save", net.name, file, "--force").returncode == 0
        assert "ends in .py" in pynetemu("save", net.name, tmp_path / "saved").stderr
        with pytest.raises(LabError, match="No such file or directory"):
            net.save(tmp_path / "nosuch" / "saved.py")


def test_what_no_description_allows_is_done_by_commands(tmp_path: Path) -> None:
    file = tmp_path / "saved.py"
    with Network(Lab, name="saving-4") as net:
        net["h1"].run("ip", "addr", "add", "10.0.1.2/24", "dev", "eth0", check=True)  # h2 has it too
        net["h2"].run("ip", "link", "set", "eth0", "name", "wan", check=True)
        assert net.save(file) == []
        with Network(load(str(file)), name="saving-5") as again:
            assert [str(a) for i in again.interfaces("h1") for a in i.addresses if a.version == 4][1:] == [
                "10.0.1.1/24",
                "10.0.1.2/24",
            ]
            assert {i.name for i in again.interfaces("h2")} == {"lo", "wan"}


def test_the_description_of_a_lab_of_a_plan_alone_cannot_be_saved(tmp_path: Path) -> None:
    with Network(compile_plan(Lab), name="saving-6") as net, pytest.raises(LabError, match="only its plan"):
        net.save(tmp_path / "saved.py")
