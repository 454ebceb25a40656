"""`pynetemu plan`: for people, as a shell script, as data; the script builds the network that the lab has."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.kernels import IN_VM
from tests.support.leftovers import OF_MODULES
from tests.support.pynetemu import BLUE, BRIDGE, CLONE, PROGRAM, STAR, environment, pynetemu

TOPOLOGIES = CLONE / "topologies"
DESCRIPTIONS = Path(__file__).parent / "descriptions"


def test_the_plan_for_people_names_nodes_links_and_services() -> None:
    text = pynetemu("plan", BLUE).stdout
    for word in ("veth_root", "10.0.0.1/24", "veth_blue", "10.0.0.2/24", "8080", "192.168.0.194/24"):
        assert word in text


def test_the_plan_as_data_is_json() -> None:
    assert json.loads(pynetemu("plan", BLUE, "--json").stdout)


def test_warnings_go_to_the_user_not_into_the_plan(tmp_path: Path) -> None:
    file = tmp_path / "lab.py"
    nodes = "    a, b, c = Host(), Host(), Host()\n    wire = Link(a, b)\n"
    file.write_text("from pynetemu import Host, Link, Topology\n\nclass Lab(Topology):\n" + nodes)
    done = pynetemu("plan", file)
    assert (done.returncode, "warning" in done.stdout) == (0, False)
    assert f"pynetemu: warning: {file}:4: c is in no link" in done.stderr


@pytest.mark.parametrize("words", [["plan"], ["plan", "--json"], ["plan", "--as-shell"], ["draw"], ["-c", "a true"]])
def test_warnings_are_told_once_by_every_verb_and_refused_when_strict(words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "lab.py"
    text = "class Lab(Topology):\n    a, b, c = Host(), Host(), Host()\n    wire = Link(a, b)\n"
    file.write_text(f"from pynetemu import Host, Link, Topology\n{text}")
    arguments: list[str | Path] = [*words, file] if words[0] != "-c" else [file, *words]
    done, strict = pynetemu(*arguments), pynetemu(*arguments, "--strict")
    assert (done.returncode, done.stderr.count("c is in no link")) == (0, 1)
    assert done.stderr.startswith(f"pynetemu: warning: {file}:3: c is in no link")
    assert (strict.returncode, strict.stdout) == (2, "")
    assert strict.stderr.startswith(f"pynetemu: {file}:3: c is in no link")


def test_a_plan_needs_no_namespaces() -> None:
    forbid = 'echo 0 >/proc/sys/user/max_net_namespaces; exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh", *PROGRAM]
    done = subprocess.run([*command, "plan", BLUE], capture_output=True, text=True, env=environment(), timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_idle_node_takes_two_open_files_and_a_plan_tells_when_there_are_too_few() -> None:
    needed = 200 + 2 * 201

    def limited(most: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["prlimit", f"--nofile={most}", *PROGRAM, *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60, check=False)

    short = limited(needed - 1, "plan", "single:hosts=200")
    text = f"201 nodes take {needed} open files, and this user may have {needed - 1}\n"
    assert (short.returncode, short.stderr.count(text)) == (0, 1)
    assert "`sudo prlimit --pid $$ --nofile=1004`" in short.stderr
    refused = limited(needed - 1, "single:hosts=200", "-c", "h1 true")
    assert refused.returncode != 0 and text in refused.stderr
    assert "open files" not in limited(needed, "plan", "single:hosts=200").stderr
    enough = limited(needed, "single:hosts=200", "-c", "h1 ping -c 1 h200")
    assert (enough.returncode, "1 received" in enough.stdout) == (0, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "nodes"),
    [
        (BLUE, ["root", "blue"]),
        (BRIDGE, ["root", "s1", "blue", "green"]),
        (STAR, ["s1", "h1"]),
        (TOPOLOGIES / "dual_stack.py", ["h1", "r1", "r2", "h3"]),
        (TOPOLOGIES / "router.py", ["h1", "r1", "r3", "s1"]),
        (TOPOLOGIES / "two_sites.py", ["site1.gw", "site1.h1", "site2.s1"]),
        (TOPOLOGIES / "stp_ring.py", ["s1", "s2", "s3"]),
        (TOPOLOGIES / "vxlan.py", ["h1", "r1", "h2"]),
        pytest.param(DESCRIPTIONS / "devices.py", ["h1", "r1", "r2"], marks=pytest.mark.needs("bond", "dummy", "vrf")),
        pytest.param(TOPOLOGIES / "wireguard.py", ["gw1", "h2"], marks=pytest.mark.needs("wireguard")),
        (DESCRIPTIONS / "overlay.py", ["m1", "c1", "c3", "c4"]),
        (DESCRIPTIONS / "settings.py", ["s1", "s2", "r1"]),
        (DESCRIPTIONS / "told.py", ["root", "r1", "h1"]),
        pytest.param(TOPOLOGIES / "vlan.py", ["s1", "s2", "r1"], marks=pytest.mark.needs("802.1Q", "VLAN filtering")),
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else "",
)
def test_the_script_builds_the_same_network(file: Path, nodes: list[str], tmp_path: Path) -> None:
    _compare(file, nodes, tmp_path)


def test_the_script_of_two_links_between_two_hosts_with_both_versions_and_of_two_switches(tmp_path: Path) -> None:
    file = tmp_path / "twice.py"
    file.write_text(
        "from pynetemu import Host, Link, Root, Switch, Topology\n"
        "class Twice(Topology):\n"
        "    root = Root()\n"
        '    a = Host(default_via="fd00:1::2")\n'
        '    b = Host(default_via="10.0.2.1")\n'
        "    s1 = Switch()\n"
        "    s2 = Switch()\n"
        '    one = Link(a.interface("x", "10.0.1.1/24", "fd00:1::1/64"), b.interface("x", "10.0.1.2/24", "fd00:1::2/64"))\n'
        '    two = Link(b.interface("y", "10.0.2.2/30"), a.interface("y", "10.0.2.1/30", "fe80::1/64"))\n'
        "    to_s1 = Link(a, s1)\n"
        "    trunk = Link(s1, s2)\n"
        '    to_root = Link(s2, root.interface("r", "fd00:3::1/64"))\n'
    )
    _compare(file, ["root", "a", "b", "s1", "s2"], tmp_path)


def _compare(file: Path, nodes: list[str], tmp_path: Path) -> None:
    """The script runs as root in fresh namespaces, where root's own network is as empty as a lab's."""
    script = tmp_path / "lab.sh"
    script.write_text(pynetemu("plan", file, "--as-shell").stdout)
    questions = [f"{node} ip -j -d {what}" for node in nodes for what in _SHOWN]
    asked = [f"ip netns exec {line}".removeprefix("ip netns exec root ") for line in questions]
    body = "\n".join([f"exec 3<{script}", "mount -t tmpfs none /run", "sh -e /dev/fd/3", _ALL_UP, *asked])
    fresh = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", "--mount", "--uts", "sh", "-e", "-c", body],
        capture_output=True,
        text=True,
        timeout=180 if IN_VM else 30,
        check=False,
    )
    assert fresh.returncode == 0, fresh.stderr
    up = [f"{node} sh -c '{_UP}'" for node in nodes]
    lab = pynetemu(file, *(word for line in (*up, *questions) for word in ("-c", line)))
    assert lab.returncode == 0, lab.stderr
    answers = zip(questions, fresh.stdout.splitlines(), lab.stdout.splitlines(), strict=True)
    for question, by_script, by_lab in answers:
        assert _comparable(by_script) == _comparable(by_lab), question


# A bridge's ports come up a moment after they were told to; modules of tunnels add devices that stay down, such as gre0@NONE.
_ALL_UP = """
until ! { ip -br link; ip -all netns exec ip -br link; } | grep -E '^[^ ]+@' | grep -v '@NONE ' | grep -qv ' UP '; do :; done
"""


_UP = 'until ! ip -br link | grep -E "^[^ ]+@" | grep -v "@NONE " | grep -qv " UP "; do :; done'

_SHOWN = "link", "addr", "route", "-6 route", "neigh show nud permanent"
_CHANGES = re.compile(
    ".*_timer$|mcast_querier_state|root_|topology_change|state$|designated_|config_pending|(ageing_time|fdb_n_learned|bridge_id)$"
)


def _comparable(answer: str) -> list[str]:
    """What `ip -j -d` says, without what changes by itself: timers, states, what a bridge has learned."""
    entries: list[dict[str, Any]] = [entry for entry in json.loads(answer) if entry.get("ifname") not in OF_MODULES]
    for entry in entries:
        for data in entry.get("linkinfo", {}).values():
            for key in [key for key in data if _CHANGES.match(key)]:
                del data[key]
        if entry.get("linkinfo", {}).get("info_kind") == "macvlan":  # the engine has to choose a larger number
            entry.pop("ifindex")
        entry.pop("link_netnsid", None)  # numbers that the kernel gives in the order in which somebody asks
        if entry.get("operstate") == "UNKNOWN":  # which it is for up to a second (net/core/link_watch.c)
            entry["operstate"] = "UP"
        for address in entry.get("addr_info", []):
            address.pop("tentative", None)
    ordered = sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True))
    return json.dumps(ordered, sort_keys=True, indent=1).splitlines()


def test_what_is_wrong_with_a_shape_is_told_without_a_line_that_the_user_has_not_written() -> None:
    done = pynetemu("plan", "single:hosts=1100")
    assert done.returncode == 2
    assert done.stderr.startswith("pynetemu: this is port 1024 of s1, and a Linux bridge has 1023 at most\n    hint:")


def test_a_node_that_hides_a_command_is_told_and_reached(tmp_path: Path) -> None:
    file = tmp_path / "lab.py"
    body = "class Lab(Topology):\n    pingall, h1 = Host(), Host()\n    a = Link(pingall, h1)\n"
    file.write_text(f"from pynetemu import Host, Link, Topology\n{body}")
    done = pynetemu(str(file), "-c", "pingall hostname")
    assert (done.returncode, done.stdout) == (0, "pingall\n")
    assert f"warning: {file}:3: the node pingall hides" in done.stderr
