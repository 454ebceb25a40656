"""How commands begin, and what several topics have."""

from shlex import quote


def ip(node: str, root: str | None) -> str:
    """`ip` for a node; the node `root` is where the command is run."""
    return "ip" if node == root else f"ip -n {node}"


def tc(node: str, root: str | None) -> str:
    """`tc` for a node."""
    return "tc" if node == root else f"tc -n {node}"


def in_node(node: str, root: str | None) -> str:
    """What runs the rest of the line in a node."""
    return "" if node == root else f"ip netns exec {node} "


def delete(node: str, interface: str, root: str | None) -> str:
    """The command that deletes an interface."""
    return f"{ip(node, root)} link del dev {quote(interface)}"


def set_mtu(node: str, interface: str, mtu: int, root: str | None) -> str:
    """The command that sets an interface's largest packet, the kernel's own for 0."""
    return f"{ip(node, root)} link set dev {quote(interface)} mtu {mtu or 1500}"
