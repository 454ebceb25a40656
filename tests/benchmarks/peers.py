"""Prints what a star of hosts takes with other emulators, side by side: `./dev bench --peers 10 100`.

Each builds the star, and ends it. NeST and munet are looked for in the virtual environment that PYNETEMU_PEERS names
(python3 -m venv peers; peers/bin/pip install nest munet). What is not there, or fails, is told with its own words.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

from tests.benchmarks.measure import wait_until_freed
from tests.support.pynetemu import CLONE

_RUNS = 3
_SECONDS = 600.0
_PEERS = Path(os.environ.get("PYNETEMU_PEERS", "peers")) / "bin"

# Each prints the seconds of building as its last line, and ends the network at its own end.
_TIMED = "import time; start = time.perf_counter()\n{}\nprint(time.perf_counter() - start)\n{}"
_MININET = _TIMED.format(
    "from mininet.net import Mininet; from mininet.topo import SingleSwitchTopo; from mininet.nodelib import LinuxBridge\n"
    "net = Mininet(SingleSwitchTopo({hosts}), switch=LinuxBridge, controller=None); net.start()",
    "net.stop()",
)
_NEST = _TIMED.format(
    "import os; there = os.listdir\n"
    "os.listdir = lambda path: there(path) if os.path.isdir(path) else []  # Debian has no /usr/lib/tc\n"
    "import nest.config; nest.config.set_value('delete_namespaces_on_termination', True)\n"
    "from nest.topology import Node, Switch, connect\n"
    "s = Switch('s')\n"
    "for i in range({hosts}):\n"
    "    h = Node('h%d' % i); a, b = connect(h, s); a.set_address('10.0.%d.%d/16' % (i // 250, i % 250 + 1))",
    "",
)
_IP_BATCH = """
import subprocess, time, os
hosts = range(1, {hosts} + 1)
start = time.perf_counter()
def batch(*words, lines): subprocess.run(["ip", *words, "-batch", "-"], input="\\n".join(lines), text=True, check=True)
batch(lines=["netns add s", *("netns add h%d" % i for i in hosts)])
batch("-n", "s", lines=["link add br0 up type bridge mcast_snooping 0",
      *("link add p%d up master br0 type veth peer name eth0 netns h%d" % (i, i) for i in hosts)])
for i in hosts:
    address = "addr add 10.0.%d.%d/16 dev eth0" % (i // 256, i % 256)
    batch("-n", "h%d" % i, lines=["link set lo up", address, "link set eth0 up"])
print(time.perf_counter() - start)
batch(lines=["netns del s", *("netns del h%d" % i for i in hosts)])
"""
_MUNET = """
import subprocess, sys, time, yaml
nodes = [dict(name="h%d" % i, connections=[dict(to="net0")]) for i in range({hosts})]
config = dict(topology=dict(networks=[dict(name="net0", ip="10.0.0.0/16")], nodes=nodes))
config["topology"]["networks-autonumber"] = True
open("munet.yaml", "w").write(yaml.safe_dump(config))
start = time.perf_counter()
munet = subprocess.Popen([sys.argv[1], "-c", "munet.yaml", "-d", "run", "--no-wait"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
said = []
for line in munet.stdout:
    said.append(line)
    if "Topology up" in line: break
else:
    sys.exit("".join(said[-5:]))
print(time.perf_counter() - start)
munet.stdout.read(); munet.wait()
"""


class NotHere(Exception):
    """A peer that is not installed, or that failed; the text says how it was called and what it said."""


def _program(python: str, text: str, *arguments: str) -> Callable[[int], float]:
    def run(hosts: int) -> float:
        if shutil.which(python) is None:
            raise NotHere(f"there is no {python}")
        with tempfile.TemporaryDirectory() as folder:
            argv = [python, "-c", text.replace("{hosts}", str(hosts)), *arguments]
            with (Path(folder) / "said").open("w+") as said:  # a pipe would wait for what is left running, as by NeST
                peer = subprocess.Popen(argv, cwd=folder, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
                try:
                    status = peer.wait(_SECONDS)
                finally:
                    with suppress(ProcessLookupError):
                        os.killpg(peer.pid, signal.SIGKILL)
                said.seek(0)
                lines = said.read().strip().splitlines()
        if status:
            raise NotHere(f"{python} ended with {status}: {lines[-1] if lines else 'nothing said'}")
        return float(next(line for line in reversed(lines) if line.replace(".", "", 1).isdigit()))

    return run


def _ours(hosts: int) -> float:
    argv = [sys.executable, str(Path(__file__).with_name("one.py")), "star", str(hosts)]
    found = json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)
    return float(found["plan"]) + float(found["open"])


def _limit(hosts: int) -> float:
    argv = [sys.executable, "-m", "tests.benchmarks.limit", str(hosts)]
    return float(subprocess.run(argv, cwd=CLONE, check=True, capture_output=True, text=True).stdout)


PEERS: dict[str, Callable[[int], float]] = {
    "pynetemu": _ours,
    "the kernel's limit": _limit,
    "`ip -batch`": _program(sys.executable, _IP_BATCH),
    "Mininet": _program("/usr/bin/python3", _MININET),
    "NeST": _program(str(_PEERS / "python"), _NEST),
    "munet": _program(str(_PEERS / "python"), _MUNET, str(_PEERS / "munet")),
}


def main(sizes: list[int]) -> None:
    print(f"| hosts | {' | '.join(PEERS)} |\n|{'---|' * (len(PEERS) + 1)}", flush=True)
    failures: dict[str, str] = {}
    for hosts in sizes:
        found: dict[str, list[float]] = {name: [] for name in PEERS}
        for _ in range(_RUNS):
            for name in [name for name in PEERS if name not in failures]:
                try:
                    wait_until_freed()
                    found[name].append(PEERS[name](hosts))
                except (NotHere, subprocess.SubprocessError) as error:
                    failures[name] = str(error)
        cells = [f"{median(seconds):.3g} s" if seconds else "-" for seconds in found.values()]
        print(f"| {hosts} | {' | '.join(cells)} |", flush=True)
    for name, text in failures.items():
        print(f"\n{name} is left out: {text}")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [10, 100])
