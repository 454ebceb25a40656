"""`ids = "range"`: in labs of ordinary users people log in, and programs change to users of their own, as on a machine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pynetemu import Host, Link, Network, PrivilegeError, Service, Switch, Topology, UsageError, finished, tcp
from pynetemu.engine import id_ranges
from tests.support.pynetemu import CLONE, pynetemu
from tests.support.wait import wait_until

_HERE = f"{CLONE}/tests/network/test_id_ranges.py"
_SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
_lacks = None if os.getuid() == 0 else id_ranges.lack()
needs_range = pytest.mark.skipif(_lacks is not None, reason=str(_lacks))

_PASSWD = """root:x:0:0:root:/root:/bin/sh
sshd:x:990:65534::/run/sshd:/bin/false
dave:x:1999:1888:Dave:/srv-dave:/bin/sh
"""
_FILES = {
    "/etc/passwd": _PASSWD.replace("/srv-dave", "/var/lib/dave"),
    "/etc/group": "root:x:0:\ntty:x:5:\ndave:x:1888:\nnogroup:x:65534:\n",
    "/etc/shadow": "root:*:1::::::\nsshd:*:1::::::\ndave:*:1::::::\n",
}
_HOME = "install -d -o dave -g dave -m 700 /var/lib/dave"


class Pair(Topology):
    ids = "range"
    a, b = Host(files=_FILES), Host(files=_FILES)
    wire = Link(a, b)
    home = Service(a, _HOME, ready=finished())
    of_dave = Service(a, "id -u; id -g; sleep 1000", user="dave")


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with Network(Pair(), name="with-ids") as net:
        wait_until(lambda: net["a"].run("pgrep", "-x", "sleep", "-u", "dave").status == 0)
        yield net


@needs_range
def test_programs_change_their_user_and_cannot_change_back(net: Network) -> None:
    left = "import os; os.setgid(1888); os.setuid(1999); print(*os.getresuid(), *os.getresgid())\ntry: os.setuid(0)\n"
    done = net["b"].run("python3", "-c", left + "except PermissionError: print('stays')", check=True)
    assert done.stdout == "1999 1999 1999 1888 1888 1888\nstays\n"


@needs_range
def test_files_belong_to_whom_they_are_given(net: Network) -> None:
    assert net["a"].run("stat", "-c", "%u %g", "/var/lib/dave", check=True).stdout == "1999 1888\n"
    done = net["a"].run("sh", "-c", "chown dave: /run/x; stat -c %U /run/x; echo >/run/x", user="dave")
    assert done.status != 0
    net["a"].run("sh", "-c", "echo hello >/run/x; chown dave /run/x; chmod 600 /run/x", check=True)
    assert net["a"].run("cat", "/run/x", user="dave").stdout == "hello\n"
    assert net["a"].run("cat", "/run/x", user=1777).status != 0


@needs_range
def test_services_run_as_users(net: Network) -> None:
    assert net.log("of_dave") == "1999\n1888\n"
    (pid,) = (service.pid for service in net.services if service.name == "of_dave")
    assert net["a"].run("ps", "-o", "user=", "-p", pid).stdout == "dave\n"


@needs_range
def test_su_changes_the_user(net: Network) -> None:
    assert net["a"].run("su", "dave", "-c", "id -u; cd; pwd; touch own; stat -c %U own", check=True).stdout == (
        "1999\n/var/lib/dave\ndave\n"
    )
    assert pynetemu("exec", net.name, "a", "--", "su", "dave", "-c", "id -u").stdout == "1999\n"


@needs_range
def test_users_can_be_added_and_given_a_password(net: Network) -> None:
    line = "useradd -m -d /var/lib/eve eve && echo eve:secret | chpasswd && su - eve -c 'id -un; stat -c %U .'"
    assert net["b"].run("sh", "-c", line, check=True).stdout == "eve\neve\n"
    shadow = str(net["b"].run("grep", "eve", "/etc/shadow", check=True).stdout)
    assert shadow.startswith("eve:$")
    assert net["a"].run("grep", "eve", "/etc/passwd").status == 1


@needs_range
def test_folders_of_the_machine_keep_their_owners() -> None:
    """Where the owner is one that the range has."""
    folders = [path for top in ("/var", "/var/lib") for path in Path(top).iterdir() if path.is_dir() and not path.is_symlink()]
    owners = {str(path): path.stat().st_uid for path in folders if path.stat().st_uid < 60000}
    with Network(Pair(), name="with-owners") as net:
        told = str(net["b"].run("stat", "-c", "%u %n", *owners, check=True).stdout)
    found = {path: int(uid) for uid, _, path in (line.partition(" ") for line in told.splitlines())}
    assert found == {path: 0 if uid == os.getuid() else uid for path, uid in owners.items()}


_CONFIG = """Port 22
HostKey /etc/ssh/key
UsePAM no
StrictModes yes
"""
_KEYS = "ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/key"


@pytest.mark.slow
@needs_range
@pytest.mark.skipif(_SSHD is None, reason="needs sshd")
def test_sshd_lets_users_in_with_a_terminal_of_theirs() -> None:
    class Logins(Topology):
        ids = "range"
        a, b = Host(files={**_FILES, "/etc/ssh/sshd_config": _CONFIG}), Host()
        wire = Link(a, b)
        home = Service(a, f"{_HOME}; {_HOME}/.ssh; mkdir -p /run/sshd; {_KEYS}", ready=finished())
        server = Service(a, f"{_SSHD} -De", ready=tcp(22))

    with Network(Logins(), name="with-logins") as net:
        net["b"].run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/id", check=True)
        public = str(net["b"].run("cat", "/etc/ssh/id.pub").stdout)
        net["a"].run("tee", "/var/lib/dave/.ssh/authorized_keys", input=public, user="dave", check=True)
        ssh = ["ssh", "-tt", "-i", "/etc/ssh/id", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
        done = net["b"].run(*ssh, "-F", "none", "dave@a", "id -un; stat -c %U $(tty)", timeout=20)
        assert str(done.stdout).split() == ["dave", "dave"], (done, net.log("server"))


@needs_range
def test_it_can_be_said_beside_the_description_and_on_the_command_line() -> None:
    class Plain(Topology):
        a = Host()

    with Network(Plain(), ids="range", name="with-ids-2") as net:
        assert net.plan.ids == "range"
        assert net["a"].run("sh", "-c", "touch /run/x; chown 55 /run/x; stat -c %u /run/x").stdout == "55\n"
        net.apply(Plain())  # does not say otherwise
        with Network.attach(net.name) as other:
            other.apply(Plain())
        assert net.plan.ids == "range"
    shown = pynetemu(f"{_HERE}:Pair", "-c", "a su dave -c 'id -u'", "-c", "reload --fresh", "-c", "a su dave -c 'id -u'")
    assert (shown.returncode, shown.stdout) == (0, "1999\n1999\n"), shown


def test_it_cannot_change_while_the_lab_runs() -> None:
    class Plain(Topology):
        a = Host()

    class More(Topology):
        ids = "range"
        a = Host()

    with Network(Plain(), name="with-one-id") as net, pytest.raises(Exception, match="ids = 'range' cannot come while"):
        net.apply(More())
    with pytest.raises(UsageError, match="ids='many' is neither"):
        Network(Plain(), ids="many")


@pytest.mark.pure
def test_a_node_may_be_called_ids() -> None:
    class Watched(Topology):
        s1, ids = Switch(), Host()
        wire = Link(s1, ids)

    net = Network(Watched())
    assert (net.plan.ids, "ids" in net.nodes) == ("one", True)


@pytest.mark.pure
def test_what_is_missing_is_named_with_the_line_that_adds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_ranges, "_names", lambda: ["dave", "1999"])
    monkeypatch.setattr(id_ranges, "_find", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(os, "getuid", lambda: 1999)
    users, groups = tmp_path / "subuid", tmp_path / "subgid"
    assert id_ranges.lack(str(tmp_path)) == id_ranges.Lack(
        f"{users} and {groups} have no range of ids for dave",
        f"echo dave:100000:65536 | sudo tee -a {users} {groups}",
    )
    users.write_text("eve:100000:65536\n# dave:1:1\ndave:x:y\n1999:165536:65536\n")
    groups.write_text("eve:200000:65536\ndave:5:0\n")
    assert id_ranges.lack(str(tmp_path)) == id_ranges.Lack(
        f"{groups} has no range of ids for dave", f"echo dave:265536:65536 | sudo tee -a {groups}"
    )
    groups.write_text("dave:300000:10\ndave:400000:1000\n")
    assert id_ranges.lack(str(tmp_path)) is None
    monkeypatch.setattr(id_ranges, "_find", lambda program: None if program == "newgidmap" else program)
    assert id_ranges.lack(str(tmp_path)) == id_ranges.Lack(
        "newgidmap, which maps ranges of ids, is not installed", "sudo apt-get install -y uidmap"
    )


@pytest.mark.ordinary_user
def test_a_user_without_a_range_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the programs, that is: the tables are the machine's."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr("pynetemu.engine.id_ranges._find", lambda _: None)
    with pytest.raises(PrivilegeError, match=r'ids = "range", for logins in nodes: newuidmap, which maps'):
        Network(Pair(), name="without-ids").open()
