"""From a fresh process to an engine inside a sandbox of its own.

    front ── unshare ──▶ init, PID 1 of the sandbox ──▶ engine, PID 2
      │                    │ reaps strangers              │ serves requests, starts the nodes' processes
      │ waits for init     │ ends with the engine, and when the user's process has gone

When PID 1 ends, the kernel kills every process of its PID namespace (pid_namespaces(7)); with the last process and the
engine's descriptors go all namespaces, links and mounts. The front ends after that: its end says that nothing is left.
"""

import errno
import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import NoReturn

from pynetemu.engine import syscalls
from pynetemu.engine.machine import chroot, skeleton
from pynetemu.engine.protocol.channel import Channel, ChannelClosed
from pynetemu.engine.protocol.envelope import Refusal, pack_refusal, unpack_request
from pynetemu.engine.protocol.requests import Join, Start

_OWN = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC
RANGE = "range"  # the step that needs newuidmap and a range of ids
PRIVILEGED = "privileged"  # the step that only root takes
_MILLISECONDS_TO_END = 2000
_NETWORK = syscalls.CLONE_NEWNET | syscalls.CLONE_NEWUTS


def main(descriptor: int) -> NoReturn:
    gc.disable()  # importing makes no garbage, and looking for it takes a twentieth of the start
    os.closerange(descriptor + 1, 1 << 20)  # what the user's process had left inheritable
    os.set_inheritable(descriptor, False)  # for us, not for the programs in nodes
    channel = Channel(socket.socket(fileno=descriptor))
    try:
        start = unpack_request(*channel.receive())
    except ChannelClosed:
        os._exit(1)
    assert isinstance(start, Start | Join)
    sys.path.extend(start.path)
    parent = _parent_of(start)
    if isinstance(start, Join):
        from pynetemu.engine import attach

        guard = _start_guard(channel, start, parent)
        _outlive(attach.join(channel, start, lambda: _die_with(start)), parent, guard)
    _start_sandbox(channel, start, parent)


def _start_sandbox(channel: Channel, start: Start, parent: int) -> NoReturn:
    guard = _start_guard(channel, start, parent)
    try:
        chroot.settle()
        in_user_namespace = _leave(start)
    except OSError as error:
        _refuse(channel, error, "unshare")
    if in_user_namespace and start.privileged:
        _refuse(channel, PermissionError(errno.EPERM, os.strerror(errno.EPERM)), PRIVILEGED)
    _die_with(start)
    if (init := os.fork()) == 0:
        _init(channel, parent, start, in_user_namespace)
    channel.close()
    _outlive(init, parent, guard)


def _parent_of(start: Start | Join) -> int:
    """A descriptor of the user's process, which becomes readable when that has ended (pidfd_open(2))."""
    parent = os.pidfd_open(start.client)
    if os.getppid() != start.client:
        os._exit(1)  # it has gone already, and the number may be another's
    return parent


def _start_guard(channel: Channel, start: Start | Join, parent: int) -> int | None:
    """Where we cannot die with the user's process, as below: a process that ends us if we do not end by ourselves when it has
    gone, since we are stopped. It dies with us."""
    if start.dies_with_parent:
        return None
    front = os.pidfd_open(os.getpid())
    if (guard := os.fork()) == 0:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        channel.close()
        _wait_for_end(front, parent, 2 * _MILLISECONDS_TO_END)
        os._exit(0)
    os.close(front)
    return guard


def _die_with(start: Start | Join) -> None:
    """From here on we die with the user's process, even while we are stopped; what we have started dies with us.

    For the end of a thread other than its first one the kernel would take us too: then the guard is there.
    """
    if start.dies_with_parent:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != start.client:
            os._exit(1)


