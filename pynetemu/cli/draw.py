"""Draws the network that a file describes, without building it: in the terminal, or with -o into a file."""

import argparse
import os
import shutil
import sys

from pynetemu.cli.run import add_parameters


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE[:CLASS]", help="a Python file with a Topology")
    add_parameters(parser)
    parser.add_argument("-o", dest="output", metavar="PICTURE", help="write a file: x.dot or x.mmd (Mermaid)")
    parser.add_argument("--ascii", action="store_true", help="no other characters than ASCII's")
    parser.add_argument("--width", type=_width, metavar="COLUMNS", help="default: the terminal's, else 100")
    parser.add_argument("--colour", choices=("auto", "always", "never"), default="auto", help="default: auto")
    parser.add_argument("--no-addresses", action="store_true", help="leave the addresses out")
    parser.add_argument("--no-interfaces", action="store_true", help="leave the interfaces' names out")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.draw.graph import read
    from pynetemu.plan.compile import compile_plan
    from pynetemu.plan.load import load

    if arguments.output:
        from pynetemu.draw.files import check

        check(arguments.output)
    plan = compile_plan(load(arguments.file, dict(arguments.parameters)))
    graph = read(plan, addresses=not arguments.no_addresses, interfaces=not arguments.no_interfaces)
    if arguments.output:
        from pynetemu.draw.files import save

        save(graph, arguments.output)
    else:
        from pynetemu.draw.text import picture

        print(picture(graph, arguments.width or _terminal_width(), _ascii(arguments), _colour(arguments)), end="")
    return 0


def _width(text: str) -> int:
    if not text.isdigit() or int(text) < 20:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of columns, at least 20")
    return int(text)


def _terminal_width() -> int:
    return shutil.get_terminal_size((100, 24)).columns


def _ascii(arguments: argparse.Namespace) -> bool:
    """An output that cannot say ○ gets ASCII."""
    try:
        "●○┼…".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return bool(arguments.ascii)


def _colour(arguments: argparse.Namespace) -> bool:
    if arguments.colour == "auto":
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return bool(arguments.colour == "always")
