"""Collecting what is wrong with one text."""

from __future__ import annotations

from functools import cached_property
from typing import NoReturn

from graphbuilder.errors import BlueprintError, Diagnostic, Position, Related
from graphbuilder.text.limits import TextLimits
from graphbuilder.text.lines import LineTable

__all__ = ["Problems", "ReadingStopped"]


class ReadingStopped(Exception):
    """Thrown by a reader that cannot go on; what it met is among the problems."""


class Problems:
    """The diagnostics of one text, in the making.

    Arguments:
        file: the file's name as the user gave it.
        text: the text that offsets refer to.
        limits: how many problems are worth collecting.
    """

    def __init__(self, file: str, text: str, limits: TextLimits) -> None:
        self.file = file
        self.text = text
        self._limit = max(limits.problems, 1)
        self._found: list[tuple[int, Diagnostic]] = []
        self._silenced: list[tuple[int, int]] = []

    @cached_property
    def lines(self) -> LineTable:
        """The text's lines."""
        return LineTable(self.text)

    def position(self, start: int, end: int) -> Position:
        """The place of a stretch of the text; offsets behind the text's end are moved to it."""
        size = len(self.text)
        return self.lines.position(min(start, size), min(end, size))

    def add(
        self,
        code: str,
        start: int,
        end: int,
        message: str,
        *,
        node: str | None = None,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
        fix: str | None = None,
        fix_at: tuple[int, int] | None = None,
        related: tuple[tuple[str, int, int], ...] = (),
    ) -> None:
        """Notes a problem with the text from `start` up to `end`; `related` are messages with their offsets.

        `fix_at` is what the fix replaces, where that is another stretch.

        Raises:
            ReadingStopped: there are enough problems now.
        """
        if any(first <= start < last for first, last in self._silenced):
            return
        others = tuple(Related(text, None, self.position(first, last)) for text, first, last in related)
        position = self.position(start, end)
        diagnostic = Diagnostic(
            code, message, file=self.file, position=position, node=node, found=found, expected=expected, hint=hint,
            fix=fix, related=others, fix_position=None if fix_at is None else self.position(*fix_at),
        )  # fmt: skip
        self._found.append((start, diagnostic))
        if len(self._found) >= self._limit:
            raise ReadingStopped

    def stop(self, code: str, start: int, end: int, message: str, *, hint: str | None = None) -> NoReturn:
        """Notes a problem after which reading cannot go on.

        Raises:
            ReadingStopped: always.
        """
        self.add(code, start, end, message, hint=hint)
        raise ReadingStopped

    def withdraw(self, code: str, start: int, end: int) -> bool:
        """Takes back what was noted under a code in this stretch, as a consequence of something graver.

        Returns:
            Whether there was something.
        """
        kept = [(at, found) for at, found in self._found if not (found.code == code and start <= at < end)]
        some = len(kept) < len(self._found)
        self._found = kept
        return some

    def silence(self, start: int, end: int) -> None:
        """Ignores later problems with this stretch: they are consequences of one that is noted already."""
        self._silenced.append((start, end))

    def raise_if_any(self) -> None:
        """Ends the stage.

        Raises:
            BlueprintError: there were problems; all of them, in the order of the text.
        """
        if self._found:
            raise BlueprintError(diagnostic for _, diagnostic in sorted(self._found, key=lambda found: found[0]))
