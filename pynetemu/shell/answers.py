"""What commands give back to be shown: as text for people, and with `--json` as data."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from pynetemu.safe_text import printable
from pynetemu.terminal_output import in_last_column, is_terminal, paint
from pynetemu.wording import shortened

Cell = str | int | float | bool | list[str] | None
_MOST_ITEMS = 8  # of a list in a row
_MOST_ROWS = 60  # that a terminal is given without being asked for all


class Answer(ABC):
    """A command whose return type is one has the options `--json` and `--all`; `status` is its exit status."""

    status: int

    @abstractmethod
    def text(self, everything: bool) -> str:
        """For people; shortened, and said so, unless `everything` is wanted."""

    @abstractmethod
    def data(self) -> object:
        """For json.dumps."""


@dataclass(frozen=True, slots=True)
class Table(Answer):
    """Rows under columns; the first column is what each row is about.

    Table(("node", "kind"), [("blue", "host"), ("s1", "switch")])
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    status: int = 0

    def text(self, everything: bool) -> str:
        rows = self.rows if everything else self.rows[: _shown(len(self.rows))]
        most = sys.maxsize if everything or not is_terminal(sys.stdout) else _MOST_ITEMS
        cells = [[_printed(cell, most) for cell in row] for row in rows]
        widths = [max([len(column), *(len(row[i]) for row in cells)]) for i, column in enumerate(self.columns)]
        lines = [_line([column.upper() for column in self.columns], widths, ["faint"] * len(widths))]
        lines += [_line(row, widths, ["bold", *[""] * (len(widths) - 1)]) for row in cells]
        if hidden := len(self.rows) - len(rows):
            lines.append(f"and {hidden} more; --all shows them")
        return "\n".join(lines)

    def data(self) -> object:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def _shown(rows: int) -> int:
    return rows if rows <= _MOST_ROWS or not is_terminal(sys.stdout) else _MOST_ROWS - 10


def _printed(cell: Cell, most: int) -> str:
    match cell:
        case None:
            return "-"
        case bool():
            return "yes" if cell else "no"
        case list():
            return printable(shortened(cell, most)) or "-"
    return printable(str(cell))


def _line(cells: Sequence[str], widths: Sequence[int], styles: Sequence[str]) -> str:
    last = len(cells) - 1
    padded = [cell.ljust(width) for cell, width in zip(cells[:last], widths, strict=False)]
    padded.append(in_last_column(cells[last], sum(widths[:last]) + 2 * last))
    return "  ".join(paint(cell, style) for cell, style in zip(padded, styles, strict=True)).rstrip()
