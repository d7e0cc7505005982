"""Entries taken out of a mapping and items taken out of a list."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from graphbuilder.editing.members import (
    Member,
    Members,
    bottom_of,
    is_pair,
    line_below,
    members,
    properties_end,
    text_block_header,
    top_of,
)
from graphbuilder.editing.places import (
    Place,
    find,
    line_end,
    line_start,
    own_line,
    refuse_broken_aliases,
    refuse_pair,
)
from graphbuilder.text import Source
from graphbuilder.text.source import Path
from graphbuilder.text.splices import Splice
from graphbuilder.text.tree import Alias, Mapping, Scalar, ScalarValue, Sequence

__all__ = ["from_block", "from_flow", "removal"]

_COMMA = re.compile(r"\s*,[ \t]*")
_LATER_COMMA = re.compile(r"(?:\s|(?<!\S)#[^\r\n]*)*,")
_REST_OF_LINE = re.compile(r"[ \t]*,?[ \t]*(?:(?<=[ \t])#[^\r\n]*)?(?=[\r\n]|\Z)")
_SPACE = re.compile(r"\s*")


def removal(source: Source, path: Path, steps: Collection[str | int]) -> tuple[Splice, ...]:
    """The splices that take entries out of one mapping, or items out of one list.

    With an entry, and with an item that is a collection, its own comments go: those inside it and behind it, those
    below that are indented deeper, and those right above that are not the heading of others too. A comment behind an
    item that is a name or number stays. What is left without anything is `{}` or `[]`.

    Arguments:
        source: the text.
        path: the collection.
        steps: the keys or indexes of what goes.

    Raises:
        BlueprintError: GB203, the collection is shared through an anchor, or an alias elsewhere stands for what goes.
    """
    place = find(source, path, inside=True)
    collection = place.node
    if not isinstance(collection, (Mapping, Sequence)):
        raise TypeError(f"{path} is no collection")
    if is_pair(source, collection):
        refuse_pair(source, path, collection)
    found = members(source, collection)
    numbers = _numbers(path, collection, steps)
    gone = [(found[number].start, found[number].end) for number in numbers]
    for number in numbers:
        member = found[number]
        step = number if member.key is None else str(member.key.value)
        refuse_broken_aliases(source, (*path, step), member.node, gone, member.key)
    everything = len(numbers) == len(found)
    if collection.flow:
        if everything:
            return _emptied_flow(source, collection, found)
        return tuple(splice for first, last in _runs(numbers) for splice in _flow_run(source, found, first, last))
    splices = [_emptied_block(source, place, collection, found)] if everything else []
    if everything and not own_line(source.text, found[0].start):
        return (Splice(found[0].start, bottom_of(source, found, len(found) - 1), _empty(collection)),)
    for first, last in _runs(numbers):
        for start, end in _without_headings(source, found, first, last):
            splices += _block_run(source, found, start, end)
    return tuple(splices)


def _numbers(path: Path, collection: Mapping | Sequence, steps: Collection[str | int]) -> list[int]:
    known: Iterable[ScalarValue]
    if isinstance(collection, Mapping):
        known = (key.value for key, _ in collection.entries)
    else:
        known = range(len(collection.items))
    numbers = [number for number, step in enumerate(known) if step in steps]
    if len(numbers) != len(set(steps)):
        raise KeyError((*path, *steps))
    return numbers


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The stretches of numbers that follow one another, each by its first and last."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _empty(collection: Mapping | Sequence) -> str:
    return "{}" if isinstance(collection, Mapping) else "[]"


def _keeps_comment(member: Member) -> bool:
    """Whether a comment behind it stays when it goes."""
    return member.key is None and isinstance(member.node, (Scalar, Alias))


# Block style.


def _emptied_block(source: Source, place: Place, collection: Mapping | Sequence, found: Members) -> Splice:
    """Braces or brackets in the place where a collection in block style loses all it holds."""
    text = source.text
    behind = len(text[: properties_end(text, collection.start)].rstrip())
    if behind <= collection.start:
        if place.key is not None:
            behind = text.index(":", place.key.end) + 1
        elif place.parent is not None:
            behind = members(source, place.parent)[place.index].start + 1
        else:
            start = top_of(source, found, 0, len(found) - 1)
            return Splice(start, start, _empty(collection) + ("" if text[start:].isspace() else _newline(text)))
    return Splice(behind, behind, f" {_empty(collection)}")


def _newline(text: str) -> str:
    """The text's first line break, or that of Unix."""
    found = re.search(r"\r\n|\r|\n", text)
    return found[0] if found else "\n"


