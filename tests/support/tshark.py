"""tshark, as the judge of files of packets."""

import json
import os
import subprocess
from typing import Any


def fields(path: str | os.PathLike[str], *names: str, display_filter: str = "") -> list[tuple[str, ...]]:
    """The fields of each packet, as text: fields("x.pcapng", "frame.interface_name", "ip.src")."""
    chosen = [word for name in names for word in ("-e", name)]
    wanted = ["-Y", display_filter] if display_filter else []
    text = _tshark("-r", str(path), "-N", "n", "-T", "fields", *chosen, *wanted)
    return [tuple(line.split("\t")) for line in text.splitlines()]


def as_json(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The layers of each packet, by name."""
    return [packet["_source"]["layers"] for packet in json.loads(_tshark("-r", str(path), "-T", "json"))]


def about(path: str | os.PathLike[str]) -> str:
    """What capinfos says about a file and its interfaces."""
    return subprocess.run(["capinfos", str(path)], capture_output=True, text=True, check=True).stdout


def _tshark(*words: str) -> str:
    done = subprocess.run(["tshark", *words], capture_output=True, text=True, timeout=30, check=False)
    complaints = [line for line in done.stderr.splitlines() if "Running as user" not in line]
    assert done.returncode == 0 and not complaints, done.stderr
    return done.stdout
