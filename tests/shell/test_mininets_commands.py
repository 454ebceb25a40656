"""Every command of Mininet's CLI is there under the same word, and says what the kernel has."""

import json
from pathlib import Path
from typing import Any

import pytest

from pynetemu.shell import registry
from tests.support.pynetemu import BRIDGE, STAR, pynetemu

_MININETS = [
    "help",
    "nodes",
    "ports",
    "net",
    "sh",
    "py",
    "px",
    "pingall",
    "pingpair",
    "pingallfull",
    "pingpairfull",
    "iperf",
    "iperfudp",
    "intfs",
    "dump",
    "link",
    "links",
    "xterm",
    "x",
    "gterm",
    "exit",
    "quit",
    "noecho",
    "source",
    "time",
    "switch",
    "wait",
]


def _ask(*lines: str, file: Path = BRIDGE, status: int = 0) -> str:
    done = pynetemu(file, *(word for line in lines for word in ("-c", line)))
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def _data(line: str, file: Path = BRIDGE) -> Any:
    return json.loads(_ask(f"{line} --json", file=file))


@pytest.mark.pure
def test_every_command_of_mininet_is_there() -> None:
    assert set(_MININETS) <= set(registry.names(with_plugins=False))


def test_the_lists() -> None:
    lines = ["net", "links", "intfs", "ports", "dump", "routes", "rules", "arp", "fdb", "stats"]
    marked = [word for line in lines for word in (f"!echo == {line}", line)]
    before = (
        "blue ping -c1 -q green >/dev/null",
        "blue ip route add blackhole 10.66.0.0/16",
        "blue ip rule add pref 7 lookup main",
    )
    found = dict(part.split("\n", 1) for part in _ask(*before, *marked).split("== ")[1:])
    assert found["net"].splitlines()[0].split() == ["NODE", "INTERFACE", "PEER", "PEER_INTERFACE"]
    assert "s1     blue        blue   veth_blue\n" in found["net"]
    assert "blue:veth_blue    s1:blue    up" in found["links"]
    assert "blue   veth_blue   up     10.0.0.2/24       02:42:0a:00:00:02  1500\n" in found["intfs"]
    assert "s1      blue   br0     blue:veth_blue    up     1\n" in found["ports"]
    assert "blue   host    3       veth_blue:10.0.0.2/24\n" in found["dump"]
    assert "blue   default         10.0.0.1   root  veth_blue\n" in found["routes"]
    assert "s1      02:42:0a:00:00:02  blue:veth_blue    blue   -\n" in found["fdb"]
    assert "veth_green" in found["stats"]
    rows = {name: [line.split() for line in text.splitlines()] for name, text in found.items()}
    assert ["blue", "10.0.0.0/24", "-", "-", "veth_blue"] in rows["routes"]
    assert ["blue", "10.66.0.0/16", "blackhole", "-", "-"] in rows["routes"]
    assert ["blue", "4", "7", "from", "all", "lookup", "main"] in rows["rules"]
    assert ["blue", "10.0.0.3", "green", "02:42:0a:00:00:03", "veth_blue"] in [row[:5] for row in rows["arp"]]


@pytest.mark.slow
def test_lists_of_some_nodes_and_as_data() -> None:
    assert [row["node"] for row in _data("nodes b* green")] == ["blue", "green"]
    assert _data("links blue") == [{"end": "blue:veth_blue", "other_end": "s1:blue", "state": "up"}]
    pings = _data("pingall blue green -c 2")
    assert (pings["sent"], pings["received"], len(pings["pairs"])) == (4, 4, 2)
    found = _data("iperf blue green -t 200ms")
    assert found["version"] == 1
    assert found["bits_per_second"] > 1e6
    assert _data("iperfudp 1mbit blue green -t 200ms")["loss"] == 0


def test_pingall_is_a_matrix_and_fails_when_something_is_lost() -> None:
    lines = _ask("pingall").splitlines()
    assert lines[0].split() == ["root", "blue", "green"]
    assert [line.split()[0] for line in lines[1:4]] == ["root", "blue", "green"]
    assert lines[4].startswith("6 of 6 answered, 0% lost, in ")
    broken = _ask("link blue s1 down", "pingall -t 100ms", status=1)
    assert "blue has no answer from root, green  (no route)\n" in broken
    assert "2 of 6 answered, 67% lost" in broken


