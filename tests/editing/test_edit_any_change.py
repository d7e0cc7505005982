"""Any change of any text that graphbuilder writes: it reads as it should, and can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graphbuilder.editing import Change, Insert, Remove, Replace, apply
from graphbuilder.text import parse, to_json, to_yaml
from graphbuilder.text.source import Path
from graphbuilder.text.splices import spliced, undoing

words = st.one_of(
    st.sampled_from(
        ["a", "b", "on", "1e3", "a: b", "x # y", "'", '"', "[", "-", "~", "two\nlines\n", "", " a", "é", "*a"]
    ),
    st.text("ab:#,[]{}&*!|>'\"%@- \n", max_size=6),
)
keys = words
scalars = st.one_of(
    words, st.integers(-3, 10**6), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(keys.filter(lambda key: key != "<<"), inner, max_size=4)
    ),
    max_leaves=16,
)


def places(data: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, data
    for step, item in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from places(item, (*path, step))


@st.composite
def changes(draw: st.DrawFn) -> tuple[Any, Change]:
    data = draw(st.dictionaries(keys, values, min_size=1, max_size=5))
    path, found = draw(st.sampled_from(list(places(data))))
    if isinstance(found, dict) and draw(st.booleans()):
        key = draw(keys.filter(lambda key: key not in found))
        after = draw(st.sampled_from([None, *found]))
        return data, Insert(path, key, draw(values), after)
    if path and isinstance(path[-1], int) and draw(st.booleans()):
        holder = next(item for place, item in places(data) if place == path[:-1])
        if len(holder) > 1:
            return data, Remove(path)
    assume(path)
    return data, Replace(path, draw(values))


@pytest.mark.fuzz
@given(changes(), st.sampled_from(["yaml", "json"]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_change_reads_as_it_should(change: tuple[Any, Change], syntax: str, newline: str, ends: bool) -> None:
    data, change_ = change
    text = to_json(data) if syntax == "json" else to_yaml(data)
    if "|" not in text or ends:
        text = text.replace("\n", newline) if ends else text.rstrip("\n").replace("\n", newline)
    source = parse(text, name=f"x.{syntax}")
    applied = apply(source, [change_])
    assert spliced(applied.source.text, undoing(source.text, applied.splices)) == text
