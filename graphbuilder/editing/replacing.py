"""A value written in the place of another, and an item taken out of a list."""

from __future__ import annotations

import re

from graphbuilder.editing.changes import Remove, Replace
from graphbuilder.editing.places import Place, find, line_end, line_start, own_line, refuse_broken_aliases
from graphbuilder.editing.style import Style, punctuation
from graphbuilder.editing.writing import flow_text, scalar_text
from graphbuilder.text import Source
from graphbuilder.text.splices import Splice
from graphbuilder.text.tree import Mapping, Node, Scalar, Sequence, walk

__all__ = ["removal", "replacement"]

_COMMA = re.compile(r"\s*,[ \t]*")
_BLANKS = re.compile(r"[ \t]*(?=[,}\]\r\n]|\Z)")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def replacement(source: Source, change: Replace) -> tuple[Splice, ...]:
    """The splices that replace a value; a string is quoted as the one before it was.

    Raises:
        BlueprintError: GB203, the value is shared through an anchor.
    """
    place = find(source, change.path)
    node = place.node
    refuse_broken_aliases(source, change.path, node)
    flow = _within_brackets(source, change)
    style = _style(source, place)
    if isinstance(change.value, (dict, list)):
        written = flow_text(change.value, style, flow=flow)
    else:
        like = node.style if isinstance(node, Scalar) else None
        written = scalar_text(change.value, style, flow=flow, like=like)
    start, end = node.start, node.end
    if isinstance(node, (Mapping, Sequence)) and not node.flow and place.key is not None:
        # What stood below its key comes to stand behind it.
        start = source.text.index(":", place.key.end) + 1
    if start == end or start != node.start:
        # What is not written stands right behind the colon, whatever blanks follow.
        written = f" {written}"
        blanks = _BLANKS.match(source.text, end)
        end = blanks.end() if blanks and start == node.start else end
    return (Splice(start, end, written),)


def _style(source: Source, place: Place) -> Style:
    if isinstance(place.parent, Mapping):
        return punctuation(source, place.parent)
    return Style(source.syntax == "json", source.syntax == "json")


def _within_brackets(source: Source, change: Replace) -> bool:
    """Whether a value stands within brackets or braces."""
    for depth in range(len(change.path)):
        node = find(source, change.path[:depth]).node
        if isinstance(node, (Mapping, Sequence)) and node.flow:
            return True
    return False


def removal(source: Source, change: Remove) -> tuple[Splice, ...]:
    """The splices that take an item out of a list; comments beside it stay.

    Raises:
        BlueprintError: GB203, the list or the item is shared through an anchor.
    """
    place = find(source, change.path)
    refuse_broken_aliases(source, change.path, place.node)
    items = place.parent
    if not isinstance(items, Sequence) or len(items.items) < 2:
        raise TypeError(f"{change.path} is no item of a list that has others")
    if items.flow:
        return (_from_flow(source, items, place.index),)
    return (_from_block(source, items, place.index),)


def _from_flow(source: Source, items: Sequence, index: int) -> Splice:
    text = source.text
    node = items.items[index]
    is_last = index == len(items.items) - 1
    if index > 0:
        before = items.items[index - 1].end
        if "#" not in text[before : node.start]:
            return Splice(before, node.end, "")
    start, end = node.start, node.end
    comma = _COMMA.match(text, end)
    if comma:
        end = comma.end()
    following = text[end : line_end(text, end)].strip()
    if not following and own_line(text, start):
        found = _LINE_BREAK.match(text, line_end(text, end))
        return Splice(line_start(text, start), found.end() if found else end, "")
    if own_line(text, start):
        # The comment behind it takes its place.
        while text[end : end + 1] in (" ", "\t"):
            end += 1
    elif not following and not is_last and "#" not in text[end : items.items[index + 1].start]:
        end = items.items[index + 1].start
    return Splice(start, end, "")


def _from_block(source: Source, items: Sequence, index: int) -> Splice:
    text = source.text
    node = items.items[index]
    dash = text.rindex("-", 0, node.start)
    end = max(node.end, dash + 1)
    if _has_comment(text, node):
        raise TypeError("an item with comments inside is not removed as a whole")
    rest = text[end : line_end(text, end)]
    if rest.strip():
        # A comment stays where it is.
        return Splice(dash, end + len(rest) - len(rest.lstrip()), "")
    if not own_line(text, dash):
        # It shares its line with what holds the list; the next item takes its place.
        return Splice(dash, text.rindex("-", 0, items.items[index + 1].start), "")
    if index == 0:
        found = _LINE_BREAK.match(text, line_end(text, end))
        return Splice(line_start(text, dash), found.end() if found else end, "")
    # With the line break above it, so that a text without one at its end stays so.
    start = line_start(text, dash)
    start -= 2 if text.endswith("\r\n", 0, start) else 1
    return Splice(start, line_end(text, end), "")


def _has_comment(text: str, node: Node) -> bool:
    """Whether a comment stands inside a value."""
    at = node.start
    for inner in walk(node):
        if isinstance(inner, Scalar):
            if "#" in text[at : inner.start]:
                return True
            at = max(at, inner.end)
    return "#" in text[at : node.end]
