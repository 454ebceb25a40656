"""Captures packets of a running lab from another terminal: pynetemu capture blue -w - | wireshark -k -i -"""

import argparse
import shlex


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lab", metavar="LAB", help="as `pynetemu ps` lists it")
    parser.add_argument("words", metavar="WHAT", nargs=argparse.REMAINDER, help="what the shell's `capture` takes")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.network.network import Network
    from pynetemu.shell.commands import captures
    from pynetemu.shell.shell import Shell

    with Network.attach(arguments.lab) as network:
        shell = Shell(network)
        status = captures.capture.run(shell, shlex.join(arguments.words))
        captures.finish(shell)
        return status
