"""Operations that make the ends of tunnels."""

from typing import Literal

from pynetemu.plan.operations.operation import Effect, Thing, operation
from pynetemu.plan.operations.values import Address

TunnelKind = Literal["vxlan", "gre", "ip6gre"]


@operation
class AddTunnel(Effect):
    """One end of a tunnel; `ip link add NAME type KIND SETTINGS local LOCAL remote REMOTE`.

    `settings` are words of ip-link(8), such as "id 10"; `mac` is "" for an end without one. The other end is
    `peer_interface` of `peer_node`, which is for people to know.
    """

    CHANGEABLE = ("mtu",)
    INFORMS = "peer_node", "peer_interface"

    node: str
    interface: str
    kind: TunnelKind
    settings: tuple[str, ...]
    local: Address
    remote: Address
    mac: str
    mtu: int
    peer_node: str
    peer_interface: str
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return ((self.node, self.interface),)

    @property
    def needs(self) -> tuple[Thing, ...]:
        return ((self.node,),)
