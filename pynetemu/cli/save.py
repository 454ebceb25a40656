"""Writes what runs in a lab as a description that makes it again: pynetemu save LAB now.py

What was changed by hand is in it: addresses, routes, links, interfaces, filters, settings.
"""

import argparse
import shlex

from pynetemu.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lab", metavar="LAB", help="as `pynetemu ps` lists it")
    parser.add_argument("file", metavar="FILE.py", help="that is not there yet")
    parser.add_argument("--force", action="store_true", help="write over one that is there")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.network.network import Network
    from pynetemu.shell.commands import network as commands
    from pynetemu.shell.shell import Shell

    if not arguments.file.endswith(".py"):
        raise UsageError(f"save: {arguments.file}: the name of a description ends in .py")
    with Network.attach(arguments.lab) as network:
        words = [arguments.file, *(["--force"] if arguments.force else [])]
        return commands.save.run(Shell(network), shlex.join(words))
