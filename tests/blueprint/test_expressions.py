"""Expressions: what they compute, what they refuse, and that no text makes them run code or run away."""

from __future__ import annotations

import contextlib
import operator
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.blueprint import ExpressionError, evaluate, names_in

PARAMS: dict[str, Any] = {"units": 32, "rate": 0.5, "name": "relu", "sizes": [8, 16, 32], "deep": True, "nothing": None}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$units", 32),
        ("$(units * 2)", 64),
        ("$(units // 3)", 10),
        ("$(units / 64)", 0.5),
        ("$(-units % 5)", 3),
        ("$(2 ** 10)", 1024),
        ("$(units if deep else 1)", 32),
        ("$(sizes[1])", 16),
        ("$(sizes[-1])", 32),
        ("$(len(sizes))", 3),
        ("$(min(units, 7))", 7),
        ("$(max(sizes))", 32),
        ("$(int(units * rate))", 16),
        ("$(make_divisible(units * 1.1, 8))", 32),
        ("$(make_divisible(11.2, 8))", 16),
        ("$(make_divisible(3, 8))", 8),
        ("$(units > 16 and not deep)", False),
        ("$(1 < units <= 32)", True),
        ("$(name == 'relu')", True),
        ("$(name in ['relu', 'gelu'])", True),
        ("$(nothing is null)", True),
        ("$(deep == true)", True),
        ("$([units, units * 2])", [32, 64]),
        ("$sizes", [8, 16, 32]),
        ("block_$units", "block_32"),
        ("$name and $units", "relu and 32"),
        ("$$units", "$units"),
        ("costs $$5", "costs $5"),
        ("plain", "plain"),
        ("$('a)b')", "a)b"),
    ],
)
def test_value(text: str, value: object) -> None:
    found = evaluate(text, PARAMS)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$missing", r"\$missing is not a param here"),
        ("$(missing + 1)", r"\$missing is not a param here"),
        ("$(units +)", "is not an expression"),
        ("$(units", "is not closed"),
        ("$", "neither a name nor"),
        ("$5", "neither a name nor"),
        ("$(1 // 0)", "cannot be computed"),
        ("$(units.real)", "is not allowed"),
        ("$(__import__('os'))", "is not allowed"),
        ("$((lambda: 1)())", "is not allowed"),
        ("$([x for x in sizes])", "is not allowed"),
        ("$(sizes[0:2])", "is not allowed"),
        ("$(len(sizes=1))", "is not allowed"),
        ("$(f'{units}')", "is not allowed"),
        ("$(b'x')", "is not allowed"),
        ("$(1j)", "is not allowed"),
        ("$(9 ** 9 ** 9)", "larger than"),
        ("$(2 ** 1000)", "larger than 64"),
        ("$('a' * 1000000)", "more than 10000"),
        ("$(sizes * 100000)", "more than 10000"),
        ("$('%999999999d' % 1)", "% is for numbers"),
        ("$(int('9' * 9000))", "cannot be computed"),
        ("$(len(units))", "cannot be computed"),
        ("$(make_divisible(units, 0))", "cannot be computed"),
        ("$(make_divisible(name, 8))", "cannot be computed"),
        ("$(-1 ** 0.5 + (0-1) ** 0.5)", "larger than|cannot"),
        ("$(" + "(" * 300 + ")" * 300 + ")", "is not an expression"),
        ("$(" + "-" * 400 + "1)", "nested deeper|is not an expression"),
        ("$(1 + 1" + " + 1" * 400 + ")", "characters|nested deeper"),
    ],
)
def test_refusal(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        evaluate(text, PARAMS)


def test_a_misspelt_param_is_suggested() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("$unit", PARAMS)
    assert caught.value.hint == "did you mean units?"
    assert caught.value.code == "GB207"


def test_names() -> None:
    assert names_in("$(min(a, b) if true else c) $d $$e") == {"a", "b", "c", "d"}
    assert names_in("$(broken") == set()


@given(st.text(alphabet="$()[]{}'\"abcunits0123456789+-*/%<>=!,. \n\\_lmx", max_size=60))
def test_any_text_gives_a_value_or_an_expression_error(text: str) -> None:
    started = time.monotonic()
    with contextlib.suppress(ExpressionError):
        evaluate(text, PARAMS)
    assert time.monotonic() - started < 5


SIGNS: dict[str, Callable[[int, int], object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
    "<": operator.lt,
    "==": operator.eq,
}


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6), st.sampled_from(sorted(SIGNS)))
def test_arithmetic_is_pythons(left: int, right: int, sign: str) -> None:
    params = {"left": left, "right": right}
    if sign in ("//", "%") and right == 0:
        with pytest.raises(ExpressionError):
            evaluate(f"$(left {sign} right)", params)
    else:
        assert evaluate(f"$(left {sign} right)", params) == SIGNS[sign](left, right)
