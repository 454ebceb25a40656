"""Operations that make the ends of WireGuard tunnels."""

from pynetemu.plan.operations.operation import Effect, Thing, operation


@operation
class AddWireGuard(Effect):
    """A WireGuard interface, with a new private key; its other end is `peer_interface` of `peer_node`."""

    CHANGEABLE = ("mtu",)
    INFORMS = "peer_node", "peer_interface"

    node: str
    interface: str
    port: int
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


@operation
class AddPeer(Effect):
    """Tells a WireGuard interface of its other end: that one's public key, and its address and port, "" to wait for it.

    All addresses are allowed inside. After `keepalive` seconds without traffic something is sent, 0 for never (wg(8)).
    """

    IDENTITY = "node", "interface", "peer_node", "peer_interface"

    node: str
    interface: str
    peer_node: str
    peer_interface: str
    endpoint: str
    keepalive: int
    source: str = ""

    @property
    def needs(self) -> tuple[Thing, ...]:
        return (self.node, self.interface), (self.peer_node, self.peer_interface)
