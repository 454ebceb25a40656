"""A seccomp filter under which the calls that change ids and owners succeed and do nothing.

A user namespace that maps a single id refuses setgroups(2), setuid(2) to another id, chown(2) …, at which `tcpdump -w`,
dnsmasq or FRR end. Nothing is lost by letting such calls pass: there is only one id to be. Charliecloud's
`--force=seccomp` does the same. See seccomp(2) and linux/filter.h.
"""

import ctypes
import os
import struct

from pynetemu.engine import syscalls

# From the kernel's tables: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h:
# setuid setgid setreuid setregid setgroups setresuid setresgid setfsuid setfsgid chown fchown lchown fchownat
_CALLS = {
    "x86_64": (0xC000003E, (105, 106, 113, 114, 116, 117, 119, 122, 123, 92, 93, 94, 260)),
    "aarch64": (0xC00000B7, (146, 144, 145, 143, 159, 147, 149, 151, 152, 55, 54)),
}
CALLS_OF_BPF = {"x86_64": (0xC000003E, (321,)), "aarch64": (0xC00000B7, (280,))}
_LOAD_WORD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_RET|BPF_K
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, which with errno 0 is success
_NUMBER_AT, _ARCH_AT = 0, 4  # offsets in struct seccomp_data


def let_id_changes_pass() -> bool:
    """Installs the filter on this process and all it will start; False on a processor whose numbers we do not know."""
    if os.uname().machine not in _CALLS:
        return False
    install(*_CALLS[os.uname().machine])
    return True


def install(arch: int, numbers: tuple[int, ...], errno: int = 0) -> None:
    """Lets calls do nothing and succeed, or fail with an errno, in this process and all it will start."""
    program = [
        (_LOAD_WORD, 0, 0, _ARCH_AT),
        (_JUMP_IF_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD_WORD, 0, 0, _NUMBER_AT),
    ]
    for number in numbers:
        program += [(_JUMP_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _FAIL | errno)]
    program.append((_RETURN, 0, 0, _ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code)))
    syscalls.prctl(syscalls.PR_SET_SECCOMP, 2, ctypes.addressof(head), 0, 0)  # 2 = SECCOMP_MODE_FILTER
