"""Any changes of any text: it reads as it should, keeps its comments, and can be undone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.editing import Applied, Change, apply
from graphbuilder.errors import BlueprintError
from graphbuilder.text import Source, parse, to_json, to_yaml
from graphbuilder.text.splices import spliced, undoing
from tests.editing.blueprints import Written, written_blueprints
from tests.editing.changing import comments, drawn_changes, vanished

words = st.one_of(
    st.sampled_from(
        ["a", "b", "on", "1e3", "a: b", "x # y", "'", '"', "[", "-", "~", "two\nlines\n", "", " a", "é", "*a"]
    ),
    st.text("ab:#,[]{}&*!|>'\"%@- \n", max_size=6),
)
scalars = st.one_of(
    words, st.integers(-3, 10**6), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
)
keys = words.filter(lambda key: key != "<<")
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=16,
)
texts = st.dictionaries(keys, values, min_size=1, max_size=5)


def applied_unless(source: Source, changes: Sequence[Change], refused: str) -> Applied | None:
    """The edit; None where it is refused for the one reason that there can be."""
    try:
        return apply(source, changes)
    except BlueprintError as error:
        if refused not in str(error):
            raise
    return None


@pytest.mark.fuzz
@given(texts, st.lists(values, min_size=1, max_size=4), st.integers(0, 2**32), st.sampled_from(["yaml", "json"]),
       st.sampled_from(["\n", "\r\n"]), st.booleans())  # fmt: skip
def test_any_changes_read_as_they_should(
    data: dict[str, Any], written: list[Any], seed: int, syntax: str, newline: str, ends: bool
) -> None:
    text = to_json(data) if syntax == "json" else to_yaml(data)
    if "|" not in text or ends:
        text = text.replace("\n", newline) if ends else text.rstrip("\n").replace("\n", newline)
    source = parse(text, name=f"x.{syntax}")
    changes = drawn_changes(source.data, random.Random(seed), 6, written)
    applied = applied_unless(source, changes, "text block")
    if applied is None:
        return
    assert spliced(applied.source.text, undoing(source.text, applied.splices)) == source.text


@pytest.mark.fuzz
@given(written_blueprints(), st.integers(0, 2**32))
def test_comments_stay_unless_what_they_belong_to_goes(written: Written, seed: int) -> None:
    source = parse(written.text, name=written.name)
    some = [1, "relu", [4, 4], {"layer": "Dense", "units": 4}, {"layer": "Add", "from": ["left", "right"]}]
    changes = drawn_changes(source.data, random.Random(seed), 6, some)
    applied = applied_unless(source, changes, "cannot be moved there")
    if applied is None:
        return
    before, after = Counter(comments(source.text)), Counter(comments(applied.source.text))
    assert not after - before
    assert set((before - after).keys()) <= vanished(source, changes)
    assert spliced(applied.source.text, undoing(source.text, applied.splices)) == source.text
