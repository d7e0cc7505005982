"""Params within texts: where they are named, other names for them, values in their place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.blueprint import ExpressionError, evaluate, names_in, param_uses, resolve_values
from graphbuilder.editing.param_text import named_params, renamed, substituted

numbers = st.integers(-50, 50)
words = st.sampled_from(["relu", "it's", 'say "so"', "", "$", "a b", "é"])
values: st.SearchStrategy[Any] = st.one_of(numbers, st.booleans(), words, st.none(), st.lists(numbers, max_size=3))


def expressions(names: list[str]) -> st.SearchStrategy[str]:
    """The insides of `$(…)`, over params that are all kinds of things."""
    leaf = st.one_of(st.sampled_from(names), numbers.map(str), st.sampled_from(["'a'", "true", "null", "[1, 2]"]))
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "*", "==", "and", "or", "in"]), inner).map(" ".join),
            inner.map(lambda text: f"({text})"),
            st.tuples(inner, inner, inner).map(lambda three: f"{three[0]} if {three[1]} else {three[2]}"),
            inner.map(lambda text: f"not ({text})"),
            st.tuples(inner, inner).map(lambda two: f"max({two[0]}, {two[1]})"),
        ),
        max_leaves=6,
    )


def texts(names: list[str]) -> st.SearchStrategy[str]:
    part = st.one_of(
        expressions(names).map(lambda text: f"$({text})"),
        st.sampled_from(names).map(lambda name: f"${name}"),
        st.sampled_from(["x", "_", "$$", " ", "é", "-"]),
    )
    return st.lists(part, min_size=1, max_size=4).map("".join)


def value_of(text: Any, params: dict[str, Any]) -> Any:
    try:
        return ("gives", repr(resolve_values(text, params)))
    except ExpressionError:
        return "fails"


@pytest.mark.fuzz
@given(texts(["a", "bb", "c"]), values, values, values)
def test_a_rename_changes_no_value(text: str, a: Any, bb: Any, c: Any) -> None:
    names = {"a": "bb", "bb": "width", "c": "a"}
    after = renamed(text, names)
    before = {"a": a, "bb": bb, "c": c}
    assert value_of(after, {names[name]: value for name, value in before.items()}) == value_of(text, before)


@pytest.mark.fuzz
@given(texts(["a", "b", "c"]), values, texts(["outer"]), values, numbers)
def test_a_value_in_the_place_of_a_param_changes_nothing(text: str, a: Any, b: str, c: Any, outer: int) -> None:
    written = {"a": as_text(a), "b": b, "c": as_text(c)}
    inside = {"a": a, "c": c, "b": None}
    try:
        inside["b"] = evaluate(b, {"outer": outer}) if "$" in b else b
    except ExpressionError:
        return
    try:
        after = substituted(text, written)
    except ExpressionError:
        return
    assert value_of(after, {"outer": outer}) == value_of(text, inside)


def as_text(value: Any) -> Any:
    """A value as it is written, its dollar signs doubled."""
    if isinstance(value, list):
        return [as_text(item) for item in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


@given(texts(["a", "bb", "c"]))
def test_every_param_is_found_where_it_stands(text: str) -> None:
    uses = param_uses(text)
    assert {use.name for use in uses} - {"true", "false", "null"} == names_in(text)
    assert all(text[use.start : use.end] == use.name for use in uses)
    assert list(uses) == sorted(uses, key=lambda use: use.start)


@pytest.mark.parametrize(
    ("text", "written", "after"),
    [
        ("$n", {"n": {"a": 1}}, {"a": 1}),
        ("$(n)", {"n": "$m"}, "$m"),
        ("$(2 * n)", {"n": "$m"}, "$(2 * m)"),
        ("$(2 * n)", {"n": "$(a + b)"}, "$(2 * (a + b))"),
        ("$(n - m)", {"n": -1}, "$((-1) - m)"),
        ("block_$n", {"n": "$m"}, "block_$(m)"),
        ("block_${n}x".replace("{n}", "n") + "$m", {"nx": "a$$b"}, "block_a$$b$m"),
        ("$(n == m)", {"n": "it's"}, '$("it\'s" == m)'),
        ("$(n[0] + m)", {"n": [1, "two"]}, "$([1, 'two'][0] + m)"),
        ("$$n", {"n": 4}, "$$n"),
        ("$(n['a'])", {"n": {"a": 4}}, 4),
    ],
)
def test_single_substitutions(text: str, written: dict[str, Any], after: Any) -> None:
    assert substituted(text, written) == after


@pytest.mark.parametrize(
    ("text", "written", "message"),
    [
        ("$(n['a'] + m)", {"n": {"a": 4}}, "n is a mapping, which cannot be written inside an expression"),
        ("$(n + m)", {"n": "a_$k"}, "n is 'a_$k', which cannot stand inside an expression"),
        ("$(n + m)", {"n": "both ' and \""}, "cannot be quoted inside an expression"),
        ("$(n + m)", {"n": float("inf")}, "n is inf, which an expression cannot write"),
        ("x$n", {"n": ["$m"]}, "is a list or mapping of expressions"),
    ],
)
def test_what_cannot_be_written_is_refused(text: str, written: dict[str, Any], message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        substituted(text, written)
    assert message in caught.value.message


def test_words_for_people_name_nothing() -> None:
    node = {"layer": "Dense", "units": "$n", "about": "$m", "wraps": {"about": "$k", "rate": "$(r * 2)"}}
    assert named_params(node) == ["n", "r"]
    assert substituted(node, {"n": 4, "m": 1})["about"] == "$m"
