"""Opens the shell of a running lab from another terminal. Leaving it leaves the lab running."""

import argparse
import os
import sys
from functools import partial

from pynetemu.cli import interrupts
from pynetemu.cli.description import read_again
from pynetemu.wording import shortened


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lab", metavar="LAB", help="as `pynetemu ps` lists it")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.network.network import Network
    from pynetemu.shell import registry
    from pynetemu.shell.shell import Shell

    with Network.attach(arguments.lab) as network:
        interrupts.raise_again()
        registry.use_file(network.file)
        again = partial(read_again, network)
        if not os.isatty(0):
            nothing = os.open(os.devnull, os.O_RDONLY)
            return Shell(network, stdin=nothing, description=again).run_lines(iter(sys.stdin.readline, ""))
        from pynetemu.shell.prompt.opening import open_prompt

        print(f"{network.name}: {shortened(network.nodes)}. Leaving this shell leaves the lab running.")
        return open_prompt(Shell(network, job_control=True, description=again))
