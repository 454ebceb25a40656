"""A lab that root starts in a chroot lives in the chroot's files: it becomes the root of a mount namespace.

Who moves into a mount namespace (setns(2)) is at that namespace's root, not in the chroot that its maker was in; and no user
namespace can be made in a chroot.
"""

import errno
import os

from pynetemu.engine import syscalls

STEP = "chroot"  # the step that is refused in one


def settle() -> None:
    """Leaves a chroot, if we are in one, for a mount namespace whose root it is. Raises OSError."""
    if not _may_be_in_one():
        return
    root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    folder = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    path_of_folder = _working_folder()
    syscalls.unshare(syscalls.CLONE_NEWNS)
    own = os.pidfd_open(os.getpid())
    syscalls.setns(own, syscalls.CLONE_NEWNS)  # into the one where we are, and to its root
    os.close(own)
    if os.path.samestat(os.stat("/"), os.fstat(root)):
        os.fchdir(folder)
    else:
        path = os.readlink(f"/proc/self/fd/{root}")
        syscalls.mount("none", "/", "", syscalls.MS_SLAVE | syscalls.MS_REC)
        syscalls.mount(path, path, "", syscalls.MS_BIND | syscalls.MS_REC)
        os.chdir(path)
        syscalls.pivot_root(".", ".")
        syscalls.unmount(".")  # the old root, which lies above
        os.chdir(path_of_folder)
    os.close(folder)
    os.close(root)


def check() -> None:
    """Whoever enters a mount namespace is at its own root (setns(2)): from a chroot, nodes would see the files around it."""
    here, folder = os.stat("/"), os.open(".", os.O_PATH)
    own = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    syscalls.setns(own, syscalls.CLONE_NEWNS)
    there = os.stat("/")
    if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), STEP)
    os.fchdir(folder)
    os.close(folder)
    os.close(own)


def _working_folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it has been removed under us
        return "/"


def _may_be_in_one() -> bool:
    try:
        return os.getuid() == 0 and not os.path.samestat(os.stat("/"), os.stat("/proc/1/root/"))
    except OSError:
        return True
