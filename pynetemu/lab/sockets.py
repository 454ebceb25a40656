"""Sockets that live in many nodes: for traces and pings, which have one in each."""

import socket
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pynetemu.engine.protocol.channel import MOST_DESCRIPTORS
from pynetemu.engine.protocol.joined_requests import OpenSockets

if TYPE_CHECKING:
    from pynetemu.lab.lab import Lab


def open_sockets(
    lab: "Lab", nodes: Iterable[str], family: int, kind: int, protocol: int
) -> Iterator[tuple[str, socket.socket]]:
    """Opens a socket in each of the nodes, as many in a request as a message has room for; they become the caller's."""
    names = list(nodes)
    for start in range(0, len(names), MOST_DESCRIPTORS):
        some = tuple(names[start : start + MOST_DESCRIPTORS])
        opened = lab.control.ask(OpenSockets(some, family, kind, protocol))
        yield from zip(some, [socket.socket(fileno=descriptor) for descriptor in opened], strict=True)
