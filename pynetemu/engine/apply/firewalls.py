"""Gives nodes their nftables rules, by nft(8): it is the one that knows the language, and its errors name line and column."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress

from pynetemu.engine import syscalls
from pynetemu.engine.nodes import NETWORK, Node, Nodes
from pynetemu.engine.packages import install
from pynetemu.engine.paths import search_path
from pynetemu.errors import KernelError
from pynetemu.plan.operations import AddRuleset
from pynetemu.plan.operations.steps import Replace, Undo

_AT = re.compile(r"/dev/stdin:(\d+):\d+(?:-\d+)?: (?:Error: )?(.*)")


def queue(operation: AddRuleset, nodes: Nodes) -> Node:
    """Raises KernelError with everything that nft refuses."""
    node = nodes[operation.node]
    load(operation, operation.text, node.network, nodes)
    return node


def queue_undo(_: Undo, operation: AddRuleset, nodes: Nodes) -> list[Node]:
    """Part by part, since one that has gone is not an error; a table goes with its last chain."""
    if (node := nodes.get(operation.node)) is None:
        return []
    for part in operation.parts:
        with suppress(KernelError):
            load(operation, f"delete {part}", node.network, nodes)
    for table in operation.tables if operation.chains else ():
        with suppress(KernelError):
            if "chain" not in load(operation, f"list table {table}", node.network, nodes):
                load(operation, f"delete table {table}", node.network, nodes)
    return []


def queue_replace(_: Replace, old: AddRuleset, new: AddRuleset, nodes: Nodes) -> list[Node]:
    """In one transaction, so that no packet passes in between; the lines of the text stay where they are."""
    gone = "".join(f"add {part}; delete {part}; " for part in old.parts)
    load(new, gone + new.text, nodes[new.node].network, nodes)
    return []


def load(operation: AddRuleset, text: str, network: int, nodes: Nodes) -> str:
    """Gives a text to nft in a network; gives back what it prints. Raises KernelError."""
    import subprocess

    try:
        with syscalls.inside((network, NETWORK), home=nodes.home[:1]):
            env = {**os.environ, "PATH": search_path(os.environ)}
            done = subprocess.run(["nft", "-s", "-f", "-"], input=text, capture_output=True, text=True, check=False, env=env)
    except FileNotFoundError:
        hint = f"the Debian package nftables has it: {install(['nftables'])}"
        what = f"{operation.name} of {operation.node} needs the program 'nft'"
        raise KernelError(f"{operation.source}: {what}\n    hint: {hint}") from None
    if done.returncode:
        raise KernelError("\n".join(_explain(operation, done.stderr)))
    return done.stdout


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
