"""Diagnostics of a text that was never written, located in the text that stands in the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from graphbuilder.blueprint import Document
from graphbuilder.editing.applying import Applied
from graphbuilder.errors import Diagnostic, Position, Related
from graphbuilder.text.splices import original_offset

__all__ = ["located_before"]


def located_before(
    diagnostics: Iterable[Diagnostic], document: Document, applied: Applied, told: Sequence[str]
) -> list[Diagnostic]:
    """The diagnostics of an edited text, each where its place was before the edit; without a place if it is new.

    Arguments:
        diagnostics: what is wrong with the new text.
        document: the old one.
        applied: the edit.
        told: what the edit changed, to be told beside them.
    """
    edit = Related(f"so it would be after the edit, which was not made: {'; '.join(told)}")
    file = document.source.name

    def before(position: Position | None, of: str | None) -> Position | None:
        if position is None or of not in (file, None):
            return position
        lines = applied.source.lines
        start = original_offset(lines.offset(position.line, position.column), applied.splices)
        end = original_offset(lines.offset(position.end_line, position.end_column), applied.splices)
        return None if start is None else document.source.lines.position(start, start if end is None else end)

    return [
        replace(
            found,
            position=before(found.position, found.file),
            # What would mend the new text mends nothing in the old one.
            fix=None,
            related=(*(replace(each, position=before(each.position, each.file)) for each in found.related), edit),
        )
        for found in diagnostics
    ]
