"""Which of the known words somebody may have meant."""

from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like a word, None when none is near: nearest("bleu", ["blue", "root"]) == "blue"."""
    from difflib import get_close_matches

    known = {candidate.lower(): candidate for candidate in candidates}
    found = get_close_matches(word.lower(), known, n=1)
    return known[found[0]] if found else None
