"""Programs that run in nodes from the lab's first moment."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pynetemu.frozen import frozen
from pynetemu.topology.nodes import Node
from pynetemu.topology.part import Part, once


class HttpServer(Part):
    """A web server whose page names its node; it serves no files.

        blue_web = HttpServer(blue, port=8080)

    It listens on every address of the node, IPv4 and IPv6. `port` is 1 to 65535, by default 8080.
    """

    port: int = 8080

    def __init__(self, node: Node | str, *, port: int | None = None) -> None:
        self.node: Any = node
        if port is not None:
            self.port = port
        if isinstance(node, Node):
            node.declaration.keep(self)


@frozen
class Ready:
    """When a service counts as ready; made by `tcp`, `udp`, `prints` and `finished`."""

    kind: Literal["tcp", "udp", "prints", "finished"]
    value: object = ""


def tcp(port: int) -> Ready:
    """Ready when something in the node listens on this TCP port, on any of its addresses."""
    return Ready("tcp", port)


def udp(port: int) -> Ready:
    """Ready when something in the node is bound to this UDP port."""
    return Ready("udp", port)


def prints(text: str) -> Ready:
    """Ready when this text stands in the service's output."""
    return Ready("prints", text)


def finished() -> Ready:
    """Ready when the command has ended with status 0: for what prepares a node, before the services after it start."""
    return Ready("finished")


class Service(Part):
    """A program that runs in a node.

        web = Service(blue, "python3 -m http.server 9000", ready=tcp(9000))

    Services start in the order of the description, each when the one before is ready; the lab is up when all are.
    `command` is a line for `sh`, or a program and its arguments, run in the folder of the description's file. `ready` says
    when it is ready (by default once it has started), and `timeout` how many seconds that may take (10). `env` is added to the
    environment. `user` is a user of the node, by name or number, as whom it runs (root): for programs that refuse to be root,
    such as postgres.

    What it prints is kept: `logs web` in the shell, `net.log("web")` in Python.
    """

    ready: Ready | None = None
    timeout: float = 10.0
    user: str | int = "root"

    def __init__(
        self,
        node: Node | str,
        command: str | Sequence[str],
        *,
        ready: Ready | None = None,
        timeout: float | None = None,
        env: Mapping[str, str] | None = None,
        user: str | int | None = None,
    ) -> None:
        self.node: Any = node
        self.command: Any = _line(command)
        self.env: Any = {} if env is None else once(env)  # of type dict[str, str], where the user is right
        if ready is not None:
            self.ready = ready
        if timeout is not None:
            self.timeout = timeout
        if user is not None:
            self.user = user
        if isinstance(node, Node):
            node.declaration.keep(self)


def _line(command: object) -> object:
    """A program and its arguments as a line for `sh`; what is neither is found when the lab is planned."""
    if not isinstance(command, list | tuple) or not all(isinstance(word, str) for word in command):
        return command
    import shlex  # by few, and it brings `re`

    return shlex.join(command)
