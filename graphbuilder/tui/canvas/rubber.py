"""The line between what is dragged and the mouse."""

from __future__ import annotations

from dataclasses import dataclass

from textual.geometry import Offset

__all__ = ["Rubber"]


@dataclass(frozen=True, slots=True)
class Rubber:
    """A line with two corners: down or up, across half way, and on.

    Arguments:
        start: the cell where it begins.
        end: the cell under the mouse.

    Example:
        >>> line = Rubber(Offset(1, 0), Offset(4, 2))
        >>> [line.run(row) for row in range(4)]
        [(1, '╎'), (1, '╰╌╌╮'), (4, '╎'), None]
    """

    start: Offset
    end: Offset

    @property
    def rows(self) -> range:
        """The rows that it goes through."""
        return range(min(self.start.y, self.end.y), max(self.start.y, self.end.y) + 1)

    def run(self, row: int) -> tuple[int, str] | None:
        """The first column of its cells in a row, and what stands there; None where it does not go through the row."""
        if row not in self.rows:
            return None
        (x, y), (to_x, to_y) = self.start, self.end
        turn = (y + to_y) // 2
        if row != turn or x == to_x:
            # What lies on the start's side of the turn is in its column.
            return (x if (row <= turn) == (y <= to_y) or x == to_x else to_x), "╎"
        before, after = self._corner(y, turn, right=to_x > x), self._corner(to_y, turn, right=x > to_x)
        between = "╌" * (abs(to_x - x) - 1)
        return (x, f"{before}{between}{after}") if x < to_x else (to_x, f"{after}{between}{before}")

    @staticmethod
    def _corner(y: int, turn: int, *, right: bool) -> str:
        """The glyph where the line from a row turns to the right or to the left."""
        if y == turn:
            return "╌"
        if y < turn:
            return "╰" if right else "╯"
        return "╭" if right else "╮"
