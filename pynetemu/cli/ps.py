"""Lists your running labs."""

import argparse
import json
import sys
import time

from pynetemu.frozen import as_data
from pynetemu.safe_text import printable
from pynetemu.wording import shortened


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as data")


def run(arguments: argparse.Namespace) -> int:
    from pynetemu.lab.running_labs import labs_and_silent

    found, silent = labs_and_silent()
    for reason in sorted(set(silent.values())):
        names = shortened([name for name in silent if silent[name] == reason])
        print(f"pynetemu: no answer from {names}: {reason}", file=sys.stderr)
    if arguments.json:
        print(json.dumps([as_data(lab) for lab in found], indent=2))
        return 0
    rows = [("LAB", "PID", "AGE", "NODES", "FILE")]
    rows += [(lab.name, str(lab.pid), _age(time.time() - lab.started), shortened(lab.nodes, 4), lab.file) for lab in found]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in [tuple(map(printable, row)) for row in rows]:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]).rstrip())
    return 0


def _age(seconds: float) -> str:
    for unit, size in ("d", 86400), ("h", 3600), ("min", 60):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
