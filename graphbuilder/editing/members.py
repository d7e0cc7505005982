"""Entries of a mapping and items of a list as stretches of the text, with the comments that are their own."""

from __future__ import annotations

import re
from collections.abc import Sequence as Collected
from dataclasses import dataclass
from typing import overload

from graphbuilder.editing.places import column, line_end, line_start
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.text import Source
from graphbuilder.text.tree import Mapping, Node, Scalar, ScalarStyle, Sequence

__all__ = [
    "Member",
    "Members",
    "bottom_of",
    "end_of_entry",
    "is_pair",
    "line_below",
    "members",
    "properties_end",
    "refuse_open_end",
    "text_block_header",
    "top_of",
]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_COMMENT_LINE = re.compile(r"[ \t]*#")
_DASH = re.compile(r"(?:[\s]|(?<!\S)#[^\r\n]*)*-")
# Anchors and tags.
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]*)+")


@dataclass(frozen=True, slots=True)
class Member:
    """An entry of a mapping or an item of a list.

    Arguments:
        start: the offset of its first character: of its key, of the `?` in front of that, or of its dash.
        end: the offset behind its last.
        key: its key; None for an item.
        node: its value.
    """

    start: int
    end: int
    key: Scalar | None
    node: Node


Members = Collected[Member]


class _Entries(Members):
    """The entries of a mapping, each looked at when it is asked for: an edit concerns few of many."""

    def __init__(self, text: str, mapping: Mapping) -> None:
        self._text = text
        self._entries = mapping.entries

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> Member: ...

    @overload
    def __getitem__(self, index: slice) -> list[Member]: ...

    def __getitem__(self, index: int | slice) -> Member | list[Member]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        key, value = self._entries[index]
        return Member(_key_start(self._text, key), max(key.end, value.end), key, value)


def members(source: Source, collection: Mapping | Sequence) -> Members:
    """What a collection holds, in order."""
    text = source.text
    if isinstance(collection, Mapping):
        return _Entries(text, collection)
    if collection.flow:
        return [Member(item.start, item.end, None, item) for item in collection.items]
    found: list[Member] = []
    at = properties_end(text, collection.start)
    for item in collection.items:
        dash = _DASH.match(text, at)
        assert dash is not None
        at = max(item.end, dash.end())
        found.append(Member(dash.end() - 1, at, None, item))
    return found


def is_pair(source: Source, collection: Mapping | Sequence) -> bool:
    """Whether a mapping is one of those in a list in brackets that have no braces of their own: `[a: 1]`."""
    if not collection.flow or not isinstance(collection, Mapping):
        return False
    return source.text[properties_end(source.text, collection.start)] != "{"


def properties_end(text: str, start: int) -> int:
    """The offset behind the anchor and tag with which a node may begin, and the blanks that follow them."""
    found = _PROPERTIES.match(text, start)
    return found.end() if found else start


def _key_start(text: str, key: Scalar) -> int:
    at = key.start
    while at > 0 and text[at - 1] in " \t":
        at -= 1
    return at - 1 if at > 0 and text[at - 1] == "?" else key.start


def line_below(text: str, at: int) -> int | None:
    """The offset at which the line behind a line's end begins."""
    found = _LINE_BREAK.match(text, at)
    return found.end() if found else None


def top_of(source: Source, found: Members, number: int, last: int | None = None) -> int:
    """The beginning of the first line of a member that has lines of its own, its comments included.

    A comment right above it, at its own indentation, belongs to it, unless that stands above several members in a row:
    then it may be the heading of them all.

    Arguments:
        source: the text.
        found: the members of the collection.
        number: which of them.
        last: the last of those below it that are taken together with it; None for it alone.
    """
    last = number if last is None else last
    text, start = source.text, found[number].start
    indent = column(text, start)
    highest = top = line_start(text, start)
    above = bottom_of(source, found, number - 1) if number else -1
    while top - 1 > above:
        before = line_start(text, top - (2 if text.endswith("\r\n", 0, top) else 1))
        line = text[before:top]
        if before <= above or _COMMENT_LINE.match(line) is None or len(line) - len(line.lstrip()) != indent:
            break
        top = before
    if top == highest or last + 1 == len(found):
        return top
    heads_several = line_below(text, bottom_of(source, found, last)) == line_start(text, found[last + 1].start)
    return highest if heads_several else top


def bottom_of(source: Source, found: Members, number: int) -> int:
    """The end of the last line of a member that has lines of its own, its comments included.

    A comment behind it belongs to it, and so do comments below it that are indented deeper.
    """
    member = found[number]
    return end_of_entry(source, member.node, member.end, column(source.text, member.start))


def end_of_entry(source: Source, value: Node, end: int, indent: int) -> int:
    """The end of the last line of an entry in block style, its own comments included.

    Arguments:
        source: the text.
        value: the entry's value.
        end: the offset behind it.
        indent: the column of its key.
    """
    text = source.text
    at = line_end(text, end)
    if "+" in text_block_header(text, value):
        # The blank lines below are part of the text block.
        while (below := line_below(text, at)) is not None and not text[below : line_end(text, below)].strip():
            if line_end(text, below) == len(text):
                break
            at = line_end(text, below)
    below = line_below(text, at)
    while below is not None:
        line = text[below : line_end(text, below)]
        if line.strip():
            if _COMMENT_LINE.match(line) is None or len(line) - len(line.lstrip()) <= indent:
                break
            at = line_end(text, below)
        below = line_below(text, line_end(text, below))
    return at


def text_block_header(text: str, value: Node) -> str:
    """The first line of the text block with which a value ends, such as `|-`; empty where it ends otherwise."""
    last = _last_scalar(value)
    if last is None or last.style not in (ScalarStyle.LITERAL, ScalarStyle.FOLDED):
        return ""
    start = properties_end(text, last.start)
    return text[start : line_end(text, start)].partition("#")[0]


def refuse_open_end(source: Source, value: Node) -> None:
    """Refuses that something follows a text block which ends with the file and has no line break behind it.

    Raises:
        BlueprintError: GB203.
    """
    header = text_block_header(source.text, value)
    if header and "-" not in header and line_end(source.text, value.end) == len(source.text):
        message = "the text block at the end of the file has no line break behind it, so nothing can follow it"
        hint = "end the file with a line break first"
        last = _last_scalar(value)
        position = source.span(last if last is not None else value)
        raise BlueprintError(Diagnostic("GB203", message, file=source.name, position=position, hint=hint))


def _last_scalar(value: Node) -> Scalar | None:
    while isinstance(value, (Mapping, Sequence)) and not value.flow:
        value = value.entries[-1][1] if isinstance(value, Mapping) else value.items[-1]
    return value if isinstance(value, Scalar) else None
