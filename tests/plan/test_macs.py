"""MAC addresses: locally administered, each once, the same in every run."""

from ipaddress import ip_interface

from hypothesis import given
from hypothesis import strategies as st

from pynetemu.plan.macs import Macs


def test_the_first_ipv4_address_is_seen_in_the_mac() -> None:
    assert Macs().take("h1 eth0", [ip_interface("fd00::1/64"), ip_interface("10.0.0.2/24")]) == "02:42:0a:00:00:02"


def test_without_address_it_is_a_hash_of_the_owner() -> None:
    assert Macs().take("s1 h1", []) == Macs().take("s1 h1", []) != Macs().take("s1 h2", [])
    assert Macs().take("s1 h1", []).startswith("02:00:")


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=40))
def test_none_is_given_out_twice(owners: list[str]) -> None:
    macs = Macs()
    given_out = [macs.take(owner, []) for owner in owners]
    given_out.append(macs.take("x", [ip_interface("10.0.0.1/24")]))
    given_out.append(macs.take("y", [ip_interface("10.0.0.1/24")]))
    assert len(set(given_out)) == len(given_out)
    for mac in given_out:
        first = int(mac[:2], 16)
        assert (len(mac), first & 1, first & 2) == (17, 0, 2)  # not multicast; locally administered
