"""Words as sh takes them apart, with where they stand."""

import shlex

import pytest

from pynetemu.shell.words import Word, split


def test_each_word_knows_where_it_stands() -> None:
    line = "kill  'a b' c\\ d"
    assert split(line) == [Word("kill", 0, 4), Word("a b", 6, 11), Word("c d", 12, 16)]
    assert [line[word.start : word.end] for word in split(line)] == ["kill", "'a b'", "c\\ d"]


@pytest.mark.parametrize(
    "line", ["a b", " a\tb ", "'a b'c\"d e\"", '"a\\"b" \'\\\' x', "a\\ b", "''", "", "--x='1 2'", "a|b > c", "é ß"]
)
def test_quotes_mean_what_they_mean_in_sh(line: str) -> None:
    assert [word.text for word in split(line)] == shlex.split(line)


def test_a_comment_ends_the_line() -> None:
    assert [word.text for word in split("nodes a#b # and 'this")] == ["nodes", "a#b"]


@pytest.mark.parametrize("line", ["'a", 'x "b', "a\\"])
def test_a_quote_that_is_not_closed_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="No closing quotation"):
        split(line)
