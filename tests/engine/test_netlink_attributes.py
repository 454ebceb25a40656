"""Attributes of netlink messages, which are read another way where others had them at the same places."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynetemu.engine.messages.framing import attribute, attributes

pytestmark = pytest.mark.pure


@given(st.lists(st.tuples(st.integers(0, 0x3FFF), st.binary(max_size=9)), max_size=12), st.data())
def test_attributes_are_read_alike_the_first_time_and_when_their_places_are_known(
    wanted: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    """Also where other ones lie in as many bytes, and the last has no padding."""
    others = data.draw(st.permutations(wanted))
    for found in (wanted, wanted, wanted, others, others, others, wanted):
        packed = b"".join(attribute(kind | data.draw(st.sampled_from([0, 0x8000])), value) for kind, value in found)
        bare = packed[: len(packed) - (-len(found[-1][1]) & 3)] if found else packed
        assert attributes(packed) == attributes(b"head" + packed, 4) == attributes(bare) == found


def test_an_attribute_that_does_not_fit_is_refused_where_its_place_is_known() -> None:
    packed = b"".join(attribute(kind, b"1234") for kind in range(20))
    for _ in range(3):
        assert len(attributes(packed)) == 20
    with pytest.raises(OSError, match="attribute 19 of 12 bytes where 8 are left"):
        attributes(packed[:-8] + struct.pack("=HH", 12, 19) + packed[-4:])
