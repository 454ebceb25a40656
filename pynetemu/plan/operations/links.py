"""Operations on links: veth pairs and what is set at their ends."""

from pynetemu.plan.operations.operation import Effect, Thing, operation


@operation
class AddVeth(Effect):
    """A veth pair (veth(4)): `interface` in `node`, its other end `peer_interface` in `peer_node`; both still down.

    `mtu` is both ends' largest packet in bytes, 0 for the kernel's own 1500. A `relayed` one is two pairs, between whose
    inner ends the relay moves the frames. `name` is what the description calls it, "" for nothing.
    """

    IDENTITY = "node", "interface", "peer_node", "peer_interface"
    CHANGEABLE = "mtu", "relayed"
    INFORMS = ("name",)

    node: str
    interface: str
    mac: str
    peer_node: str
    peer_interface: str
    peer_mac: str
    mtu: int = 0
    relayed: bool = False
    name: str = ""
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return (self.node, self.interface), (self.peer_node, self.peer_interface)

    @property
    def needs(self) -> tuple[Thing, ...]:
        return (self.node,), (self.peer_node,)

    def turned(self) -> "AddVeth":
        """The same pair, beginning with its other end."""
        far, near = (self.peer_node, self.peer_interface, self.peer_mac), (self.node, self.interface, self.mac)
        return AddVeth(*far, *near, self.mtu, self.relayed, self.name, self.source)


@operation
class SetUp(Effect):
    """`ip link set INTERFACE up`. A `late` one waits for spanning trees, which will shut it: see plan.resolve.loops."""

    CHANGEABLE = ("late",)

    node: str
    interface: str
    late: bool = False
    source: str = ""

    @property
    def makes(self) -> tuple[Thing, ...]:
        return ((self.node, self.interface, "up"),)

    @property
    def needs(self) -> tuple[Thing, ...]:
        """What it is plugged into too: a bond takes no port that is up."""
        return (self.node, self.interface), (self.node, self.interface, "master")
