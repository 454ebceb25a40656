"""A node's own files: /etc, /var, /run and /dev. All others are the machine's.

    /etc /var   what the machine has, and the node may change all of it for itself (`skeleton`)
    /run        empty, but for /run/user, /run/netns and what programs of some systems live in
    /dev        the machine's devices, and room for /dev/log; /dev/shm is empty
    /sys        of the node's interfaces

What is written there lies in the lab's memory. A folder that users look for their results in stays the machine's, also below
/var or /run: their home, the working folder, those for temporary files.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial

from pynetemu.engine import syscalls
from pynetemu.engine.machine import layers, skeleton
from pynetemu.engine.machine.guard import is_guarded
from pynetemu.engine.mounts import HELD, INIT, NAMES, RUN, STATE, make_folder, remove_folder
from pynetemu.engine.paths import find_program, search_path
from pynetemu.plan.operations import AddFile

_DEVICES_IN_RUN = "/pynetemu/dev"  # in a node's /run: the machine's /dev, to which links in the node's lead
_NODES = f"{STATE}/nodes"
_SHOWN_RUN = ("user", "current-system", "booted-system", "wrappers", "opengl-driver", "host", "WSL", "media", "secrets")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "pts")
_BIND = syscalls.MS_BIND | syscalls.MS_REC
_SYS = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC


_OF_CONSOLES = re.compile(r"(tty|vcs|loop)[a-z]*[0-9]")  # hundreds, of use to none


class Files:
    """The files of a lab's nodes; `kept` are folders that stay the machine's."""

    def __init__(self, kept: Iterable[str]) -> None:
        self._is_guarded = is_guarded(os.getpid())
        self.kept = [os.path.realpath(folder) for folder in kept if folder]
        self._is_prepared = False
        self._obstacle = ""  # why no node has an own /etc and /var
        self._without_layers: dict[str, str] = {}  # nodes without an own /etc and /var, and why
        self._dressed: set[str] = set()
        self._declared: dict[str, dict[str, AddFile]] = {}  # by node and path
        self._etc: dict[str, int] = {}  # descriptors of the nodes' own /etc
        self._names: dict[str, str] = {}  # where the names of namespaces lead
        self._init = ""  # the program of nodes' inits
        self._devices: dict[str, str] = {}  # what is in /dev, where a link leads, "" for others

    def prepare(self) -> None:
        """To be called in the lab's own mount namespace, before the first `dress`."""
        if not self._is_prepared:
            self._init = find_program("sleep", search_path(os.environ), "/")
            self._devices = _devices()
            self._is_prepared = True
            try:
                skeleton.make()
            except OSError as error:
                self._obstacle = str(error)

    def name_namespace(self, node: str, descriptor: int) -> None:
        """Makes `ip netns exec NODE` work: a link to the engine's descriptor costs a thousand nodes nothing."""
        self._names[node] = f"{HELD}/{descriptor}"
        for folder in (NAMES, *(f"{_NODES}/{other}/run/netns" for other in self._dressed)):
            with suppress(FileExistsError):  # somebody in that node has one of this name
                os.symlink(self._names[node], f"{folder}/{node}")

    def add(self, file: AddFile) -> None:
        """What a node will have besides, when its machine is made."""
        self._declared.setdefault(file.node, {})[file.path] = file

    def remove(self, file: AddFile) -> None:
        """A file that the description has no more; what a running node has of it stays."""
        self._declared.get(file.node, {}).pop(file.path, None)

    def is_private(self, file: AddFile) -> bool:
        """Whether it is in a folder that the description makes private."""
        others = self._declared.get(file.node, {}).values()
        return any(file.path.startswith(f"{other.path}/") for other in others if other.kind == "private")

    def place(self, file: AddFile, run: str = "/run") -> None:
        """Puts a file or folder where it belongs; called in the node's mount namespace. `run` is its /run, wherever that is."""
        path = re.sub("^/run(?=/)", run, file.path)
        why = self._without_layers.get(file.node)
        if why and path.startswith(("/etc/", "/var/")) and not self.is_private(file):
            text = f"{file.node} does not have its own /etc and /var here ({why}), so it would be the machine's"
            raise OSError(errno.ENOTSUP, text, path)
        if file.kind == "file":
            with suppress(FileNotFoundError):  # the machine's is not ours to write, and may be a link
                os.unlink(path)
            _write(path, file.content)
        elif file.kind == "private":
            own = f"{_NODES}/{file.node}/private{file.path}"
            make_folder(own)
            _show_again(own, path)
        else:
            _show_again(os.path.realpath(file.content), path)

    def forget(self, node: str) -> None:
        """The node's name goes, and what it has written."""
        for folder in (NAMES, *(f"{_NODES}/{other}/run/netns" for other in self._dressed)):
            with suppress(OSError):  # somebody in that node has removed it, or has one of this name
                if os.readlink(f"{folder}/{node}").startswith(HELD):
                    os.unlink(f"{folder}/{node}")
        self._names.pop(node, None)
        self._without_layers.pop(node, None)
        self._dressed.discard(node)
        self._declared.pop(node, None)
        if (etc := self._etc.pop(node, None)) is not None:
            os.close(etc)

    def dress(self, node: str, hosts: str) -> None:
        """Mounts a node's own files; called in the node's new mount namespace and its network namespace."""
        own = f"{_NODES}/{node}"
        self._dressed.add(node)
        for folder in "run", "dev":  # those of a machine that is started anew are empty
            remove_folder(f"{own}/{folder}")
        held = list(_hold(self.kept))
        texts = dict(_texts(node, hosts))
        self._without_layers.pop(node, None)
        if why := self._obstacle or _overlay(own, texts):
            self._without_layers[node] = why
            _bind_texts(own, texts)
        self._hold_etc(node)
        for _, file in sorted(self._declared.get(node, {}).items()):
            if not file.path.startswith("/run/"):
                self.place(file)
        run = _own_folder(f"{own}/run")
        _mount_dev(own, run, self._devices)
        self._fill_run(run, _SHOWN_RUN)
        for _, file in sorted(self._declared.get(node, {}).items()):
            if file.path.startswith("/run/"):
                self.place(file, run)
        syscalls.mount(run, "/run", "", syscalls.MS_MOVE)
        for folder, descriptor in held:
            _show_again(f"/proc/self/fd/{descriptor}", folder)
            os.close(descriptor)
        _mount_sys(syscalls.MS_RDONLY if self._is_guarded else 0)

    def shut_settings(self) -> None:
        """Makes the machine's own settings read-only, if they are to be; called below a node's own /proc."""
        if self._is_guarded:
            of_network = os.open("/proc/sys/net", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            syscalls.mount("/proc/sys", "/proc/sys", "", syscalls.MS_BIND)
            syscalls.mount("none", "/proc/sys", "", syscalls.MS_BIND | syscalls.MS_REMOUNT | syscalls.MS_RDONLY | _SYS)
            syscalls.mount(f"/proc/self/fd/{of_network}", "/proc/sys/net", "", syscalls.MS_BIND)

    def dress_machine(self, node: str, hosts: str) -> None:
        """For the root of a lab on the machine itself: the machine's files, with the lab's names."""
        own = f"{_NODES}/{node}"
        self._dressed.add(node)
        _bind_texts(own, {"/etc/hosts": hosts})
        run = _own_folder(f"{own}/run")
        self._fill_run(run, [name for name in os.listdir(RUN) if name not in ("netns", "pynetemu")])
        syscalls.mount(run, "/run", "", syscalls.MS_MOVE)
        _mount_sys()

    def _hold_etc(self, node: str) -> None:
        """Keeps a way into the node's /etc, if it has an own one."""
        if (before := self._etc.pop(node, None)) is not None:
            os.close(before)
        if node not in self._without_layers:
            self._etc[node] = os.open("/etc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def _fill_run(self, run: str, shown: Iterable[str]) -> None:
        """The nodes' names, and parts of the machine's /run."""
        for folder in "lock", "netns", HELD.removeprefix("/run/"):
            make_folder(f"{run}/{folder}")
        os.chmod(f"{run}/lock", 0o1777)
        with suppress(FileExistsError):
            os.symlink(self._init, f"{run}{INIT.removeprefix('/run')}")
        there = set(os.listdir(f"{run}/netns"))
        for name, target in self._names.items():  # in the order in which the lab itself lists them
            if name not in there:
                os.symlink(target, f"{run}/netns/{name}")
        syscalls.mount(HELD, f"{run}{HELD.removeprefix('/run')}", "", syscalls.MS_BIND)
        for name in shown:
            if os.path.lexists(f"{RUN}/{name}"):
                _show_again(f"{RUN}/{name}", f"{run}/{name}")

    def replace_hosts(self, node: str, before: str, text: str) -> bool:
        """Changes the /etc/hosts of a node that was dressed, unless somebody has edited it. No reader sees half of it."""
        old, new = (one.encode(errors="surrogateescape") for one in (before, text))
        if node not in self._etc:
            return _overwrite(f"{_NODES}/{node}/etc/hosts", old, new)
        folder = self._etc[node]
        try:
            with open("hosts", "rb", opener=partial(os.open, dir_fd=folder)) as file:
                if file.read() != old:
                    return False
        except FileNotFoundError:
            return False
        with open(".hosts.new", "wb", opener=partial(os.open, dir_fd=folder)) as file:
            file.write(new)
        os.replace(".hosts.new", "hosts", src_dir_fd=folder, dst_dir_fd=folder)
        return True


def _overlay(own: str, texts: dict[str, str]) -> str:
    """Mounts a node's own /etc and /var, with these texts in them; gives why that cannot be done."""
    try:
        for path, text in texts.items():
            _write(f"{own}/upper{path}", text)
        for top in skeleton.TOPS:
            layers.overlay(top, own)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _hold(folders: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Descriptors of those folders that would be covered."""
    for folder in sorted(set(folders)):
        if folder.startswith(("/var/", "/run/")):
            with suppress(OSError):
                yield folder, os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


def _texts(node: str, hosts: str) -> Iterator[tuple[str, str]]:
    yield "/etc/hosts", hosts
    yield "/etc/hostname", f"{node}\n"
    yield "/etc/resolv.conf", "# The lab has no name server; /etc/hosts has the names of its nodes.\n"
    if os.path.exists("/etc/nsswitch.conf"):
        with open("/etc/nsswitch.conf", encoding="utf-8", errors="surrogateescape") as file:
            yield "/etc/nsswitch.conf", "".join(map(_plain_hosts, file))


def _plain_hosts(line: str) -> str:
    """Other sources, such as systemd-resolved's, answer over unix sockets, which pass network namespaces."""
    return "hosts: files dns\n" if line.startswith("hosts:") else line


def _bind_texts(own: str, texts: dict[str, str]) -> None:
    """For kernels without layers: single files over those that the machine has."""
    if not os.path.exists("/etc/hosts"):
        raise OSError(
            errno.ENOENT,
            "this machine has none, and nodes need one to know each other's names: create it, an empty one will do",
            "/etc/hosts",
        )
    for target, text in texts.items():
        if os.path.exists(target):
            _write(f"{own}{target}", text)
            syscalls.mount(f"{own}{target}", target, "", syscalls.MS_BIND)


def _overwrite(path: str, old: bytes, new: bytes) -> bool:
    """Changes a file that is mounted over another, and so cannot be replaced."""
    with open(path, "r+b", buffering=0) as file:
        if file.read() != old:
            return False
        os.pwrite(file.fileno(), new, 0)
        os.ftruncate(file.fileno(), len(new))
    return True


def _write(path: str, text: str) -> None:
    make_folder(os.path.dirname(path))
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)


def _own_folder(path: str) -> str:
    """Makes a folder that can be mounted elsewhere with all that will be mounted in it."""
    make_folder(path)
    syscalls.mount(path, path, "", syscalls.MS_BIND)
    return path


def _devices() -> dict[str, str]:
    with os.scandir("/dev") as entries:
        found = {entry.name: os.readlink(entry.path) if entry.is_symlink() else "" for entry in entries}
    left_out = {"log", "shm", *(("pts", "ptmx") if skeleton.has_range() else ())}
    return {name: target for name, target in found.items() if name not in left_out and not _OF_CONSOLES.match(name)}


def _mount_dev(own: str, run: str, found: dict[str, str]) -> None:
    """Mounts a /dev to which a socket can be added: links to the machine's devices, the usual ones themselves.

    A pty is opened beside the /dev/pts of its /dev/ptmx, which is the machine's.
    """
    devices = f"{run}{_DEVICES_IN_RUN}"
    make_folder(devices)
    syscalls.mount("/dev", devices, "", _BIND)
    make_folder(f"{own}/dev/shm")
    os.chmod(f"{own}/dev/shm", 0o1777)
    syscalls.mount(f"{own}/dev", "/dev", "", syscalls.MS_BIND)
    if skeleton.has_range():
        _mount_terminals()
    for name, target in found.items():
        if name in _DEVICES and not target:
            _show_again(f"{devices}/{name}", f"/dev/{name}")
        else:
            os.symlink(target or f"/run{_DEVICES_IN_RUN}/{name}", f"/dev/{name}")


def _mount_terminals() -> None:
    """Terminals of the node's own, which can be given to whoever logs in; those of the machine belong to one of its groups."""
    os.mkdir("/dev/pts")
    syscalls.mount("devpts", "/dev/pts", "devpts", _SYS & ~syscalls.MS_NODEV, "newinstance,ptmxmode=0666,mode=620,gid=5")
    os.symlink("pts/ptmx", "/dev/ptmx")


def _show_again(source: str, target: str) -> None:
    """Shows a file, folder or link of the machine at another place. Others make and remove files there all the time."""
    with suppress(FileNotFoundError):
        if not source.startswith("/proc/") and os.path.islink(source):
            with suppress(FileExistsError):
                os.symlink(os.readlink(source), target)
            return
        if stat.S_ISDIR(os.stat(source).st_mode):
            make_folder(target)
        else:
            make_folder(os.path.dirname(target))
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
        syscalls.mount(source, target, "", _BIND)


def _mount_sys(flags: int = 0) -> None:
    try:
        syscalls.mount("sysfs", "/sys", "sysfs", _SYS | flags)
    except OSError as error:
        # EPERM: a container whose /sys is partly hidden may not mount a whole one (mount_too_revealing in fs/namespace.c).
        # EBUSY: what is there already shows this network namespace, as on the machine itself (do_add_mount, ibidem).
        if error.errno not in (errno.EPERM, errno.EBUSY):
            raise
