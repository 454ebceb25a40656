"""What a machine cannot give to a large lab is told with the figure and the remedy; machines are folders here."""

from pathlib import Path

import pytest

from pynetemu.engine.limits import lacks, memory
from pynetemu.plan.compile import compile_plan
from pynetemu.plan.operations import Plan
from pynetemu.topology.shapes import Linear, Torus

pytestmark = pytest.mark.pure


@pytest.fixture(scope="module")
def plan() -> Plan:
    return compile_plan(Linear(switches=2, hosts=100))


def _machine(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_machine_that_has_enough_of_all_lacks_nothing(tmp_path: Path, plan: Plan) -> None:
    root = _machine(tmp_path, proc__sys__user__max_net_namespaces="203\n", proc__meminfo="MemAvailable: 1000000 kB\n")
    assert lacks(plan, root) == []
    assert lacks(plan, tmp_path / "nothing is known") == []


def test_too_few_namespaces(tmp_path: Path, plan: Plan) -> None:
    (lack,) = lacks(plan, _machine(tmp_path, proc__sys__user__max_net_namespaces="202\n"))
    assert lack.startswith("202 nodes take 203 network namespaces, and this machine allows a user 202\n")
    assert "`sudo sysctl -w user.max_net_namespaces=100000`" in lack


def test_too_little_memory_of_the_machine(tmp_path: Path, plan: Plan) -> None:
    (lack,) = lacks(plan, _machine(tmp_path, proc__meminfo="MemTotal: 9000000 kB\nMemAvailable: 30000 kB\n"))
    assert lack.startswith("202 nodes take some 0.1 GB of memory, and 0.0 GB are to be had\n")


@pytest.mark.parametrize("version", [1, 2])
def test_too_little_memory_of_a_container(tmp_path: Path, plan: Plan, version: int) -> None:
    most, used = (
        ("memory_dot_limit_in_bytes", "memory_dot_usage_in_bytes") if version == 1 else ("memory_dot_max", "memory_dot_current")
    )
    folder = "sys__fs__cgroup__memory__box" if version == 1 else "sys__fs__cgroup__box"
    line = "4:memory:/box/inner\n" if version == 1 else "0::/box/inner\n"
    root = _machine(tmp_path, proc__meminfo="MemAvailable: 9000000 kB\n", proc__self__cgroup=line)
    _machine(root, **{f"{folder}__{most}": "1050000000\n", f"{folder}__{used}": "1000000000\n"})
    assert [lack.partition("\n")[0] for lack in lacks(plan, root)] == [
        "202 nodes take some 0.1 GB of memory, and 0.1 GB are to be had"
    ]
    _machine(root, **{f"{folder}__{most}": "max\n"})
    assert lacks(plan, root) == []


def test_routes_and_neighbors_count_as_well() -> None:
    small, large = (compile_plan(Linear(switches=1, hosts=hosts)) for hosts in (20, 100))
    assert memory(large) > 5 * memory(small)  # each of 100 hosts knows the 99 others
    routed = compile_plan(Torus(rows=6, columns=6, routed=True))
    assert memory(routed) > memory(compile_plan(Torus(rows=6, columns=6)))
