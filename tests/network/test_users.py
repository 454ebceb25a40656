"""Programs that run as a user of their node, in labs of root and of ordinary users alike."""

import re
import shutil
from collections.abc import Iterator

import pytest

from pynetemu import CommandError, Host, Link, Network, Service, ServiceError, Topology, UsageError, finished, prints, tcp
from tests.support.pynetemu import CLONE, pynetemu

_PASSWD = """root:x:0:0:root:/root:/bin/sh
dave:x:999:888:Dave:/var/lib/dave:/bin/sh
"""
_GROUP = "root:x:0:\ndave:x:888:\nstaff:x:777:root,dave\n"
# As postgres, which says: "root" execution of the PostgreSQL server is not permitted.
_REFUSES_ROOT = '[ "$(id -u)" != 0 ] || exit 9; id -u; id -g; echo "$HOME $USER"; echo written >~/x; exec cat /proc/self/status'
_FILES = {"/etc/passwd": _PASSWD, "/etc/group": _GROUP}


class Pair(Topology):
    a, b = Host(files=_FILES), Host()
    wire = Link(a, b)
    home = Service(a, "mkdir /var/lib/dave && chown dave /var/lib/dave", ready=finished())
    server = Service(a, _REFUSES_ROOT, user="dave", ready=prints("CapEff"))
    by_number = Service(b, "id -u; id -g", user=54321, ready=finished())
    own_home = Service(b, "echo $HOME", user=54321, env={"HOME": "/tmp"}, ready=finished())


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    with Network(Pair(), name="with-users") as net:
        net["a"].run("true")
        yield net


def test_a_service_that_refuses_to_be_root_runs_as_a_user(net: Network) -> None:
    lines = net.log("server").splitlines()
    assert lines[:3] == ["999", "888", "/var/lib/dave dave"]
    assert "CapEff:\t0000000000000000" in lines
    assert net["a"].run("cat", "/var/lib/dave/x").stdout == "written\n"
    assert net.log("by_number") == "54321\n54321\n"
    assert net.log("own_home") == "/tmp\n"


def test_a_command_runs_as_a_user(net: Network) -> None:
    done = net["a"].run("sh", "-c", "id -u; id -g; cd; touch mine; stat -c %u mine; ps -o pid= -p $$", user="dave", check=True)
    assert str(done.stdout).split()[:3] == ["999", "888", "999"]
    assert net["a"].run("id", "-u", user=999).stdout == net["a"].run("id", "-u", user="999").stdout == "999\n"
    assert net["a"].run("id", "-u", user="root").stdout == net["a"].run("id", "-u", user=0).stdout == "0\n"
    assert net["a"].run("ip", "link", "set", "eth0", "down", user="dave").status != 0


@pytest.mark.root
def test_in_labs_of_root_files_of_root_are_not_theirs(net: Network) -> None:
    assert net["a"].run("sh", "-c", "echo >/etc/hosts", user="dave").status != 0
    assert net["a"].run("id", "-G", user="dave").stdout == "888 777\n"


def test_users_are_those_of_the_node(net: Network) -> None:
    with pytest.raises(CommandError, match="there is no user 'dave' in the /etc/passwd of b\n    hint: `useradd dave`"):
        net["b"].run("id", user="dave")
    with pytest.raises(UsageError, match="user=True: a user is a name or a number"):
        net["b"].run("id", user=True)
    net["b"].run("sh", "-c", "mv /etc/passwd /etc/passwd-; mkfifo /etc/passwd", check=True)
    with pytest.raises(CommandError, match="there is no user 'dave'"):  # nor does anybody wait for what a node has there
        net["b"].run("id", user="dave")
    net["b"].run("mv", "/etc/passwd-", "/etc/passwd", check=True)


def test_sudo_in_the_shell_chooses_the_user(net: Network) -> None:
    for words in (["sudo", "-u", "dave"], ["sudo", "-n", "-udave", "--"], ["sudo", "--user=dave"], ["sudo", "--user", "dave"]):
        assert pynetemu("exec", net.name, "a", "--", *words, "id", "-u").stdout == "999\n", words
    assert "no user 'eve'" in pynetemu("exec", net.name, "a", "--", "sudo", "-u", "eve", "id").stderr


def test_a_service_for_a_user_that_is_not_there_is_told() -> None:
    class Wrong(Topology):
        a = Host()
        web = Service(a, "id", user="nobody-here")

    with pytest.raises(ServiceError, match="cannot start: there is no user 'nobody-here' in the /etc/passwd of a"):
        Network(Wrong(), name="wrong-user").open()


def test_the_plan_says_the_user() -> None:
    assert "as dave, ready: prints:CapEff" in pynetemu("plan", f"{CLONE}/tests/network/test_users.py:Pair").stdout
    printed = pynetemu("plan", "--as-shell", f"{CLONE}/tests/network/test_users.py:Pair").stdout
    assert re.search(r"runuser -u dave -- sh -c", printed)
    assert "setpriv --reuid=54321 --regid=54321 --clear-groups env HOME=/tmp sh -c" in printed


_START = "initdb -A trust -D ~/db && exec postgres -D ~/db -k ~ -c listen_addresses='*'"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("postgres") or not shutil.which("initdb"), reason="needs postgres")
def test_postgres_runs_and_answers_over_the_network() -> None:
    class Database(Topology):
        db, client = Host(files=_FILES), Host()
        wire = Link(db, client)
        home = Service(db, "mkdir /var/lib/dave && chown dave /var/lib/dave", ready=finished())
        server = Service(db, _START, user="dave", ready=tcp(5432), timeout=60)
        allowed = Service(db, "echo 'host all all all trust' >>/var/lib/dave/db/pg_hba.conf", ready=finished())

    with Network(Database(), name="with-postgres") as net:
        net["db"].run("pg_ctl", "-D", "/var/lib/dave/db", "reload", user="dave", check=True)
        asked = net["client"].run("psql", "-h", "db", "-U", "dave", "-tAc", "select 6 * 7", "postgres", check=True)
        assert asked.stdout == "42\n"
