"""At the end of the benchmarks the table: `./dev bench` prints it, and docs/benchmarks.md shows one."""

import os
import platform
from pathlib import Path

import pytest

from tests.benchmarks.measure import FIGURES, TABLE, markdown, markdown_of_figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TABLE:
        terminalreporter.write_line(f"\n{_machine()}\n\n{markdown(TABLE)}\n")
    if FIGURES:
        terminalreporter.write_line(f"\n{_machine()}\n\n{markdown_of_figures(FIGURES)}\n")


def _machine() -> str:
    models = {line.partition(": ")[2] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line}
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} CPUs {'/'.join(sorted(models))}, Linux {platform.release()}, Python {platform.python_version()}, "
        f"load {load:.1f} at the end"
    )
