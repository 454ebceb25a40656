"""Nodes have their own /etc and /var also where something is mounted below the machine's, as in containers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pynetemu import Host, Link, Network, Topology
from tests.support.pynetemu import CLONE, environment


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


@pytest.mark.parametrize("way", _WAYS.values(), ids=_WAYS)
def test_what_is_mounted_below_is_seen_and_may_be_changed_for_oneself(way: list[str]) -> None:
    base = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    place = next(path for path in ("/etc/debian_version", "/etc/os-release", "/etc/issue") if os.path.isfile(path))
    script = f'set -e; {_MOUNTS} exec "$@"'
    command = [*base, "sh", "-c", script, "sh", place, *way, sys.executable, __file__, place]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=CLONE, timeout=50, check=False)
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
