"""Whether a node had an address when a packet came, by the changes that were heard beside the packets."""

from ipaddress import ip_interface

import pytest

from pynetemu.lab.events import AddressEvent
from pynetemu.trace.evidence.evidence import Evidence

pytestmark = pytest.mark.pure


def _event(time: float, has: bool, node: str = "web", address: str = "10.3.0.50/24") -> AddressEvent:
    own = ip_interface(address)
    before, after = (None, own) if has else (own, None)
    return AddressEvent(node=node, time=time, since=time - 0.01, interface="eth0", before=before, after=after)


@pytest.mark.parametrize(
    ("events", "had"),
    [
        ([], None),
        ([_event(5, has=False)], True),
        ([_event(5, has=True)], False),
        ([_event(2, has=False)], None),  # before the packet: as it is now
        ([_event(2, has=True), _event(5, has=False)], True),
        ([_event(2, has=False), _event(5, has=True)], False),
        ([_event(5, has=False), _event(6, has=True)], True),  # the next change after the packet says it
        ([_event(3.005, has=True)], None),  # it may have been there already
        ([_event(3.005, has=False)], True),
        ([_event(5, has=False, node="db")], None),
        ([_event(5, has=False, address="10.3.0.51/24")], None),
        ([_event(5, has=False, address="fd00::50/64")], None),
    ],
)
def test_the_next_change_says_what_was_there(events: list[AddressEvent], had: bool | None) -> None:
    evidence = Evidence.__new__(Evidence)  # of no lab
    evidence.events = events
    assert evidence.had_address("web", "10.3.0.50", 3_000_000_000) is had
