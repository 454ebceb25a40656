"""Labs without a shell: `pynetemu start`, and `pynetemu stop`."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from pynetemu import labs
from pynetemu.cli.detached import login_session
from pynetemu.lab.connection import is_readable
from tests.support.labs import mine
from tests.support.pynetemu import BLUE, PROGRAM, environment, pynetemu
from tests.support.wait import wait_until


def _pid(name: str) -> int:
    return next(lab.pid for lab in labs() if lab.name == name)


def test_a_detached_lab_serves_other_terminals_until_it_is_stopped() -> None:
    name = mine("detached")
    started = pynetemu("start", BLUE, "--name", name, "--detach")  # both streams are read to their end: nobody holds them
    assert (started.returncode, started.stderr) == (0, "")
    assert started.stdout == f"{name}: root, blue; `pynetemu stop {name}` ends it\n"
    (shown,) = [lab for lab in json.loads(pynetemu("ps", "--json").stdout) if lab["name"] == name]
    holder = os.pidfd_open(shown["pid"])
    assert os.getsid(shown["pid"]) == shown["pid"]
    assert pynetemu("exec", name, "blue", "hostname").stdout == "blue\n"
    stopped = pynetemu("stop", name)
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "", "")
    assert is_readable(holder, 10)
    os.close(holder)
    again = pynetemu("stop", name)
    assert (again.returncode, f"there is no lab {name!r}" in again.stderr) == (1, True)


def test_labs_are_stopped_after_some_that_are_not_there() -> None:
    first, nowhere, last, never = (mine(word) for word in ("first", "nowhere", "last", "never"))
    for name in first, last:
        assert pynetemu("start", BLUE, "--name", name, "--detach").returncode == 0
    done = pynetemu("stop", first, nowhere, first, last, never)
    assert (done.returncode, done.stdout) == (1, "")
    told = [line for line in done.stderr.splitlines() if line.startswith("pynetemu: ")]
    assert [f"there is no lab {name!r}" in line for name, line in zip((nowhere, never), told, strict=True)] == [True, True]
    assert not {first, last} & {lab.name for lab in labs()}


def test_what_is_wrong_is_told_before_start_returns(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text("from pynetemu import *\nclass Wrong(Topology):\n    h1 = Host(default_via=7)\n")
    done = pynetemu("start", file, "--detach")
    assert (done.returncode, done.stdout) == (2, "")
    assert "default_via=7" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_lab_without_a_shell_ends_with_its_process(number: signal.Signals) -> None:
    name = mine("held")
    command = [*PROGRAM, "start", str(BLUE), "--name", name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"{name}: ")
        os.kill(_pid(name), number)
        assert process.wait(20) == {signal.SIGTERM: 0, signal.SIGINT: 130, signal.SIGKILL: -9}[number]
    wait_until(lambda: name not in [lab.name for lab in labs()])


def test_a_lab_without_a_shell_ends_with_the_login_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_SESSION_ID", "c7")
    assert login_session(str(tmp_path)) == []
    with subprocess.Popen(["sleep", "1000"]) as leader:
        (tmp_path / "c7").write_text(f"UID=0\nLEADER={leader.pid}\nTYPE=tty\n")
        (session,) = login_session(str(tmp_path))
        assert not is_readable(session, 0)
        leader.kill()
        assert is_readable(session, 10)
    os.close(session)
    monkeypatch.delenv("XDG_SESSION_ID")
    assert login_session(str(tmp_path)) == []
