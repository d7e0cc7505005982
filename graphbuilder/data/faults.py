"""Collects what is wrong with data, so that all of it is told together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from graphbuilder.errors import BlueprintError, Diagnostic, Position, Severity

__all__ = ["Faults", "as_others", "counted", "listed"]

# How many faults of one file are told; what follows is nearly always the same again.
_TOLD = 20


class Faults:
    """The diagnostics of one source of data.

    Arguments:
        file: what the messages call it.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Diagnostic] = []

    def add(self, code: str, message: str, *, line: int | None = None, column: int = 1, **facts: Any) -> None:
        """Notes one fault.

        Arguments:
            code: a key of `errors.CODES`.
            message: what is wrong.
            line: the line of a text file, where there is one.
            column: the column in that line.
            facts: the other fields of a `Diagnostic`.
        """
        position = None if line is None else Position(line, column, line, column)
        self.found.append(Diagnostic(code, message, file=self.file, position=position, **facts))

    def warn(self, code: str, message: str, **facts: Any) -> None:
        """Notes what is worth knowing and stops nothing."""
        self.add(code, message, severity=Severity.WARNING, **facts)

    @property
    def errors(self) -> list[Diagnostic]:
        """The faults that are errors."""
        return [found for found in self.found if found.severity is Severity.ERROR]

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """The faults that stop nothing."""
        return tuple(found for found in self.found if found.severity is Severity.WARNING)

    def stop(self) -> None:
        """Raises what was found, if there is an error.

        Raises:
            BlueprintError: with every fault, at most twenty.
        """
        errors = self.errors
        if not errors:
            return
        # In the order of the file; what stands nowhere in it comes last.
        in_order = sorted(self.found, key=lambda found: found.position.line if found.position else math.inf)
        told = in_order if len(in_order) <= _TOLD else [each for each in in_order if each in errors][:_TOLD]
        if len(errors) > len(told):
            rest = counted(len(errors) - len(told), "more fault")
            told = [*told, Diagnostic(errors[-1].code, f"{rest} of this data are not shown", file=self.file)]
        raise BlueprintError(told)


def counted(number: int, thing: str) -> str:
    """A number of things.

    Example:
        >>> counted(1, "sample"), counted(1200, "sample"), counted(2, "class")
        ('1 sample', '1,200 samples', '2 classes')
    """
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}{'es' if thing.endswith('s') else 's'}"


def as_others(count: int) -> str:
    """What is put behind what was said of the first of so many samples.

    Example:
        >>> as_others(1), as_others(2), as_others(4)
        ('', ', as does 1 other', ', as do 3 others')
    """
    if count < 2:
        return ""
    return f", as {'does' if count == 2 else 'do'} {counted(count - 1, 'other')}"


def listed(names: Iterable[object], most: int = 8) -> str:
    """Names as a list in a sentence, cut where there are many.

    Example:
        >>> listed(["a", "b", "c"], most=2)
        'a, b and 1 more'
    """
    words = [str(name) for name in names]
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[:most])} and {len(words) - most} more"
