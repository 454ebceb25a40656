"""What the lab and each of its nodes sees of the file system: the machine's own, but for a few places.

The lab has its own /proc and /run; a node that runs a process has besides its own /sys, /etc/hosts, /etc/resolv.conf and
/etc/nsswitch.conf. All of it lies in private mount namespaces: the machine does not see it, and it goes with the lab.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress

from pynetemu.engine import syscalls

NETNS = "/run/netns"  # where `ip netns` keeps its names, ip-netns(8)
STATE = "/run/pynetemu"  # what the nodes' files are mounted from; per node: hosts, logs
_HELD = f"{STATE}/namespaces"  # the engine's descriptors, which the nodes' own /proc does not show


def make_private() -> None:
    """Gives this mount namespace a /proc of the lab's own processes, and a /run that is writable and has no namespaces.

    Called by the engine itself, whose descriptors are shown there.
    """
    syscalls.mount("none", "/", "", syscalls.MS_SLAVE | syscalls.MS_REC)
    syscalls.mount("proc", "/proc", "proc", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC)
    _cover_run()
    os.mkdir(NETNS)
    os.mkdir(STATE)
    os.mkdir(_HELD)
    syscalls.mount("/proc/self/fd", _HELD, "", syscalls.MS_BIND)


def _cover_run() -> None:
    """Puts an empty tmpfs over /run, and in it all that was there before, but /run/netns."""
    old = os.open("/run", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    before = f"/proc/self/fd/{old}"
    entries = list(os.scandir(before))
    syscalls.mount("tmpfs", "/run", "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV)
    for entry in entries:
        if entry.path != f"{before}/netns" and entry.path != f"{before}/pynetemu":
            _show_again(entry, f"/run/{entry.name}")
    os.close(old)


def _show_again(entry: "os.DirEntry[str]", target: str) -> None:
    with suppress(FileNotFoundError):  # other programs make and remove files there all the time: it has gone meanwhile
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
            return
        if entry.is_dir():
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
        syscalls.mount(entry.path, target, "", syscalls.MS_BIND | syscalls.MS_REC)


def name_namespace(node: str, descriptor: int) -> None:
    """Makes `ip netns exec NODE` work: a link to the engine's descriptor costs a thousand nodes nothing."""
    os.symlink(f"{_HELD}/{descriptor}", f"{NETNS}/{node}")


def forget_namespace(node: str) -> None:
    """Takes the name away."""
    os.unlink(f"{NETNS}/{node}")


def dress_node(node: str, hosts: str, keep_resolver: bool) -> None:
    """Mounts a node's own files; called in the node's new mount namespace and its network namespace.

    `keep_resolver` leaves the machine's resolv.conf (the root of a lab on the machine itself).
    """
    for target, text in _files(hosts, keep_resolver):
        source = f"{STATE}/{node}{target}"
        os.makedirs(os.path.dirname(source), exist_ok=True)
        with open(source, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        syscalls.mount(source, target, "", syscalls.MS_BIND)
    try:
        syscalls.mount("sysfs", "/sys", "sysfs", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC)
    except OSError as error:
        # EPERM: a container whose /sys is partly hidden may not mount a whole one (mount_too_revealing in fs/namespace.c).
        # EBUSY: what is there already shows this network namespace, as on the machine itself (do_add_mount, ibidem).
        if error.errno not in (errno.EPERM, errno.EBUSY):
            raise


def replace_hosts(node: str, before: str, text: str) -> bool:
    """Changes the /etc/hosts of a node that was dressed, unless somebody has edited it."""
    with open(f"{STATE}/{node}/etc/hosts", "r+b", buffering=0) as file:
        if file.read() != before.encode(errors="surrogateescape"):
            return False
        data = text.encode(errors="surrogateescape")
        os.pwrite(file.fileno(), data, 0)
        os.ftruncate(file.fileno(), len(data))
    return True


def _files(hosts: str, keep_resolver: bool) -> Iterator[tuple[str, str]]:
    if not os.path.exists("/etc/hosts"):
        raise OSError(
            errno.ENOENT, "this machine has none, and nodes need it to know each other: make one, if empty", "/etc/hosts"
        )
    yield "/etc/hosts", hosts
    if not keep_resolver and os.path.exists("/etc/resolv.conf"):
        yield "/etc/resolv.conf", "# The lab has no name server; /etc/hosts has the names of its nodes.\n"
    if os.path.exists("/etc/nsswitch.conf"):
        with open("/etc/nsswitch.conf", encoding="utf-8", errors="surrogateescape") as file:
            yield "/etc/nsswitch.conf", "".join(map(_plain_hosts, file))


def _plain_hosts(line: str) -> str:
    """Other sources, such as systemd-resolved's, answer over unix sockets, which pass network namespaces."""
    return "hosts: files dns\n" if line.startswith("hosts:") else line
