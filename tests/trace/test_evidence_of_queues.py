"""Queues as evidence: which of an interface has dropped something since the trace began."""

from types import SimpleNamespace
from typing import Any

import pytest

from pynetemu.trace.evidence.evidence import Evidence

pytestmark = pytest.mark.pure


def _evidence(before: int | None, drops: int, waiting: int = 0) -> Any:
    """A node of two interfaces, eth0 and eth1; the second has a queue that had dropped some, and dropped more."""
    queue = SimpleNamespace(interface=2, kind="tbf", drops=drops, waiting=waiting)
    quiet = SimpleNamespace(interface=1, kind="tbf", drops=0, waiting=0)
    tables = SimpleNamespace(queues=[quiet, queue], names={1: "eth0", 2: "eth1"})
    earlier = {} if before is None else {(2, "tbf"): SimpleNamespace(drops=before), (2, "fq"): SimpleNamespace(drops=9)}
    return SimpleNamespace(tables={"r1": tables}.get, _queues_before={"r1": earlier})


@pytest.mark.parametrize(
    ("before", "drops", "waiting", "dropped"), [(5, 8, 0, 3), (5, 5, 0, None), (5, 5, 2, 0), (None, 8, 0, 8), (0, 1, 1, 1)]
)
def test_what_a_queue_dropped_before_is_not_counted(before: int | None, drops: int, waiting: int, dropped: int | None) -> None:
    found = Evidence.queue(_evidence(before, drops, waiting), "r1", "eth1")
    assert (found[1] if found else None) == dropped
    assert Evidence.queue(_evidence(before, drops, waiting), "r1", "eth0") is None
    assert Evidence.queue(_evidence(before, drops, waiting), "r2", "eth1") is None


def test_interfaces_that_need_no_mac_address_have_none() -> None:
    def link(mac: str, kind: str = "veth", index: int = 2) -> SimpleNamespace:
        return SimpleNamespace(index=index, kind=kind, mac=mac, name=f"{kind}{index}")

    ethernet, nothing = "02:42:0a:01:00:01", "00:00:00:00:00:00"
    links = [link(nothing, "", 1), link(ethernet), link(nothing, "wireguard", 3), link(ethernet, "bridge", 4)]
    tables = SimpleNamespace(links={one.name: one for one in links})
    evidence: Any = SimpleNamespace(_nodes=["r1", "r2"], tables=lambda node: tables)
    places = Evidence.__dict__["macs"].func(evidence)
    assert places == {ethernet: [("r1", "veth2"), ("r2", "veth2")]}
