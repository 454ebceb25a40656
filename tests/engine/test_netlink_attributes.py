"""Attributes of netlink messages, which are read another way where others had them at the same places."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynetemu.engine.messages.framing import attribute, attributes, bodies, by_type, messages, pack

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
        read = by_type(b"head" + packed, 4)
        assert dict(read) == dict(by_type(bare)) == dict(found) and len(read) == len(dict(found))
        for kind in {0x3FFF, *dict(found)}:
            assert (read.get(kind), kind in read) == (dict(found).get(kind), kind in dict(found))


def test_messages_of_a_dump_are_those_of_its_datagrams_and_a_cut_one_is_refused() -> None:
    data = b"".join(pack(kind, 0, 7, bytes(kind)) + bytes(-kind & 3) for kind in (3, 4, 9))
    assert bodies(data) == [(3, bytes(3)), (4, bytes(4)), (9, bytes(9))] == [message[::3] for message in messages(data)]
    for cut in (data[:-4], data[: len(data) - 20], bytes(16)):
        with pytest.raises(OSError, match="a message of"):
            bodies(cut)


def test_an_attribute_that_does_not_fit_is_refused_where_its_place_is_known() -> None:
    packed = b"".join(attribute(kind, b"1234") for kind in range(20))
    for _ in range(3):
        assert len(attributes(packed)) == 20
    with pytest.raises(OSError, match="attribute 19 of 12 bytes where 8 are left"):
        attributes(packed[:-8] + struct.pack("=HH", 12, 19) + packed[-4:])
