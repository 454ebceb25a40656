"""The lab's services: programs that start with it, one after the other, each when the one before is ready."""

import json
import os
import re
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from pynetemu.engine import syscalls
from pynetemu.engine.machine.machine import number_inside
from pynetemu.engine.machine.users import find_user
from pynetemu.engine.nodes import NETWORK, Nodes
from pynetemu.engine.paths import search_path, without_personal
from pynetemu.engine.processes import kill_group, log_file, open_log
from pynetemu.engine.protocol.codec import to_data
from pynetemu.engine.protocol.requests import ServiceStatus
from pynetemu.errors import CommandError, ServiceError
from pynetemu.plan.operations import AddService
from pynetemu.safe_text import printable

if TYPE_CHECKING:
    from pynetemu.engine.loop import Loop, Steps

_SECONDS_BETWEEN_LOOKS = 0.005
_LINES_TOLD, _BYTES_TOLD = 10, 16 << 10
_STATES = {
    "tcp": "0A",
    "udp": "07",
}  # TCP_LISTEN and TCP_CLOSE in net/tcp_states.h, as /proc/net/tcp and /proc/net/udp write them
_UNBUFFERED = {"PYTHONUNBUFFERED": "1"}  # else what Python prints into a file comes late, or never
_PROGRAM = r"\s*(?:\w+=\S*\s+)*([\w./+-]+)(?=[\s;&|<>]|$)"
# Words that sh knows itself (dash(1)).
_OF_SH = frozenset(
    ". : [ alias bg break case cd command continue echo eval exec exit export false fg for getopts hash if jobs kill local "  # noqa: SIM905
    "printf pwd read readonly return set shift test times trap true type ulimit umask unalias unset until wait while".split()
)


class _Service:
    def __init__(self, operation: AddService, pid: int, others: frozenset[str], written: int) -> None:
        self.operation, self.pid = operation, pid  # its number in the node
        self.status: int | None = None  # None while it runs
        self.others = others  # the sockets of others at the port that it is to listen at
        self._written = written  # how far its log has been read
        self._end = b""  # of that, which may be half of a text

    def prints(self, text: str) -> bool:
        """Whether a text is in what it has printed since this was asked last."""
        wanted = text.encode()
        with open(log_file(self.operation.node, self.operation.name), "rb") as file:
            file.seek(self._written)
            new = self._end + file.read()
        self._written += len(new) - len(self._end)
        self._end = new[-len(wanted) :]
        return wanted in new

    def state(self) -> ServiceStatus:
        return ServiceStatus(self.operation.node, self.operation.name, self.pid, self.status)


