"""From a diagnostic's fix to the splice of the text that makes it."""

from __future__ import annotations

from graphbuilder.errors import Diagnostic
from graphbuilder.text.lines import LineTable
from graphbuilder.text.quoting import json_text
from graphbuilder.text.splices import Splice

__all__ = ["fix_splice", "fix_text"]

# Faults of the text itself, whose fixes are stretches of it and not values.
_OF_THE_TEXT = "GB1"


def fix_splice(diagnostic: Diagnostic, text: str, *, json: bool = False) -> Splice | None:
    r"""The splice that carries out what a diagnostic offers; None when it offers nothing.

    Arguments:
        diagnostic: what was found in the text.
        text: the text.
        json: whether it is JSON, in which words stand in quotes.

    Example:
        >>> from graphbuilder.errors import Position
        >>> found = Diagnostic("GB205", "Dens is not a layer", position=Position(1, 9, 1, 13), fix="Dense")
        >>> fix_splice(found, "{layer: Dens}")
        Splice(start=8, end=12, text='Dense')
    """
    place = diagnostic.fix_position or diagnostic.position
    if diagnostic.fix is None or place is None:
        return None
    lines = LineTable(text)
    start, end = lines.offset(place.line, place.column), lines.offset(place.end_line, place.end_column)
    return Splice(start, end, fix_text(diagnostic, json=json) or "")


def fix_text(diagnostic: Diagnostic, *, json: bool = False) -> str | None:
    """What a fix writes, in the syntax of the file; None when there is no fix.

    Arguments:
        diagnostic: what was found.
        json: whether the file is JSON, in which words stand in quotes.
    """
    fix = diagnostic.fix
    if fix is None or not json or diagnostic.fix_position is not None or diagnostic.code.startswith(_OF_THE_TEXT):
        return fix
    return json_text(fix)
