"""What nodes do to the packets that pass them: packet filters, and network address translation. Both are nftables rules."""

from collections.abc import Mapping
from typing import Any, Literal

from pynetemu.topology.links import Link
from pynetemu.topology.nodes import Interface, Node
from pynetemu.topology.part import Part, once


class Firewall(Part):
    """The packet filter of a node, in the words of nft(8).

        Firewall(r1, policy="drop", forward='''
            ct state established,related accept
            ip saddr 10.0.1.0/24 tcp dport 80 accept
        ''')

    `input`, `forward` and `output` are the rules for what is for the node itself, what passes it, and what comes from it,
    one a line. What no rule decides on, the `policy` of these chains does: "accept" (the default) or "drop". `ruleset` is
    for anything else: whole tables, as in a file for `nft -f`. Rules are checked by nft, whose words are told with the line.
    """

    policy: Literal["accept", "drop"] = "accept"

    def __init__(
        self,
        node: Node | str,
        ruleset: str = "",
        *,
        input: str = "",
        forward: str = "",
        output: str = "",
        policy: Literal["accept", "drop"] | None = None,
    ) -> None:
        self.node: Any = node
        self.ruleset = ruleset
        self.chains = {"input": input, "forward": forward, "output": output}
        if policy is not None:
            self.policy = policy
        if isinstance(node, Node):
            node.declaration.keep(self)


class Nat(Part):
    """Network address translation: what leaves a node by one of its interfaces gets the address of that interface.

        Nat(gateway, outside=uplink, forwards={8080: (web, 80), "udp/53": (names, 53)})

    `outside` is that interface, or the link that it is an end of. `forwards` are the ports of the outside that lead in: for
    each port, of TCP or as "udp/53", the host behind the node, or its address, and the port there. Nodes outside get no
    routes to what is behind.
    """

    def __init__(
        self,
        node: Node | str,
        outside: Interface | Link,
        *,
        forwards: Mapping[int | str, tuple[Node | str, int]] | None = None,
    ) -> None:
        self.node: Any = node
        self.outside = outside
        self.forwards: Any = {} if forwards is None else once(forwards)
        if isinstance(node, Node):
            node.declaration.keep(self)
