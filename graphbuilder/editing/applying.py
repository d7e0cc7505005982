"""Changes made to a text, and the proof that nothing else came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graphbuilder.editing.changes import (
    Change,
    Delete,
    Insert,
    InsertItem,
    Move,
    Remove,
    Rename,
    Replace,
    changed_data,
    in_order,
)
from graphbuilder.editing.inserting import insertion, item_insertion
from graphbuilder.editing.moving import moving
from graphbuilder.editing.removing import removal
from graphbuilder.editing.replacing import renaming, replacement
from graphbuilder.errors import BlueprintError, Diagnostic, InternalError, Position
from graphbuilder.text import Source, parse, tree
from graphbuilder.text.reparsing import reparsed
from graphbuilder.text.source import Path
from graphbuilder.text.splices import Splice, composed, original_offset, same_data, spliced

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
    waiting = _grouped(changes)
    done: tuple[Splice, ...] = ()
    now = source
    while waiting:
        try:
            splices, waiting = _together(now, waiting)
        except BlueprintError as error:
            raise _of_the_first(error, source, now, done) from error
        except KeyError as error:
            raise InternalError(_contradiction(source, f"there is nothing at {error}")) from error
        now = _read_again(source, now, splices)
        done = composed(done, splices) if done else splices
    if not same_data(now.data, changed_data(source.data, changes)):
        raise InternalError(_contradiction(source, "it reads differently"))
    return Applied(now, done)


def splices_of(source: Source, changes: Sequence[Change]) -> tuple[Splice, ...]:
    """The splices of one change, or of several that leave one collection or rename keys of one mapping.

    Arguments:
        source: the text.
        changes: at least one.

    Raises:
        BlueprintError: GB203, the change would change another place too.
    """
    change = changes[0]
    match change:
        case Insert():
            return insertion(source, change)
        case InsertItem():
            return item_insertion(source, change)
        case Replace():
            return replacement(source, change)
        case Move():
            return moving(source, change)
        case Rename():
            return tuple(splice for each in changes if isinstance(each, Rename) for splice in renaming(source, each))
        case Remove() | Delete():
            return removal(source, change.path[:-1], [each.path[-1] for each in changes])


def _grouped(changes: Sequence[Change]) -> list[list[Change]]:
    """The changes in the order in which they can be made, those in groups that must be made at once."""
    # Where items come and go in one list, each index holds only as long as those below it are untouched.
    mixed = {change.path for change in changes if isinstance(change, InsertItem)}
    found: list[list[Change]] = []
    places: dict[tuple[type[Change], Path], list[Change]] = {}
    for change in in_order(changes):
        place = (type(change), change.path[:-1])
        if not isinstance(change, (Remove, Delete, Rename)) or (isinstance(change, Remove) and place[1] in mixed):
            found.append([change])
        elif place in places:
            places[place].append(change)
        else:
            places[place] = [change]
            found.append(places[place])
    return found


def _together(source: Source, waiting: list[list[Change]]) -> tuple[tuple[Splice, ...], list[list[Change]]]:
    """The splices of as many changes as do not meet in the text, and those that must find these made.

    Arguments:
        source: the text.
        waiting: what is to be done, in order; at least one.

    Raises:
        BlueprintError: GB203.
    """
    taken: list[tuple[Splice, bool]] = []
    touched: set[Path | None] = set()
    behind: dict[tuple[Path, str | None], str] = {}
    for number, group in enumerate(waiting):
        change = group[0]
        if number and _is_late(source, change, touched):
            return _splices(taken), [_rebased(each, behind) for each in waiting[number:]]
        made = splices_of(source, group)
        joins = isinstance(change, Insert) and len(made) == 1
        if any(_meet(splice, joins, other, joined) for splice in made for other, joined in taken):
            return _splices(taken), [_rebased(each, behind) for each in waiting[number:]]
        taken += [(splice, joins) for splice in made]
        touched.add(_collection(change))
        if isinstance(change, Insert):
            behind[change.path, change.after] = change.key
    return _splices(taken), []


def _splices(taken: Sequence[tuple[Splice, bool]]) -> tuple[Splice, ...]:
    return tuple(splice for splice, _ in taken)


def _collection(change: Change) -> Path | None:
    """The collection of which a change brings, moves or takes members; None for one that does neither."""
    if isinstance(change, (Insert, InsertItem)):
        return change.path
    return change.path[:-1] if isinstance(change, (Move, Remove, Delete)) else None


def _is_late(source: Source, change: Change, touched: set[Path | None]) -> bool:
    """Whether a change must find made what was done before it, wherever that stands in the text."""
    path = _collection(change)
    if path is None or path not in touched:
        return False
    collection = source.node(path)
    if isinstance(change, Move) or not isinstance(collection, (tree.Mapping, tree.Sequence)):
        return True
    members = collection.entries if isinstance(collection, tree.Mapping) else collection.items
    # Within braces and brackets, what comes and what goes last each see to the comma before it.
    return not members or (collection.flow and not isinstance(change, Insert))


def _rebased(group: list[Change], behind: dict[tuple[Path, str | None], str]) -> list[Change]:
    """Changes that come after others: an entry behind a key stands behind those inserted there before it."""
    return [
        replace(change, after=behind.get((change.path, change.after), change.after))
        if isinstance(change, Insert)
        else change
        for change in group
    ]


def _meet(one: Splice, joins: bool, other: Splice, joined: bool) -> bool:
    """Whether two splices concern the same characters, or one place in a way in which their order matters."""
    if one.end < other.start or other.end < one.start:
        return False
    if one.start < other.end and other.start < one.end:
        return True
    # Stretches side by side, of which neither moves; and entries, which come in the order in which they are given.
    both_stand = one.start < one.end and other.start < other.end
    both_come = joins and joined and one.start == one.end and other.start == other.end
    return not (both_stand or both_come)


def _read_again(source: Source, now: Source, splices: tuple[Splice, ...]) -> Source:
    """A text between or after the changes, with some splices made.

    Arguments:
        source: the text before all changes.
        now: the text that the splices are of.
        splices: what is done to it.

    Raises:
        BlueprintError: it has become too large.
        InternalError: it cannot be read.
    """
    try:
        found = reparsed(now, splices)
        if found is not None:
            return found
        changed = spliced(now.text, splices)
    except ValueError as error:
        raise InternalError(_contradiction(source, str(error))) from error
    try:
        return parse("\ufeff" + changed if source.byte_order_mark else changed, name=source.name, syntax=source.syntax)
    except BlueprintError as error:
        if all(found.code in _LIMITS for found in error.diagnostics):
            raise
        raise InternalError(_contradiction(source, f"it cannot be read: {error.diagnostics[0].message}")) from error


def _of_the_first(error: BlueprintError, source: Source, now: Source, done: Sequence[Splice]) -> BlueprintError:
    """An error about a text that stands between, told of the text that stands in the file."""
    if not done:
        return error

    def before(position: Position | None) -> Position | None:
        if position is None:
            return None
        start = original_offset(now.lines.offset(position.line, position.column), done)
        end = original_offset(now.lines.offset(position.end_line, position.end_column), done)
        return None if start is None else source.lines.position(start, start if end is None else end)

    return BlueprintError(
        replace(
            found,
            position=before(found.position),
            related=tuple(replace(each, position=before(each.position)) for each in found.related),
        )
        for found in error.diagnostics
    )


def _contradiction(source: Source, why: str) -> Diagnostic:
    return Diagnostic("GB900", f"the edit of {source.name} was not made, because {why}; nothing was changed")
