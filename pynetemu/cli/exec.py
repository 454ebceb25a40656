"""Runs a command in a node of a running lab: pynetemu exec blue root -- ip route"""

import argparse
import shlex

from pynetemu.cli import interrupts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lab", metavar="LAB", help="as `pynetemu ps` lists it")
    parser.add_argument("node", metavar="NODE")
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="the program and its arguments")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.network.network import Network
    from pynetemu.shell.shell import Shell

    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    with Network.attach(arguments.lab) as network:
        interrupts.raise_again()
        network[arguments.node]  # an unknown one is an error here, not a shell's "no node or command"
        return Shell(network).run_line(shlex.join([arguments.node, *command]))
