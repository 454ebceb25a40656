"""What messages have in common: numbers with their nouns, lists that are shortened, and what somebody may have meant."""

import pytest

from pynetemu.wording import counted, did_you_mean, misspelt, near_or_all, nearest, shortened, suggested

pytestmark = pytest.mark.pure


def test_numbers_have_nouns() -> None:
    assert [counted(number, "packet") for number in (0, 1, 2, -1)] == ["0 packets", "1 packet", "2 packets", "-1 packets"]


@pytest.mark.parametrize(
    ("count", "most", "text"),
    [
        (0, 8, ""),
        (1, 8, "w1"),
        (3, 3, "w1, w2, w3"),
        (4, 3, "w1, w2 and 2 more"),
        (9, 8, "w1, w2, w3, w4, w5, w6, w7 and 2 more"),
        (3, 2, "w1 and 2 more"),
    ],
)
def test_lists_are_shortened(count: int, most: int, text: str) -> None:
    assert shortened([f"w{number}" for number in range(1, count + 1)], most) == text


def test_eight_words_are_shown_unless_told_otherwise() -> None:
    assert shortened(list("abcdefgh")) == "a, b, c, d, e, f, g, h"
    assert shortened(list("abcdefghi")) == "a, b, c, d, e, f, g and 2 more"


@pytest.mark.parametrize(
    ("word", "found"), [("bleu", "Blue"), ("BLUE", "Blue"), ("rot", "root"), ("xyz", None), ("", None), ("router", "root")]
)
def test_the_nearest_is_found_whatever_its_case(word: str, found: str | None) -> None:
    assert nearest(word, ["Blue", "root", "switch"]) == found


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("mut", "mtu"),  # two letters changed places
        ("tmu", "mtu"),  # also the first two
        ("utm", None),  # but no others with the first
        ("cots", "cost"),
        ("cots1", None),  # a number makes it somebody's own
        ("1cots", None),
        ("mt", None),  # too short
        ("mtu", None),  # it is the name
        ("COTS", "cost"),
        ("forwarding", None),
        ("prioritty", "priority"),
        ("xriority", None),  # less alike, where the first letter differs
        ("gpriority", "priority"),
        ("pririty", "priority"),
        ("prity", None),
    ],
)
def test_a_slip_of_the_pen_is_told_from_a_word_of_ones_own(word: str, name: str | None) -> None:
    assert misspelt(word, ["mtu", "cost", "priority"]) == name


def test_hints() -> None:
    assert suggested("tree") == "did you mean 'tree'?"
    assert suggested("tree", "the shape") == "did you mean the shape 'tree'?"
    assert (suggested(None), suggested("")) == ("", "")
    assert did_you_mean("bleu", ["blue"]) == "did you mean 'blue'?"
    assert did_you_mean("xyz", ["blue"]) == ""
    assert near_or_all("bleu", ["blue", "root"]) == "did you mean 'blue'?"
    assert near_or_all("xyz", ["blue", "root"]) == "it has blue, root"
    assert near_or_all("xyz", ["blue"], has="there is") == "there is blue"
    assert near_or_all("xyz", []) == "it has none"
