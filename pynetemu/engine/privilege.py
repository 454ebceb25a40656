"""Why a machine refuses a sandbox, and the one command that allows it.

The kernel says no more than an errno; what is behind it stands in a few files of /proc (user_namespaces(7),
Documentation/admin-guide/sysctl/user.rst, Ubuntu's apparmor_restrict_unprivileged_userns, Debian's unprivileged_userns_clone).
"""

import errno
import fcntl
import os
import sys
from pathlib import Path

from pynetemu.errors import PrivilegeError

_APPARMOR = "kernel.apparmor_restrict_unprivileged_userns"
_CLONE = "kernel.unprivileged_userns_clone"
_LIMITS = ("user", "mnt", "pid", "ipc", "uts", "net")
_CAP_SYS_ADMIN = 21  # linux/capability.h
_NS_GET_USERNS = 0xB701  # linux/nsfs.h
_ENOUGH = 15000  # of each kind of namespace


def diagnose(step: str, code: int, message: str = "", *, host: bool = False, root: Path = Path("/")) -> PrivilegeError:
    """What to tell and to do when a step of making a sandbox failed with an errno.

    `step` is a system call ("unshare", "mount"), a file of /proc/self ("uid_map"), "chroot" where we are in one,
    "privileged" or "range"; `root` is where /proc is looked for.
    """
    failed = f"{step}: {os.strerror(code)}"
    if step == "chroot" or _is_chroot(root):
        return PrivilegeError(
            "this is a chroot, and nodes would see the files around it", "systemd-nspawn --directory=FOLDER ..."
        )
    if host and step == "ioctl":
        text = "--host changes this machine's own network, and needs root of the machine: this one is in a user namespace"
        return PrivilegeError(f"{text} ({failed})", "leave the user namespace, or do without --host")
    if host:
        return PrivilegeError(f"--host changes this machine's own network, and needs root ({failed})", _as_root())
    if step == "range":
        return _without_range(message)
    if step == "privileged":
        return PrivilegeError("only labs of root can be privileged: an ordinary user has nothing to give", _as_root())
    for reason, fix in _switches(code, root):
        return PrivilegeError(f"{reason} ({failed})", fix)
    return _by_surroundings(failed, step, code, root)


def _switches(code: int, root: Path) -> list[tuple[str, str]]:
    """The settings of this machine that forbid sandboxes, each with the command that changes it."""
    found = []
    if _read(root, _CLONE) == "0":
        found.append(("this machine lets only root make user namespaces", _set(_CLONE, 1)))
    if _read(root, _APPARMOR) == "1" and code in (errno.EPERM, errno.EACCES):
        found.append(("AppArmor takes all capabilities from the user namespaces of ordinary users", _set(_APPARMOR, 0)))
    for kind in _LIMITS:
        limit = _read(root, f"user.max_{kind}_namespaces")
        if limit.isdigit() and (int(limit) == 0 or (code == errno.ENOSPC and int(limit) < _ENOUGH)):
            text = f"this machine allows {limit} {kind} namespaces"
            found.append((text, _set(f"user.max_{kind}_namespaces", _ENOUGH)))
    return found


def _by_surroundings(failed: str, step: str, code: int, root: Path) -> PrivilegeError:
    if not (root / "proc/self/ns/user").exists():
        return PrivilegeError(f"this kernel ({os.uname().release}) has no user namespaces ({failed})", _as_root())
    if code == errno.ENOSPC:  # limits of outer user namespaces count too (user_namespaces(7)); seccomp gives EPERM
        limit = _set("user.max_user_namespaces", _ENOUGH)
        return PrivilegeError(f"the machine around this container allows no more namespaces ({failed})", f"{limit}, out there")
    if about := _about_ourselves(failed, root):
        return about
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        hidden = step in ("mount", "/proc")
        reason = "this container hides parts of /proc" if hidden else "this container's seccomp profile forbids namespaces"
        options = "--security-opt seccomp=unconfined --security-opt systempaths=unconfined"
        return PrivilegeError(f"{reason} ({failed})", f"docker run {options} ...")
    return PrivilegeError(f"the kernel refuses to make a sandbox ({failed})", _as_root())


def _without_range(message: str) -> PrivilegeError:
    from pynetemu.engine.id_ranges import lack

    what = 'ids = "range", for logins in nodes'
    if found := lack():
        return PrivilegeError(f"{what}: {found.reason}", found.fix)
    return PrivilegeError(f"{what}: {message}", "chmod u+s newuidmap newgidmap, or a container that allows set-uid programs")


def _is_chroot(root: Path) -> bool:
    """Whether / is not a mount point, which it is everywhere else (proc_pid_mountinfo(5))."""
    try:
        lines = (root / "proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return False
    return not any(line.split()[4:5] == ["/"] for line in lines)


def is_mapped(root: Path = Path("/")) -> bool:
    """Whether the ids of our user namespace stand for some outside, as everywhere but in one that nobody has made up yet."""
    try:
        return bool((root / "proc/self/uid_map").read_text().strip())
    except OSError:
        return True


def check_network_is_ours() -> None:
    """Raises PermissionError where this network namespace belongs to an outer user namespace, and is ruled from there."""
    try:
        with open("/proc/self/ns/net", "rb") as network:
            os.close(fcntl.ioctl(network, _NS_GET_USERNS))  # ioctl_ns(2)
    except PermissionError as error:
        raise PermissionError(error.errno, error.strerror, "ioctl") from None


def _about_ourselves(failed: str, root: Path) -> PrivilegeError | None:
    """What this process itself lacks (capabilities(7), user_namespaces(7)), which no other profile is to blame for."""
    try:
        status = dict(line.split(":", 1) for line in (root / "proc/self/status").read_text().splitlines() if ":" in line)
    except OSError:
        return None
    if not is_mapped(root):
        text = "this process is in a user namespace whose ids nobody has mapped, where nothing can be made"
        return PrivilegeError(f"{text} ({failed})", "unshare --user --map-root-user ...")
    capabilities = int(status.get("CapEff", "0").strip(), 16)
    if status.get("Uid", "").split()[1:2] == ["0"] and not capabilities >> _CAP_SYS_ADMIN & 1:
        return PrivilegeError(
            f"this root has no CAP_SYS_ADMIN ({failed})", "docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN ..."
        )
    return None


def _as_root() -> str:
    return f"sudo {_program()} ..." if os.getuid() else "start the container or service with more privileges (CAP_SYS_ADMIN)"


def _program() -> str:
    """The command as sudo can find it, whose PATH has no virtual environment: by its path, if it runs as a program."""
    import shlex

    started = os.path.abspath(sys.argv[0])
    return shlex.quote(started) if os.path.basename(started) == "pynetemu" and os.access(started, os.X_OK) else "pynetemu"


def _set(name: str, value: int) -> str:
    return f"{'sudo ' if os.getuid() else ''}sysctl -w {name}={value}"


def _read(root: Path, name: str) -> str:
    """A sysctl's value, "" where the kernel has none of that name."""
    try:
        return (root / "proc/sys" / name.replace(".", "/")).read_text().strip()
    except OSError:
        return ""
