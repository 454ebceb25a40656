"""Nodes are paused, resumed, stopped and started as machines are: programs and links, judged by ping and ip."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pynetemu import Host, HttpServer, LabError, Link, Network, Router, Service, Topology, finished
from pynetemu.shell.shell import Shell
from tests.support.wait import wait_until


class Routed(Topology):
    addresses = "dual"
    h1, h2 = Host(), Host()
    r1 = Router(routes={"10.77.0.0/16": "10.0.0.1"})
    wires = [Link(h1.interface("eth0", "10.0.0.1/24"), r1), Link(h2, r1)]
    page = HttpServer(h2, port=8080)
    mark = Service(r1, "echo up >>/var/lib/starts; echo up >/run/started", ready=finished())
    tick = Service(r1, "exec sleep 4000")


@pytest.fixture
def net() -> Iterator[Network]:
    with Network(Routed(), name="power") as net:
        yield net


def _routes(net: Network) -> list[str]:
    lines = str(net["r1"].run("sh", "-c", "ip -o route; ip -o -6 route").stdout).splitlines()
    return sorted(line.replace(" linkdown", "").strip() for line in lines)


def _reaches(net: Network) -> bool:
    return net["h1"].run("ping", "-c1", "-W1", "h2").status == 0


def test_a_paused_node_does_nothing_and_goes_on_as_it_was(net: Network, tmp_path: Path) -> None:
    counter = net["r1"].start("sh", "-c", f"i=0; while :; do i=$((i+1)); echo $i >{tmp_path}/n; done")
    stopped = net["r1"].start("sleep", "4001")
    stopped.send_signal(19)
    assert (change := stopped.wait_change(5)) is not None and change.kind == "stopped"
    wait_until(lambda: (tmp_path / "n").exists() and (tmp_path / "n").read_text())
    routes = _routes(net)
    wait_until(lambda: _reaches(net))

    net.pause("r1")

    assert net.power == {"h1": "running", "h2": "running", "r1": "paused"}
    assert not _reaches(net)
    before = (tmp_path / "n").read_text()
    time.sleep(0.05)  # that nothing happens has no condition to wait for
    assert (tmp_path / "n").read_text() == before
    with pytest.raises(LabError, match=r"r1 is paused; `resume r1` starts it again"):
        net["r1"].run("true")
    with pytest.raises(LabError, match="`pause` is for a node that is running"):
        net.pause("r1")

    net.resume("r1")

    wait_until(lambda: (tmp_path / "n").read_text() not in ("", before))
    wait_until(lambda: _reaches(net))
    wait_until(lambda: _routes(net) == routes)
    assert str(net["r1"].run("ps", "-o", "stat=", "-p", stopped.pid).stdout).startswith("T")
    for process in counter, stopped:
        process.kill()
        process.wait()
        process.close()


def test_a_stopped_node_loses_its_programs_and_starts_with_its_services(net: Network) -> None:
    lost = net["r1"].start("sleep", "4002")
    assert net["h1"].run("curl", "-s", "-m30", "h2:8080").status == 0

    net.stop("r1", "h2")

    assert lost.wait(5) == -9
    lost.close()
    assert net.power == {"h1": "running", "h2": "stopped", "r1": "stopped"}
    assert "NO-CARRIER" in net["h1"].run("ip", "link", "show", "eth0").stdout
    with pytest.raises(LabError, match=r"h2 is stopped; `start h2` starts it again"):
        net["h2"].run("true")

    net.start("r1", "h2")

    wait_until(lambda: _reaches(net))
    assert "Hello from h2" in str(net["h1"].run("curl", "-s", "-m30", "h2:8080", check=True).stdout)
    assert net["r1"].run("cat", "/var/lib/starts", "/run/started").stdout == "up\n" * 3  # /var is kept, /run is not
    assert "10.77.0.0/16" in net["r1"].run("ip", "route").stdout
    assert {service.name: service.status for service in net.services} == {"mark": 0, "tick": None}
    assert "sleep 4000" in net["r1"].run("ps", "-e", "-o", "args=").stdout


def test_the_shell_says_and_does_the_same(net: Network, capfd: pytest.CaptureFixture[str]) -> None:
    shell = Shell(net)
    assert shell.run_line("pause h1 h2") == 0
    assert shell.run_line("nodes h1") == 0
    assert "host, paused" in capfd.readouterr().out
    assert shell.run_line("stop h1") == 0
    assert shell.run_line("resume h1") != 0
    assert "h1 is stopped; `resume` is for a node that is paused" in capfd.readouterr().err
    assert shell.run_line("start h1") == 0
    assert shell.run_line("resume h2") == 0
    wait_until(lambda: _reaches(net))
