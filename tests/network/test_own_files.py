"""A node is a machine: /etc, /var, /run and /dev are its own, and nothing of them is on the machine, whatever happens."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory

import pytest

from pynetemu import Host, Link, Network, Topology
from tests.support.labs import mine, processes_of, running
from tests.support.leftovers import of_machine
from tests.support.pynetemu import pynetemu
from tests.support.wait import wait_until

pytestmark = pytest.mark.needs("own files")


class Pair(Topology):
    a = Host()
    b = Host()
    wire = Link(a, b)


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with Network(Pair(), name="own-files") as net:
        for node in net.nodes:
            net[node].run("true")  # what the first program needs is there from now on
        yield net


def _sh(net: Network, node: str, line: str) -> str:
    return str(net[node].run("sh", "-ec", line, check=True).stdout)


_WRITE = """
echo mine >/etc/own-file; mkdir -p /etc/default /var/lib/own-folder /run/own-folder
echo mine >/etc/default/own-file; echo mine >/var/lib/own-folder/x; echo mine >/var/log/own.log; echo mine >/run/own.pid
echo mine >/dev/shm/own; sed -i 's/root/ruth/' /etc/passwd; echo new >/etc/resolv.conf.new
mv /etc/resolv.conf.new /etc/resolv.conf
rm -f /etc/hostname
"""


def test_a_node_may_write_everywhere_below_etc_var_and_run(net: Network) -> None:
    before = _own_places()
    _sh(net, "a", _WRITE)
    assert _sh(net, "a", "cat /etc/default/own-file /var/lib/own-folder/x /var/log/own.log /run/own.pid") == "mine\n" * 4
    assert "ruth" in _sh(net, "a", "cat /etc/passwd; test ! -e /etc/hostname")
    assert _sh(net, "a", "cat /etc/resolv.conf") == "new\n"
    assert _sh(net, "b", "ls /run /var/log /etc /var/lib /dev/shm | grep -w own || true") == ""
    assert _own_places() == before


def test_names_of_nodes_and_terminals_work(net: Network) -> None:
    assert "a a.eth0" in _sh(net, "b", "getent hosts a")
    assert _sh(net, "b", "cat /etc/hostname; getent passwd root | cut -d: -f1") == "b\nroot\n"
    assert "/dev/null" in _sh(net, "b", "echo x >/dev/null; head -c1 /dev/urandom | wc -c; ls /dev/null")
    script = (
        "import os, pty, sys; pid, fd = pty.fork(); pid or os._exit(0 if os.isatty(0) else 1); sys.exit(os.waitpid(pid, 0)[1])"
    )
    assert net["b"].run("python3", "-c", script).status == 0


def test_syslog_is_the_nodes_own(net: Network) -> None:
    """Whoever binds /dev/log hears the programs of that node."""
    with net["a"].start("python3", "-uc", _LISTENER, stdout=PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        _sh(net, "b", "logger -u /dev/log nobody hears this || true")
        _sh(net, "a", "logger -u /dev/log heard in a")
        assert b"heard in a" in process.stdout.readline()


_LISTENER = """
import socket
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
print("ready")
print(log.recv(1000))
"""


def test_names_of_namespaces_are_each_nodes_own(net: Network) -> None:
    for node in "a", "b":
        _sh(net, node, f"ip netns add cust; ip -n cust link set lo up; ip netns exec cust ip link add of-{node} type veth")
    for node in "a", "b":
        assert f"of-{node}" in _sh(net, node, "ip -o -n cust link; ip netns del cust")
        assert "cust" not in _sh(net, node, "ip netns list")


def test_what_is_the_users_stays_the_machines(tmp_path: Path, net: Network) -> None:
    _sh(net, "a", f"echo found >{tmp_path}/result; echo home >{Path.home()}/own-files-test")
    assert (tmp_path / "result").read_text() == "found\n"
    home = Path.home() / "own-files-test"
    assert home.read_text() == "home\n"
    home.unlink()


def test_folders_of_the_user_below_var_stay_the_machines(tmp_path: Path) -> None:
    with TemporaryDirectory(dir="/var/tmp") as folder:
        place = Path(folder)
        with Network(Pair(), name="below-var") as net:
            _sh(net, "a", f"mkdir -p {place}; echo memory >{place}/x")
        assert not (place / "x").exists()
        done = pynetemu(
            _description(tmp_path), "-c", "a sh -c 'echo kept >x; echo kept >$HOME/y'", cwd=place, env={"HOME": str(place)}
        )
        assert done.returncode == 0, done.stderr
        assert [(place / name).read_text() for name in "xy"] == ["kept\n", "kept\n"]


def _description(folder: Path) -> Path:
    file = folder / "pair.py"
    file.write_text(
        "from pynetemu import Host, Link, Topology\n\n\nclass Pair(Topology):\n    a, b = Host(), Host()\n    w = Link(a, b)\n"
    )
    return file


def test_two_labs_do_not_see_each_other(net: Network) -> None:
    with Network(Pair(), name="own-files") as other:
        _sh(net, "a", "echo 1 >/run/of-the-first; echo 1 >/var/lib/of-the-first")
        assert _sh(other, "a", "ls /run /var/lib | grep of-the-first || true") == ""


def test_nothing_is_left_after_a_kill(tmp_path: Path) -> None:
    """Names and contents of all places that daemons write to, as the machine has them."""
    description = _description(tmp_path)
    before, labs_before = _own_places(), of_machine()
    with running(mine("killed-files"), file=description, line="a sh -c 'echo up; read -r _ || true'") as shell:
        assert pynetemu("exec", mine("killed-files"), "a", "--", "sh", "-ec", _WRITE).returncode == 0
        os.kill(processes_of(shell.pid)["engine"], signal.SIGKILL)
        wait_until(lambda: of_machine() <= labs_before, 5)
    assert _own_places() == before


def _own_places() -> dict[str, object]:
    """What is below /etc, /var/lib, /var/log, /run and /dev/shm: names, and the size and time of files."""
    found: dict[str, object] = {}
    for top in "/etc", "/var/lib", "/var/log", "/var/cache", "/run", "/dev/shm":
        for folder, folders, files in os.walk(top, onerror=lambda _: None):
            folders[:] = [name for name in folders if name not in ("netns", "user")]  # of others, who come and go
            found[folder] = None
            for file in files:
                status = os.lstat(os.path.join(folder, file))
                found[os.path.join(folder, file)] = (status.st_size, status.st_mtime_ns, status.st_mode, status.st_uid)
    return found
