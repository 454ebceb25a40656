"""Tells what happens in a running lab, from another terminal, until Ctrl-C: pynetemu events blue --json"""

import argparse
import shlex


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lab", metavar="LAB", help="as `pynetemu ps` lists it")
    parser.add_argument(
        "words", metavar="WHAT", nargs=argparse.REMAINDER, help="what the shell's `events` takes: nodes, --json, …"
    )


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.cli import interrupts
    from pynetemu.network.network import Network
    from pynetemu.shell.commands import events
    from pynetemu.shell.shell import Shell

    with Network.attach(arguments.lab) as network:
        interrupts.raise_again()
        return events.events.run(Shell(network), shlex.join(arguments.words))
