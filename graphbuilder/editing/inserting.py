"""A new entry of a mapping or item of a list, written into the text as its neighbours are."""

from __future__ import annotations

from typing import Any

from graphbuilder.editing.changes import Insert, InsertItem
from graphbuilder.editing.members import is_pair, members, properties_end
from graphbuilder.editing.places import Place, column, find, refuse_pair
from graphbuilder.editing.placing import Writer, beside_block, beside_flow
from graphbuilder.editing.style import Style, aligned_gap, inner_style, item_style, list_style, punctuation
from graphbuilder.editing.writing import entry_text, flow_text, item_text, string_text
from graphbuilder.text import Source
from graphbuilder.text.splices import Splice
from graphbuilder.text.tree import Mapping, Sequence

__all__ = ["insertion", "item_insertion"]


def insertion(source: Source, change: Insert) -> tuple[Splice, ...]:
    """The splices that insert an entry.

    Raises:
        BlueprintError: GB203, the mapping is shared through an anchor, or the text ends where it cannot go on.
    """
    place = find(source, change.path, inside=True)
    mapping = place.node
    if not isinstance(mapping, Mapping):
        raise TypeError(f"{change.path} is no mapping")
    if not mapping.entries:
        style = _plain_style(source)
        return (_into_empty(source, mapping, _on_one_line(change.key, change.value, style)),)
    if is_pair(source, mapping):
        refuse_pair(source, change.path, mapping)
    number = None
    if change.after is not None:
        number = [key.value for key, _ in mapping.entries].index(change.after)
    found = members(source, mapping)
    near = number or 0
    if not mapping.flow:
        body = _block_entry(source, mapping, near, change, column(source.text, found[0].start))
        return (beside_block(source, place, found, number, body),)
    style, inner = punctuation(source, mapping), inner_style(source, mapping, near)
    writer = Writer(
        style.comma,
        lambda: _on_one_line(change.key, change.value, inner if inner.form == "line" else style, style),
        lambda lead: _entry_on_its_line(source, mapping, near, change, lead),
    )
    return beside_flow(source, found, number, writer)


def _plain_style(source: Source) -> Style:
    return Style(source.syntax == "json", source.syntax == "json")


def _into_empty(source: Source, collection: Mapping | Sequence, written: str) -> Splice:
    """The first member of `{}` or `[]`."""
    opening = properties_end(source.text, collection.start) + 1
    return Splice(opening, opening, written)


def _on_one_line(key: str, value: Any, inner: Style, outer: Style | None = None) -> str:
    outer = outer or inner
    return f"{string_text(key, outer, flow=True)}{outer.colon}{flow_text(value, inner)}"


def _block_entry(source: Source, mapping: Mapping, near: int, change: Insert, indent: int) -> str:
    style = inner_style(source, mapping, near)
    if change.written is not None:
        return _indented(change.written, " " * indent, style.newline)
    written = string_text(change.key, style, flow=False)
    value = entry_text(change.value, style, " " * indent, flow=False)
    if not value.startswith(("\n", "\r")):
        gap = aligned_gap(source, mapping.entries, near, indent + len(written) + 1)
        value = gap + value.removeprefix(" ")
    return f"{written}:{value}"


def _entry_on_its_line(source: Source, mapping: Mapping, near: int, change: Insert, lead: str) -> str:
    """An entry as it is written where each has a line of its own, without its comma."""
    inner = inner_style(source, mapping, near)
    if change.written is not None:
        return _indented(change.written, lead, inner.newline)
    outer = punctuation(source, mapping)
    key = string_text(change.key, outer, flow=True)
    value = entry_text(change.value, inner, lead, flow=True).removeprefix(" ")
    colon = outer.colon
    if colon == ": ":
        colon = ":" + aligned_gap(source, mapping.entries, near, len(lead) + len(key) + 1)
    return f"{key}{colon}{value}"


def _indented(written: str, indent: str, newline: str) -> str:
    """Lines below the first one, which stands where it is put, indented as that is."""
    return newline.join(f"{indent}{line}" if line else "" for line in written.split("\n")).removeprefix(indent)


def item_insertion(source: Source, change: InsertItem) -> tuple[Splice, ...]:
    """The splices that insert an item.

    Raises:
        BlueprintError: GB203, the list is shared through an anchor, or the text ends where it cannot go on.
    """
    place: Place = find(source, change.path, inside=True)
    items = place.node
    if not isinstance(items, Sequence):
        raise TypeError(f"{change.path} is no list")
    if not 0 <= change.index <= len(items.items):
        raise KeyError((*change.path, change.index))
    if not items.items:
        return (_into_empty(source, items, flow_text(change.value, _plain_style(source))),)
    found = members(source, items)
    number = change.index - 1 if change.index else None
    near = number or 0
    inner = item_style(source, items, near)
    if not items.flow:
        text, dash, node = source.text, found[near].start, found[near].node
        gap = text[dash + 1 : node.start]
        gap = gap if gap and not gap.strip(" ") else " "
        indent = " " * (column(text, dash) + 1 + len(gap))
        return (
            beside_block(source, place, found, number, f"-{gap}{item_text(change.value, inner, indent, flow=False)}"),
        )
    style = list_style(source, items)
    writer = Writer(
        style.comma,
        lambda: flow_text(change.value, inner if inner.form == "line" else style),
        lambda lead: item_text(change.value, inner, lead, flow=True),
    )
    return beside_flow(source, found, number, writer)
