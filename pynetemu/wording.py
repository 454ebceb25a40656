"""What messages have in common: numbers with their nouns, lists that are shortened, and what somebody may have meant."""

from collections.abc import Collection, Iterable, Sequence

_SHORTEST = 3  # a shorter word may be anything
_LIKE, _VERY_LIKE = 0.83, 0.93  # of difflib, with the same first letter and without
_DIGITS = "0123456789"


def counted(number: int, noun: str) -> str:
    """A number with its noun: counted(1, "packet") == "1 packet", counted(2, "packet") == "2 packets"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def shortened(words: Sequence[str], most: int = 8) -> str:
    """All words, or the first with the number of the others: shortened(["h1", "h2", "h3"], 2) == "h1 and 2 more"."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"


def nearest(word: object, candidates: Iterable[str]) -> str | None:
    """The candidate most like a word, None when none is near: nearest("bleu", ["blue", "root"]) == "blue"."""
    if not isinstance(word, str):
        return None
    from difflib import get_close_matches

    known = {candidate.lower(): candidate for candidate in candidates}
    near = get_close_matches(word.lower(), known, n=1)
    return known[near[0]] if near else None


def misspelt(word: str, names: Iterable[str]) -> str | None:
    """The name of which a word is a slip of the pen: misspelt("mut", ["mtu", "cost"]) == "mtu"; None for any other word.

    This is narrower than `nearest`: a word may be somebody's own, and only be a little like a name.
    """
    known = list(names)
    return None if word in known else next((name for name in known if _is_slip(word.lower(), name)), None)


def _is_slip(word: str, name: str) -> bool:
    if len(word) < _SHORTEST or word.strip(_DIGITS) != word:
        return False
    if sorted(word) == sorted(name):
        return word[0] == name[0] or word[:2] == name[1::-1]
    from difflib import SequenceMatcher

    likeness = SequenceMatcher(None, word, name, autojunk=False).ratio()
    return likeness >= (_LIKE if word[0] == name[0] else _VERY_LIKE)


def suggested(near: object, what: str = "") -> str:
    """A hint at what was meant, "" for nothing: suggested("tree", "the shape") == "did you mean the shape 'tree'?"."""
    return f"did you mean {what}{' ' * bool(what)}{near!r}?" if near else ""


def did_you_mean(word: object, candidates: Iterable[str]) -> str:
    """A hint that names the nearest candidate, "" when none is near."""
    return suggested(nearest(word, candidates))


def near_or_all(word: object, candidates: Collection[str], has: str = "it has") -> str:
    """A hint that names the nearest candidate, or says what there is: "it has blue, root and 12 more", "it has none"."""
    if not isinstance(word, str) and (name := getattr(word, "name", None)) in candidates:
        return f"say its name: {name!r}"  # a node was given
    return did_you_mean(word, candidates) or f"{has} {shortened(list(candidates)) or 'none'}"
