"""Draws the network that a file describes, without building it, or a running lab: in the terminal, or with -o into a file."""

import argparse
import os
from typing import TYPE_CHECKING

from pynetemu.cli.description import add_description, read_plan
from pynetemu.errors import DrawError
from pynetemu.terminal_output import can_print, has_colors, width

if TYPE_CHECKING:
    from pynetemu.draw.graph import Graph

_ONLY_TERMINAL = "ascii", "width", "color"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_description(parser, "FILE[:CLASS]|LAB", "a Python file with a Topology, or a running lab")
    parser.add_argument("-o", dest="output", metavar="PICTURE", help="write a file: x.svg, x.png, x.dot or x.mmd (Mermaid)")
    background = parser.add_mutually_exclusive_group()
    for name in ("light", "dark"):
        background.add_argument(
            f"--{name}", dest="background", action="store_const", const=name, default="", help=f"for a {name} background"
        )
    parser.add_argument("--no-addresses", action="store_true", help="leave the addresses out")
    parser.add_argument("--no-interfaces", action="store_true", help="leave the interfaces' names out")
    parser.add_argument("--ascii", action="store_true", help="in the terminal: no other characters than ASCII's")
    parser.add_argument("--width", type=_width, metavar="COLUMNS", help="in the terminal: default its width, else 100")
    parser.add_argument("--color", choices=("always", "never"), help="in the terminal: default if it is one")


def run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    graph = _graph(arguments)
    if arguments.output:
        from pynetemu.draw.files import save

        save(graph, arguments.output, arguments.background)
    else:
        from pynetemu.draw.canvas import CHARACTERS
        from pynetemu.draw.text import picture

        ascii = arguments.ascii or not can_print(CHARACTERS)
        print(picture(graph, arguments.width or max(width(), 20), ascii, _color(arguments)), end="")
    return 0


def _graph(arguments: argparse.Namespace) -> "Graph":
    """Of a running lab, where the word is the name of one and of no file; else of what is described."""
    addresses, interfaces = not arguments.no_addresses, not arguments.no_interfaces
    if not os.path.exists(arguments.file) and not arguments.parameters and _is_running(arguments.file):
        from pynetemu.draw.running import running
        from pynetemu.network.network import Network

        with Network.attach(arguments.file) as network:
            return running(network, addresses, interfaces)
    from pynetemu.draw.graph import read

    return read(read_plan(arguments), addresses, interfaces)


def _is_running(name: str) -> bool:
    from pynetemu.lab.running_labs import labs

    return any(lab.name == name for lab in labs())


def _check(arguments: argparse.Namespace) -> None:
    if arguments.output:
        from pynetemu.draw.files import check

        check(arguments.output, arguments.background)
        for name in _ONLY_TERMINAL:
            if getattr(arguments, name):
                raise DrawError(f"--{name} is for the terminal: leave it out, or -o")
    elif arguments.background:
        raise DrawError(f"--{arguments.background} is for .svg and .png files\n    hint: add -o {_example(arguments.file)}")


def _example(spec: str) -> str:
    name, _, _ = os.path.basename(spec).partition(".")
    return f"{name}.svg"


def _width(text: str) -> int:
    if not text.isdecimal() or int(text) < 20:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of columns, at least 20")
    return int(text)


def _color(arguments: argparse.Namespace) -> bool:
    if arguments.color is None:
        return has_colors()
    return bool(arguments.color == "always")
