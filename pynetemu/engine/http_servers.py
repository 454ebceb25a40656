"""The lab's web servers: their sockets listen from the lab's first moment, their processes start with the first connection.

So a web server is ready when the lab is, and a thousand of them cost nothing until they are used.
"""

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pynetemu.engine.nodes import Nodes
from pynetemu.engine.processes import kill_group, open_log
from pynetemu.engine.protocol.requests import ServiceStatus
from pynetemu.errors import KernelError, LabError
from pynetemu.frozen import frozen
from pynetemu.plan.operations import AddHttpServer

if TYPE_CHECKING:
    from pynetemu.engine.loop import Loop, Steps

_PROGRAM = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "programs", "http_server.py")


@frozen
class _HttpServer:
    operation: AddHttpServer
    listener: socket.socket


class HttpServers:
    def __init__(self, loop: "Loop", nodes: Nodes) -> None:
        self._loop = loop
        self._nodes = nodes
        self._servers: list[_HttpServer] = []
        self._running: dict[int, _HttpServer] = {}

    def start(self, operation: AddHttpServer) -> "Steps[None]":
        """Opens a server's sockets, which is all that it takes; raises KernelError."""
        yield 0
        try:
            self._open(operation)
        except OSError as error:
            where = f"{operation.source}: " if operation.source else ""
            what = f"{operation.name}: cannot listen on port {operation.port} of {operation.node}"
            raise KernelError(f"{where}{what}: {error.strerror}") from error

    def stop(self, operation: AddHttpServer) -> None:
        """Closes its sockets, and ends its process if it has one."""
        for server in [server for server in self._servers if server.operation == operation]:
            self._servers.remove(server)
            for pid in [pid for pid, running in self._running.items() if running is server]:
                del self._running[pid]
                kill_group(pid)
                break
            else:
                self._loop.forget(server.listener.fileno())
            server.listener.close()

    def ended(self, statuses: Mapping[int, int]) -> Sequence[ServiceStatus]:
        """A server that has ended, say by `root pkill python3`, starts again with the next connection; nobody is told."""
        for pid in statuses:
            if server := self._running.pop(pid, None):
                if statuses[pid] > 0:
                    _refuse(server)
                self._await(server)
        return ()

    def _open(self, operation: AddHttpServer) -> None:
        node = self._nodes[operation.node]
        interfaces = [""]
        if self._nodes.host and node.kind == "root":  # on the machine itself: for the lab's own links only
            interfaces = [interface for interface in node.indexes if interface != "lo"]
        for interface in interfaces:
            server = _HttpServer(operation, self._listen(operation, interface))
            self._servers.append(server)
            self._await(server)

    def _listen(self, operation: AddHttpServer, interface: str) -> socket.socket:
        family = socket.AF_INET6 if os.path.exists("/proc/net/if_inet6") else socket.AF_INET
        listener = self._nodes.open_socket(operation.node, family, socket.SOCK_STREAM, 0)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if interface:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        listener.bind(("", operation.port))
        listener.listen(128)
        return listener

    def _await(self, server: _HttpServer) -> None:
        self._loop.watch(server.listener.fileno(), lambda: self._serve(server))

    def _serve(self, server: _HttpServer) -> None:
        """Starts the server's process for the connection that waits."""
        operation = server.operation
        self._loop.forget(server.listener.fileno())
        log = open_log(operation.node, operation.name)
        try:
            with self._loop.enter(operation.node):
                os.chdir("/")
                argv = [sys.executable, "-I", "-S", _PROGRAM, operation.node]
                pid = self._loop.processes.start_service(argv[0], argv, os.environ, log, server.listener.fileno())
            self._running[pid] = server
            self._loop.bound_log(pid, operation.node, operation.name)
        except (OSError, LabError) as error:
            os.write(log, f"{operation.name} cannot start: {error}\n".encode())
            _refuse(server)
            self._await(server)
        finally:
            os.close(log)


def _refuse(server: _HttpServer) -> None:
    """Ends the connection that waits, for which a server that fails would be started again and again."""
    server.listener.setblocking(False)
    with suppress(OSError):  # it has gone
        server.listener.accept()[0].close()
    server.listener.setblocking(True)
