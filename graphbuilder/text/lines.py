"""From offsets in a text to lines and columns, counted as editors count them."""

from __future__ import annotations

import re
from bisect import bisect_right

from graphbuilder.errors import Position

__all__ = ["LineTable"]

# YAML 1.1 also breaks lines at U+0085, U+2028 and U+2029; YAML 1.2, JSON and editors do not.
_BREAK = re.compile(r"\r\n|\r|\n")


class LineTable:
    r"""Where each line of a text begins.

    Example:
        >>> LineTable("a: 1\r\nb: 2").position(9, 10)
        Position(line=2, column=4, end_line=2, end_column=5)
    """

    __slots__ = ("_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0]
        self._starts.extend(match.end() for match in _BREAK.finditer(text))

    def place(self, offset: int) -> tuple[int, int]:
        """The line and the column of a character, both counted from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def position(self, start: int, end: int) -> Position:
        """The stretch from one offset up to another, which is not part of it."""
        return Position(*self.place(start), *self.place(end))

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column, both counted from 1; places outside the text give the nearest inside."""
        if line < 1:
            return 0
        if line > len(self._starts):
            return len(self._text)
        start = self._starts[line - 1]
        return min(start + max(column - 1, 0), start + len(self.line(line)))

    def line(self, number: int) -> str:
        """A line without its line break; empty for a number outside the text."""
        if not 1 <= number <= len(self._starts):
            return ""
        end = self._starts[number] if number < len(self._starts) else len(self._text)
        return self._text[self._starts[number - 1] : end].rstrip("\r\n")

    def __len__(self) -> int:
        return len(self._starts)
