"""A value written in the place of another, and an entry given another key."""

from __future__ import annotations

import re

from graphbuilder.editing.changes import Rename, Replace
from graphbuilder.editing.members import is_pair, properties_end
from graphbuilder.editing.places import Place, column, find, own_line, refuse_broken_aliases, refuse_pair
from graphbuilder.editing.style import Style, aligned_gap, punctuation
from graphbuilder.editing.writing import flow_text, scalar_text
from graphbuilder.text import Source
from graphbuilder.text.splices import Splice
from graphbuilder.text.tree import Mapping, Scalar, Sequence

__all__ = ["renaming", "replacement"]

_BLANKS = re.compile(r"[ \t]*(?=[,}\]\r\n]|\Z)")
_GAP = re.compile(r":( +)(?=\S)")


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


def _within_brackets(source: Source, change: Replace | Rename) -> bool:
    """Whether a value stands within brackets or braces."""
    for depth in range(len(change.path)):
        node = find(source, change.path[:depth]).node
        if isinstance(node, (Mapping, Sequence)) and node.flow:
            return True
    return False


def renaming(source: Source, change: Rename) -> tuple[Splice, ...]:
    """The splices that give an entry another key, quoted as the one before it was.

    A value that stands in a column with those of its neighbours stays in it, as far as the new key allows.

    Raises:
        BlueprintError: GB203, the mapping is shared through an anchor, or the key is.
    """
    place = find(source, change.path)
    mapping, key = place.parent, place.key
    if not isinstance(mapping, Mapping) or key is None:
        raise TypeError(f"{change.path} is no entry of a mapping")
    refuse_broken_aliases(source, change.path, key)
    if is_pair(source, mapping):
        refuse_pair(source, change.path, mapping)
    text = source.text
    start = properties_end(text, key.start)
    written = scalar_text(
        change.key, punctuation(source, mapping), flow=_within_brackets(source, change), like=key.style
    )
    splices = [Splice(start, key.end, written)]
    gap = _GAP.match(text, key.end)
    if gap and own_line(text, key.start) and place.node.start == gap.end():
        width = column(text, start) + len(written) + 1
        wanted = aligned_gap(source, mapping.entries, place.index, width)
        if wanted != " " or len(gap[1]) == 1:
            splices.append(Splice(gap.start(1), gap.end(), wanted))
        else:
            # In no column with others; what stands behind the colon stays where it stood if it can.
            grown = len(written) - (key.end - start)
            splices.append(Splice(gap.start(1), gap.end(), " " * max(1, len(gap[1]) - grown)))
    return tuple(splice for splice in splices if text[splice.start : splice.end] != splice.text)
