"""Journals of fates, as files: what `RunningLink.journal` writes and `RunningLink.replay` reads."""

from collections.abc import Iterator

from pynetemu.plan.problems import Wrong

HEADER = "# fates: flow, number of its packet, what became of it"
Fate = tuple[bytes, int, list[str]]  # the flow's key, the packet's number from 0, and words


def is_journal(text: str) -> bool:
    return text.startswith(HEADER)


def read_fates(text: str) -> Iterator[Fate]:
    """The lines of a journal. Raises Wrong."""
    for place, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            continue
        try:
            key, number, *words = line.split()
            if not (words == ["lost"] or _is_fate(words)):
                raise ValueError
            yield bytes.fromhex(key), int(number), words
        except (ValueError, IndexError):
            raise Wrong(f"line {place} is {line[:60]!r}", "a flow, a number, and a fate, as a journal has them") from None


def _is_fate(words: list[str]) -> bool:
    int(words[0], 16)
    for word in words[1:]:
        name, colon, draw = word.partition(":")
        if name == "corrupted" and colon:
            int(draw, 16)
        elif word not in ("twice", "ahead"):
            return False
    return len(words[0]) == 8
