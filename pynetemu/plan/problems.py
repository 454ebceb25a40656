"""Collects what is wrong with a description, to tell it all at once."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pynetemu.errors import DescriptionError, Problem
from pynetemu.topology.part import Declaration, quoted

_T = TypeVar("_T")
_LONGEST = 600  # characters of a text


class Wrong(Exception):
    """A value that cannot be honored: what is wrong, and what is allowed."""

    def __init__(self, text: str, hint: str = "") -> None:
        self.text, self.hint = text, hint
        super().__init__(text)


def _cut(text: str) -> str:
    """A text with a value of the user's in it, which may be a megabyte."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"


def _is_of_a_value(error: Exception) -> bool:
    """Whether a method of a value's own class has failed: to compare it, to show it, to read it."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    return frame is not None and not str(frame.tb_frame.f_globals.get("__name__", "")).startswith("pynetemu.")


class Problems:
    def __init__(self) -> None:
        self._found: list[tuple[int, Problem]] = []
        self._warnings: list[tuple[int, Problem]] = []

    def __len__(self) -> int:
        """How much is wrong so far."""
        return len(self._found)

    @property
    def noted(self) -> int:
        """How much has been found so far, warnings too."""
        return len(self._found) + len(self._warnings)

    def add(self, declaration: Declaration, text: str, hint: str = "") -> None:
        """Notes a mistake at a line of the description; `hint` says what would be right."""
        self._found.append((declaration.order, Problem(_cut(text), declaration.where, declaration.text, _cut(hint))))

    def add_all(self, declaration: Declaration, found: Iterable[tuple[str, str]]) -> None:
        for text, hint in found:
            self.add(declaration, text, hint)

    def warn(self, declaration: Declaration, text: str, hint: str = "") -> None:
        """Notes what is allowed, but was hardly meant."""
        self._warnings.append((declaration.order, Problem(text, declaration.where, declaration.text, hint)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was warned of, in the order of the description."""
        return tuple(str(problem) for _, problem in sorted(self._warnings, key=lambda found: found[0]))

    def add_first(self, problem: Problem) -> None:
        """Notes what is to be told before all others."""
        self._found.append((-1, problem))

    def check(
        self, declaration: Declaration | Callable[[], Declaration], parse: Callable[..., _T], *values: object
    ) -> _T | None:
        """What `parse` makes of the values; None when it raises Wrong, which is noted at the declaration."""
        try:
            return parse(*values)
        except Wrong as wrong:
            text, hint = wrong.text, wrong.hint
        except Exception as error:
            if not _is_of_a_value(error):
                raise  # a mistake of our own
            text = f"a value cannot be read: {type(error).__name__}: {error}"
            hint = f"it is {', '.join(map(quoted, values))}"
        self.add(declaration if isinstance(declaration, Declaration) else declaration(), text, hint)
        return None

    def raise_all(self) -> None:
        """Raises DescriptionError if anything was wrong, in the order in which the user wrote it."""
        if self._found:
            ordered = [problem for _, problem in sorted(self._found, key=lambda found: found[0])]
            raise DescriptionError(list(dict.fromkeys(ordered)))  # a topology that is in another twice is told once