def _outlive(child: int, parent: int, guard: int | None) -> NoReturn:
    """Waits for a child that ends when the user's process has gone."""
    with suppress(ProcessLookupError):  # what has joined a lab may have ended already, and nobody waits for it
        _wait_for_end(os.pidfd_open(child), parent, _MILLISECONDS_TO_END)
    status = 0
    with suppress(ChildProcessError):  # the kernel has reaped it
        _, status = os.waitpid(child, 0)
    if guard is not None:
        os.kill(guard, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(guard, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _wait_for_end(process: int, parent: int, milliseconds: int) -> None:
    """Waits for a process, and ends it when it does not end so soon after the user's process, since it is stopped."""
    events = select.poll()
    events.register(parent, select.POLLIN)
    events.register(process, select.POLLIN)
    if all(descriptor == parent for descriptor, _ in events.poll()):
        events.unregister(parent)
        if not events.poll(milliseconds):
            signal.pidfd_send_signal(process, signal.SIGKILL)


def _refuse(channel: Channel, error: OSError, step: str) -> NoReturn:
    refusal = Refusal("privilege", error.strerror or "", step=error.filename or step, errno=error.errno or 0)
    with suppress(ChannelClosed):  # who asked has gone
        channel.send(pack_refusal(refusal))
    os._exit(1)


def _leave(start: Start) -> bool:
    """Moves into new namespaces, in a new user namespace if there is no other way; true if so.

    A lab on the machine itself keeps its network and user namespace.
    """
    if start.host:
        from pynetemu.engine.privilege import check_network_is_ours

        check_network_is_ours()
        syscalls.unshare(_OWN)
        chroot.check()
        return False
    try:
        syscalls.unshare(_OWN | _NETWORK)
        chroot.check()
        return False
    except OSError as error:
        if error.errno != errno.EPERM or error.filename == chroot.STEP:
            raise
    if start.ids == "range":
        _leave_with_range()
    else:
        _leave_with_one_id()
    return True


def _leave_with_range() -> None:
    from pynetemu.engine.id_ranges import Mapper

    skeleton.note_owners()
    mapper = Mapper()
    try:
        syscalls.unshare(syscalls.CLONE_NEWUSER | _OWN | _NETWORK)
    except OSError:
        mapper.close()
        raise
    if failed := mapper.map():
        raise OSError(errno.EPERM, failed, RANGE)
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def _leave_with_one_id() -> None:
    user, group = os.getuid(), os.getgid()
    syscalls.unshare(syscalls.CLONE_NEWUSER | _OWN | _NETWORK)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {user} 1"),
        ("gid_map", f"0 {group} 1"),
    ):  # user_namespaces(7)
        try:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        except OSError as error:
            raise OSError(error.errno, error.strerror, name) from error


def _init(channel: Channel, parent: int, start: Start, in_user_namespace: bool) -> NoReturn:
    """PID 1: starts the engine, reaps, and ends with the engine or with the user's process."""
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    if (engine := os.fork()) == 0:
        os.close(wake_read)
        os.close(wake_write)
        _engine(channel, start, in_user_namespace)
    channel.close()
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    events = select.poll()
    events.register(parent, select.POLLIN)
    events.register(wake_read, select.POLLIN)
    while not any(descriptor == parent for descriptor, _ in events.poll()):
        os.read(wake_read, 4096)
        if engine in _reap():
            break
    os._exit(0)


def _reap() -> list[int]:
    ended: list[int] = []
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append(pid)


def _engine(channel: Channel, start: Start, in_user_namespace: bool) -> NoReturn:
    from pynetemu.engine import mounts, seccomp, server
    from pynetemu.engine.machine import guard
    from pynetemu.engine.machine.users import has_one_id

    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        mounts.make_private()
    except OSError as error:
        _refuse(channel, error, "mount")
    if in_user_namespace and has_one_id():
        seccomp.let_id_changes_pass()
    elif not in_user_namespace and not (start.host or start.privileged):
        guard.guard()
    gc.freeze()  # what has been imported stays, and need not be looked at again
    gc.enable()
    server.Server(channel, host=start.host).serve()
    os._exit(0)
