"""Ends running labs, whoever has started them: those without a shell, and others, whose shell ends too."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("labs", metavar="LAB", nargs="+", help="as `pynetemu ps` lists it")


def run(arguments: argparse.Namespace) -> int:
    """All of them, also when one does not end; the status is that of the first that does not."""
    from pynetemu.cli.messages import tell
    from pynetemu.errors import LabError
    from pynetemu.lab.running_labs import stop

    failed: list[int] = []
    for lab in dict.fromkeys(arguments.labs):
        try:
            stop(lab)
        except LabError as error:
            failed.append(tell(error))
    return next(iter(failed), 0)
