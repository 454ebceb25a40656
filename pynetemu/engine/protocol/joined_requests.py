"""What processes of other terminals and traces ask a lab's engine for, besides `engine.protocol.requests`."""

from pynetemu.engine.protocol.codec import Descriptor
from pynetemu.engine.protocol.request import Request, request


@request
class TellEnd(Request[None]):
    """A program that another process has started in a node has ended; `pid` is its number there."""

    node: str
    pid: int
    argv: tuple[str, ...]
    status: int


@request
class EndLab(Request[None]):
    """End the lab, with all that runs in it; whoever is connected sees that."""


@request
class ReadSettings(Request[dict[str, dict[str, str]]]):
    """The settings of sysctl(8) that nodes have otherwise than a new network has them, by their paths below net."""

    nodes: tuple[str, ...]


@request
class ReadRulesets(Request[dict[str, tuple[str, ...]]]):
    """The rules of nftables that are described for nodes, and those that they have, as nft(8) lists them."""

    nodes: tuple[str, ...]


@request
class OpenSockets(Request[tuple[Descriptor, ...]]):
    """What OpenSocket asks for, of several nodes, as many as a message has descriptors."""

    nodes: tuple[str, ...]
    family: int
    kind: int
    protocol: int
