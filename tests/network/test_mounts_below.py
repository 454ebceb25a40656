"""Nodes have their own /etc and /var also where something is mounted below the machine's, as in containers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pynetemu import Host, Link, Network, Topology
from tests.support.pynetemu import BLUE, CLONE, PROGRAM, environment


class Pair(Topology):
    a, b = Host(), Host()
    wire = Link(a, b)


# As whoever runs the tests, or as an ordinary user in there, for whom these mounts are locked (mount_namespaces(7)).
_WAYS = {
    "unlocked": [],
    "locked": ["unshare", "--user", "--map-user=1001", "--map-group=1001"],
}
_MOUNTS = """
mount -t tmpfs none /mnt
echo nameserver 192.0.2.1 >/mnt/resolv.conf; echo mounted >/mnt/file
mount --bind /mnt/resolv.conf /etc/resolv.conf
mount --bind /mnt/file "$1"
mount -t tmpfs none /var/lib
mkdir -p /var/lib/one/two /var/lib/plain "/var/lib/a b"
echo around >/var/lib/around; echo plain >/var/lib/plain/file
mount -t tmpfs none /var/lib/one/two; echo inside >/var/lib/one/two/file
mount -t tmpfs none "/var/lib/a b"; echo blank >"/var/lib/a b/file"
mount -t tmpfs none /var/cache; echo cached >/var/cache/file
shift
"""


# No layers can be mounted over a folder that is two layers deep already (FILESYSTEM_MAX_STACK_DEPTH in include/linux/fs.h).
_TWO_LAYERS = """
mount -t tmpfs none /mnt; cd /mnt; mkdir u1 w1 u2 w2 etc; cp /etc/hosts u1/
mount -t overlay -o userxattr,lowerdir=/etc,upperdir=u1,workdir=w1 none etc
mount -t overlay -o userxattr,lowerdir=etc,upperdir=u2,workdir=w2 none /etc
cd "$1"
shift
"""


def _run_among_mounts(mounts: str, *words: str) -> "subprocess.CompletedProcess[str]":
    base = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    command = [*base, "sh", "-c", f'set -e; {mounts} exec "$@"', "sh", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=CLONE, timeout=50, check=False)


@pytest.mark.parametrize("way", _WAYS.values(), ids=_WAYS)
def test_what_is_mounted_below_is_seen_and_may_be_changed_for_oneself(way: list[str]) -> None:
    place = next(path for path in ("/etc/debian_version", "/etc/os-release", "/etc/issue") if os.path.isfile(path))
    done = _run_among_mounts(_MOUNTS, place, *way, sys.executable, __file__, place)
    assert done.returncode == 0, done
    told = json.loads(done.stdout)
    assert told == {
        "seen": "mounted around plain inside blank cached",
        "changed": "mine mine mine mine mine mine",
        "of the other": "mounted around plain inside blank cached",
        "resolv.conf": "# The lab has no name server; /etc/hosts has the names of its nodes.",
        "new": "/etc/new /var/lib/new /var/lib/one/new /var/log/new",
        "outside": "mounted around plain inside blank cached",
    }


def test_where_nodes_cannot_have_their_own_files_it_is_said_why(tmp_path: Path) -> None:
    why = "no layers can be mounted over /etc: Invalid argument"
    (row,) = (
        line
        for line in _run_among_mounts(_TWO_LAYERS, str(CLONE), *PROGRAM, "doctor").stdout.splitlines()
        if " own files " in line
    )
    assert row.split()[0] == "no" and row.endswith(f"(CONFIG_OVERLAY_FS: {why})")
    # Labs that do not need them work; others are refused.
    done = _run_among_mounts(_TWO_LAYERS, str(CLONE), *PROGRAM, str(BLUE), "-c", "blue getent hosts root")
    assert (done.returncode, done.stdout.split()[0]) == (0, "10.0.0.1"), done
    file = tmp_path / "files.py"
    file.write_text(
        "from pynetemu import *\nclass Files(Topology):\n"
        "    a, b = Host(files={'/etc/x': '1'}), Host()\n    wire = Link(a, b)\n"
    )
    done = _run_among_mounts(_TWO_LAYERS, str(CLONE), *PROGRAM, str(file), "-c", "a true")
    assert done.returncode == 126
    assert f"a: /etc/x: a does not have its own /etc and /var here ({why}), so it would be the machine's" in done.stderr


def _main(place: str) -> None:
    """What runs where the mounts are."""
    files = [place, "/var/lib/around", "/var/lib/plain/file", "/var/lib/one/two/file", "/var/lib/a b/file", "/var/cache/file"]

    def shown(node: str) -> str:
        return " ".join(str(net[node].run("cat", *files, check=True).stdout).split())

    told = {}
    with Network(Pair(), name="mounted-below") as net:
        told["seen"] = shown("a")
        for file in files:
            net["a"].run("sh", "-c", 'rm "$1" && echo mine >"$1"', "sh", file, check=True)
        told["changed"] = shown("a")
        told["of the other"] = shown("b")
        told["resolv.conf"] = str(net["b"].run("cat", "/etc/resolv.conf").stdout).strip()
        new = (
            "touch /etc/new /var/lib/new /var/lib/one/new /var/log/new; ls /etc/new /var/lib/new /var/lib/one/new /var/log/new"
        )
        told["new"] = " ".join(str(net["a"].run("sh", "-ec", new, check=True).stdout).split())
    told["outside"] = " ".join(Path(file).read_text().strip() for file in files)
    print(json.dumps(told))


if __name__ == "__main__":
    _main(sys.argv[1])
