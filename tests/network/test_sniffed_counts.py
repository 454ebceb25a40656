"""How many packets `sniff` takes, and when it stops to wait: what a ring has ready is told by the test."""

from types import SimpleNamespace, TracebackType
from typing import Any

import pytest

from pynetemu.crafting import scapy_node

pytestmark = pytest.mark.pure


class _Ring:
    """Has a list of blocks ready each time that somebody waits for it, and `last` when nothing more comes."""

    def __init__(self, ready: list[list[list[int]]], last: list[list[int]]) -> None:
        self.ready, self.last, self.waits = ready, last, 0

    def __enter__(self) -> "_Ring":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def wait(self, watched: list[Any], left: float | None) -> list[Any]:
        self.waits += 1
        assert self.waits <= len(self.ready) or left is not None, "it waits for ever"
        return [self] if self.waits <= len(self.ready) else []

    def blocks(self) -> list[list[int]]:
        return self.ready[self.waits - 1]

    def rest(self) -> list[list[int]]:
        return self.last


@pytest.mark.parametrize(
    ("count", "timeout", "taken", "waits"),
    [
        (1, None, [1], 1),
        (2, None, [1, 2], 1),
        (3, None, [1, 2, 3], 1),  # the last of a block, and then no more is waited for
        (4, None, [1, 2, 3, 4], 2),
        (5, None, [1, 2, 3, 4, 5], 2),
        (6, 9.0, [1, 2, 3, 4, 5, 6], 3),
        (8, 9.0, [1, 2, 3, 4, 5, 6, 7], 3),
        (0, 9.0, [1, 2, 3, 4, 5, 6, 7], 3),
    ],
)
def test_sniffing_takes_as_many_as_asked_and_waits_for_no_more(
    count: int, timeout: float | None, taken: list[int], waits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = _Ring([[[1, 2], [3]], [[4, 5]]], [[6, 7]])
    monkeypatch.setattr(scapy_node, "Ring", SimpleNamespace(open=lambda node, program: ring))
    monkeypatch.setattr(scapy_node, "names_for", lambda lab, name: {})
    monkeypatch.setattr(scapy_node, "compile_filter", lambda text, names: text)
    monkeypatch.setattr(scapy_node, "readable", ring.wait)
    monkeypatch.setattr(scapy_node, "packets", list)
    monkeypatch.setattr(scapy_node, "_sniffed", lambda node, ring, found: found)
    shown: list[object] = []
    node: Any = SimpleNamespace(name="h1", lab="lab")
    found: Any = scapy_node.sniff(node, "", count, timeout, shown.append)
    assert [*found] == shown == taken
    assert ring.waits == waits
