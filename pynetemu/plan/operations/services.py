"""Operations that start programs in nodes."""

from pynetemu.plan.operations.operation import Effect, operation


@operation
class AddHttpServer(Effect):
    """A web server whose page names its node; its listening socket is open before the lab is ready."""

    IDENTITY = "node", "name"

    node: str
    name: str
    port: int
    source: str = ""


@operation
class AddService(Effect):
    """A program that runs in the node from the start: a line for `sh`, run in `directory`.

    `ready` is "tcp:PORT", "udp:PORT", "prints:TEXT", "finished" or "" (as soon as it has started); it may take `timeout`
    seconds. `env` has "NAME=VALUE" of what is added to the environment. `user` is a name or a number, "" for root.
    """

    IDENTITY = "node", "name"

    node: str
    name: str
    command: str
    directory: str
    ready: str
    timeout: float
    env: tuple[str, ...]
    user: str = ""
    source: str = ""
