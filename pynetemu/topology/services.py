"""Programs that run in nodes from the lab's first moment."""

from pynetemu.topology.nodes import Node
from pynetemu.topology.part import Part


class HttpServer(Part):
    """A web server whose page names its node; it serves no files.

        blue_web = HttpServer(blue, port=8080)

    It listens on every address of the node, IPv4 and IPv6. `port` is 1 to 65535, by default 8080.
    """

    port: int = 8080

    def __init__(self, node: Node, *, port: int | None = None) -> None:
        self.node = node
        if port is not None:
            self.port = port
        if isinstance(node, Node):
            node.declaration.keep(self)
