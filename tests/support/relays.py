"""The relays of labs that this process has started, as processes of the machine."""

import os
import re
from contextlib import suppress
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def relays() -> set[int]:
    """The processes of that name below this one: children of engines, which are init's, which is the front's."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "comm").read_text() == "relay\n" and _is_below_us(process.name):
                found.add(int(process.name))
    return found


def _is_below_us(pid: str) -> bool:
    while pid not in ("0", str(os.getpid())):
        pid = re.findall(r"PPid:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]
    return pid != "0"


def waited_seconds(pids: set[int]) -> float:
    """How long processes have waited for a processor so far while others had it (proc(5), schedstat)."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) for pid in pids) / 1e9


def processor_seconds(pid: int) -> float:
    """What a process has used so far, in it and in the kernel for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK
