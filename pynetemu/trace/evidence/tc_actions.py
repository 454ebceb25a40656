"""The actions of traffic control on an interface (tc-actions(8)), with what they have counted."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pynetemu.errors import CommandNotFound

if TYPE_CHECKING:
    from pynetemu.lab.lab import LabNode

_PLACES = ("ingress", "egress", "")


def read(node: "LabNode", interface: str) -> list[tuple[str, dict[str, Any]]]:
    """The actions of an interface's filters that have worked in the last seconds, each with where it is; raises LabError."""
    found: list[tuple[str, dict[str, Any]]] = []
    for place in _PLACES:
        with suppress(ValueError, CommandNotFound):
            listing = json.loads(
                str(node.run("tc", "-s", "-j", "filter", "show", "dev", interface, *filter(None, [place])).stdout)
            )
            found += [(place or "egress", action) for action in _actions(listing)]
    return found


def _actions(listing: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in listing:
        if one.get("kind") == "bpf" and (one.get("options") or {}).get("direct-action"):
            yield {"kind": "bpf"}  # which decides itself, and counts nothing
        for action in (one.get("options") or {}).get("actions") or ():
            stats = action.get("stats") or {}
            if stats.get("packets") or stats.get("drops") or stats.get("overlimits"):
                yield action
