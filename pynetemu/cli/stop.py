"""Ends running labs, whoever has started them: those without a shell, and others, whose shell ends too."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("labs", metavar="LAB", nargs="+", help="as `pynetemu ps` lists it")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.lab.running_labs import stop

    for lab in arguments.labs:
        stop(lab)
    return 0
