"""Operations that make links like real ones."""

from typing import Literal

from pynetemu.plan.operations.operation import Effect, Thing, operation

Mechanism = Literal["netem", "tbf", "filter", "relay"]


@operation
class Impair(Effect):
    """What a link does to the packets that `interface` of `node` sends to `peer_interface` of `peer_node`.

    `settings` are the words of `plan.shaping.impairment`: ("delay 20ms", "loss 0.5%"); none for a plain wire. `mechanism`
    does it: tc-netem(8) or tc-tbf(8) where they are sent, a filter that drops where they arrive, or the relay.
    """

    IDENTITY = "node", "interface"
    CHANGEABLE = "mechanism", "settings"

    node: str
    interface: str
    peer_node: str
    peer_interface: str
    mechanism: Mechanism
    settings: tuple[str, ...]
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return ((self.node, self.interface, "impairment"),)

    @property
    def needs(self) -> tuple[Thing, ...]:
        return (self.node, self.interface), (self.peer_node, self.peer_interface)
