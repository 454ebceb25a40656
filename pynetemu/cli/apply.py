"""Changes a running lab to what a file describes: pynetemu apply lab.py

What is described as before is not touched, and a wrong description changes nothing. The lab is the one with the name of the
topology, or LAB as `pynetemu ps` lists it.
"""

import argparse

from pynetemu.cli.description import add_description, read_description


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_description(parser)
    parser.add_argument("lab", metavar="LAB", nargs="?", help="as `pynetemu ps` lists it")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, as commands")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.cli import interrupts
    from pynetemu.lab.running_labs import name_of
    from pynetemu.network.network import Network
    from pynetemu.plan.load import load

    lab = arguments.lab or name_of(type(load(arguments.file, dict(arguments.parameters))).__name__)
    with Network.attach(lab) as network:
        interrupts.raise_again()
        topology, plan = read_description(arguments, network.host, running=network.plan)
        if arguments.dry_run:
            print(*network.difference(plan).commands, sep="\n")
        else:
            print(network.apply(plan, topology))
    return 0