def _without_headings(source: Source, found: Members, first: int, last: int) -> list[tuple[int, int]]:
    """The run in parts between which comments stand that belong to none of its members."""
    parts = [(first, first)]
    for number in range(first + 1, last + 1):
        between = source.text[bottom_of(source, found, number - 1) : top_of(source, found, number, last)]
        if "#" in between:
            parts.append((number, number))
        else:
            parts[-1] = (parts[-1][0], number)
    return parts


def _block_run(source: Source, found: Members, first: int, last: int) -> list[Splice]:
    if not all(_keeps_comment(found[number]) for number in range(first, last + 1)):
        return from_block(source, found, first, last)
    shares_line = not own_line(source.text, found[first].start)
    return [_item_from_block(source.text, found, number, first, shares_line) for number in range(first, last + 1)]


def from_block(source: Source, found: Members, first: int, last: int) -> list[Splice]:
    """The splices that take members which follow each other out of a collection in block style, with their comments.

    Arguments:
        source: the text.
        found: the members of the collection.
        first: the first that goes.
        last: the last that goes; others stay.
    """
    text = source.text
    start, bottom = found[first].start, bottom_of(source, found, last)
    if not own_line(text, start):
        # It shares its line with what holds it; what comes next takes its place.
        following = _SPACE.match(text, bottom)
        assert following is not None
        return [Splice(start, following.end(), "")]
    top = top_of(source, found, first, last)
    below = line_below(text, bottom)
    header = text_block_header(text, found[first - 1].node) if first else ""
    if below is None:
        # With the line break above it, so that a text without one at its end stays so.
        cut = "-" in header or not header
        return [Splice(top - (_break_length(text, top) if cut else 0), bottom, "")]
    while "+" in header and (blank := _blank_line(text, below)) is not None:
        # They would become part of the text block above.
        below = blank
    if first and not header and (blank := _blank_line(text, below)) is not None and _blank_above(text, top):
        below = blank
    return [Splice(top, below, "")]


def _break_length(text: str, start: int) -> int:
    return 2 if text.endswith("\r\n", 0, start) else 1 if start else 0


def _blank_line(text: str, start: int) -> int | None:
    """The offset behind the line that begins at an offset, if that is a blank line with something behind it."""
    end = line_end(text, start)
    return None if text[start:end].strip() else line_below(text, end)


def _blank_above(text: str, start: int) -> bool:
    end = start - _break_length(text, start)
    return end > 0 and not text[line_start(text, end) : end].strip()


def _item_from_block(text: str, found: Members, number: int, first: int, shares_line: bool) -> Splice:
    """A name or number taken out of a list whose comments stay.

    Arguments:
        text: the text.
        found: the items.
        number: which of them goes.
        first: the first of those that go with it.
        shares_line: whether it stands on the line of what holds the list, or comes to stand there.
    """
    dash, end = found[number].start, found[number].end
    rest = text[end : line_end(text, end)]
    if rest.strip():
        return Splice(dash, end + len(rest) - len(rest.lstrip()), "")
    if shares_line:
        return Splice(dash, found[number + 1].start, "")
    start = line_start(text, dash)
    if first == 0:
        # Above the first there is no line break of the list's own, and those of the others go with it.
        below = line_below(text, line_end(text, end))
        return Splice(start, end if below is None else below, "")
    return Splice(start - _break_length(text, start), line_end(text, end), "")


