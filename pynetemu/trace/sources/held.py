"""What an engine has seen and nobody has read yet, in memory that the kernel gets back as it is read.

Python and malloc(3) keep what they free for their own next use: a flood's raw copies would stay beside what is made of them.
"""

import mmap

_PIECE = 1 << 20


class Held:
    """`keep` gives the copy of some bytes; a piece of memory goes when all copies in it have gone."""

    def __init__(self) -> None:
        self._piece: memoryview | None = None  # what is left of the latest

    def keep(self, data: bytes | memoryview) -> memoryview:
        """A copy of these bytes."""
        if self._piece is None or len(self._piece) < len(data):
            self._piece = memoryview(mmap.mmap(-1, max(_PIECE, len(data))))
        kept, self._piece = self._piece[: len(data)], self._piece[len(data) :]
        kept[:] = data
        return kept

    def forget(self) -> None:
        """Lets the latest piece go too, once its copies have gone."""
        self._piece = None
