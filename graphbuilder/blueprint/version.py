"""The version of the format, which every file begins with."""

from __future__ import annotations

from typing import Any

from graphbuilder.errors import Diagnostic, Position, nearest
from graphbuilder.text import Source
from graphbuilder.text.tree import Mapping

__all__ = ["VERSION", "version_problem"]

VERSION = 1


def version_problem(source: Source, data: dict[str, Any]) -> Diagnostic | None:
    """What is wrong with the version that a file says it has.

    Arguments:
        source: the text.
        data: what it holds.
    """
    if "blueprint" not in data:
        close = nearest("blueprint", data)
        begin = source.position(())
        hint: str = f"begin the file with `blueprint: {VERSION}`"
        return Diagnostic(
            "GB202",
            "blueprint is missing",
            file=source.name,
            position=begin if close is None else source.position((close,), key=True),
            expected=f"the version of the format, `blueprint: {VERSION}`",
            hint=hint if close is None else f"write blueprint in the place of {close}",
            fix=_version_line(source) if close is None else "blueprint",
            fix_position=_version_place(source, begin) if close is None else None,
        )
    version = data["blueprint"]
    if version == VERSION and not isinstance(version, bool):
        return None
    newer = isinstance(version, int) and version > VERSION
    return Diagnostic(
        "GB212",
        f"blueprint is {version!r}",
        file=source.name,
        position=source.position(("blueprint",)),
        found=repr(version),
        expected=str(VERSION),
        hint="the file was made for a newer graphbuilder; upgrade it" if newer else None,
    )


def _version_line(source: Source) -> str:
    """What says the version at the beginning of a file."""
    if source.syntax == "json" or (isinstance(source.root, Mapping) and source.root.flow):
        return f'"blueprint": {VERSION}, '
    return f"blueprint: {VERSION}\n"


def _version_place(source: Source, begin: Position) -> Position:
    """Where that belongs: before the first key."""
    inside = isinstance(source.root, Mapping) and source.root.flow
    column = begin.column + (1 if inside else 0)
    return Position(begin.line, column, begin.line, column)
