"""A new entry of a mapping, written into the text as its neighbours are."""

from __future__ import annotations

import re
from typing import Any

from graphbuilder.editing.changes import Insert
from graphbuilder.editing.places import find, line_end, line_start, newline_near, own_line
from graphbuilder.editing.style import Style, aligned_gap, inner_style, punctuation
from graphbuilder.editing.writing import entry_text, flow_text, string_text
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.text import Source
from graphbuilder.text.splices import Splice
from graphbuilder.text.tree import Mapping, Node, Scalar, ScalarStyle, Sequence

__all__ = ["insertion"]

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_COMMENT_LINE = re.compile(r"[ \t]*#")
_REST_OF_LINE = re.compile(r"[ \t]*(?:(?<=[ \t])#[^\r\n]*)?(?=[\r\n]|\Z)")
_COMMA = re.compile(r"[ \t]*,")


def insertion(source: Source, change: Insert) -> tuple[Splice, ...]:
    """The splices that insert an entry.

    Below the entry that it follows, a comment on that entry's line stays with it, and so do comments below it that are
    indented deeper than its key; all others belong to what comes next.

    Raises:
        BlueprintError: GB203, the mapping is shared through an anchor, or the text ends where it cannot go on.
    """
    place = find(source, change.path, inside=True)
    mapping = place.node
    if not isinstance(mapping, Mapping):
        raise TypeError(f"{change.path} is no mapping")
    if not mapping.entries:
        return _into_empty(source, mapping, change)
    number = None
    if change.after is not None:
        number = next(number for number, (key, _) in enumerate(mapping.entries) if key.value == change.after)
    if mapping.flow:
        return _into_flow(source, mapping, number, change)
    return (_into_block(source, mapping, number, change, place.key),)


def _into_empty(source: Source, mapping: Mapping, change: Insert) -> tuple[Splice, ...]:
    """The first entry of `{}`."""
    style = Style(source.syntax == "json", source.syntax == "json")
    opening = source.text.index("{", mapping.start) + 1
    return (Splice(opening, opening, _on_one_line(change.key, change.value, style)),)


def _on_one_line(key: str, value: Any, style: Style) -> str:
    return f"{string_text(key, style, flow=True)}{style.colon}{flow_text(value, style)}"


# Block style.


def _into_block(source: Source, mapping: Mapping, number: int | None, change: Insert, holder: Scalar | None) -> Splice:
    text = source.text
    first = mapping.entries[0][0]
    indent = " " * _indentation(text, first)
    style = inner_style(source, mapping, number or 0)
    written = string_text(change.key, style, flow=False)
    value = entry_text(change.value, style, indent, flow=False)
    if not value.startswith(("\n", "\r")):
        gap = aligned_gap(source, mapping.entries, number or 0, len(indent) + len(written) + 1)
        value = gap + value.removeprefix(" ")
    entry = f"{written}:{value}"
    newline = newline_near(text, first.start)
    if number is not None:
        key, last = mapping.entries[number]
        at = _end_of_entry(source, last, max(key.end, last.end), len(indent))
        blank = newline if _apart(text, mapping, number) else ""
        return Splice(at, at, f"{newline}{blank}{indent}{entry}")
    if holder is None or not own_line(text, first.start):
        return Splice(first.start, first.start, f"{entry}{newline}{indent}")
    # Right below the key that holds the mapping: comments above its first entry belong to that.
    at = line_end(text, mapping.start if mapping.start < first.start else holder.end)
    return Splice(at, at, f"{newline}{indent}{entry}")


def _indentation(text: str, key: Scalar) -> int:
    """The column at which the entries of a mapping begin: that of the key, or of the `?` that stands before it."""
    start = line_start(text, key.start)
    lead = text[start : key.start].rstrip()
    return len(lead) - 1 if lead.endswith("?") else key.start - start


def _apart(text: str, mapping: Mapping, number: int) -> bool:
    """Whether blank lines part an entry from those above and below it."""
    gaps = []
    for index in (number, number + 1):
        if 0 < index < len(mapping.entries):
            above, below = mapping.entries[index - 1], mapping.entries[index]
            between = text[max(above[0].end, above[1].end) : below[0].start]
            gaps.append(any(not line.strip() for line in _LINE_BREAK.split(between)[1:-1]))
    return bool(gaps) and all(gaps)


