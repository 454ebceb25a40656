"""Takes interfaces down and up again, so that they are afterwards what they were before."""

from collections.abc import Sequence

from pynetemu.engine.apply.links import queue_up
from pynetemu.engine.changes import kept
from pynetemu.engine.netlink import Refused
from pynetemu.engine.nodes import Node, Nodes
from pynetemu.errors import KernelError, LabError
from pynetemu.wording import near_or_all

Place = tuple[str, str]  # a node and one of its interfaces


class Switching:
    """Keeps, of interfaces that are down, what the kernel has forgotten with them, whoever takes them up again."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes
        self._forgotten: dict[tuple[str, int], list[kept.Message]] = {}  # by node and index

    def switch(self, places: Sequence[Place], up: bool) -> None:
        """Raises LabError for an interface that is not there, before anything is done; KernelError for what is refused."""
        found = [self._find(*place) for place in places]
        if not up:
            for node, index in found:
                if messages := kept.what_goes_with(node, index):
                    self._forgotten[node.name, index] = messages
        for (node, index), (_, interface) in zip(found, places, strict=True):
            queue_up(node.link, None, index, up)
            try:
                node.link.flush()
            except Refused as refused:
                raise KernelError(f"{node.name}: the kernel refused to set {interface}: {refused.reason}") from refused
        for node, index in found if up else ():
            kept.set_again(node, self._forgotten.pop((node.name, index), ()))

    def _find(self, name: str, interface: str) -> tuple[Node, int]:
        indexes = {link.name: link.index for link in self._nodes.links(name)}
        if interface not in indexes:
            raise LabError(
                f"{name} has no interface {interface!r}; {near_or_all(interface, [n for n in indexes if n != 'lo'])}"
            )
        return self._nodes[name], indexes[interface]
