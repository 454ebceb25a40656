"""The services of a description: looked up, and checked for ports and names taken twice."""

import os
from itertools import count

from pynetemu.plan.problems import Problems
from pynetemu.plan.resolve.network import ResolvedHttpServer, ResolvedNode, ResolvedService
from pynetemu.plan.resolve.references import Resolver
from pynetemu.plan.values import (
    read_command,
    read_environment,
    read_port,
    read_ready,
    read_seconds,
    read_service_name,
    read_user,
)
from pynetemu.topology.part import Declaration
from pynetemu.topology.services import HttpServer, Service


class Services:
    """What has been read so far, by node."""

    def __init__(self, resolver: Resolver, problems: Problems) -> None:
        self._resolver = resolver
        self._problems = problems
        self._ports: dict[tuple[str, int], Declaration] = {}
        self._services: dict[tuple[str, str], Declaration] = {}

    def read(self, part: HttpServer | Service) -> ResolvedHttpServer | ResolvedService | None:
        """A service on its node; None when something is wrong, which is noted."""
        return self._http_server(part) if isinstance(part, HttpServer) else self._service(part)

    def _http_server(self, part: HttpServer) -> ResolvedHttpServer | None:
        declaration = part.declaration
        port = self._problems.check(declaration, read_port, part.port)
        node = self._node_of_service(part)
        if node is None or port is None:
            return None
        name = self._service_name(node, declaration, f"http-{port}")
        first = self._ports.setdefault((node.name, port), declaration)
        if first is not declaration:
            self._problems.add(declaration, f"port {port} of {node.name} is taken", f"the other is at {first.where}")
        return ResolvedHttpServer(node, name, port, declaration.where)

    def _service(self, part: Service) -> ResolvedService | None:
        declaration, check = part.declaration, self._problems.check
        node = self._node_of_service(part)
        if declaration.refused:
            return None
        command = check(declaration, read_command, part.command)
        ready = "" if part.ready is None else check(declaration, read_ready, part.ready)
        timeout = check(declaration, read_seconds, part.timeout)
        env = check(declaration, read_environment, part.env)
        user = check(declaration, read_user, part.user)
        if node is None or command is None or ready is None or timeout is None or env is None or user is None:
            return None
        name = self._service_name(node, declaration, command.split()[0].rpartition("/")[2])
        directory = os.path.dirname(os.path.abspath(declaration.file))
        return ResolvedService(node, name, command, directory, ready, timeout, env, user, declaration.where)

    def _node_of_service(self, part: HttpServer | Service) -> ResolvedNode | None:
        if part.declaration.refused:
            return None
        return self._resolver.find_node(getattr(part, "node", None), part.declaration, "the node of this service")

    def _service_name(self, node: ResolvedNode, declaration: Declaration, usual: str) -> str:
        """The name that it was given, or the usual one; its log is kept under it."""
        if declaration.name != "":
            name = self._problems.check(declaration, read_service_name, declaration.name) or ""
        else:
            plain = "".join(sign if sign.isalnum() else "-" for sign in usual).strip("-") or "service"
            tries = (plain if number == 1 else f"{plain}-{number}" for number in count(1))
            name = next(name for name in tries if (node.name, name) not in self._services)
        first = self._services.setdefault((node.name, name), declaration)
        if first is not declaration:
            text = f"{node.name} has a service {name!r} already"
            self._problems.add(declaration, text, f"the other is at {first.where}; its name is that of its log")
        return name
