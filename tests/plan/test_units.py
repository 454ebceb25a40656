"""Durations, rates, sizes and percentages: read as tc(8) reads them, printed so that they are read back the same."""

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynetemu.plan import units
from pynetemu.plan.problems import Wrong

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (units.read_duration, "20ms", 20_000_000),
        (units.read_duration, "1.5s", 1_500_000_000),
        (units.read_duration, "200us", 200_000),
        (units.read_duration, "0.25 MS", 250_000),
        (units.read_duration, "2min", 120_000_000_000),
        (units.read_duration, "0s", 0),
        (units.read_rate, "100mbit", 100_000_000),
        (units.read_rate, "2.5gbit", 2_500_000_000),
        (units.read_rate, "1Kibit", 1024),
        (units.read_rate, "0.5kbit", 500),
        (units.read_size, "1500b", 1500),
        (units.read_size, "64kb", 65_536),
        (units.read_size, "1.5m", 1_572_864),
        (units.read_percentage, "0.5%", Fraction(1, 200)),
        (units.read_percentage, "100%", Fraction(1)),
        (units.read_percentage, "0.000001 %", Fraction(1, 10**8)),
    ],
)
def test_they_are_read_as_by_tc(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (units.read_duration, "20", "'20' has no unit"),
        (units.read_duration, 20, "20 is not a time"),
        (units.read_duration, True, "True is not a time"),
        (units.read_duration, "-5ms", "'-5ms' is not a time"),
        (units.read_duration, "1.ms", "'1.ms' is not a time"),
        (units.read_duration, "ms", "'ms' is not a time"),
        (units.read_duration, "1e3ms", "'1e3ms' is not a time"),
        (units.read_duration, "²ms", "'²ms' is not a time"),
        (units.read_duration, "5 parsec", "no unit that times have"),
        (units.read_duration, "9" * 12 + "h", "too large a time"),
        (units.read_rate, "10mbps", "ambiguous"),
        (units.read_rate, "10M", "no unit that rates have"),
        (units.read_rate, "0mbit", "lets nothing pass"),
        (units.read_rate, "0.1bit", "lets nothing pass"),
        (units.read_size, "5gb", "too large a size"),
        (units.read_size, "64", "has no unit"),
        (units.read_percentage, "0.5", "has no unit"),
        (units.read_percentage, "101%", "more than 100%"),
        (units.read_percentage, "5ms", "not a percentage"),
        (units.read_percentage, 0.5, "is not a percentage"),
    ],
)
def test_what_is_no_such_value_is_told(read: Callable[[object], object], text: object, told: str) -> None:
    with pytest.raises(Wrong, match=told.replace("(", r"\(")) as wrong:
        read(text)
    assert wrong.value.hint


@pytest.mark.parametrize(("bytes_rate", "bits"), [("10mbps", "10mbit"), ("8bps", "8bit"), ("1.5GiBps", "1.5gibit")])
def test_a_rate_in_bytes_names_the_one_in_bits(bytes_rate: str, bits: str) -> None:
    with pytest.raises(Wrong) as wrong:
        units.read_rate(bytes_rate)
    assert wrong.value.hint == f"write {bits}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (units.duration(20_000_000), "20ms"),
        (units.duration(1_500_000_000), "1.5s"),
        (units.duration(1_234_567), "1234.567us"),
        (units.duration(1), "1ns"),
        (units.duration(0), "0ns"),
        (units.rate(100_000_000), "100mbit"),
        (units.rate(1_001), "1.001kbit"),
        (units.size(65_536), "64kb"),
        (units.size(1_500), "1500b"),
        (units.percentage(Fraction(1, 200)), "0.5%"),
        (units.percentage(Fraction(1, 3)), "33.333333333333%"),
    ],
)
def test_they_are_printed_for_people(text: str, written: str) -> None:
    assert text == written


@given(st.integers(0, 2**63 - 1))
def test_printed_durations_are_read_back(value: int) -> None:
    assert units.read_duration(units.duration(value)) == value


@given(st.integers(1, 2**63 - 1))
def test_printed_rates_are_read_back(value: int) -> None:
    assert units.read_rate(units.rate(value)) == value


@given(st.integers(0, 2**32 - 1))
def test_printed_sizes_are_read_back(value: int) -> None:
    assert units.read_size(units.size(value)) == value


@given(st.decimals(0, 100, places=8))
def test_printed_percentages_are_read_back(value: object) -> None:
    share = Fraction(str(value)) / 100
    assert units.read_percentage(units.percentage(share)) == share


@given(st.text() | st.floats() | st.none() | st.binary())
def test_junk_is_told_and_nothing_else_happens(junk: object) -> None:
    for read in units.read_duration, units.read_rate, units.read_size, units.read_percentage:
        try:
            read(junk)
        except Wrong as wrong:
            assert wrong.text
