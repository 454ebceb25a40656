"""Brings a lab up and opens its shell, or runs lines of it: from -c, or from standard input where that is no terminal."""

import argparse
import gc
import os
import sys
import time
from typing import TYPE_CHECKING

from pynetemu.cli import interrupts
from pynetemu.network.sandbox import Sandbox

if TYPE_CHECKING:
    from pynetemu.network.network import Network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE[:CLASS]", help="a Python file with a Topology")
    parser.add_argument(
        "-c", dest="commands", action="append", metavar="COMMAND", help="a line of the shell to run; repeatable"
    )
    add_parameters(parser)
    parser.add_argument("--name", help="the lab's name for ps, exec and attach")
    parser.add_argument("--host", action="store_true", help="the lab's root is this machine itself (needs root)")


def add_parameters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-p", dest="parameters", action="append", default=[], type=_parameter, metavar="NAME=VALUE")


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as n=5")
    return name, value


def run(arguments: argparse.Namespace) -> int:
    """The engine starts first: while it does, the user's file and whatever the shell needs are imported."""
    start = time.perf_counter()
    gc.disable()  # importing makes no garbage, and looking for it takes a twentieth of the start
    sandbox = Sandbox.start(arguments.host)
    try:
        from pynetemu.network.network import Network
        from pynetemu.plan.compile import compile_plan
        from pynetemu.plan.load import load

        plan = compile_plan(load(arguments.file, dict(arguments.parameters)), host=arguments.host)
        network = Network(plan, name=arguments.name, sandbox=sandbox).begin()
        interactive = arguments.commands is None and os.isatty(0)
        if interactive:
            from pynetemu.shell.prompt import interact
        else:
            from pynetemu.shell.shell import Shell
        gc.enable()
        with network:
            interrupts.raise_again()
            if interactive:
                print(_welcome(network, time.perf_counter() - start))
                return interact(network)
            if arguments.commands is not None:
                return Shell(network).run_lines(arguments.commands)
            nothing = os.open(os.devnull, os.O_RDONLY)
            return Shell(network, stdin=nothing).run_lines(iter(sys.stdin.readline, ""))
    finally:
        sandbox.close()


def _welcome(network: "Network", seconds: float) -> str:
    nodes = network.nodes
    shown = ", ".join(nodes) if len(nodes) <= 8 else f"{', '.join(nodes[:7])} and {len(nodes) - 7} more"
    example = f"{nodes[-1]} ping -c1 {nodes[0]}" if len(nodes) > 1 else f"{nodes[0]} ip addr"
    return f"{network.name}: {shown}; ready in {seconds * 1000:.0f} ms. Try: {example}    or: help"
