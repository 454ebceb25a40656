"""Gives nodes their nftables rules, by nft(8): it is the one that knows the language, and its errors name line and column."""

import os
import re
from collections.abc import Iterator

from pynetemu.engine import syscalls
from pynetemu.engine.nodes import NETWORK, Node, Nodes
from pynetemu.engine.packages import install
from pynetemu.engine.paths import search_path
from pynetemu.errors import KernelError
from pynetemu.plan.operations import AddRuleset

_AT = re.compile(r"/dev/stdin:(\d+):\d+(?:-\d+)?: (?:Error: )?(.*)")


def queue(operation: AddRuleset, nodes: Nodes) -> Node:
    """Raises KernelError with everything that nft refuses."""
    import subprocess

    node = nodes[operation.node]
    try:
        with syscalls.inside((node.network, NETWORK), home=nodes.home[:1]):
            env = {**os.environ, "PATH": search_path(os.environ)}
            done = subprocess.run(
                ["nft", "-f", "-"], input=operation.text, capture_output=True, text=True, check=False, env=env
            )
    except FileNotFoundError:
        hint = f"the Debian package nftables has it: {install(['nftables'])}"
        what = f"{operation.name} of {operation.node} needs the program 'nft'"
        raise KernelError(f"{operation.source}: {what}\n    hint: {hint}") from None
    if done.returncode:
        raise KernelError("\n".join(_explain(operation, done.stderr)))
    return node


def _explain(operation: AddRuleset, errors: str) -> Iterator[str]:
    """nft's errors at the user's lines instead of its own; below each it shows the line and a mark, which we keep."""
    for line in errors.rstrip("\n").split("\n"):
        if at := _AT.match(line):
            yield f"{_users_line(operation, int(at[1]))}: {operation.name} of {operation.node}: {at[2]}"
        else:
            yield f"    {line.expandtabs(4)}"


def _users_line(operation: AddRuleset, line: int) -> str:
    file, _, number = operation.source.rpartition(":")
    if not operation.begin or line < operation.begin or not number.isdigit():
        return operation.source
    return f"{file}:{int(number) + line - operation.begin}"
