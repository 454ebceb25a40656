"""Prints what one lab takes, as JSON; it runs with the pynetemu that is first on the path, that of another revision too.

    python tests/benchmarks/one.py star 100

Of a shape: seconds of planning, opening and stopping; the processor time until it is open, in all our processes; the memory of
the kernel, and the most that our processes had, in kB. Of other things (`start`, `pingall`, `commands`): seconds, and the
processor time.
"""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pynetemu import Network, Topology
from pynetemu.plan.compile import compile_plan
from pynetemu.topology.shapes import FatTree, Linear, Torus, Tree

_PORTS = 1000  # of a switch; more hosts are behind several in a row
_KERNEL = "Slab:", "Percpu:", "KernelStack:"  # of /proc/meminfo


def _star(hosts: int) -> Topology:
    switches = math.ceil(hosts / _PORTS)
    return Linear(switches=switches, hosts=hosts // switches)


SHAPES: dict[str, Callable[[int], Topology]] = {
    "star": _star,
    "linear": lambda hosts: Linear(switches=hosts),
    "tree": lambda hosts: Tree(depth=2, fanout=math.isqrt(hosts)),
    "torus": lambda routers: Torus(rows=math.isqrt(routers), columns=math.isqrt(routers), hosts=0, routed=True),
    "fat-tree": lambda k: FatTree(k=k, routed=True),
}


def measured(topology: Topology) -> dict[str, float]:
    before = _kernel()
    start, used = time.perf_counter(), _used()
    plan = compile_plan(topology)
    planned = time.perf_counter()
    with Network(plan):
        opened = time.perf_counter()
        processor = _used() - used
        kernel, own = _kernel() - before, sum(map(_most, _ours()))
        closing = time.perf_counter()
    stopped = time.perf_counter()
    return {
        "nodes": len(plan.nodes),
        "plan": planned - start,
        "open": opened - planned,
        "stop": stopped - closing,
        "processor": processor,
        "kernel": kernel,
        "own": own,
    }


def _ours() -> Iterator[int]:
    """This process and those below it."""
    parents = {int(path.name): _stat(path)[1] for path in Path("/proc").iterdir() if path.name.isdigit()}
    found, new = {os.getpid()}, {os.getpid()}
    while new:
        new = {pid for pid, parent in parents.items() if parent and int(parent) in new} - found
        found |= new
    yield from found


def _stat(process: Path) -> list[str]:
    """The fields of /proc/PID/stat after the name; empty for one that has gone."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["", ""]


def _used() -> float:
    """Seconds of the processor, in all of our processes."""
    fields = [_stat(Path(f"/proc/{pid}")) for pid in _ours()]
    return sum(int(some[11]) + int(some[12]) for some in fields if len(some) > 12) / os.sysconf("SC_CLK_TCK")


def _most(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def _kernel() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(_KERNEL))


def _timed(work: Callable[[], object]) -> dict[str, float]:
    start, used = time.perf_counter(), _used()
    work()
    return {"seconds": time.perf_counter() - start, "processor": _used() - used}


def start(runs: int) -> dict[str, float]:
    """Whole runs of a command in the smallest lab, from the program's start to its end."""
    argv = [sys.executable, "-m", "pynetemu", "single:hosts=1", "-c", "h1 true"]
    before, began = os.times(), time.perf_counter()
    for _ in range(runs):
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": (time.perf_counter() - began) / runs, "processor": used / runs}


def pingall(hosts: int) -> dict[str, float]:
    with Network(_star(hosts)) as network:
        return _timed(network.ping_all)


def commands(number: int) -> dict[str, float]:
    with Network(_star(2)) as network:
        return _timed(lambda: [network["h1"].run("true") for _ in range(number)])


FIGURES: dict[str, Callable[[int], dict[str, float]]] = {
    **{shape: (lambda size, make=make: measured(make(size))) for shape, make in SHAPES.items()},  # type: ignore[misc]
    "start": start,
    "pingall": pingall,
    "commands": commands,
}

if __name__ == "__main__":
    print(json.dumps(FIGURES[sys.argv[1]](int(sys.argv[2]))))
