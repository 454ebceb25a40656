"""What the inner ends of relayed links become when the kernel tells of the outer ones: late, of others, or not at all."""

import struct
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pynetemu.engine.messages.framing import pack
from pynetemu.engine.messages.tables import LINK_BODY, RTM_DELLINK, RTM_NEWLINK, LinkMessage
from pynetemu.engine.nodes import RelayedLink
from pynetemu.engine.shaping.carriers import Carriers

pytestmark = pytest.mark.pure

_H1, _S1 = 5, 6  # numbers of the nodes' namespaces
_IFF_UP = 1
_OUTER, _INNER = {("h1", "eth0"): 2, ("s1", "h1"): 3}, (20, 30)


def _told(number: int, index: int, up: bool, kind: int = RTM_NEWLINK) -> tuple[bytes, int]:
    """A message, and the number of the namespace that it is from."""
    return pack(kind, 0, 0, LINK_BODY.pack(0, 1, index, _IFF_UP * up, 0)), number


class _Kernel:
    """Two nodes and the relay's namespace, in which it notes what is set; `up` are the outer ends that are up now."""

    def __init__(self) -> None:
        self.relayed = {("h1", "eth0"): RelayedLink((("h1", "eth0"), ("s1", "h1")), _INNER, 1500)}
        self.up = {(_H1, 2), (_S1, 3)}
        self.coming: list[tuple[bytes, int] | OSError] = []
        self.done: list[tuple[int, int, bool]] = []
        self.inner = [20, 30]
        self.relay = SimpleNamespace(link=self)
        self.is_broken = False

    def __getitem__(self, name: str) -> str:
        return name

    def index(self, node: str, interface: str) -> int:
        return _OUTER[node, interface]

    def numbers(self) -> dict[str, int]:
        return {"h1": _H1, "s1": _S1}

    def listener(self, groups: tuple[int, ...]) -> Any:
        assert groups == (1,)
        return self

    def setblocking(self, blocking: bool) -> None:
        assert not blocking

    def fileno(self) -> int:
        return 99

    def watch(self, descriptor: int, callback: Any) -> None:
        assert descriptor == 99

    def recvmsg(self, *_: int) -> tuple[bytes, list[tuple[int, int, bytes]], int, None]:
        if not self.coming:
            raise BlockingIOError
        if isinstance(told := self.coming.pop(0), OSError):
            raise told
        data, number = told
        return data, [(270, 0, struct.pack("=i", number))], 0, None

    def links(self, number: int) -> bytes:
        indexes = {_H1: 2, _S1: 3}
        return b"".join(_told(number, index, (number, index) in self.up)[0] for index in (1, indexes[number]))

    def is_up(self, number: int, index: int) -> bool:
        return (number, index) in self.up

    def queue_bytes(self, _: None, kind: int, flags: int, body: bytes) -> None:
        link = LinkMessage(body)
        self.done.append((kind, link.index, link.is_up))

    def dump_bytes(self, *_: object) -> list[bytes]:
        return [LINK_BODY.pack(0, 1, index, 0, 0) for index in self.inner]

    def flush(self) -> None:
        """All is done at once."""

    def update(self) -> None:
        self.done.append((0, 0, False))

    def hear(self, carriers: Carriers, *told: "tuple[bytes, int] | OSError") -> list[tuple[int, bool]]:
        """The inner ends that are set when this has come, and how; those that are removed as -index."""
        self.coming, self.done = list(told), []
        carriers.follow()
        return [(index if kind == RTM_NEWLINK else -index, up) for kind, index, up in self.done]


@pytest.fixture
def kernel() -> _Kernel:
    return _Kernel()


@pytest.fixture
def carriers(kernel: _Kernel) -> Carriers:
    carriers = Carriers(*[cast(Any, kernel)] * 4)
    assert sorted(kernel.hear(carriers)) == [(20, True), (30, True)]
    return carriers


def test_all_ends_are_looked_at_first_and_when_messages_were_lost(kernel: _Kernel, carriers: Carriers) -> None:
    assert kernel.hear(carriers) == []
    kernel.up = {(_S1, 3)}
    assert sorted(kernel.hear(carriers, OSError(105, "ENOBUFS"))) == [(20, True), (30, False)]
    with pytest.raises(OSError, match="another"):
        kernel.hear(carriers, OSError(9, "another"))


def test_an_inner_end_is_as_the_outer_end_of_the_other_side(kernel: _Kernel, carriers: Carriers) -> None:
    kernel.up = {(_S1, 3)}
    assert kernel.hear(carriers, _told(_H1, 2, False)) == [(30, False)]
    kernel.up = {(_H1, 2)}
    assert kernel.hear(carriers, _told(_S1, 3, False), _told(_H1, 2, True)) == [(20, False), (30, True)]
    assert kernel.hear(carriers, _told(_H1, 7, False), _told(8, 2, False)) == [], "of others"


def test_an_end_that_was_down_for_a_moment_is_noticed(kernel: _Kernel, carriers: Carriers) -> None:
    assert kernel.hear(carriers, _told(_H1, 2, False), _told(_H1, 2, True)) == [(30, False), (30, True)]


def test_what_is_told_late_of_a_node_whose_number_another_has_now_leaves_that_up(kernel: _Kernel, carriers: Carriers) -> None:
    """A message may lie unread until its node has gone, and a new one has its number, and a link with the same index."""
    late = _told(_H1, 2, False), _told(_H1, 2, False, RTM_DELLINK)
    assert kernel.hear(carriers, *late)[-1] == (30, True)
    assert kernel.relayed


def test_with_an_end_that_is_removed_the_other_one_goes(kernel: _Kernel, carriers: Carriers) -> None:
    kernel.up, kernel.inner = {(_S1, 3)}, [30]
    told = kernel.hear(carriers, _told(_H1, 2, False), _told(_H1, 2, False, RTM_DELLINK))
    assert (told, kernel.relayed) == ([(0, False), (-30, False)], {})


def test_where_the_relay_does_not_work_links_stay_down(kernel: _Kernel, carriers: Carriers) -> None:
    kernel.is_broken = True
    assert kernel.hear(carriers, _told(_H1, 2, True)) == []
