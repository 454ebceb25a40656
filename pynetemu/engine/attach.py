"""A process of another terminal that joins a running lab, and starts programs in its nodes from there.

It must live in that terminal's session, since only then may the programs have the terminal; so it asks the lab's
engine for its namespaces, moves into them, and serves the same requests for processes as the engine does.
"""

import gc
import os
import signal
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, TypeVar

from pynetemu.engine import nodes, seccomp, syscalls
from pynetemu.engine.loop import Loop
from pynetemu.engine.machine import guard
from pynetemu.engine.machine.machine import MOUNTS, NAMES, PROCESSES
from pynetemu.engine.machine.users import has_one_id
from pynetemu.engine.protocol.channel import Channel, ChannelClosed, close_all, peer_user
from pynetemu.engine.protocol.envelope import Refusal, Refused, pack_refusal, pack_request, unpack_answer
from pynetemu.engine.protocol.joined_requests import TellEnd
from pynetemu.engine.protocol.requests import Join, OpenLab, OpenNode, Request, Spawn
from pynetemu.errors import LabError

A = TypeVar("A")
_ENGINE = 2  # its number in the lab
_PATIENCE = 5  # seconds for an answer of the engine, which takes milliseconds
_SILENT = "the lab does not answer: it is stopped, or very busy"
_ENDED = "the lab has ended"


def join(channel: Channel, start: Join, die_with_parent: Callable[[], None]) -> int:
    """Starts the process that lives in the lab; gives its number. What dies with the parent is the calling process."""
    lab = _Engine()
    try:
        lab.connect(start.address)
        own = lab.ask(OpenLab())
    except LabError as error:
        _give_up(channel, Refusal("lab", str(error)))
    own_user = os.stat("/proc/self/ns/user").st_ino == os.fstat(own.user).st_ino
    if not own_user:
        syscalls.setns(own.user, syscalls.CLONE_NEWUSER)
    syscalls.setns(own.pid, syscalls.CLONE_NEWPID)
    die_with_parent()  # said here, since the kernel forgets it where a process enters a user namespace
    if (inner := os.fork()) == 0:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        for descriptor, kind in (
            (own.ipc, syscalls.CLONE_NEWIPC),
            (own.net, syscalls.CLONE_NEWNET),
            (own.uts, syscalls.CLONE_NEWUTS),
            (own.mnt, syscalls.CLONE_NEWNS),
        ):  # all of them: only into these we may come back from a node
            syscalls.setns(descriptor, kind)
        if not own_user and has_one_id():
            seccomp.let_id_changes_pass()
        elif own_user and guard.is_guarded(_ENGINE):
            guard.guard()
        gc.enable()
        _Joined(channel, lab).serve()
        os._exit(0)
    # The lab's init ends when all of its PID namespace are reaped, which must not wait for us: we may be stopped.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    channel.close()
    lab.close()
    return inner


class _Engine:
    """The lab's engine, which may be stopped, or be gone: both are told (LabError)."""

    def __init__(self) -> None:
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for limit in socket.SO_SNDTIMEO, socket.SO_RCVTIMEO:  # of connect(2) too, where the queue of those who wait is full
            self._connection.setsockopt(socket.SOL_SOCKET, limit, struct.pack("ll", _PATIENCE, 0))
        self._channel = Channel(self._connection)
        self._number = 0  # of the last request: the answer to one that was given up may still come

    def connect(self, address: str) -> None:
        try:
            self._connection.connect(b"\0" + address.encode("utf-8", "surrogateescape"))
        except BlockingIOError:
            raise LabError(_SILENT) from None
        except OSError:
            raise LabError(_ENDED) from None
        if peer_user(self._connection) != os.getuid():
            raise LabError("another user listens in the lab's place")

    def ask(self, request: Request[A]) -> A:
        self._number += 1
        try:
            self._channel.send(*pack_request(request, self._number))
            message, descriptors = self._channel.receive()
            while message.get("number") not in (None, self._number):
                close_all(descriptors)
                message, descriptors = self._channel.receive()
            return unpack_answer(request, message, descriptors)
        except Refused as refused:
            raise LabError(str(refused)) from None
        except BlockingIOError:
            raise LabError(_SILENT) from None
        except ChannelClosed as error:
            raise LabError(_SILENT if isinstance(error.__cause__, BlockingIOError) else _ENDED) from None

    def close(self) -> None:
        self._connection.close()


def _give_up(channel: Channel, refusal: Refusal) -> NoReturn:
    with suppress(ChannelClosed):  # who asked has gone
        channel.send(pack_refusal(refusal))
    os._exit(1)


class _Joined(Loop):
    def __init__(self, channel: Channel, lab: _Engine) -> None:
        super().__init__(channel, self._inside)
        self._lab = lab
        self._home = nodes.own_namespaces()

    def program_ended(self, request: Spawn, pid: int, status: int) -> None:
        with suppress(LabError):  # it has ended, or does not answer
            self._lab.ask(TellEnd(request.node, pid, request.argv, status))

    @contextmanager
    def _inside(self, name: str) -> Iterator[None]:
        """Asked for each time: the node may have been started anew, or paused."""
        node = self._lab.ask(OpenNode(name))
        namespaces = (node.net, nodes.NETWORK), (node.uts, NAMES), (node.pid, PROCESSES), (node.mnt, MOUNTS)
        try:
            with syscalls.inside(*namespaces, home=self._home):
                yield
        finally:
            close_all([descriptor for descriptor, _ in namespaces])
