"""Lists your running labs."""

import argparse
import json
import os
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
        print(json.dumps([{**as_data(lab), "by": _program_of(lab.pid)} for lab in found], indent=2))
        return 0
    rows = [("LAB", "PID", "BY", "AGE", "NODES", "FILE")]
    for lab in found:
        age = _age(time.time() - lab.started)
        rows.append((lab.name, str(lab.pid), _program_of(lab.pid), age, shortened(lab.nodes, 4), lab.file))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in [tuple(map(printable, row)) for row in rows]:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]).rstrip())
    return 0


def _program_of(pid: int) -> str:
    """What started a lab: the name of the program, or of the script that Python runs."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
    except OSError:  # it has ended since, or is in another PID namespace
        return "?"
    names = [os.path.basename(word) for word in words if not word.startswith("-")]
    return (names[1] if names[1:] and names[0].startswith("python") else names[0]) if names else "?"


def _age(seconds: float) -> str:
    for unit, size in ("d", 86400), ("h", 3600), ("min", 60):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
