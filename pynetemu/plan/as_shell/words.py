"""How commands begin."""


def ip(node: str, root: str | None) -> str:
    """`ip` for a node; the node `root` is where the command is run."""
    return "ip" if node == root else f"ip -n {node}"


def in_node(node: str, root: str | None) -> str:
    """What runs the rest of the line in a node."""
    return "" if node == root else f"ip netns exec {node} "
