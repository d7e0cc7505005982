"""Changes made to a text, and the proof that nothing else came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphbuilder.editing.changes import Change, Insert, Replace, changed_data
from graphbuilder.editing.inserting import insertion
from graphbuilder.editing.replacing import removal, replacement
from graphbuilder.errors import BlueprintError, Diagnostic, InternalError
from graphbuilder.text import Source, parse
from graphbuilder.text.splices import Splice, same_data, spliced

__all__ = ["Applied", "apply", "splices_of"]

# What a larger text may run into, beside what is wrong with a text.
_LIMITS = ("GB103", "GB107", "GB108", "GB113")


@dataclass(frozen=True, slots=True)
class Applied:
    """A text that was edited.

    Arguments:
        source: the new text, read again.
        splices: what was done to the old one; `graphbuilder.text.splices.undoing` turns them round.
    """

    source: Source
    splices: tuple[Splice, ...]


def splices_of(source: Source, change: Change) -> tuple[Splice, ...]:
    """The splices of one change.

    Raises:
        BlueprintError: GB203, the change would change another place too.
    """
    if isinstance(change, Insert):
        return insertion(source, change)
    if isinstance(change, Replace):
        return replacement(source, change)
    return removal(source, change)


def apply(source: Source, changes: Sequence[Change]) -> Applied:
    """Makes changes to a text; all bytes that they do not concern stay.

    What comes of it is read again and compared with what the changes make of the plain data.

    Arguments:
        source: the text.
        changes: in any order; their paths are those of the text before.

    Raises:
        BlueprintError: GB203, a change would change another place too; GB103 and the like, the text becomes too large.
        InternalError: the new text does not say what it should.
    """
    # Where two insertions meet at one place, that into the inner mapping belongs above the other.
    ordered = sorted(changes, key=lambda change: -len(change.path))
    splices = tuple(splice for change in ordered for splice in splices_of(source, change))
    try:
        text = spliced(source.text, splices)
    except ValueError as error:
        raise InternalError(_contradiction(source, str(error))) from error
    try:
        again = parse("\ufeff" + text if source.byte_order_mark else text, name=source.name, syntax=source.syntax)
    except BlueprintError as error:
        if all(found.code in _LIMITS for found in error.diagnostics):
            raise
        raise InternalError(_contradiction(source, f"it cannot be read: {error.diagnostics[0].message}")) from error
    if not same_data(again.data, changed_data(source.data, changes)):
        raise InternalError(_contradiction(source, "it reads differently"))
    return Applied(again, splices)


def _contradiction(source: Source, why: str) -> Diagnostic:
    return Diagnostic("GB900", f"the edit of {source.name} was not made, because {why}; nothing was changed")
