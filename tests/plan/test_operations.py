"""Operations are values: made in order or by name, equal when they say the same, and unchangeable."""

import copy
import pickle

import pytest

from pynetemu.plan.operations import AddBridge, AddNode, SetUp


def test_operations_are_made_in_order_or_by_name_with_defaults() -> None:
    bridge = AddBridge("s1", "br0")
    assert bridge == AddBridge(interface="br0", node="s1", settings=("mcast_snooping 0",), mac="")
    assert repr(SetUp("blue", "eth0")) == "SetUp(node='blue', interface='eth0', late=False, source='')"
    with pytest.raises(TypeError, match="interface"):
        SetUp("blue")  # type: ignore[call-arg]


def test_where_they_were_written_does_not_tell_them_apart_but_their_kind_does() -> None:
    assert SetUp("blue", "eth0", source="lab.py:3") == SetUp("blue", "eth0", source="lab.py:4")
    assert len({SetUp("blue", "eth0", source="lab.py:3"), SetUp("blue", "eth0")}) == 1
    others: list[object] = [AddNode("blue", "host"), ("blue", "host", "")]
    assert SetUp("blue", "host") not in others


def test_they_cannot_change_and_can_be_copied() -> None:
    up = SetUp("blue", "eth0", source="lab.py:3")
    with pytest.raises(AttributeError, match="SetUp is a value: node cannot change"):
        up.node = "red"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del up.node
    for other in copy.deepcopy(up), pickle.loads(pickle.dumps(up)):
        assert (other, other.source) == (up, "lab.py:3")


def test_they_can_be_matched() -> None:
    match SetUp("blue", "eth0"):
        case SetUp(node, interface="eth0"):
            assert node == "blue"
        case _:
            pytest.fail("it has not matched")
