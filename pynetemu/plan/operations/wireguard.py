"""Operations that make the ends of WireGuard tunnels."""

from pynetemu.plan.operations.operation import operation


@operation
class AddWireGuard:
    """A WireGuard interface, with a new private key; its other end is `peer_interface` of `peer_node`."""

    node: str
    interface: str
    port: int
    mtu: int
    peer_node: str
    peer_interface: str
    source: str = ""


@operation
class AddPeer:
    """Tells a WireGuard interface of its other end: that one's public key, and its address and port, "" to wait for it.

    All addresses are allowed inside. After `keepalive` seconds without traffic something is sent, 0 for never (wg(8)).
    """

    node: str
    interface: str
    peer_node: str
    peer_interface: str
    endpoint: str
    keepalive: int
    source: str = ""
