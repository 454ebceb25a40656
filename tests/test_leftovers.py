"""What tests look for afterwards: all that a run of theirs has started, and nothing of anybody else's."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from pynetemu import Network
from tests.support.labs import mine
from tests.support.leftovers import MARK, of_machine
from tests.support.wait import wait_until
from topologies.blue import Blue

_APART = "unshare --user --map-root-user --net sh -c 'echo ready; exec sleep 60'"


@contextmanager
def _in_namespaces_of_its_own(env: Mapping[str, str]) -> Iterator[int]:
    process = subprocess.Popen(["sh", "-c", f"exec {_APART}"], env=env, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _about(pid: int) -> list[str]:
    return [line for line in of_machine() if line.startswith(f"process {pid} ")]


def test_what_we_start_is_seen() -> None:
    with _in_namespaces_of_its_own(os.environ) as pid:
        wait_until(lambda: any("in another net namespace" in line for line in _about(pid)))


@pytest.mark.parametrize("mark", [{}, {MARK: "1-of-another-run"}])
def test_what_others_start_is_not(mark: dict[str, str]) -> None:
    with _in_namespaces_of_its_own({"PATH": os.environ["PATH"], **mark}) as pid:
        assert _about(pid) == []


def test_a_program_without_our_environment_is_seen_in_a_lab_of_ours() -> None:
    with Network(Blue(), name=mine("marked")) as net:
        process = net["blue"].start("env", "-i", "sleep", "60")
        wait_until(lambda: any("(sleep 60)" in line for line in of_machine()))
        assert any(
            "@pynetemu/" in line and line.endswith(f"/{mine('marked')}") for line in of_machine() if line.startswith("socket ")
        )
        process.kill()
        process.wait()
        process.close()
