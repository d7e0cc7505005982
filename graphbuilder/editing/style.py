"""How the author writes: what a new entry must look like so that it looks like its neighbours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, TypeAlias

from graphbuilder.editing.places import column, line_start, newline_near, own_line
from graphbuilder.text import Source, tree
from graphbuilder.text.tree import Mapping, Node, Scalar, ScalarStyle, walk

__all__ = ["Form", "Style", "aligned_gap", "inner_style", "item_style", "list_style", "punctuation"]

# One line in braces; a line for each key without braces; a line for each key within braces.
Form: TypeAlias = Literal["line", "block", "lines"]

_COLON = re.compile(r"( ?):( *)")
_COMMA = re.compile(r"( ?),( ?)")
# How many entries above and below are looked at to see whether values stand in a column.
_NEAR = 2


@dataclass(frozen=True, slots=True)
class Style:
    r"""How a value is written.

    Arguments:
        json: whether the text is JSON.
        quotes: whether every string is double-quoted, as in JSON, also where YAML needs no quotes.
        colon: what stands between a key and its value on one line.
        comma: what stands between two entries on one line.
        padding: what stands inside a brace, before the first key and behind the last value.
        form: how a mapping is written.
        step: by how much the entries of a mapping that has lines of its own are indented.
        tall_lists: whether lists have a line for each item where mappings have one for each key.
        newline: the line break.
    """

    json: bool = False
    quotes: bool = False
    colon: str = ": "
    comma: str = ", "
    padding: str = ""
    form: Form = "line"
    step: str = "  "
    tall_lists: bool = False
    newline: str = "\n"


def punctuation(source: Source, mapping: Mapping) -> Style:
    """How a mapping in braces is punctuated, as far as it has enough entries to show it."""
    text, entries = source.text, mapping.entries
    json = source.syntax == "json"
    quotes = json or (bool(entries) and all(key.style is ScalarStyle.DOUBLE_QUOTED for key, _ in entries))
    style = Style(json, quotes, newline=newline_near(text, mapping.start))
    if not mapping.flow or not entries:
        return style
    colons = Counter(
        found[0] if len(found[2]) < 2 else f"{found[1]}: "
        for key, value in entries
        if (found := _COLON.fullmatch(text[key.end : value.start])) is not None
    )
    colon = colons.most_common(1)[0][0] if colons else ": "
    commas = Counter(
        found[0]
        for (_, one), (other, _) in pairwise(entries)
        if (found := _COMMA.fullmatch(text[one.end : other.start])) is not None
    )
    comma = commas.most_common(1)[0][0] if commas else ", " if colon.endswith(" ") else ","
    opening = text.find("{", mapping.start, entries[0][0].start)
    padding = text[opening + 1 : entries[0][0].start]
    # Without quotes around the key, YAML takes `units:64` for one word.
    if not quotes and not colon.endswith(" "):
        colon = f"{colon} "
    return replace(style, colon=colon, comma=comma, padding=padding if not padding.strip(" ") else "")


def inner_style(source: Source, mapping: Mapping, near: int) -> Style:
    """How a mapping is written that becomes the value of a new entry.

    Arguments:
        source: the text.
        mapping: where the new entry comes to stand.
        near: the number of the entry beside it.
    """
    base = replace(punctuation(source, mapping), padding="", form="line")
    return _like_neighbours(source, [(key.start, value) for key, value in mapping.entries], near, base)


def list_style(source: Source, items: tree.Sequence) -> Style:
    """How a list in brackets is punctuated, as far as it has enough items to show it."""
    json = source.syntax == "json"
    first = next((item for item in walk(items) if isinstance(item, Scalar) and isinstance(item.value, str)), None)
    quotes = json or (first is not None and first.style is ScalarStyle.DOUBLE_QUOTED)
    style = Style(json, quotes, newline=newline_near(source.text, items.start))
    if not items.flow:
        return style
    commas = Counter(
        found[0]
        for one, other in pairwise(items.items)
        if (found := _COMMA.fullmatch(source.text[one.end : other.start])) is not None
    )
    return replace(style, comma=commas.most_common(1)[0][0]) if commas else style


def item_style(source: Source, items: tree.Sequence, near: int) -> Style:
    """How a mapping is written that becomes an item of a list.

    Arguments:
        source: the text.
        items: where the new item comes to stand.
        near: the number of the item beside it.
    """
    return _like_neighbours(source, [(item.start, item) for item in items.items], near, list_style(source, items))


def _like_neighbours(source: Source, members: Sequence[tuple[int, Node]], near: int, base: Style) -> Style:
    """The style that most mappings beside a new member have, each given with the offset at which its member begins."""
    order = [number for number in (near, near - 1, near + 1) if 0 <= number < len(members)]
    neighbours = [(start, value) for start, value in (members[number] for number in order) if _shows_style(value)]
    if not neighbours:
        return base
    forms = [_form(source, value) for _, value in neighbours]
    counted = Counter(forms)
    form = max(forms, key=lambda each: (counted[each], each == forms[0]))
    start, value = neighbours[forms.index(form)]
    assert isinstance(value, Mapping)
    style = replace(punctuation(source, value), form=form)
    if form == "line":
        return style
    outer, inner = _margin(source, start), _margin(source, value.entries[0][0].start)
    step = inner[len(outer) :] if inner.startswith(outer) and len(inner) > len(outer) else "  "
    tall = any(
        isinstance(each, tree.Sequence) and each.flow and each.items and own_line(source.text, each.items[0].start)
        for each in walk(value)
    )
    return replace(style, step=step, tall_lists=tall, padding="", colon=": ", comma=", ")


def _shows_style(value: Node) -> bool:
    return isinstance(value, Mapping) and bool(value.entries)


def _form(source: Source, value: Node) -> Form:
    assert isinstance(value, Mapping)
    if not value.flow:
        return "block"
    return "lines" if own_line(source.text, value.entries[0][0].start) else "line"


def _margin(source: Source, start: int) -> str:
    """What indents a key: the blanks before it, or as many spaces where something else stands there."""
    before = source.text[line_start(source.text, start) : start]
    return before if not before.strip() else " " * len(before)


def aligned_gap(source: Source, entries: Sequence[tuple[Scalar, Node]], near: int, width: int) -> str:
    """What stands between a colon and its value so that the value joins the column of its neighbours' values.

    Arguments:
        source: the text.
        entries: those of the mapping, of which each has its line.
        near: the number of the entry beside the new one.
        width: how far the new key and its colon reach on their line.
    """
    text = source.text
    columns: Counter[int] = Counter()
    padded: set[int] = set()
    for key, value in entries[max(near - _NEAR, 0) : near + _NEAR + 1]:
        between = text[key.end : value.start]
        if value.start == value.end or not own_line(text, key.start) or _COLON.fullmatch(between) is None:
            continue
        place = column(text, value.start)
        columns[place] += 1
        if between.endswith("  "):
            padded.add(place)
    common = [(count, place) for place, count in columns.items() if count > 1 and place in padded]
    return " " * max(1, max(common)[1] - width) if common else " "
