"""The article's lab by `pynetemu topologies/blue.py -c ...`, as its readers use it."""

import json
import socket
from pathlib import Path

import pytest

from tests.support.pynetemu import BLUE, in_blue, output, pynetemu


@pytest.mark.parametrize(
    "line", ["blue ping -c 1 root", "root ping -c 1 blue", "blue ping -c 1 127.0.0.1", "blue ping -c 1 host"]
)
def test_nodes_reach_each_other_and_themselves(line: str) -> None:
    assert "1 packets transmitted, 1 received, 0% packet loss" in output(line)


@pytest.mark.parametrize(
    ("line", "page"),
    [
        ("blue curl -s localhost:8080", "Hello from blue. You are "),
        ("root curl -s blue:8080", "Hello from blue. You are 10.0.0.1"),
        ("blue curl -s root:8080", "Hello from root. You are 10.0.0.2"),
        ("blue curl -s http://root:8080/", "Hello from root. You are 10.0.0.2"),
        ("blue curl -s host:8080", "Hello from root. You are 10.0.0.2"),
        ("blue curl -s 192.168.0.194:8080", "Hello from root. You are 10.0.0.2"),
    ],
)
def test_web_servers_answer_with_their_nodes_name(line: str, page: str) -> None:
    assert output(line).startswith(page)


def test_without_a_default_route_other_networks_are_unreachable_until_it_is_back() -> None:
    lines = ["blue ip route del default", "blue curl -sS host:8080 || echo status $?"]
    broken = in_blue(*lines)
    assert "status 7" in broken.stdout, broken.stderr  # curl(1): failed to connect to host
    assert "curl: (7)" in broken.stderr
    assert "Network is unreachable" in in_blue("blue ip route del default", "blue ping -c 1 192.168.0.194").stderr
    healed = output(*lines, "blue ip route add default via 10.0.0.1", "blue curl -s host:8080")
    assert "Hello from root" in healed


def test_iproute_sees_what_was_described() -> None:
    addresses = json.loads(output("blue ip -j addr show veth_blue"))[0]
    assert addresses["operstate"] == "UP"
    assert [(a["local"], a["prefixlen"]) for a in addresses["addr_info"] if a["family"] == "inet"] == [("10.0.0.2", 24)]
    routes = json.loads(output("blue ip -j route"))
    assert {"dst": "default", "gateway": "10.0.0.1", "dev": "veth_blue", "flags": []} in routes
    root = json.loads(output("root ip -j addr"))
    assert {link["ifname"] for link in root} == {"lo", "eth0", "veth_root"}
    assert "192.168.0.194" in output("root ip addr show eth0")


def test_older_tools_work_too() -> None:
    assert "inet 10.0.0.2  netmask 255.255.255.0" in output("blue ifconfig veth_blue")
    assert "default         root            0.0.0.0         UG" in output("blue route")


def test_ip_netns_knows_the_nodes() -> None:
    assert [line.split()[0] for line in output("root ip netns list").splitlines()] == ["blue", "root"]
    inside = output("root ip netns exec blue ip -o link")
    assert "veth_blue" in inside
    assert "veth_root" not in inside


def test_names_work_in_every_program() -> None:
    resolve = "python3 -c 'import socket; print(socket.gethostbyname(\"{}\"))'"
    assert output(f"blue {resolve.format('root')}") == "10.0.0.1\n"
    assert output(f"root {resolve.format('blue')}") == "10.0.0.2\n"
    assert output(f"blue {resolve.format('blue')}") == "10.0.0.2\n"
    assert output(f"blue {resolve.format('host')}") == "192.168.0.194\n"
    assert "10.0.0.1" in output("blue getent hosts root")


def test_each_node_has_its_own_name_and_files() -> None:
    assert output("blue hostname") == "blue\n"
    assert output("root hostname") == "root\n"
    assert output("blue ls /sys/class/net").split() == ["lo", "veth_blue"]
    assert "nameserver" not in output("blue cat /etc/resolv.conf")
    assert "10.0.0.1" in output("blue cat /etc/hosts")


def test_the_machines_own_files_and_names_stay_as_they_are() -> None:
    before = Path("/etc/hosts").read_text(), socket.gethostname()
    output("blue true", "root true")
    assert (Path("/etc/hosts").read_text(), socket.gethostname()) == before


def test_a_web_server_never_serves_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    done = pynetemu(BLUE, "-c", "blue curl -s root:8080/secret.txt", cwd=tmp_path)
    assert done.stdout == "Hello from root. You are 10.0.0.2, and asked for /secret.txt\n"


def test_programs_of_a_node_work_in_the_callers_directory(tmp_path: Path) -> None:
    assert pynetemu(BLUE, "-c", "blue sh -c 'pwd; echo kept >file'", cwd=tmp_path).stdout == f"{tmp_path}\n"
    assert (tmp_path / "file").read_text() == "kept\n"


@pytest.mark.slow
def test_tcpdump_writes_a_capture_without_root(tmp_path: Path) -> None:
    file, log = tmp_path / "blue.pcap", tmp_path / "log"
    capture = f"tcpdump -U -c 1 -w {file} icmp 2>{log} & until grep -q listening {log}; do :; done"
    done = pynetemu(BLUE, "-c", f"blue {capture}; ping -c 1 root >/dev/null; wait")
    assert done.returncode == 0, done.stderr
    assert file.read_bytes()[:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4")
