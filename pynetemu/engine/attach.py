"""A process of another terminal that joins a running lab, and starts programs in its nodes from there.

It must live in that terminal's session, since only then may the programs have the terminal; so it asks the lab's
engine for its namespaces, moves into them, and serves the same requests for processes as the engine does.
"""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from pynetemu.engine import nodes, seccomp, syscalls
from pynetemu.engine.loop import Loop
from pynetemu.engine.machine.machine import MOUNTS, NAMES, PROCESSES
from pynetemu.engine.protocol.channel import Channel, ChannelClosed, close_all, peer_user
from pynetemu.engine.protocol.envelope import Refusal, Refused, pack_refusal, pack_request, unpack_answer
from pynetemu.engine.protocol.requests import OpenLab, OpenNode, Request
from pynetemu.errors import LabError

A = TypeVar("A")


def main(channel: Channel, address: str) -> NoReturn:
    lab = Channel(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    try:
        lab.connection.connect("\0" + address)
        if peer_user(lab.connection) != os.getuid():
            raise ChannelClosed("another user listens there")
        own = _ask(lab, OpenLab())
    except Refused as refused:
        _give_up(channel, refused.refusal)
    except OSError:
        _give_up(channel, Refusal("lab", "the lab has ended"))
    own_user = os.stat("/proc/self/ns/user").st_ino == os.fstat(own.user).st_ino
    if not own_user:
        syscalls.setns(own.user, syscalls.CLONE_NEWUSER)
    syscalls.setns(own.pid, syscalls.CLONE_NEWPID)
    if (inner := os.fork()) == 0:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        for descriptor, kind in (
            (own.ipc, syscalls.CLONE_NEWIPC),
            (own.net, syscalls.CLONE_NEWNET),
            (own.uts, syscalls.CLONE_NEWUTS),
            (own.mnt, syscalls.CLONE_NEWNS),
        ):  # all of them: only into these we may come back from a node
            syscalls.setns(descriptor, kind)
        if not own_user:
            seccomp.let_id_changes_pass()
        _Joined(channel, lab).serve()
        os._exit(0)
    channel.close()
    lab.close()
    _, status = os.waitpid(inner, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _ask(lab: Channel, request: Request[A]) -> A:
    """Raises Refused, and ChannelClosed when the lab has ended."""
    lab.send(*pack_request(request))
    return unpack_answer(request, *lab.receive())


def _give_up(channel: Channel, refusal: Refusal) -> NoReturn:
    channel.send(pack_refusal(refusal))
    os._exit(1)


class _Joined(Loop):
    def __init__(self, channel: Channel, lab: Channel) -> None:
        super().__init__(channel, self._inside)
        self._lab = lab
        self._home = nodes.own_namespaces()

    @contextmanager
    def _inside(self, name: str) -> Iterator[None]:
        """Asked for each time: the node may have been started anew, or paused."""
        try:
            node = _ask(self._lab, OpenNode(name))
        except Refused as refused:
            raise LabError(str(refused)) from None
        namespaces = (node.net, nodes.NETWORK), (node.uts, NAMES), (node.pid, PROCESSES), (node.mnt, MOUNTS)
        try:
            with syscalls.inside(*namespaces, home=self._home):
                yield
        finally:
            close_all([descriptor for descriptor, _ in namespaces])