class Services:
    """The running services; those who watch are told when one ends."""

    def __init__(self, loop: "Loop", nodes: Nodes) -> None:
        self._loop = loop
        self._nodes = nodes
        self._services: dict[int, _Service] = {}  # by the number of its process, outside the node
        self._watchers: list[socket.socket] = []

    def start(self, operation: AddService) -> "Steps[None]":
        """Raises ServiceError for one that does not become ready."""
        yield from self._wait_until_ready(self._start(operation))

    def stop(self, operation: AddService) -> None:
        """Kills a service with its process group; nobody is told, since it is meant."""
        for pid in [pid for pid, service in self._services.items() if service.operation == operation]:
            if self._services.pop(pid).status is None:
                kill_group(pid)

    def states(self) -> list[ServiceStatus]:
        """How each service is."""
        return [service.state() for service in self._services.values()]

    def watch(self, watcher: socket.socket) -> None:
        """From now on each end of a service is one packet there."""
        self._watchers.append(watcher)

    def ended(self, statuses: Mapping[int, int]) -> list[ServiceStatus]:
        """Tells those who watch; gives back the services that have ended."""
        ended = []
        for job in statuses.keys() & self._services.keys():
            service = self._services[job]
            service.status = statuses[job]
            ended.append(service.state())
            if not (service.operation.ready == "finished" and service.status == 0):
                self.tell(service.state())
        return ended

    def tell(self, status: ServiceStatus) -> None:
        """Tells those who watch, of a process of the lab's own too."""
        for watcher in self._watchers:
            with suppress(OSError):  # nobody reads there any more
                watcher.send(json.dumps(to_data(status, [])).encode(), socket.MSG_DONTWAIT)

    def _start(self, operation: AddService) -> _Service:
        added = dict(variable.split("=", 1) for variable in operation.env)
        usual = {**os.environ, **_UNBUFFERED, "PATH": search_path(os.environ)}
        others = self._sockets(operation)
        log = open_log(operation.node, operation.name)
        written = os.lseek(log, 0, os.SEEK_END)
        try:
            with self._loop.enter(operation.node):
                os.chdir(operation.directory)
                user = find_user(operation.user, operation.node) if operation.user else None
                env = {**(without_personal(usual) | user.env if user else usual), **added}
                _check_program(operation, env["PATH"])
                argv = ["sh", "-c", operation.command]
                job = self._loop.processes.start_service("/bin/sh", argv, env, log, user=user)
        except CommandError as error:
            raise ServiceError(f"{_what(operation)} cannot start: {error}") from error
        except OSError as error:
            raise ServiceError(f"{_what(operation)} cannot start: {error.filename}: {error.strerror}") from error
        finally:
            os.close(log)
        self._services[job] = service = _Service(operation, number_inside(job), others, written)
        self._loop.bound_log(job, operation.node, operation.name)
        return service

    def _wait_until_ready(self, service: _Service) -> "Steps[None]":
        operation = service.operation
        end = time.monotonic() + operation.timeout
        while not self._is_ready(service):
            if service.status is not None:
                why = f"ended with status {service.status} before it was ready{_output(operation)}"
                raise ServiceError(f"{_what(operation)} {why}{_hint(service)}")
            if time.monotonic() > end:
                late = f"is not ready ({operation.ready}) after {operation.timeout:g} s"
                raise ServiceError(f"{_what(operation)} {late}{_output(operation)}{_hint(service)}")
            yield _SECONDS_BETWEEN_LOOKS

    def _is_ready(self, service: _Service) -> bool:
        kind, _, value = service.operation.ready.partition(":")
        match kind:
            case "tcp" | "udp":
                return not self._sockets(service.operation) <= service.others
            case "prints":
                return service.prints(value)
            case "finished":
                return service.status == 0
        return True

    def _sockets(self, operation: AddService) -> frozenset[str]:
        """The sockets at the port that a service is to listen at, by their inodes.

        The node's own tables tell (proc_net(5)), so that a server that counts connections is not disturbed.
        """
        kind, _, port = operation.ready.partition(":")
        if kind not in _STATES:
            return frozenset()
        found = set()
        with syscalls.inside((self._nodes[operation.node].network, NETWORK), home=self._nodes.home[:1]):
            for table in (kind, f"{kind}6"):
                with suppress(FileNotFoundError), open(f"/proc/thread-self/net/{table}") as lines:
                    for _, local, _, state, *others in (line.split() for line in list(lines)[1:]):
                        if state == _STATES[kind] and int(local.rpartition(":")[2], 16) == int(port):
                            found.add(others[5])
        return frozenset(found)


def _what(operation: AddService) -> str:
    where = f"{operation.source}: " if operation.source else ""
    return f"{where}the service {operation.name} of {operation.node}"


def _check_program(operation: AddService, path: str) -> None:
    """Whether the node has the program that the command begins with; raises ServiceError."""
    import shutil  # takes long to import, and most labs have no services

    found = re.match(_PROGRAM, operation.command)
    if found and found[1] not in _OF_SH and shutil.which(found[1], path=path) is None and not os.path.exists(found[1]):
        from pynetemu.engine.packages import missing_program

        raise ServiceError(f"{_what(operation)} cannot start: {missing_program(found[1], operation.node)}")


def _hint(service: _Service) -> str:
    """What often is the matter with a service that was not ready."""
    kind, _, value = service.operation.ready.partition(":")
    hint = ""
    if service.others:
        hint = f"another program of {service.operation.node} has {kind} port {value} already"
    elif service.status == 0:
        hint = "it went to the background, or ended: a service stays in the foreground; ready=finished() is for what ends"
    elif kind == "prints" and service.status is None:
        hint = "many programs buffer what they print to a file: try `stdbuf -oL COMMAND`, or ready=tcp(PORT)"
    return f"\n    hint: {hint}" if hint else ""


def _output(operation: AddService) -> str:
    """The end of what it printed, to go with an error."""
    with open(log_file(operation.node, operation.name), "rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - _BYTES_TOLD, 0))
        lines = file.read().decode(errors="replace").splitlines()[-_LINES_TOLD:]
    return "; it printed:" + "".join(f"\n    {printable(line)}" for line in lines) if lines else "; it printed nothing"
