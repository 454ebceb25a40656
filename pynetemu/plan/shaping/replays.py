"""Files of links that vary over time: Mahimahi's traces of opportunities, and tables of settings (CSV).

read_opportunities("0\\n12\\n12\\n25\\n")                       (0, 12, 12, 25)
read_table("time,delay,rate\\n0,20ms,5mbit\\n1.5,80ms,1mbit\\n")    [(0.0, {"delay": "20ms", "rate": "5mbit"}), ...]
"""

import csv
from collections.abc import Sequence
from itertools import pairwise

from pynetemu.plan.problems import Wrong
from pynetemu.plan.shaping.impairment import SETTINGS
from pynetemu.plan.units import read_duration
from pynetemu.wording import near_or_all

Table = list[tuple[float, dict[str, object]]]
_MOST_LINES = 1_000_000


def read_opportunities(text: str) -> tuple[int, ...]:
    """Milliseconds in rising order, one a line, each an opportunity for 1,500 bytes; then it begins again. Raises Wrong."""
    lines = text.split()
    if not lines or len(lines) > _MOST_LINES:
        raise Wrong(f"it has {len(lines)} lines", f"one number a line, at most {_MOST_LINES}")
    times: list[int] = []
    for number, line in enumerate(lines, 1):
        if not (line.isascii() and line.isdigit() and len(line) < 12):
            raise Wrong(f"line {number} is {line[:40]!r}", "a whole number of milliseconds, as in Mahimahi's traces")
        times.append(int(line))
        if number > 1 and times[-1] < times[-2]:
            raise Wrong(f"line {number} is {times[-1]}, before {times[-2]}", "the milliseconds are in rising order")
    if not times[-1]:
        raise Wrong("all is at 0 ms", "the last line is how long the trace is")
    return tuple(times)


def read_table(text: str) -> Table:
    """Settings over time: a first line that names the columns, of which `time` is the first. Raises Wrong."""
    try:
        rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].lstrip().startswith("#")]
    except csv.Error as error:  # a value of more than 131,072 characters, say
        raise Wrong(f"it cannot be read: {error}", "a row a line, values between commas") from error
    if rows and len(set(rows[0])) < len(rows[0]):
        raise Wrong("it has a column twice", f"its columns are {', '.join(rows[0])}")
    if not rows:
        raise Wrong("it is empty", "the first line names the columns: time,delay,rate")
    names = [name.strip() for name in rows[0]]
    if names[0] != "time":
        raise Wrong(f"its first column is {names[0]!r}", "it is called time; others are settings: time,delay,rate")
    for name in names[1:]:
        if name not in SETTINGS or name == "schedule":
            raise Wrong(f"a link has no setting {name!r}", near_or_all(name, SETTINGS))
    found: Table = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise Wrong(f"row {number} has {len(row)} values for {len(names)} columns", "leave a value empty to have none")
        values = {name: value.strip() for name, value in zip(names[1:], row[1:], strict=True) if value.strip()}
        found.append((read_seconds(row[0].strip()), dict(values)))
    check_times([time for time, _ in found])
    return found


def read_seconds(value: object) -> float:
    """A time of a table or a schedule: a number of seconds, or text with a unit. Raises Wrong."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9:
        return float(value)
    text = str(value)
    if text.replace(".", "", 1).isdigit() and text.isascii():
        return float(text)
    return read_duration(value) / 1e9


def check_times(times: Sequence[float]) -> None:
    """Raises Wrong for times that do not rise."""
    if not times:
        raise Wrong("it has no times", "at least one")
    for earlier, later in pairwise(times):
        if later <= earlier:
            raise Wrong(f"{later:g} s comes after {earlier:g} s", "times rise")
