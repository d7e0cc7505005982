"""An entry or item moved to another place of its mapping or list."""

from __future__ import annotations

import re
from typing import NoReturn

from graphbuilder.editing.changes import Move
from graphbuilder.editing.members import (
    Member,
    Members,
    bottom_of,
    is_pair,
    members,
    refuse_open_end,
    text_block_header,
    top_of,
)
from graphbuilder.editing.places import Place, aliases, find, own_line, refuse_pair
from graphbuilder.editing.placing import Writer, beside_block, beside_flow
from graphbuilder.editing.removing import from_block, from_flow
from graphbuilder.editing.style import list_style, punctuation
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.text import Source
from graphbuilder.text.splices import Splice
from graphbuilder.text.tree import Mapping, Sequence

__all__ = ["moving"]

_COMMENT_BEHIND = re.compile(r"[ \t]*,?([ \t]+#[^\r\n]*)")


def moving(source: Source, change: Move) -> tuple[Splice, ...]:
    """The splices that move an entry or item, with the comments that are its own.

    Raises:
        BlueprintError: GB203, the collection is shared through an anchor, an alias would come to stand above its
            anchor, or a comment could not be taken along.
    """
    path = change.path[:-1]
    place = find(source, path, inside=True)
    collection = place.node
    if not isinstance(collection, (Mapping, Sequence)):
        raise TypeError(f"{path} is no collection")
    if is_pair(source, collection):
        refuse_pair(source, path, collection)
    found = members(source, collection)
    moved = _number(found, change.path[-1])
    after = None if change.after is None else _number(found, change.after)
    if after == moved or (-1 if after is None else after) == moved - 1:
        return ()
    _refuse_crossing(source, found, moved, after)
    text = source.text
    if collection.flow:
        style = list_style(source, collection) if isinstance(collection, Sequence) else punctuation(source, collection)
        start, end = found[moved].start, found[moved].end
        own = own_line(text, start)
        behind = _COMMENT_BEHIND.match(text, end) if own else None
        top = top_of(source, found, moved) if own else start
        body = text[top:end].lstrip(" \t")
        writer = Writer(style.comma, lambda: text[start:end], lambda lead: body, behind[1] if behind else "")
        taken = from_flow(source, found, moved, moved)
        put = [*beside_flow(source, found, after, writer)]
    else:
        taken, put = _in_block(source, place, found, moved, after)
    lost = sum(text[splice.start : splice.end].count("#") for splice in taken)
    if sum(splice.text.count("#") for splice in put) < lost:
        _refuse(source, found[moved], "a comment beside it cannot be taken along within braces or brackets")
    return (*taken, *put)


def _in_block(
    source: Source, place: Place, found: Members, moved: int, after: int | None
) -> tuple[list[Splice], list[Splice]]:
    text, member = source.text, found[moved]
    if "+" in text_block_header(text, member.node):
        _refuse(source, member, "the blank lines below it are part of the text block with which it ends")
    refuse_open_end(source, member.node)
    top = top_of(source, found, moved) if own_line(text, member.start) else member.start
    body = text[top : bottom_of(source, found, moved)].lstrip(" \t")
    return from_block(source, found, moved, moved), [beside_block(source, place, found, after, body)]


def _refuse_crossing(source: Source, found: Members, moved: int, after: int | None) -> None:
    """Refuses that an alias comes to stand above the anchor that it names."""
    member = found[moved]
    to = found[0].start if after is None else found[after].end
    for alias in aliases(source):
        alias_goes = member.start <= alias.start < member.end
        anchor_goes = member.start <= alias.target.start < member.end
        if alias_goes != anchor_goes:
            behind = to > alias.target.start if alias_goes else to <= alias.start
            if not behind:
                _refuse(source, member, f"*{alias.name} would come to stand above its anchor")


def _refuse(source: Source, member: Member, why: str) -> NoReturn:
    name = "the item" if member.key is None else str(member.key.value)
    position = source.span(member.node if member.key is None else member.key)
    message = f"{name} cannot be moved there, because {why}"
    hint = "move it by hand, in the text"
    raise BlueprintError(Diagnostic("GB203", message, file=source.name, position=position, hint=hint))


def _number(found: Members, step: str | int) -> int:
    for number, member in enumerate(found):
        if (number if member.key is None else member.key.value) == step:
            return number
    raise KeyError(step)
