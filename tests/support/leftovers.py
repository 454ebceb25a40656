"""Everything of this machine that a lab of this test run could leave behind, as a set of lines that tests compare.

Other labs may come and go meanwhile, of other runs and of people: a process is ours when it has the mark of this run in its
environment, which all that we start inherits, or when it shares a namespace with one that has.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# The kernel puts these into every namespace once their modules are loaded, the machine's own one too.
MARK = "PYNETEMU_TEST_RUN"
OF_MODULES = {"gre0", "gretap0", "erspan0", "ip6gre0", "ip6tnl0", "tunl0", "sit0", "bond0", "dummy0", "ifb0", "ifb1"}


def everything() -> set[str]:
    return {*_of_machine(), *_of_this_process()}


def of_machine() -> set[str]:
    """Namespaces, processes in them, links, mounts and lab sockets, as far as this user may see them."""
    return set(_of_machine())


def _of_machine() -> Iterator[str]:
    yield from (f"link {name}" for _, name in socket.if_nameindex() if name not in OF_MODULES)
    yield from (f"named namespace {name}" for name in _listdir("/run/netns"))
    yield from (f"mount {line.split(' ')[4]}" for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines())
    own = {kind: _namespace("self", kind) for kind in ("net", "pid", "mnt")}
    pids = [pid for pid in os.listdir("/proc") if pid.isdigit() and pid not in _STRANGERS]
    spaces = {pid: {kind: _namespace(pid, kind) for kind in own} for pid in pids}
    ours = {pid for pid in spaces if _is_marked(pid)}
    shared = {space for pid in ours for space in spaces[pid].values()} - {"", *own.values()}
    for pid, theirs in spaces.items():
        if (pid in ours or shared & set(theirs.values())) and not _is_init_of_a_node(pid):
            yield from (
                f"process {pid} ({_command(pid)}) in another {kind} namespace"
                for kind, space in theirs.items()
                if space and space != own[kind] and not _only_init_can_reap(pid)
            )
    sockets = [line.split() for line in Path("/proc/net/unix").read_text(errors="replace").splitlines() if "@pynetemu/" in line]
    held = {link[8:-1] for pid in ours for link in _descriptors(pid) if link.startswith("socket:[")}
    yield from (f"socket {words[-1]}" for words in sockets if words[6] in held)


def _of_this_process() -> Iterator[str]:
    for pid in Path("/proc/thread-self/children").read_text().split():
        if not _only_init_can_reap(pid):  # we are the init of a container, perhaps
            yield f"child {pid} ({_command(pid)})"
    yield from (f"thread {thread.name}" for thread in threading.enumerate())
    for descriptor in set(os.listdir("/proc/self/fd")) - {"0", "1", "2"}:  # which pytest exchanges, for what is printed
        with suppress(OSError):
            yield f"descriptor {descriptor} -> {os.readlink(f'/proc/self/fd/{descriptor}')}"


def _is_marked(pid: str) -> bool:
    """This is asked of each process of the machine before and after each test, so it is short of all that takes time."""
    try:
        descriptor = os.open(f"/proc/{pid}/environ", os.O_RDONLY)
    except OSError:  # it has gone, or it is another user's
        return False
    try:
        return f"{MARK}={os.environ.get(MARK)}\0".encode() in os.read(descriptor, 1 << 20)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _threads_of_the_kernel() -> set[str]:
    """The children of the second process, which have no environment and are nobody's; they were here before us."""
    with suppress(OSError):
        if Path("/proc/2/comm").read_text() == "kthreadd\n":
            return {"2", *Path("/proc/2/task/2/children").read_text().split()}
    return set()


def _descriptors(pid: str) -> Iterator[str]:
    for number in _listdir(f"/proc/{pid}/fd"):
        with suppress(OSError):
            yield os.readlink(f"/proc/{pid}/fd/{number}")


def _namespace(pid: str, kind: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:  # it has gone, or it is another user's
        return ""


def _only_init_can_reap(pid: str) -> bool:
    """A process that has ended whose parent has too is gone but for its number, which the machine's init gives back."""
    with suppress(OSError):
        state, parent = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")[2].split()[:2]
        return state == "Z" and parent == "1"
    return True


def _is_init_of_a_node(pid: str) -> bool:
    """It is made with a node's first program and lives as long as the engine, its parent, which is told if it is left."""
    with suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
        parent = status.partition("PPid:\t")[2].partition("\n")[0]
        last = status.partition("NSpid:\t")[2].partition("\n")[0].split()[-1]
        return last == "1" and _command(pid) == "sleep infinity" and parent not in ("0", "1") and _is_marked(parent)
    return False


def _command(pid: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def _listdir(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


_STRANGERS = _threads_of_the_kernel()
