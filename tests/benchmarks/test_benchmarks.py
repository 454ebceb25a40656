"""How long things take, each next to the same done otherwise. No assertions: the table is the result."""

import shutil
import subprocess
import sys

import pytest

from pynetemu import Network
from tests.benchmarks.measure import (
    MININET,
    PYNETEMU,
    compare,
    printed,
    seconds_of,
    to_answer,
    to_prompt,
    wait_until_freed,
    whole,
)
from topologies.blue import Blue

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

_BLUE, _STAR = "topologies/blue.py", "topologies/star.py"


@pytest.fixture
def mininet() -> tuple[str, ...]:
    if shutil.which("mn") is None:
        pytest.skip("Mininet is not installed")
    return MININET


@pytest.mark.root
def test_to_the_prompt(mininet: tuple[str, ...]) -> None:
    compare(
        "start to prompt, `blue.py` ready",
        lambda: to_prompt([PYNETEMU, _BLUE], b"blue>"),
        "`mn --topo single,2` to its prompt",
        lambda: to_prompt([*mininet, "single,2"], b"mininet>"),
        runs=15,
        goal="0.6",
    )


@pytest.mark.root
def test_to_the_first_answer(mininet: tuple[str, ...]) -> None:
    """The prompt is drawn before keys are read: this is when the first line has been read and has run."""
    compare(
        "start to the answer of `blue expr 20 + 22`, typed at once",
        lambda: to_answer([PYNETEMU, _BLUE], b"blue>", b"blue expr 20 + 22", b"\n42"),
        "`h1 expr 20 + 22` in `mn --topo single,2`",
        lambda: to_answer([*mininet, "single,2"], b"mininet>", b"h1 expr 20 + 22", b"\n42"),
        runs=15,
    )


@pytest.mark.root
def test_a_whole_run(mininet: tuple[str, ...]) -> None:
    compare(
        "whole run, `blue.py -c 'blue true'`",
        lambda: whole([PYNETEMU, _BLUE, "-c", "blue true"]),
        "`mn --topo single,2 --test none`",
        lambda: whole([*mininet, "single,2", "--test", "none"]),
        runs=15,
        goal="0.3",
    )


def test_help() -> None:
    compare(
        "`pynetemu --help`",
        lambda: whole([PYNETEMU, "--help"]),
        "`python -c pass`",
        lambda: whole([sys.executable, "-c", "pass"]),
        runs=15,
        goal="100 ms",
    )


def test_a_command_in_a_node() -> None:
    def plainly() -> None:
        subprocess.run(["true"], capture_output=True, stdin=subprocess.DEVNULL, check=True)

    with Network(Blue()) as net:
        blue = net["blue"]
        compare(
            "`net['blue'].run('true')`",
            lambda: seconds_of(lambda: blue.run("true")),
            "`subprocess.run(['true'])`",
            lambda: seconds_of(plainly),
            runs=300,
            goal="1.25",
        )


@pytest.mark.root
@pytest.mark.parametrize(("hosts", "runs"), [(100, 7), (500, 5), (1000, 3)])
def test_a_star_against_the_kernels_limit(hosts: int, runs: int) -> None:
    def measured(module: str) -> float:
        wait_until_freed()
        return printed([sys.executable, "-m", f"tests.benchmarks.{module}", str(hosts)])

    compare(
        f"star of {hosts} hosts up",
        lambda: measured("star"),
        "the same by hand-packed netlink",
        lambda: measured("limit"),
        runs=runs,
        goal={100: "1.6"}.get(hosts, ""),
    )


@pytest.mark.root
def test_a_star_against_mininet(mininet: tuple[str, ...]) -> None:
    def measured(*argv: str) -> float:
        wait_until_freed()
        return whole(argv)

    compare(
        "whole run, `star.py -p n=100 -c 'h1 true'`",
        lambda: measured(PYNETEMU, _STAR, "-p", "n=100", "-c", "h1 true"),
        "`mn --topo single,100 --test none`",
        lambda: measured(*mininet, "single,100", "--test", "none"),
        runs=3,
    )
