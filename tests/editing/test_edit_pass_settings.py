"""Settings of passes written into a blueprint: what comes of the text is what was meant, and nothing else changes."""

from __future__ import annotations

import json
from difflib import unified_diff

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.api import lower, parse
from graphbuilder.compression.search_space import Place, Setting, apply
from graphbuilder.editing.pass_settings import written
from graphbuilder.errors import BlueprintError

TEXT = """\
# A note above.
blueprint: 1
params:
  s: {default: 0.8, max: 0.95}   # what becomes zero
  both: 0.5
  units: {type: int, about: set it}
inputs: {x: {shape: [64]}}
nodes:
  first: {layer: Dense, units: $units}
  second: {layer: Dense, units: 10}   # the scores
compression:
  # thin it out
  - pass: prune   # here
    sparsity: $s
    overrides: {}
  - pass: prune
    sparsity: $both  # again
    where: {nodes: second}
    overrides:
      second: {sparsity: $both} # x
  - {pass: cluster, clusters: 16}
"""
JSON = json.dumps(
    {
        "blueprint": 1,
        "params": {"s": 0.8},
        "inputs": {"x": {"shape": [64]}},
        "nodes": {"first": {"layer": "Dense", "units": 10}},
        "compression": [{"pass": "prune", "sparsity": "$s"}, {"pass": "cluster", "clusters": 16}],
    },
    indent=2,
)


def place(number: int, *path: str) -> Place:
    return Place(number, path)


def changed(text: str, setting: Setting, units: int | None = 32) -> list[str]:
    """The lines that a setting changes, with what they become."""
    params = {} if units is None else {"units": units}
    new = written(parse(text), setting, params)
    lines = unified_diff(text.splitlines(), new.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


UNITS = [
    "-  units: {type: int, about: set it}",
    "+  units: {default: 32, type: int, about: set it}",
]


def test_a_param_of_its_own_gets_the_value() -> None:
    assert changed(TEXT, {place(0, "sparsity"): 0.9}) == [
        "-  s: {default: 0.8, max: 0.95}   # what becomes zero",
        "+  s: {default: 0.9, max: 0.95}   # what becomes zero",
        *UNITS,
    ]


def test_a_value_that_the_param_refuses_stands_at_the_option() -> None:
    assert changed(TEXT, {place(0, "sparsity"): 0.96}) == [*UNITS, "-    sparsity: $s", "+    sparsity: 0.96"]


def test_a_param_that_is_used_elsewhere_stays() -> None:
    assert changed(TEXT, {place(1, "sparsity"): 0.7}) == [
        *UNITS,
        "-    sparsity: $both  # again",
        "+    sparsity: 0.7  # again",
    ]


def test_a_param_whose_uses_all_change_alike_gets_the_value() -> None:
    both = {place(1, "sparsity"): 0.7, place(1, "overrides", "second", "sparsity"): 0.7}
    assert [line for line in changed(TEXT, both) if "both" in line] == ["-  both: 0.5", "+  both: 0.7"]
    apart = {**both, place(1, "sparsity"): 0.6}
    assert [line for line in changed(TEXT, apart) if line.startswith("+") and "sparsity" in line] == [
        "+    sparsity: 0.6  # again",
        "+      second: {sparsity: 0.7} # x",
    ]


def test_options_that_are_not_written_yet_come_with_what_they_stand_in() -> None:
    setting = {
        place(0, "overrides", "first", "sparsity"): 0.9,
        place(0, "overrides", "second", "sparsity"): 0.6,
        place(0, "learning_rate"): 3e-4,
        place(2, "learning_rate"): 1e-4,
    }
    assert [line for line in changed(TEXT, setting) if line.startswith("+")][1:] == [
        "+    overrides: {first: {sparsity: 0.9}, second: {sparsity: 0.6}}",
        "+    learning_rate: 0.0003",
        "+  - {pass: cluster, clusters: 16, learning_rate: 0.0001}",
    ]


def test_what_stands_there_already_is_not_touched() -> None:
    same = {place(0, "sparsity"): 0.8, place(2, "clusters"): 16}
    assert written(parse(TEXT), same) == TEXT


def test_json_stays_json() -> None:
    new = written(parse(JSON), {place(0, "sparsity"): 0.9, place(0, "overrides", "first", "sparsity"): 0.7})
    assert json.loads(new)["params"] == {"s": 0.9}
    assert json.loads(new)["compression"][0]["overrides"] == {"first": {"sparsity": 0.7}}


def test_a_text_in_which_two_passes_are_one_cannot_be_edited() -> None:
    text = TEXT.replace("- {pass: cluster, clusters: 16}", "- &same {pass: cluster, clusters: 16}")
    shared = text + "  - *same\n"
    with pytest.raises(BlueprintError, match=r"GB203 .* is shared through"):
        written(parse(shared), {place(2, "clusters"): 8})


NUMBERS = st.floats(0.01, 0.99).map(lambda number: round(number, 3))
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        place(0, "sparsity"): NUMBERS,
        place(0, "learning_rate"): st.sampled_from([1e-4, 3.3e-5, 0.01]),
        place(0, "overrides", "first", "sparsity"): NUMBERS,
        place(0, "overrides", "second", "sparsity"): NUMBERS,
        place(1, "sparsity"): NUMBERS,
        place(1, "overrides", "second", "sparsity"): NUMBERS,
        place(2, "clusters"): st.sampled_from([4, 8, 16, 300]),
    },
)


@given(SETTINGS)
def test_the_text_declares_what_the_setting_makes_of_the_passes(setting: dict[Place, int | float]) -> None:
    document = parse(TEXT)
    meant = apply(lower(document, {"units": 32}).compression, setting)
    text = written(document, setting, {"units": 32})
    found = lower(parse(text))
    assert [one.options for one in found.compression] == [one.options for one in meant]
    assert found.params["units"] == 32
    for comment in (
        "# A note above.",
        "# what becomes zero",
        "# the scores",
        "# thin it out",
        "# here",
        "# again",
        "# x",
    ):
        assert text.count(comment) == 1
