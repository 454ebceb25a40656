"""Lists how a running lab differs from its description, as commands that make the one from the other; status 1 if it does."""

import argparse
import shlex


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lab", metavar="LAB", help="as `pynetemu ps` lists it")
    parser.add_argument("nodes", metavar="NODE", nargs="*", help="of these nodes only")
    parser.add_argument("--json", action="store_true", help="as data")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.network.network import Network
    from pynetemu.shell.commands import events
    from pynetemu.shell.shell import Shell

    with Network.attach(arguments.lab) as network:
        words = [*arguments.nodes, *(["--json"] if arguments.json else [])]
        return events.diff.run(Shell(network), shlex.join(words))
