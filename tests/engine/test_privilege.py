"""Why a machine refuses sandboxes: each cause, from what /proc of such a machine says."""

import errno
import os
from pathlib import Path

import pytest

from pynetemu.engine.privilege import diagnose

pytestmark = pytest.mark.pure

_SUDO = "" if os.getuid() == 0 else "sudo "


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root folder of a machine that has user namespaces and forbids nothing."""
    (tmp_path / "proc/self/ns").mkdir(parents=True)
    (tmp_path / "proc/self/ns/user").touch()
    for kind in ("user", "mnt", "pid", "ipc", "uts", "net"):
        _set(tmp_path, f"user/max_{kind}_namespaces", "60000")
    return tmp_path


def _set(root: Path, name: str, value: str) -> None:
    file = root / "proc/sys" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{value}\n")


@pytest.mark.parametrize(
    ("setting", "value", "code", "reason", "fix"),
    [
        ("kernel/unprivileged_userns_clone", "0", errno.EPERM, "only root", "kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            errno.EACCES,
            "AppArmor",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("user/max_user_namespaces", "0", errno.ENOSPC, "allows 0 user namespaces", "user.max_user_namespaces=15000"),
        ("user/max_net_namespaces", "3", errno.ENOSPC, "allows 3 net namespaces", "user.max_net_namespaces=15000"),
    ],
)
def test_a_setting_that_forbids_sandboxes(setting: str, value: str, code: int, reason: str, fix: str, root: Path) -> None:
    _set(root, setting, value)
    error = diagnose("unshare", code, root=root)
    assert reason in error.reason
    assert os.strerror(code) in error.reason
    assert error.fix == f"{_SUDO}sysctl -w {fix}"
    assert error.exit_status == 3
    assert str(error).endswith("`pynetemu doctor` tells more")


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", errno.ENOSPC),
        ("user/max_net_namespaces", "100", errno.EPERM),
        ("kernel/unprivileged_userns_clone", "1", errno.EPERM),
    ],
)
def test_a_setting_that_does_not_explain_the_refusal_is_not_blamed(setting: str, value: str, code: int, root: Path) -> None:
    _set(root, setting, value)
    assert setting.rpartition("/")[2] not in diagnose("unshare", code, root=root).fix


def test_a_kernel_without_user_namespaces(tmp_path: Path) -> None:
    assert "has no user namespaces" in diagnose("unshare", errno.EINVAL, root=tmp_path).reason


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
@pytest.mark.parametrize(("step", "reason"), [("unshare", "seccomp profile"), ("mount", "hides parts of /proc")])
def test_a_container(mark: str, step: str, reason: str, root: Path) -> None:
    (root / mark).parent.mkdir(exist_ok=True)
    (root / mark).touch()
    error = diagnose(step, errno.EPERM, root=root)
    assert reason in error.reason
    assert "--security-opt" in error.fix


def test_the_machine_itself_needs_root_whatever_else_is_set(root: Path) -> None:
    _set(root, "kernel/unprivileged_userns_clone", "0")
    error = diagnose("unshare", errno.EPERM, host=True, root=root)
    assert error.reason == "--host changes this machine's own network, and needs root (unshare: Operation not permitted)"


def test_a_limit_that_only_an_outer_machine_can_have(root: Path) -> None:
    (root / ".dockerenv").touch()
    error = diagnose("unshare", errno.ENOSPC, root=root)
    assert "the machine around this container allows no more namespaces" in error.reason
    assert error.fix == f"{_SUDO}sysctl -w user.max_user_namespaces=15000, out there"


def test_what_nobody_knows_is_still_told_with_the_errno(root: Path) -> None:
    assert "uid_map: Operation not permitted" in diagnose("uid_map", errno.EPERM, root=root).reason


def test_the_fix_names_the_program_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """sudo's PATH has no virtual environment, and `./dev run` none at all."""
    program = tmp_path / "my labs" / "pynetemu"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "proc/self/ns").mkdir(parents=True)
    monkeypatch.setattr("os.getuid", lambda: 1000)
    for started, named in (program, f"'{program}'"), ("-c", "pynetemu"), ("/usr/bin/pytest", "pynetemu"):
        monkeypatch.setattr("sys.argv", [str(started)])
        assert diagnose("unshare", errno.EPERM, root=tmp_path).fix == f"sudo {named} ..."


@pytest.mark.parametrize(
    ("uid", "capabilities", "uid_map", "reason", "fix"),
    [
        ("0 0 0 0", "00000000a80425fb", "0 0 4294967295", "no CAP_SYS_ADMIN", "--cap-add SYS_ADMIN"),
        ("65534 65534 65534 65534", "0000000000000000", "", "whose ids nobody has mapped", "--map-root-user"),
        ("0 0 0 0", "000001ffffffffff", "0 0 4294967295", "seccomp profile", "seccomp=unconfined"),
        ("1000 1000 1000 1000", "0000000000000000", "0 0 4294967295", "seccomp profile", "seccomp=unconfined"),
    ],
)
def test_what_the_process_itself_lacks_is_not_blamed_on_its_container(
    uid: str, capabilities: str, uid_map: str, reason: str, fix: str, root: Path
) -> None:
    (root / ".dockerenv").touch()
    (root / "proc/self/uid_map").write_text(f"{uid_map}\n" if uid_map else "")
    (root / "proc/self/status").write_text(f"Name:\tpython3\nUid:\t{uid}\nCapEff:\t{capabilities}\n")
    error = diagnose("unshare", errno.EPERM, root=root)
    assert reason in error.reason and fix in error.fix


@pytest.mark.parametrize(("point", "is_told"), [("/proc", True), ("/", False)])
def test_an_ordinary_user_in_a_chroot(point: str, is_told: bool, root: Path) -> None:
    (root / "proc/self/mountinfo").write_text(f"22 1 0:20 / {point} rw - proc proc rw\n")
    assert ("this is a chroot" in diagnose("unshare", errno.EPERM, root=root).reason) is is_told
