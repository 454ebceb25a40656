"""Pauses nodes and stops them, as machines are: their programs, and their links, since a kernel answers pings by itself.

running ── pause ──▶ paused ── resume ──▶ running
   └────── stop ───▶ stopped ── start ──▶ running, with the services of the description
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

from pynetemu.engine import syscalls
from pynetemu.engine.changes.switching import Place, Switching
from pynetemu.engine.loop import Steps
from pynetemu.engine.machine.machine import PROCESSES, Machine
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.errors import LabError

_SECONDS_BETWEEN_LOOKS = 0.002
_LOOPBACK = 1  # its index
_Services = Callable[[str], Steps[None]]


class Power:
    """`start_services` starts those of a node."""

    def __init__(self, nodes: Nodes, switching: Switching, start_services: _Services) -> None:
        self._nodes, self._switching = nodes, switching
        self._start_services = start_services
        self._down: dict[str, list[Place]] = {}  # what was up when a node was paused or stopped
        self._halted: dict[str, list[int]] = {}  # processes that were stopped before a pause already

    def states(self) -> dict[str, str]:
        """ "running", "paused" or "stopped" for every node of the lab."""
        return {name: node.state for name, node in self._nodes.items() if node.kind != "outside"}

    def set(self, name: str, wanted: str) -> Steps[None]:
        """Raises LabError for what a node cannot do in its state, and ServiceError."""
        node = self._nodes[name]
        if self._nodes.host and node.kind == "root":
            raise LabError(f"{name} is this machine itself, which a lab does not {wanted}")
        allowed = {"pause": "running", "resume": "paused", "stop": "running paused", "start": "stopped"}[wanted]
        if node.state not in allowed.split():
            raise LabError(f"{name} is {node.state}; `{wanted}` is for a node that is {' or '.join(allowed.split())}")
        yield from {"pause": self._pause, "resume": self._resume, "stop": self._stop, "start": self._start}[wanted](node)

    def _pause(self, node: Node) -> Steps[None]:
        if node.machine is not None:
            self._halted[node.name] = list(_stopped(node.machine))
            _signal_all(node.machine, signal.SIGSTOP, self._nodes)
        self._take_down(node)
        node.state = "paused"
        yield 0

    def _resume(self, node: Node) -> Steps[None]:
        node.state = "running"
        self._take_up(node)
        if node.machine is not None:
            _signal_all(node.machine, signal.SIGCONT, self._nodes)
            for pid in self._halted.pop(node.name, ()):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
        yield 0

    def _stop(self, node: Node) -> Steps[None]:
        """Init cannot end before all others in there are reaped, whose parents are we and those who have attached."""
        node.state = "stopped"
        self._halted.pop(node.name, None)
        if node.machine is not None:
            with suppress(ProcessLookupError):
                os.kill(node.machine.init, signal.SIGKILL)
            while not node.machine.has_ended():
                yield _SECONDS_BETWEEN_LOOKS
        self._take_down(node)

    def _start(self, node: Node) -> Steps[None]:
        node.state = "running"
        self._take_up(node)
        yield from self._start_services(node.name)

    def _take_down(self, node: Node) -> None:
        if node.name not in self._down:
            links = self._nodes.links(node.name)
            self._down[node.name] = [(node.name, link.name) for link in links if link.is_up and link.index != _LOOPBACK]
            self._switching.switch(self._down[node.name], up=False)

    def _take_up(self, node: Node) -> None:
        there = {link.name for link in self._nodes.links(node.name)}
        self._switching.switch([place for place in self._down.pop(node.name, ()) if place[1] in there], up=True)


def _signal_all(machine: Machine, number: int, nodes: Nodes) -> None:
    """Signals all programs of a node at once, also those that are just being started: kill(2) of -1, from inside."""
    descriptor = next(descriptor for descriptor, kind in machine.namespaces if kind == PROCESSES)
    home = [(own, kind) for own, kind in nodes.home if kind == PROCESSES]
    with syscalls.inside((descriptor, PROCESSES), home=tuple(home)):
        if (pid := os.fork()) == 0:
            with suppress(OSError):  # there is none
                os.kill(-1, number)
            os._exit(0)
    os.waitpid(pid, 0)


def _stopped(machine: Machine) -> Iterator[int]:
    """The processes of a node that somebody has stopped."""
    space = os.readlink(f"/proc/{machine.init}/ns/pid")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):  # it has gone
            if os.readlink(f"/proc/{pid}/ns/pid") == space:
                with open(f"/proc/{pid}/stat") as file:
                    state = file.read().rpartition(") ")[2][:1]
                if state == "T":
                    yield int(pid)
