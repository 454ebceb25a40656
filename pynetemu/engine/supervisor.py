"""The lab's services: programs that start with it, one after the other, each when the one before is ready."""

import json
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from pynetemu.engine import syscalls
from pynetemu.engine.machine.machine import number_inside
from pynetemu.engine.nodes import NETWORK, Nodes
from pynetemu.engine.paths import search_path
from pynetemu.engine.processes import kill_group, log_file, open_log
from pynetemu.engine.protocol.codec import to_data
from pynetemu.engine.protocol.requests import ServiceStatus
from pynetemu.errors import ServiceError
from pynetemu.plan.operations import AddService
from pynetemu.safe_text import printable

if TYPE_CHECKING:
    from pynetemu.engine.loop import Loop, Steps

_SECONDS_BETWEEN_LOOKS = 0.005
_LINES_TOLD = 10
_LISTENING, _BOUND = "0A", "07"  # TCP_LISTEN and TCP_CLOSE in net/tcp_states.h, as /proc/net/tcp and /proc/net/udp write them


class _Service:
    def __init__(self, operation: AddService, pid: int) -> None:
        self.operation, self.pid = operation, pid  # its number in the node
        self.status: int | None = None  # None while it runs

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
        log = open_log(operation.node, operation.name)
        try:
            with self._loop.enter(operation.node):
                os.chdir(operation.directory)
                argv = ["sh", "-c", operation.command]
                job = self._loop.processes.start_service(
                    "/bin/sh", argv, {**os.environ, "PATH": search_path(os.environ), **added}, log
                )
        except OSError as error:
            raise ServiceError(f"{_what(operation)} cannot start: {error.filename}: {error.strerror}") from error
        finally:
            os.close(log)
        self._services[job] = service = _Service(operation, number_inside(job))
        return service

    def _wait_until_ready(self, service: _Service) -> "Steps[None]":
        operation = service.operation
        end = time.monotonic() + operation.timeout
        while not self._is_ready(service):
            if service.status is not None:
                raise ServiceError(
                    f"{_what(operation)} ended with status {service.status} before it was ready{_output(operation)}"
                )
            if time.monotonic() > end:
                late = f"is not ready ({operation.ready}) after {operation.timeout:g} s"
                raise ServiceError(f"{_what(operation)} {late}{_output(operation)}")
            yield _SECONDS_BETWEEN_LOOKS

    def _is_ready(self, service: _Service) -> bool:
        kind, _, value = service.operation.ready.partition(":")
        match kind:
            case "tcp":
                return self._has_socket(service.operation.node, ("tcp", "tcp6"), int(value), _LISTENING)
            case "udp":
                return self._has_socket(service.operation.node, ("udp", "udp6"), int(value), _BOUND)
            case "prints":
                return value in _log(service.operation)
            case "finished":
                return service.status == 0
        return True

    def _has_socket(self, node: str, tables: tuple[str, ...], port: int, state: str) -> bool:
        """Looks into the node's own tables (proc_net(5)), so that a server that counts connections is not disturbed."""
        with syscalls.inside((self._nodes[node].network, NETWORK), home=self._nodes.home[:1]):
            for table in tables:
                with suppress(FileNotFoundError), open(f"/proc/thread-self/net/{table}") as lines:
                    for _, local, _, theirs, *_ in (line.split() for line in list(lines)[1:]):
                        if theirs == state and int(local.rpartition(":")[2], 16) == port:
                            return True
        return False


def _what(operation: AddService) -> str:
    where = f"{operation.source}: " if operation.source else ""
    return f"{where}the service {operation.name} of {operation.node}"


def _log(operation: AddService) -> str:
    with open(log_file(operation.node, operation.name), encoding="utf-8", errors="replace") as file:
        return file.read()


def _output(operation: AddService) -> str:
    """The end of what it printed, to go with an error."""
    lines = _log(operation).splitlines()[-_LINES_TOLD:]
    return "; it printed:" + "".join(f"\n    {printable(line)}" for line in lines) if lines else "; it printed nothing"
