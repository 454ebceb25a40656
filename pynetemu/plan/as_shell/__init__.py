"""A plan as the commands it stands for; the module named as an operation's topic prints it."""

from collections.abc import Callable, Iterator
from itertools import groupby

from pynetemu.plan.operations import AddHttpServer, AddNode, AddService, Operation, Plan, of_topic, parts_of
from pynetemu.plan.operations.operation import Effect

_HEAD = """\
#!/bin/sh
# {name} as ip commands, to run as root.{root}
{undo}set -eu
"""
_ROOT = " They add to the machine itself, which is the node {root}."
_LEFT_OUT = (AddHttpServer, AddService)
_Lines = Callable[[Effect, str | None], Iterator[str]]
_UNDO = "# Undo: for node in {nodes}; do ip netns delete $node; done\n"


def as_shell(plan: Plan) -> str:
    """A `sh` script that makes the same network without pynetemu.

    It runs in the network namespace that is to be the root. What it made goes with the namespaces that it added.
    """
    root = next((op.node for op in parts_of(plan) if isinstance(op, AddNode) and op.kind == "root"), None)
    added = [op.node for op in parts_of(plan) if isinstance(op, AddNode) and op.kind != "root"]
    head = _HEAD.format(
        name=plan.name,
        root=_ROOT.format(root=root) if root else "",
        undo=_UNDO.format(nodes=" ".join(added)) if added else "",
    )
    return head + "".join(_sections(plan, root))


def command(operation: Effect, root: str | None = None) -> str:
    """The command that does what an operation, or a step of a change, says; for the node `root`, it is one to run as it is.

    command(SetUp("blue", "veth_blue")) == "ip -n blue link set dev veth_blue up"
    """
    lines: _Lines = of_topic(__name__, type(operation), "lines")
    return next(lines(operation, root), "")


def commands(step: Effect, root: str | None = None) -> list[str]:
    """All that a step of a change stands for: more than one command for an operation that has several settings."""
    lines: _Lines = of_topic(__name__, type(step), "lines")
    return list(lines(step, root))


def _sections(plan: Plan, root: str | None) -> Iterator[str]:
    for kind, operations in groupby(plan.operations, key=type):
        titles: dict[type[Operation], str] = of_topic(__name__, kind, "TITLES")
        lines: _Lines = of_topic(__name__, kind, "in_script" if kind in _LEFT_OUT else "lines")
        yield f"\n# {titles[kind]}\n"
        for operation in operations:
            yield from (f"{line}\n" for line in lines(operation, root))
