"""Text put beside the entries of a mapping or the items of a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from graphbuilder.editing.members import Members, bottom_of, members, properties_end, refuse_open_end
from graphbuilder.editing.places import Place, column, line_end, line_start, newline_near, own_line
from graphbuilder.text import Source
from graphbuilder.text.splices import Splice

__all__ = ["Writer", "beside_block", "beside_flow"]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_REST_OF_LINE = re.compile(r"[ \t]*(?:(?<=[ \t])#[^\r\n]*)?(?=[\r\n]|\Z)")
_COMMA = re.compile(r"[ \t]*,")


def beside_block(source: Source, place: Place, found: Members, number: int | None, body: str) -> Splice:
    """The splice that puts an entry or item into a collection in block style.

    Below the member that it follows, a comment on that member's line stays with it, and so do comments below it that
    are indented deeper; all others belong to what comes next.

    Arguments:
        source: the text.
        place: the collection.
        found: its members, at least one.
        number: the member behind which it stands; None for the first place.
        body: its lines, without what indents the first of them and without the last line break.

    Raises:
        BlueprintError: GB203, the text ends where it cannot go on.
    """
    text, first = source.text, found[0]
    indent = " " * column(text, first.start)
    newline = newline_near(text, first.start)
    if number is not None:
        refuse_open_end(source, found[number].node)
        at = bottom_of(source, found, number)
        blank = newline if _apart(text, found, number) else ""
        return Splice(at, at, f"{newline}{blank}{indent}{body}")
    if not own_line(text, first.start) or (place.key is None and place.parent is None):
        return Splice(first.start, first.start, f"{body}{newline}{indent}")
    # Right below what holds the collection: comments above its first member belong to that.
    start = place.node.start
    if properties_end(text, start) > start:
        holder = start
    elif place.key is not None:
        holder = place.key.end
    else:
        assert place.parent is not None
        holder = members(source, place.parent)[place.index].start
    at = line_end(text, holder)
    return Splice(at, at, f"{newline}{indent}{body}")


def _apart(text: str, found: Members, number: int) -> bool:
    """Whether blank lines part a member from those above and below it."""
    gaps = []
    for index in (number, number + 1):
        if 0 < index < len(found):
            between = text[found[index - 1].end : found[index].start]
            gaps.append(any(not line.strip() for line in _LINE_BREAK.split(between)[1:-1]))
    return bool(gaps) and all(gaps)


@dataclass(frozen=True, slots=True)
class Writer:
    """How an entry or item is written within braces or brackets.

    Arguments:
        comma: what stands between two members on one line.
        on_one_line: writes it for a line that it shares with others.
        on_lines: writes it for a line of its own, given what indents that.
        comment: what stands behind it and its comma on its line.
    """

    comma: str
    on_one_line: Callable[[], str]
    on_lines: Callable[[str], str]
    comment: str = ""


def beside_flow(source: Source, found: Members, number: int | None, writer: Writer) -> tuple[Splice, ...]:
    """The splices that put an entry or item into a collection in braces or brackets.

    Arguments:
        source: the text.
        found: the members of the collection, at least one.
        number: the member behind which it stands; None for the first place.
        writer: how it is written.
    """
    text, anchor = source.text, found[number or 0]
    lead = text[line_start(text, anchor.start) : anchor.start]
    newline = newline_near(text, anchor.start)
    end = anchor.end
    if lead.strip() or line_start(text, anchor.start) == 0:
        written = writer.on_one_line()
        if number is None:
            return (Splice(anchor.start, anchor.start, f"{written}{writer.comma}"),)
        return (Splice(end, end, f"{writer.comma}{written}"),)
    entry = writer.on_lines(lead)
    if number is None:
        return (Splice(anchor.start, anchor.start, f"{entry},{writer.comment}{newline}{lead}"),)
    comma = _COMMA.match(text, end)
    behind = comma.end() if comma else end
    if _REST_OF_LINE.match(text, behind) is None:
        if comma:
            return (Splice(end, end, f"{writer.comma}{writer.on_one_line()}"),)
        return (Splice(end, end, f",{newline}{lead}{entry}"),)
    at = line_end(text, behind)
    if comma:
        return (Splice(at, at, f"{newline}{lead}{entry},{writer.comment}"),)
    if at == end:
        return (Splice(end, end, f",{newline}{lead}{entry}{writer.comment}"),)
    return (Splice(end, end, ","), Splice(at, at, f"{newline}{lead}{entry}{writer.comment}"))
