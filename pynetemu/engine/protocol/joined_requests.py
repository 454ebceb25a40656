"""What processes that have joined a lab tell its engine, besides `engine.protocol.requests`."""

from pynetemu.engine.protocol.request import Request, request


@request
class TellEnd(Request[None]):
    """A program that another process has started in a node has ended; `pid` is its number there."""

    node: str
    pid: int
    argv: tuple[str, ...]
    status: int
