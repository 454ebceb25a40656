"""A process of another terminal that joins a running lab, and starts programs in its nodes from there.

It must live in that terminal's session, since only then may the programs have the terminal; so it asks the lab's
engine for its namespaces, moves into them, and serves the same requests for processes as the engine does.
"""

import os
import signal
import socket
from contextlib import AbstractContextManager
from typing import NoReturn

from pynetemu.engine import nodes, seccomp, syscalls
from pynetemu.engine.channel import Channel, ChannelClosed, peer_user
from pynetemu.engine.loop import Loop

_OTHERS = (syscalls.CLONE_NEWIPC, syscalls.CLONE_NEWNET, syscalls.CLONE_NEWUTS, syscalls.CLONE_NEWNS)


def main(channel: Channel, address: str) -> NoReturn:
    lab = Channel(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    try:
        lab.connection.connect("\0" + address)
        if peer_user(lab.connection) != os.getuid():
            raise ChannelClosed("another user listens there")
        lab.send({"do": "namespaces"})
        _, (user, pids, *others) = lab.receive()
    except (OSError, ChannelClosed):
        channel.send({"error": "lab", "message": "the lab has ended"})
        os._exit(1)
    own_user = os.stat("/proc/self/ns/user").st_ino == os.fstat(user).st_ino
    if not own_user:
        syscalls.setns(user, syscalls.CLONE_NEWUSER)
    syscalls.setns(pids, syscalls.CLONE_NEWPID)
    if (inner := os.fork()) == 0:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        for descriptor, kind in zip(others, _OTHERS, strict=True):  # all of them: only into these we may come back from a node
            syscalls.setns(descriptor, kind)
        if not own_user:
            seccomp.let_id_changes_pass()
        _Joined(channel, lab).serve()
        os._exit(0)
    channel.close()
    lab.close()
    _, status = os.waitpid(inner, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


class _Joined(Loop):
    def __init__(self, channel: Channel, lab: Channel) -> None:
        super().__init__(channel, self._inside)
        self._lab = lab
        self._home = nodes.own_namespaces()
        self._views: dict[str, nodes.Namespaces] = {}

    def _inside(self, name: str) -> AbstractContextManager[None]:
        if name not in self._views:
            self._lab.send({"do": "view", "node": name})
            _, descriptors = self._lab.receive()
            kinds = nodes.NETWORK, nodes.NAMES, nodes.MOUNTS
            self._views[name] = tuple(zip(descriptors, kinds, strict=True))
        return syscalls.inside(*self._views[name], home=self._home)
