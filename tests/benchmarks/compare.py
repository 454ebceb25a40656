"""Prints what has become slower or larger since a revision: `./dev bench --compare main~20`.

Both run in turns, so that a busy moment of the machine meets both; each ratio is the median of those of the pairs, the new one
divided by the old. Processor time is told beside the time by the clock, since it hardly depends on what else is running.
"""

import argparse
import compileall
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.benchmarks.measure import wait_until_freed
from tests.support.pynetemu import CLONE

_PROGRAM = str(Path(__file__).with_name("one.py"))
_SMALL = ("start", 5), ("commands", 200), ("pingall", 60)
_LABS = ("star", 100), ("star", 1000), ("linear", 20), ("torus", 64), ("fat-tree", 6)
_MUCH = 1.15  # a ratio to look at


def compare(revision: str, runs: int, wanted: Sequence[tuple[str, int]]) -> int:
    """The number of figures that are much above what they were."""
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", other, revision], cwd=CLONE, check=True)
        try:
            for tree in other, CLONE:  # Python may write no bytecode by itself, and then one has some
                compileall.compile_dir(tree / "pynetemu", quiet=2)
            print(f"| | figure | {revision} | now | ratio | |\n|---|---|---|---|---|---|", flush=True)
            return sum(_row(what, size, other, runs) for what, size in wanted)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", other], cwd=CLONE, check=True)


def _row(what: str, size: int, other: Path, runs: int) -> int:
    pairs = [(_figures(other, what, size), _figures(CLONE, what, size)) for _ in range(runs)]
    many = 0
    for name in pairs[0][1]:
        if name == "nodes" or not all(old.get(name, 0) > 0 and new[name] > 0 for old, new in pairs):
            continue  # the kernel's memory, when others free theirs
        ratio = median(new[name] / old[name] for old, new in pairs)
        before, now = (median(one[side] for one in [(old[name], new[name]) for old, new in pairs]) for side in (0, 1))
        many += ratio > _MUCH
        note = "more" if ratio > _MUCH else "less" if ratio < 1 / _MUCH else ""
        print(f"| {what} {size} | {name} | {before:.4g} | {now:.4g} | {ratio:.2f} | {note} |", flush=True)
    return many


def _figures(tree: Path, what: str, size: int) -> dict[str, float]:
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONWARNINGS": "ignore"}
    argv = [sys.executable, _PROGRAM, what, str(size)]
    if os.getuid() == 0:
        wait_until_freed()
    done = subprocess.run(argv, cwd=tree, env=env, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _pair(text: str) -> tuple[str, int]:
    what, _, size = text.partition(":")
    return what, int(size)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="a commit, a branch or a tag of this clone")
    parser.add_argument("--runs", type=int, default=5, help="of each figure; 5 by default")
    every = (*_SMALL, *_LABS)
    parser.add_argument("--only", type=_pair, nargs="+", default=every, metavar="WHAT:SIZE", help="star:100 pingall:60 ...")
    given = parser.parse_args()
    sys.exit(bool(compare(given.revision, given.runs, given.only)))
