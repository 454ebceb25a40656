"""What was read of parts, for a description that is read again when a few of them have changed.

    memo.begin()
    host = memo.of(part).get("host") or ...        what was kept of the part, as long as it says the same

A change of a running lab reads all of its description again, since whatever comes may be wrong, or change what others have;
what each part says by itself it has said before.
"""

from collections.abc import Callable, Hashable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from operator import is_
from typing import Any, TypeVar

from pynetemu.frozen import record
from pynetemu.topology.part import Declaration, Part, current_folder

_T = TypeVar("_T")

_SIMPLE = str, int, float, bool, type(None), bytes, range, Declaration
_ADDRESSES = IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
_CANNOT_CHANGE: frozenset[type] = frozenset((*_SIMPLE, *_ADDRESSES))


@record
class _Known:
    """What is kept of a part: since it had these values, under these names, asked for in that `turn` last."""

    turn: int
    part: Part
    names: tuple[str, ...]
    values: tuple[object, ...]
    kept: dict[str, Any]


class Memo:
    """Keeps what was asked for since the last `begin` but one.

    A part says the same as long as it has the very values that it had; where one of them may change in itself, as a list may,
    and where the part is of a class of the user's, nothing is kept of it. What is kept must follow from these values alone.
    """

    def __init__(self) -> None:
        self._folder = ""  # places in files are told as seen from here
        self._turn = 0
        self._parts: dict[int, _Known] = {}
        self._values: dict[Any, list[Any]] = {}  # each with the turn in which it was asked for last

    def begin(self) -> None:
        """A description is read from its beginning: what nobody asks for from now on is forgotten the next time."""
        folder, turn = current_folder(), self._turn
        same = folder == self._folder
        self._folder = folder
        self._turn += 1
        if same:
            self._parts = {key: known for key, known in self._parts.items() if known.turn == turn}
            self._values = {key: found for key, found in self._values.items() if found[0] == turn}
        else:
            self.forget()

    def forget(self) -> None:
        """Knows nothing any more."""
        self._parts, self._values = {}, {}

    def of(self, part: Part) -> dict[str, Any]:
        """What is kept of a part, by names of the reader's choice; empty for one that says something else now."""
        known = self._parts.get(id(part))
        if known is not None and known.part is part:
            if known.turn == self._turn:
                return known.kept
            own = vars(part)
            if known.names == tuple(own) and all(map(is_, known.values, own.values())):
                known.turn = self._turn
                return known.kept
        own = vars(part)
        values = tuple(own.values())
        kept: dict[str, Any] = {}
        if type(part).__module__.startswith("pynetemu.") and all(map(cannot_change, values)):
            self._parts[id(part)] = _Known(self._turn, part, tuple(own), values, kept)
        return kept

    def made(self, kind: Callable[..., _T], /, *values: Any, key: Hashable = None) -> _T:
        """What a kind of frozen value is of these values: that which was made of them before.

        The `key` stands for the values where their hashes take long: it may have the ids of some, as what is made keeps them.
        """
        key = kind, key or values
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = [self._turn, kind(*values)]
        found[0] = self._turn
        made: _T = found[1]
        return made


def cannot_change(value: object) -> bool:
    """Whether a value is always the same. Parts that are referred to may change: what is kept of a part must not follow from
    what another says."""
    if type(value) in _CANNOT_CHANGE or isinstance(value, Part):
        return True
    return type(value) is tuple and all(map(cannot_change, value))
