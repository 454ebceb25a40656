"""The user's file as every verb reads it: its parameters, its plan, and the warnings about it."""

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from pynetemu.frozen import replaced
from pynetemu.shell.topics import TOPIC_OF
from pynetemu.terminal_output import wrapped

if TYPE_CHECKING:
    from pynetemu.lab.connection import Sandbox
    from pynetemu.network.network import Network
    from pynetemu.plan.operations import Plan
    from pynetemu.topology import Topology


def add_description(
    parser: argparse.ArgumentParser, metavar: str = "FILE[:CLASS]", what: str = "a Python file with a Topology"
) -> None:
    parser.add_argument("file", metavar=metavar, help=what)
    parser.add_argument("-p", dest="parameters", action="append", default=[], type=_parameter, metavar="NAME=VALUE")
    parser.add_argument("--strict", action="store_true", help="warnings about the description are errors")


def read_plan(arguments: argparse.Namespace, host: bool = False) -> "Plan":
    """The plan of the user's file, as `read_description` has it."""
    return read_description(arguments, host)[1]


def read_description(
    arguments: argparse.Namespace, host: bool = False, sandbox: "Sandbox | None" = None, running: "Plan | None" = None
) -> "tuple[Topology, Plan]":
    """The description in the user's file, and its plan; `sandbox` is one that has nothing in it yet, to try the kernel in;
    `running` is the plan of a lab that is to become this.

    Warnings are told on standard error; with --strict they are a DescriptionError.
    """
    from pynetemu.lab.kernel import kernel_has
    from pynetemu.plan.compile import compile_plan
    from pynetemu.plan.load import load

    topology = load(arguments.file, dict(arguments.parameters))
    plan = compile_plan(topology, host=host, kernel=partial(kernel_has, sandbox), running=running)
    plan = replaced(plan, warnings=(*plan.warnings, *_hidden_commands(plan)))
    if plan.warnings and arguments.strict:
        from pynetemu.errors import DescriptionError, Problem

        raise DescriptionError([Problem(warning) for warning in plan.warnings])
    for warning in plan.warnings:
        print(wrapped(f"pynetemu: warning: {warning}", sys.stderr), file=sys.stderr)
    return topology, plan


def read_again(lab: "Network", running: "Plan | None" = None) -> "tuple[Topology, Plan]":
    """The description that a running lab was loaded from, or was last changed to, as its file is now; raises LabError."""
    loaded = lab.description._loaded
    if loaded is None:
        from pynetemu.errors import LabError

        raise LabError("this lab has been started from no file\n    hint: `pynetemu apply FILE LAB` takes any file")
    arguments = argparse.Namespace(file=loaded[0], parameters=list(loaded[1].items()), strict=False)
    return read_description(arguments, lab.host, running=running)


def _hidden_commands(plan: "Plan") -> Iterator[str]:
    """Nodes that are called as commands of the shell are: there the word means the node."""
    from pynetemu.errors import Problem
    from pynetemu.plan.operations import AddNode, parts_of

    for operation in parts_of(plan):
        if isinstance(operation, AddNode) and (operation.node in TOPIC_OF or operation.node == "all"):
            text = f"the node {operation.node} hides what the shell means by that word"
            yield str(Problem(text, operation.source, hint=f"`help {operation.node}` tells of it; to have it, rename the node"))


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as n=5")
    return name, value
