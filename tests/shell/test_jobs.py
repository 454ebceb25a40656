"""Signals to jobs of the shell: those that are stopped get them too."""

import signal
from collections.abc import Iterator

import pytest

from pynetemu import Network, Shell
from tests.support.wait import wait_until
from topologies.blue import Blue


@pytest.fixture
def shell() -> Iterator[Shell]:
    with Network(Blue(), name="jobs") as net:
        yield Shell(net)


def _states(shell: Shell) -> list[str]:
    shell.run_line("jobs")
    return [job.outcome for job in shell.jobs]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGINT])
def test_a_stopped_job_is_ended_by_a_signal(shell: Shell, number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_line("blue sleep 1000 &") == 0
    assert shell.run_line("kill -STOP %1") == 0
    wait_until(lambda: _states(shell) == ["Stopped"])
    assert shell.run_line(f"kill -{int(number)} %1") == 0
    if number == signal.SIGINT:  # it is seen when the job goes on
        assert shell.run_line("bg %1") == 0
    assert shell.run_line("wait %1") == 128 + number, capsys.readouterr()
