"""Shipped blueprints with one thing changed at random: what comes of it is a graph or a diagnostic, never a crash."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphbuilder.api import check
from graphbuilder.blueprint import load_source
from graphbuilder.errors import BlueprintError
from graphbuilder.text import parse, to_yaml

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("blueprints/**/*.yaml"), *ROOT.glob("tests/backend/hard/*.yaml")])
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2.5,
    10**9,
    1e308,
    "x",
    "",
    "$",
    "$(1/0)",
    "$x",
    "relu",
    "a.b.c",
    "..",
]
VALUES += [".", "0", [], [1], ["a"], [[1]], {}, {"a": 1}, {"constant": [1, 2]}, {"layer": "Dense"}, "Dense", [None]]
VALUES += [{"layer": "LSTM", "units": 3}, {"shape": [3]}, "std.mlp", "keras:Layer", [1, [2]], float("inf")]
KEYS = ["x", "from", "layer", "op", "$a", "a.b", "index"]


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything inside nested data."""
    items: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def mutant(data: Any, choose: random.Random) -> Any:
    """A copy with one value replaced, one entry deleted, or one key renamed."""
    data = copy.deepcopy(data)
    *path, last = choose.choice(list(places(data)))
    holder = data
    for step in path:
        holder = holder[step]
    kind = choose.choice(["replace", "delete", "rename"])
    if kind == "rename" and isinstance(holder, dict):
        holder[choose.choice([*KEYS, f"{last}s", last[:-1] or "q"])] = holder.pop(last)
    elif kind == "delete":
        del holder[last]
    else:
        holder[last] = copy.deepcopy(choose.choice(VALUES))
    return data


@pytest.mark.parametrize("seed", range(10))
def test_a_mutant_is_checked_or_refused(seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(60):
        path = choose.choice(FILES)
        text = to_yaml(mutant(parse(path.read_text(encoding="utf-8")).data, choose))
        try:
            checked = check(load_source(parse(text, name="mutant.yaml"), None))
        except BlueprintError as error:
            found = error.diagnostics
        else:
            found = checked.errors
        for diagnostic in found:
            assert diagnostic.code != "GB900"
            assert diagnostic.position is not None, (text, diagnostic)
