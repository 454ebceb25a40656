"""What programs in nodes of a lab of root may not do to the machine by mistake; an ordinary user's may not anyway.

They make no devices, load no modules and no BPF programs, and set no clock; /sys and what /proc/sys has besides the network's
settings is read-only for them (`machine.files`). That keeps experiments apart from the machine, and is no wall against
somebody who is root and means harm.
"""

import errno
import os
from contextlib import suppress

from pynetemu.engine import syscalls
from pynetemu.engine.seccomp import CALLS_OF_BPF, install

_PR_CAPBSET_DROP = 24
_MKNOD = 27
_DROPPED = (_MKNOD, 16, 17, 22, 25, 38, 39)  # and SYS_MODULE, SYS_RAWIO, SYS_BOOT, SYS_TIME, PERFMON, BPF: capabilities(7)


def guard() -> None:
    """For all that this process starts from now on."""
    for capability in _DROPPED:
        with suppress(OSError):  # older kernels know fewer
            syscalls.prctl(_PR_CAPBSET_DROP, capability)
    if (own := CALLS_OF_BPF.get(os.uname().machine)) is not None:
        install(*own, errno.EPERM)


def is_guarded(pid: int) -> bool:
    """Whether what a process starts is guarded."""
    with open(f"/proc/{pid}/status") as file:
        bounds = next(line for line in file if line.startswith("CapBnd:"))
    return not int(bounds.split()[1], 16) >> _MKNOD & 1
