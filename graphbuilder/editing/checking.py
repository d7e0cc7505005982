"""What a command would write, checked against the schema and the graph before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from graphbuilder.blueprint import Document, diagnose, load_source
from graphbuilder.catalog.refusals import refusals
from graphbuilder.editing.applying import Applied, apply
from graphbuilder.editing.changes import Change
from graphbuilder.editing.levels import Level, listed, refused
from graphbuilder.editing.located import located_before
from graphbuilder.editing.scratch import branches_alone
from graphbuilder.errors import BlueprintError, CommandError, suggestion
from graphbuilder.lowering import Lowered, try_lower
from graphbuilder.text.source import Path

__all__ = ["check_part", "check_references", "edited", "loaded", "lowered"]


def check_part(document: Document, kind: type[BaseModel], value: Any, path: Path) -> Any:
    """A part of a file as the schema has it, if that takes it.

    Arguments:
        document: the file.
        kind: the part's model.
        value: the part as plain data, as it would be written.
        path: where it would stand.

    Raises:
        CommandError: with everything that is wrong with it.
    """
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        known = [info.alias or name for name, info in kind.model_fields.items()]
        found = refusals(error, value, lambda where: [] if where else known)
        raise CommandError([diagnose(each, document.source, path) for each in found]) from None


def check_references(document: Document, written: Sequence[str], params: Mapping[str, Any] | None = None) -> None:
    """Refuses references that name no single value of a file.

    Arguments:
        document: the file.
        written: the references, as under `outputs`.
        params: values for some of its params.

    Raises:
        CommandError: GB301.
    """
    known = Level(document).names
    for reference in written:
        first = reference.partition(".")[0]
        if first not in known:
            hint = suggestion(first, known, listing=f"known here: {listed(known)}" if known else None)
            raise refused(document, "GB301", f"there is no node or input {first}", hint=hint, found=reference)
    alone = branches_alone(Level(document), written)
    wrong = [found for found in try_lower(alone, params).errors if found.code == "GB301"]
    if any(found.found in written for found in wrong):
        raise CommandError([replace(found, position=None, related=()) for found in wrong if found.found in written])


def edited(
    document: Document, changes: Sequence[Change], told: Sequence[str], params: Mapping[str, Any] | None = None
) -> tuple[Document, Applied]:
    """A file as changes would have it, if nothing is wrong with its graph then.

    Arguments:
        document: the file; it stays as it is.
        changes: the changes.
        told: what they come to, to be told beside what is wrong.
        params: values for some of its params.

    Raises:
        BlueprintError: located in the old text, because the new one is written nowhere.
        InternalError: the new text would not say what it should.
    """
    after, applied = loaded(document, changes, told)
    errors = (lowered(after) if params is None else try_lower(after, params)).errors
    if errors:
        raise BlueprintError(located_before(errors, document, applied, told))
    return after, applied


def loaded(document: Document, changes: Sequence[Change], told: Sequence[str]) -> tuple[Document, Applied]:
    """A file as changes would have it, read with its imports; its graph may be wrong.

    Arguments:
        document: the file; it stays as it is.
        changes: the changes.
        told: what they come to, to be told beside what is wrong.

    Raises:
        BlueprintError: located in the old text, because the new one is written nowhere.
        InternalError: the new text would not say what it should.
    """
    applied = apply(document.source, changes)
    try:
        after = load_source(applied.source, document.path)
    except BlueprintError as error:
        raise BlueprintError(located_before(error.diagnostics, document, applied, told)) from error
    return after, applied


@lru_cache(maxsize=2)
def lowered(document: Document) -> Lowered:
    """What comes of a file with its params as they are by default; kept for the next command on the same file."""
    return try_lower(document)
