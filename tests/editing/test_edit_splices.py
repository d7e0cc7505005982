"""Splices: stretches of a text replaced, and put back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.text.splices import Splice, composed, original_offset, spliced, undoing


@st.composite
def edits(draw: st.DrawFn, of: str | None = None) -> tuple[str, list[Splice]]:
    text = draw(st.text("ab\r\n é", max_size=30)) if of is None else of
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    splices = [Splice(start, end, draw(st.text("xy\n", max_size=4))) for start, end in pairs]
    return text, draw(st.permutations(splices))


@given(edits())
def test_undoing_restores_the_very_text(edit: tuple[str, list[Splice]]) -> None:
    text, splices = edit
    assert spliced(spliced(text, splices), undoing(text, splices)) == text


@given(st.data())
def test_splices_after_splices_are_one_edit(data: st.DataObject) -> None:
    text, first = data.draw(edits())
    between = spliced(text, first)
    second = data.draw(edits(between))[1]
    both = composed(first, second)
    assert spliced(text, both) == spliced(between, second)
    assert spliced(spliced(text, both), undoing(text, both)) == text
    assert all(one.end < other.start for one, other in pairwise(both))


@given(edits())
def test_every_character_that_stays_is_found_where_it_was(edit: tuple[str, list[Splice]]) -> None:
    text, splices = edit
    new = spliced(text, splices)
    before = [original_offset(offset, splices) for offset in range(len(new))]
    kept = [offset for offset in before if offset is not None]
    assert all(new[now] == text[was] for now, was in enumerate(before) if was is not None)
    gone = {offset for splice in splices for offset in range(splice.start, splice.end)}
    assert kept == [offset for offset in range(len(text)) if offset not in gone]


def test_insertions_at_one_place_stay_in_order() -> None:
    assert spliced("ad", [Splice(1, 1, "b"), Splice(1, 1, "c"), Splice(0, 0, "-")]) == "-abcd"


def test_overlapping_splices_are_refused() -> None:
    with pytest.raises(ValueError, match="overlaps"):
        spliced("abcd", [Splice(0, 2, ""), Splice(1, 3, "")])
    with pytest.raises(ValueError, match="overlaps"):
        spliced("abcd", [Splice(2, 1, "")])
