"""Plays the cases and prints a table: what each engine's trace says, and whether that is right, vague, wrong or silent.

python -m tests.trace.cases                      all of them, on both engines (as root; a user has packet sockets only)
python -m tests.trace.cases sockets 01 104       these, with packet sockets
python -m tests.trace.cases kernel 31 --output   the whole of what was printed, too
"""

import os
import sys
from collections import Counter

from tests.support.kernels import missing
from tests.trace.cases.play import Engine, cases, play

_ENGINES: tuple[Engine, ...] = ("kernel", "sockets")


def main(words: list[str]) -> int:
    """Returns 1 when a case is not as far as the data says it is."""
    numbers = [word for word in words if word[:1].isdigit()]
    allowed = _ENGINES if os.getuid() == 0 else ("sockets",)
    engines = [engine for engine in allowed if engine in words] or allowed
    unlike: list[str] = []
    lacking = missing() | (set() if os.environ.get("PYNETEMU_IN_VM") else {"vm"})
    for engine in engines:
        count: Counter[str] = Counter()
        for case in cases():
            if set(case.needs) & lacking:
                count["left to another kernel"] += 1
                continue
            if numbers and case.name.partition("-")[0] not in numbers:
                continue
            played = play(case, engine)
            count[played.state] += 1
            before = case.states.get(engine, "right")
            if played.state not in (before, "not triggered"):
                unlike.append(case.name)
            mark = "" if played.state == before else f"  (was {before})"
            print(f"{engine:7} {played.state:13} {case.name}{mark}\n        {played.headline}", flush=True)
            if played.state != "right":
                print(f"        truth: {case.truth}" + (f"\n        try: {played.hint}" if played.hint else ""), flush=True)
            if "--output" in words:
                print(played.output)
        print(f"{engine:7} {', '.join(f'{number} {state}' for state, number in count.most_common())}", flush=True)
    return 1 if unlike else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
