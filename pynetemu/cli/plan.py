"""Shows the network that a file describes, without building it."""

import argparse
import json
import sys

from pynetemu.cli.description import add_description, read_plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_description(parser)
    parser.add_argument("--host", action="store_true", help="as for a lab whose root is this machine itself")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--as-shell", action="store_true", help="as a sh script of ip commands")
    form.add_argument("--json", action="store_true", help="as data")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.engine.limits import lacks

    plan = read_plan(arguments, arguments.host)
    for lack in lacks(plan):
        print(f"pynetemu: warning: {lack}", file=sys.stderr)
    if arguments.as_shell:
        from pynetemu.plan.as_shell import as_shell

        text = as_shell(plan)
    elif arguments.json:
        from pynetemu.plan.data import to_data

        text = json.dumps(to_data(plan), indent=2)
    else:
        from pynetemu.plan.text import as_text

        text = as_text(plan)
    print(text.rstrip("\n"))
    return 0