# Flow style, and JSON.


def _emptied_flow(source: Source, collection: Mapping | Sequence, found: Members) -> tuple[Splice, ...]:
    text = source.text
    opening = properties_end(text, collection.start) + 1
    start = found[0].start if "#" in text[opening : found[0].start] else opening
    closing = collection.end - 1
    behind = _REST_OF_LINE.match(text, found[-1].end)
    end = closing
    if "#" in text[found[-1].end : closing]:
        # What stands below the last of them belongs to none.
        end = behind.end() if behind is not None else found[-1].end
        if not text[end:closing].strip():
            end = closing
    return (Splice(start, end, ""),)


def _flow_run(source: Source, found: Members, first: int, last: int) -> list[Splice]:
    text = source.text
    edges = [found[first - 1].end if first else found[first].start]
    for number in range(first, last + 1):
        edges += [found[number].start, found[number].end]
    edges.append(found[last + 1].start if last + 1 < len(found) else line_end(text, found[last].end))
    comments = any("#" in text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))
    if comments and _keeps_comment(found[first]):
        return [_item_from_flow(text, found, number, first) for number in range(first, last + 1)]
    return from_flow(source, found, first, last)


def from_flow(source: Source, found: Members, first: int, last: int) -> list[Splice]:
    """The splices that take members which follow each other out of braces or brackets, with their comments.

    Arguments:
        source: the text.
        found: the members of the collection.
        first: the first that goes.
        last: the last that goes; others stay.
    """
    text = source.text
    start, end = found[first].start, found[last].end
    before = found[first - 1].end if first else None
    behind = _REST_OF_LINE.match(text, end)
    comment = behind is not None and "#" in behind[0]
    if before is not None and "#" not in text[before:start] and not comment:
        return [Splice(before, end, "")]
    if behind is not None and own_line(text, start):
        below = line_below(text, behind.end())
        assert below is not None
        splices = [Splice(top_of(source, found, first, last), below, "")]
        comma = _LATER_COMMA.match(text, before) if before is not None else None
        if last == len(found) - 1 and "," not in behind[0].partition("#")[0] and comma is not None:
            splices.append(Splice(comma.end() - 1, comma.end(), ""))
        return splices
    if last == len(found) - 1:
        return [Splice(start, end, "")]
    following = found[last + 1].start
    if "#" not in text[end:following]:
        return [Splice(start, following, "")]
    if behind is not None:
        return [Splice(start, behind.end(), "")]
    comma = _COMMA.match(text, end)
    return [Splice(start, comma.end() if comma else end, "")]


def _item_from_flow(text: str, found: Members, number: int, first: int) -> Splice:
    """A name or number taken out of a list in brackets whose comments stay.

    Arguments:
        text: the text.
        found: the items.
        number: which of them goes.
        first: the first of those that go with it.
    """
    is_last = number == len(found) - 1
    start, end = found[number].start, found[number].end
    if first > 0:
        before = found[number - 1].end
        if "#" not in text[before:start]:
            return Splice(before, end, "")
    comma = _COMMA.match(text, end)
    if comma:
        end = comma.end()
    following = text[end : line_end(text, end)].strip()
    if not following and own_line(text, start):
        below = line_below(text, line_end(text, end))
        return Splice(line_start(text, start), end if below is None else below, "")
    if own_line(text, start):
        # The comment behind it takes its place.
        while text[end : end + 1] in (" ", "\t"):
            end += 1
    elif not following and not is_last and "#" not in text[end : found[number + 1].start]:
        end = found[number + 1].start
    # A comment needs a blank in front of it.
    return Splice(start, end, " " if text[end : end + 1] == "#" and not text[start - 1].isspace() else "")
