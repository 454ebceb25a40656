"""What the lab itself sees of the file system: the machine's own, but for /proc and /run. Its nodes: `engine.machine`.

All of it lies in private mount namespaces: the machine does not see it, and it goes with the lab.
"""

import os
from contextlib import suppress

from pynetemu.engine import syscalls

STATE = "/run/pynetemu"  # the lab's own files, in a memory of their own: nodes' files, logs
NAMES = f"{STATE}/names"  # the nodes' /run/netns, where `ip netns` looks for names (ip-netns(8))
HELD = f"{STATE}/namespaces"  # the engine's descriptors, to which the names lead: a node's own /proc does not show them
INIT = f"{STATE}/init"  # in a node's /run: the program of its init, a link, from which it has its name
RUN = f"{STATE}/run"  # the machine's /run
_LIMIT = "25%"  # of the machine's memory, for all that the nodes write into files of their own


def make_folder(path: str) -> None:
    """As os.makedirs, with one system call where the folder is there, or the one above it."""
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    except FileNotFoundError:
        os.makedirs(path, exist_ok=True)


def remove_folder(folder: str) -> None:
    """A folder with all that is in it; nothing is mounted there."""
    with suppress(FileNotFoundError):
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    remove_folder(entry.path)
                else:
                    os.unlink(entry.path)
        os.rmdir(folder)


def make_private() -> None:
    """Gives this mount namespace a /proc of the lab's own processes, and a /run of its own.

    Called by the engine itself, whose descriptors are shown there.
    """
    syscalls.mount("none", "/", "", syscalls.MS_SLAVE | syscalls.MS_REC)
    syscalls.mount("proc", "/proc", "proc", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC)
    machines = os.open("/run", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    syscalls.mount("tmpfs", "/run", "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, f"mode=755,size={_LIMIT}")
    for folder in (STATE, NAMES, HELD, RUN):
        os.mkdir(folder)
    syscalls.mount(f"/proc/self/fd/{machines}", RUN, "", syscalls.MS_BIND | syscalls.MS_REC)
    os.close(machines)
    syscalls.mount("/proc/self/fd", HELD, "", syscalls.MS_BIND)
