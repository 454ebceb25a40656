"""Where a plan's links lead, and whose addresses are whose: what turns sightings into ways and addresses into names."""

from collections import Counter

from pynetemu.plan.operations import AddAddress, AddBridge, AddNode, AddVeth, NodeKind, Plan

Place = tuple[str, str]  # a node and one of its interfaces


class Wiring:
    """The links and addresses of a plan.

    wiring.peers["blue", "eth0"] == ("s1", "blue")
    wiring.name("10.0.0.2") == "blue"
    """

    def __init__(self, plan: Plan) -> None:
        self.kinds: dict[str, NodeKind] = {op.node: op.kind for op in plan.operations if isinstance(op, AddNode)}
        self.peers: dict[Place, Place] = {}
        self.bridges: set[Place] = {(op.node, op.interface) for op in plan.operations if isinstance(op, AddBridge)}
        owners: dict[str, set[str]] = {}
        self._macs: dict[str, str] = {}
        for op in plan.operations:
            if isinstance(op, AddVeth):
                self.peers[op.node, op.interface] = (op.peer_node, op.peer_interface)
                self.peers[op.peer_node, op.peer_interface] = (op.node, op.interface)
                self._macs |= {op.mac: op.node, op.peer_mac: op.peer_node}
            elif isinstance(op, AddAddress):
                owners.setdefault(str(op.address.ip), set()).add(op.node)
        self.owners = owners

    def add_address(self, node: str, address: str) -> None:
        """Learns an address that the plan does not have."""
        self.owners.setdefault(address, set()).add(node)

    def name(self, address: str) -> str:
        """The node that has an address; the address itself when none has it, or more than one."""
        owners = self.owners.get(address, set())
        return next(iter(owners)) if len(owners) == 1 else address

    def owner_of_mac(self, mac: str) -> str:
        return self._macs.get(mac, "")

    def order(self, nodes: Counter[str]) -> list[str]:
        """Nodes, most important first: those that carry most packets."""
        return [node for node, _ in nodes.most_common()]