@pytest.mark.slow
def test_a_link_and_a_switch_go_down_and_come_back() -> None:
    again = ("links blue", "blue ip route show default", "pingall blue green -t 5s | tail -1")
    down_and_up = _ask("link s1 blue down", "links blue", "link s1 blue up", *again)
    assert "blue:veth_blue  s1:blue    down\n" in down_and_up
    assert "default via 10.0.0.1 dev veth_blue" in down_and_up
    assert "2 of 2 answered" in down_and_up
    stopped = "set +e", "switch s1 stop", "pingpair blue green | grep answered", "switch s1 start"
    assert "0 of 2 answered, 100% lost" in _ask(*stopped[:3], status=1)
    assert "2 of 2 answered" in pynetemu(BRIDGE, input="\n".join([*stopped, again[2]])).stdout


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("link blue green down", "there is no link between blue and green; blue has links to s1"),
        ("link blue:eth9 s1 down", "link: blue has no interface 'eth9'; it has veth_blue"),
        ("link blue s1 sideways", "link: 'sideways' is not up or down"),
        ("switch blue stop", "blue is not a switch: it has no bridge"),
        ("pingall -6", "a ping needs two nodes with an address of IPv6"),
        ("pingall -4 -6", "say --ipv4 or --ipv6, or neither, not both"),
        ("iperf blue blue", "say two different nodes, not blue twice"),
        ("iperfudp 10mbps", "'10mbps' is ambiguous: mbps is bytes per second to tc(8), and bits to many people; write 10mbit"),
        ("source nosuch", "source: nosuch: No such file or directory"),
        ("logs nosuch", "Bridge has no service 'nosuch'"),
        ("save lab.xyz", "save: lab.xyz: its name ends in .py, .json, .sh, .txt"),
        ("ping blue", "no node or command 'ping'; to run the program say where: green ping ..., or !ping on this machine"),
        ("dpctl show", "switches are Linux bridges here: `s1 bridge link`, `ports`, `fdb`"),
        ("reload now", "reload: one word too many: 'now'"),
        ("term nosuch", "term: there is no node 'nosuch'"),
        ("kill %1", "there are no jobs"),
        ("ip addr", "hint: for the program say where: green ip addr, or !ip addr on this machine"),
        ("ip netns exec blue ip addr", "hint: a node's name does that: blue ip addr"),
        ("sudo", "in nodes everybody is root already: green COMMAND"),
        ("py import os", "pynetemu: py: this is a statement, which px runs: px import os"),
    ],
)
def test_wrong_lines_are_refused_with_what_is_allowed(line: str, message: str) -> None:
    done = pynetemu(BRIDGE, "-c", line)
    assert message in done.stderr
    assert done.returncode in (1, 2, 127)
    assert "Traceback" not in done.stderr


def test_python_knows_the_nodes_and_keeps_what_it_sets() -> None:
    assert _ask("px x = blue.run('hostname').stdout", "py x.upper()") == "BLUE\n\n"
    assert _ask("py sorted(n.name for n in net)") == "['blue', 'green', 'root', 's1']\n"
    done = pynetemu(BRIDGE, "-c", "py 1 / 0")
    assert done.returncode == 1
    assert done.stderr.startswith('Traceback (most recent call last):\n  File "<string>", line 1')
    done = pynetemu(BRIDGE, "-c", "py net['bleu']")
    assert (done.returncode, done.stderr) == (1, "pynetemu: Bridge has no node 'bleu'; did you mean 'blue'?\n")


def test_the_machine_and_its_folder(tmp_path: Path) -> None:
    assert _ask(f"cd {tmp_path}", "!pwd", "sh pwd", "blue pwd") == f"{tmp_path}\n" * 3
    assert _ask("!exit 7", status=7) == ""


def test_output_goes_where_sh_would_send_it(tmp_path: Path) -> None:
    file = tmp_path / "nodes.txt"
    assert _ask(f"nodes > {file}", "nodes | grep -c host") == "2\n"
    assert file.read_text().startswith("NODE")
    assert _ask(f"nodes >> {file}", f"!grep -c NODE {file}") == "2\n"
    assert pynetemu(BRIDGE, "-c", "nodes | false").returncode == 1


def test_plans_are_saved_in_the_form_of_their_names(tmp_path: Path) -> None:
    _ask(*(f"save {tmp_path}/lab.{suffix}" for suffix in ("json", "sh", "txt", "svg")), f"graph -o {tmp_path}/g.dot")
    assert json.loads((tmp_path / "lab.json").read_text())["name"] == "Bridge"
    assert (tmp_path / "lab.sh").read_text().startswith("#!/bin/sh\n")
    assert (tmp_path / "lab.svg").read_text().startswith("<svg")
    assert "s1" in (tmp_path / "g.dot").read_text()
    assert "● s1" in _ask("graph") and "●" not in _ask("graph --ascii")


@pytest.mark.slow
def test_a_command_in_several_nodes() -> None:
    assert _ask("h*,s1 hostname", file=STAR) == "s1  s1\nh1  h1\nh2  h2\nh3  h3\n"
    assert _ask("all sh -c 'hostname | tr a-z A-Z'", file=STAR).splitlines()[-1] == "h3  H3"
    assert "1 received" in _ask("h1,h3 ping -c1 -q h2", file=STAR)
    done = pynetemu(STAR, "-c", "h* sh -c 'echo to $(hostname) >&2; test $(hostname) != h2'")
    assert (done.stdout, done.returncode) == ("", 1)
    assert done.stderr == "h1  to h1\nh2  to h2\nh3  to h3\nfailed in 1 of 3 nodes: h2 (1)\n"
    assert pynetemu(STAR, "-c", "h1,h9 true").stderr.startswith("pynetemu: there is no node 'h9'")
    assert pynetemu(STAR, "-c", "x* true").stderr.startswith("pynetemu: no node matches 'x*'")
    missing = pynetemu(STAR, "-c", "h1,h2 nosuchprogram")
    assert missing.returncode == 127 and "h2  no program 'nosuchprogram'" in missing.stderr
    background = pynetemu(STAR, "-c", "h1,h2 sh -c 'hostname >&2' &", "-c", "wait")
    assert "[2] " in background.stderr and "h1\n" in background.stderr


@pytest.mark.slow
def test_short_names_and_repetition() -> None:
    assert _ask("alias n = nodes blue", "n | tail -1", "alias") == ("blue  host  veth_blue 10.0.0.2/24\nalias n = nodes blue\n")
    assert _ask("alias who=blue hostname", "who") == "blue\n"
    assert pynetemu(BRIDGE, "-c", "alias blue = nodes").stderr == "pynetemu: alias: blue is a node\n"
    assert "too many nested lines" in pynetemu(BRIDGE, "-c", "alias a = b", "-c", "alias b = a", "-c", "a").stderr
    assert _ask("watch --times 3 -n 10ms blue hostname") == "blue\n" * 3
    assert pynetemu(BRIDGE, "-c", "time blue true").stderr.endswith(" s\n")
