"""What a machine and its user cannot give to a large lab, told before anything is built.

`lacks(plan)` are sentences with the figures, each with the command that raises the limit.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pynetemu.plan.inventory import Inventory
from pynetemu.plan.needs import lack_of_open_files
from pynetemu.plan.operations import AddMultipathRoute, AddNeighbors, AddRoute, AddVeth, ManyRoutes, Plan, parts_of
from pynetemu.wording import counted

# Bytes of the kernel's (an engine's own few kB with the node's), measured with Linux 6.18: docs/benchmarks.md.
_OF_NODE, _OF_LINK, _OF_NEIGHBOR, _OF_ROUTE = 200_000, 150_000, 520, 300
_ROUTES = AddRoute, AddMultipathRoute
_NAMESPACES = "proc/sys/user/max_net_namespaces"
_USUAL_NAMESPACES = 100_000


_LARGE = 100  # nodes: what a smaller lab lacks, the kernel tells in a moment


def lacks(plan: Plan, root: Path = Path("/")) -> list[str]:
    """What there is too little of: open files, network namespaces, memory."""
    if len(plan.nodes) < _LARGE:
        return []
    return [lack for lack in (lack_of_open_files(plan), _of_namespaces(plan, root), _of_memory(plan, root)) if lack]


def memory(plan: Plan) -> int:
    """About how many bytes a lab takes in which nothing runs, nearly all of them the kernel's."""
    inventory = Inventory(plan)
    routes = sum(len(part) if isinstance(part, ManyRoutes) else isinstance(part, _ROUTES) for part in parts_of(plan))
    neighbors = sum(map(_entries, inventory.of_type(AddNeighbors)))
    of_nodes = _OF_NODE * len(plan.nodes) + _OF_LINK * len(inventory.of_type(AddVeth))
    return of_nodes + _OF_NEIGHBOR * neighbors + _OF_ROUTE * routes


def _entries(known: AddNeighbors) -> int:
    members, centers = len(known.nodes), len(known.centers)
    return 2 * centers * (members - 1) - centers * (centers - 1) if centers else members * (members - 1)


def _of_namespaces(plan: Plan, root: Path) -> str:
    needed, most = len(plan.nodes) + 1, _number(root / _NAMESPACES)  # one is the lab's own
    if most is None or most >= needed:
        return ""
    text = f"{counted(len(plan.nodes), 'node')} take {needed} network namespaces, and this machine allows a user {most}"
    return f"{text}\n    hint: `sudo sysctl -w user.max_net_namespaces={max(_USUAL_NAMESPACES, 2 * needed)}` raises it"


def _of_memory(plan: Plan, root: Path) -> str:
    needed, free = memory(plan), min(_free(root), default=None)
    if free is None or free >= needed:
        return ""
    text = f"{counted(len(plan.nodes), 'node')} take some {_gigabytes(needed)} of memory, and {_gigabytes(free)} are to be had"
    hint = "`free -h` shows the machine's, memory.max in /sys/fs/cgroup a container's; end other programs, or raise it"
    return f"{text}\n    hint: {hint}"


def _free(root: Path) -> Iterator[int]:
    """What the machine has left, and each group of processes (cgroups(7)) that this one is in."""
    with suppress(OSError):
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                yield int(line.split()[1]) * 1024
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            old = "memory" in controllers.split(",")
            if not old and number != "0":
                continue
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if old else ("memory.max", "memory.current")
            group = root / "sys/fs/cgroup" / ("memory" if old else "") / path.lstrip("/")
            for folder in (group, *group.parents):
                most, used = (_number(folder / name) for name in names)
                if most is not None and used is not None:
                    yield max(0, most - used)


def _number(file: Path) -> int | None:
    """None for what is not there, or "max"."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB"