def _end_of_entry(source: Source, value: Node, end: int, indent: int) -> int:
    """The end of the last line of an entry, its own comments included.

    Arguments:
        source: the text.
        value: the entry's value.
        end: the offset behind it.
        indent: the column of its key.
    """
    text = source.text
    at = line_end(text, end)
    last = _last_scalar(value)
    if last is not None and last.style in (ScalarStyle.LITERAL, ScalarStyle.FOLDED):
        header = text[last.start : line_end(text, last.start)].partition("#")[0]
        if at == len(text) and "-" not in header:
            message = "the text block at the end of the file has no line break behind it, so nothing can follow it"
            hint = "end the file with a line break first"
            position = source.span(last)
            raise BlueprintError(Diagnostic("GB203", message, file=source.name, position=position, hint=hint))
        if "+" in header:
            # The blank lines below are part of the text block.
            while (below := _line_below(text, at)) is not None and not text[below : line_end(text, below)].strip():
                if line_end(text, below) == len(text):
                    break
                at = line_end(text, below)
    below = _line_below(text, at)
    while below is not None:
        line = text[below : line_end(text, below)]
        if line.strip():
            if _COMMENT_LINE.match(line) is None or len(line) - len(line.lstrip()) <= indent:
                break
            at = line_end(text, below)
        below = _line_below(text, line_end(text, below))
    return at


def _line_below(text: str, at: int) -> int | None:
    """The offset at which the line behind a line's end begins."""
    found = _LINE_BREAK.match(text, at)
    return found.end() if found else None


def _last_scalar(value: Node) -> Scalar | None:
    while isinstance(value, (Mapping, Sequence)) and not value.flow:
        value = value.entries[-1][1] if isinstance(value, Mapping) else value.items[-1]
    return value if isinstance(value, Scalar) else None


# Flow style, and JSON.


def _into_flow(source: Source, mapping: Mapping, number: int | None, change: Insert) -> tuple[Splice, ...]:
    text = source.text
    style = punctuation(source, mapping)
    anchor, value = mapping.entries[number or 0]
    lead = text[line_start(text, anchor.start) : anchor.start]
    newline = newline_near(text, anchor.start)
    if lead.strip() or line_start(text, anchor.start) == 0:
        inner = inner_style(source, mapping, number or 0)
        inner = inner if inner.form == "line" else style
        key = string_text(change.key, style, flow=True)
        written = f"{key}{style.colon}{flow_text(change.value, inner)}"
        if number is None:
            return (Splice(anchor.start, anchor.start, f"{written}{style.comma}"),)
        end = max(anchor.end, value.end)
        return (Splice(end, end, f"{style.comma}{written}"),)
    entry = _entry_on_its_line(source, mapping, number or 0, change, lead)
    if number is None:
        return (Splice(anchor.start, anchor.start, f"{entry},{newline}{lead}"),)
    end = max(anchor.end, value.end)
    comma = _COMMA.match(text, end)
    behind = comma.end() if comma else end
    if _REST_OF_LINE.match(text, behind) is None:
        if comma:
            return (Splice(end, end, f"{style.comma}{_on_one_line(change.key, change.value, style)}"),)
        return (Splice(end, end, f",{newline}{lead}{entry}"),)
    at = line_end(text, behind)
    if comma:
        return (Splice(at, at, f"{newline}{lead}{entry},"),)
    if at == end:
        return (Splice(end, end, f",{newline}{lead}{entry}"),)
    return (Splice(end, end, ","), Splice(at, at, f"{newline}{lead}{entry}"))


def _entry_on_its_line(source: Source, mapping: Mapping, near: int, change: Insert, lead: str) -> str:
    """An entry as it is written where each has a line of its own, without its comma."""
    inner = inner_style(source, mapping, near)
    outer = punctuation(source, mapping)
    key = string_text(change.key, outer, flow=True)
    value = entry_text(change.value, inner, lead, flow=True).removeprefix(" ")
    colon = outer.colon
    if colon == ": ":
        colon = ":" + aligned_gap(source, mapping.entries, near, len(lead) + len(key) + 1)
    return f"{key}{colon}{value}"
