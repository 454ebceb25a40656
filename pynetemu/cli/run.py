"""Brings a lab up and opens its shell, or runs lines of it: from -c, or from standard input where that is not a terminal."""

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from pynetemu.cli import captured, interrupts
from pynetemu.cli.description import add_description, read_description
from pynetemu.errors import LabError, UsageError
from pynetemu.lab.connection import Sandbox
from pynetemu.terminal_output import wrapped
from pynetemu.wording import shortened

if TYPE_CHECKING:
    from pynetemu.network.network import Network
    from pynetemu.shell.shell import Shell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_lab(parser)
    parser.add_argument("script", metavar="SCRIPT", nargs="?", help="a file with lines of the shell to run")
    parser.add_argument(
        "-c", dest="commands", action="append", metavar="COMMAND", help="a line of the shell to run; repeatable"
    )


def add_lab(parser: argparse.ArgumentParser) -> None:
    """What lab it is."""
    add_description(parser)
    parser.add_argument("--capture", metavar="FILE", help="all packets from the lab's first moment on, as a pcapng file")
    parser.add_argument("--name", help="the lab's name for ps, exec and attach")
    parser.add_argument("--host", action="store_true", help="the lab's root is this machine itself (needs root)")
    parser.add_argument(
        "--privileged", action="store_true", help="programs in nodes of root's lab may load BPF (XDP) and change the machine"
    )


def run(arguments: argparse.Namespace) -> int:
    """The engine starts first: while it does, the user's file and whatever the shell needs are imported."""
    start = time.perf_counter()
    script = _read(arguments)
    gc.disable()  # importing makes no garbage, and looking for it takes a twentieth of the start
    with lab_of(arguments) as network:
        return _serve(network.begin(), arguments, script, start)


@contextmanager
def lab_of(arguments: argparse.Namespace) -> "Iterator[Network]":
    """The lab, which is still to begin, until the block ends."""
    sandbox = Sandbox.start(arguments.host, arguments.privileged, by_fork=True)
    try:
        from pynetemu.network.network import Network

        topology, plan = read_description(arguments, arguments.host, sandbox)
        if plan.ids != "one":  # which the engine was not asked for
            sandbox.close()
            sandbox = Sandbox.start(arguments.host, arguments.privileged, plan.ids)
        network = Network(
            plan, privileged=arguments.privileged, name=arguments.name, sandbox=sandbox, capture=arguments.capture
        )
        network.describe(topology)
        with captured.told(network.captured):
            yield network
    finally:
        sandbox.close()


def _serve(network: "Network", arguments: argparse.Namespace, script: list[str] | None, start: float) -> int:
    from pynetemu.shell.shell import Shell

    interactive = script is None and arguments.commands is None and os.isatty(0)
    if interactive:
        from pynetemu.shell.prompt.opening import open_prompt
    gc.enable()
    with network:
        interrupts.raise_again()
        shell = Shell(
            network, interactive, _stdin(arguments, interactive), partial(read_description, arguments, arguments.host, None)
        )
        try:
            if interactive:
                print(wrapped(_welcome(network, time.perf_counter() - start), sys.stdout))
                return open_prompt(shell)
            try:
                return _run_lines(shell, arguments, script)
            finally:
                _tell_of_services(shell.network)
        finally:
            shell.network.close()


def _tell_of_services(network: "Network") -> None:
    """Says at the end which services have died: nobody was at a prompt to be told."""
    from pynetemu.plan.operations import AddService

    if not any(True for _ in network.inventory.of_type(AddService)):
        return
    with suppress(LabError):  # the lab has ended by itself
        for state in network.services:
            if state.status:
                print(f"pynetemu: {state}; `logs {state.node}.{state.name}` tells what it printed", file=sys.stderr)


def _read(arguments: argparse.Namespace) -> list[str] | None:
    """The lines of the script, read before anything is built."""
    if arguments.script is None:
        return None
    if arguments.commands is not None:
        raise UsageError("say a script or -c, not both")
    try:
        from pynetemu.shell.files import script_text

        return script_text(arguments.script).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{arguments.script}: {getattr(error, 'strerror', None) or 'this is not text'}") from None


def _stdin(arguments: argparse.Namespace, interactive: bool) -> int | None:
    """Where standard input has the lines, programs do not get it."""
    has_lines = not interactive and arguments.commands is None and arguments.script is None
    return os.open(os.devnull, os.O_RDONLY) if has_lines else None


def _run_lines(shell: "Shell", arguments: argparse.Namespace, script: list[str] | None) -> int:
    if script is not None:
        from pynetemu.shell.shell import Leave

        try:
            return shell.run_script(script, arguments.script)
        except Leave as leave:
            return leave.status
    if arguments.commands is not None:
        return shell.run_texts(arguments.commands)
    return shell.run_lines(iter(sys.stdin.readline, ""))


def _welcome(network: "Network", seconds: float) -> str:
    nodes = network.nodes
    addressed = [node for node in nodes if node in network.inventory.addresses_of_nodes]  # which switches are not
    example = f"{addressed[-1]} ping -c1 {addressed[0]}" if len(addressed) > 1 else f"{nodes[0]} ip addr"
    return f"{network.name}: {shortened(nodes)}; ready in {seconds * 1000:.0f} ms. Try: {example}    or: help"
