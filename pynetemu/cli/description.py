"""The user's file as every verb reads it: its parameters, its plan, and the warnings about it."""

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pynetemu.plan.operations import Plan


def add_description(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE[:CLASS]", help="a Python file with a Topology")
    parser.add_argument("-p", dest="parameters", action="append", default=[], type=_parameter, metavar="NAME=VALUE")
    parser.add_argument("--strict", action="store_true", help="warnings about the description are errors")


def read_plan(arguments: argparse.Namespace, host: bool = False) -> "Plan":
    """The plan of the user's file. Warnings are told on standard error; with --strict they are a DescriptionError."""
    from pynetemu.plan.compile import compile_plan
    from pynetemu.plan.load import load

    plan = compile_plan(load(arguments.file, dict(arguments.parameters)), host=host)
    if plan.warnings and arguments.strict:
        from pynetemu.errors import DescriptionError, Problem

        raise DescriptionError([Problem(warning) for warning in plan.warnings])
    for warning in plan.warnings:
        print(f"pynetemu: warning: {warning}", file=sys.stderr)
    return plan


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE, such as n=5")
    return name, value
