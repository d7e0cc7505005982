"""What a search may vary: usual and stated ranges, the limits of params, and what a setting makes of the passes."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.api import load, lower, parse
from graphbuilder.blueprint import Document
from graphbuilder.compression.budget import Budget
from graphbuilder.compression.declared import declared_passes
from graphbuilder.compression.plan import plan_compression
from graphbuilder.compression.plan_data import predicted_sizes
from graphbuilder.compression.search_fit import refusal, refuse_hopeless
from graphbuilder.compression.search_space import Dimension, Place, Space, apply, search_space
from graphbuilder.errors import CommandError
from graphbuilder.graph import Graph

HEAD = """
blueprint: 1
params: {s: {default: 0.8, min: 0.1, max: 0.9}, c: {default: 16, choices: [8, 16, 64]}, free: 0.5}
inputs: {x: {shape: [64]}}
nodes:
  first: {layer: Dense, units: 256, activation: relu}
  second: {layer: Dense, units: 128, activation: relu}
  scores: {layer: Dense, units: 10, activation: softmax}
training: {optimizer: {adam: {learning_rate: 1e-3}}, loss: sparse_categorical_crossentropy}
compression:
"""


def read(*passes: str) -> tuple[Graph, Document]:
    document = parse(HEAD + "".join(f"  - {{{one}}}\n" for one in passes))
    return lower(document), document


def space(*passes: str, per_node: bool = False) -> Space:
    return search_space(*read(*passes), per_node=per_node)


def values(*passes: str, per_node: bool = False) -> dict[str, str]:
    return {one.name: str(one) for one in space(*passes, per_node=per_node).dimensions}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("pass: prune, sparsity: 0.6", {"sparsity": "0.3 to 0.97", "learning_rate": "0.0001 to 0.001"}),
        ("pass: prune, sparsity: 0.98", {"sparsity": "0.49 to 0.99", "learning_rate": "0.0001 to 0.001"}),
        (
            "pass: prune, sparsity: 0.6, learning_rate: 0.01",
            {"sparsity": "0.3 to 0.97", "learning_rate": "0.0001 to 0.01"},
        ),
        ('pass: prune, structure: "2:4"', {"learning_rate": "0.0001 to 0.001"}),
        ("pass: cluster, clusters: 16", {"clusters": "4, 8, 16, 32, 64"}),
        ("pass: cluster, clusters: 100", {"clusters": "4, 8, 16, 32, 64, 100"}),
        ("pass: low_rank, rank: 16", {"rank": "8, 10, 13, 16, 20, 25, 32"}),
        ("pass: low_rank, rank: 1", {"rank": "1, 2"}),
        ("pass: low_rank, energy: 0.9", {"energy": "0.5 to 0.99"}),
    ],
)
def test_the_usual_ranges(written: str, expected: dict[str, str]) -> None:
    assert values(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("pass: prune, sparsity: 0.6, search: {sparsity: [0.5, 0.9], learning_rate: [1e-3]}",
         {"sparsity": "0.5 to 0.9"}),
        ("pass: prune, sparsity: 0.6, search: {sparsity: [0.5, 0.7, 0.9], learning_rate: [1e-3]}",
         {"sparsity": "0.5, 0.7, 0.9"}),
        ("pass: cluster, clusters: 16, search: {clusters: [8, 24]}", {"clusters": "8, 24"}),
        ("pass: cluster, clusters: 16, search: {learning_rate: [1e-4, 1e-3]}",
         {"clusters": "4, 8, 16, 32, 64", "learning_rate": "0.0001 to 0.001"}),
        ("pass: cluster, clusters: 16, search: {clusters: [16], learning_rate: [1e-4, 1e-3]}",
         {"learning_rate": "0.0001 to 0.001"}),
    ],
)  # fmt: skip
def test_what_is_stated_wins(written: str, expected: dict[str, str]) -> None:
    assert values(written) == expected


def test_a_params_own_limits_hold() -> None:
    assert values("pass: prune, sparsity: $s", "pass: cluster, clusters: $c") == {
        "sparsity": "0.4 to 0.9",
        "learning_rate": "0.0001 to 0.001",
        "clusters": "8, 16, 64",
    }
    # An expression over it is another number.
    assert values("pass: prune, sparsity: $(s / 2)")["sparsity"] == "0.2 to 0.97"


def test_options_of_one_param_vary_together() -> None:
    found = space(
        "pass: prune, sparsity: $s, where: {nodes: first}", "pass: prune, sparsity: $s, where: {nodes: second}"
    )
    tied = found.dimensions[0]
    assert tied.places == (Place(0, ("sparsity",)), Place(1, ("sparsity",)))
    setting = found.setting({**found.declared(), tied.name: 0.7})
    assert [setting[place] for place in tied.places] == [0.7, 0.7]


def test_equal_options_are_told_apart_by_name() -> None:
    found = values(
        "pass: prune, sparsity: 0.5, where: {nodes: first}, overrides: {first: {sparsity: 0.6}}",
        "pass: prune, sparsity: 0.7, where: {nodes: second}",
        "pass: cluster, clusters: 16",
    )
    assert list(found) == [
        "prune 1 sparsity",
        "sparsity of first",
        "prune 1 learning_rate",
        "prune 2 sparsity",
        "prune 2 learning_rate",
        "clusters",
    ]


def test_each_large_layer_may_have_a_sparsity_of_its_own() -> None:
    found = space("pass: prune, sparsity: 0.8", per_node=True)
    # scores has 1,280 of 50,432 weights; first and second have far more than a hundredth.
    assert [one.name for one in found.dimensions] == [
        "learning_rate",
        "sparsity of first",
        "sparsity of second",
        "sparsity of scores",
    ]
    graph, _ = read("pass: prune, sparsity: 0.8")
    point = {**found.declared(), "sparsity of first": 0.95, "sparsity of scores": 0.5}
    changed = replace(graph, compression=apply(graph.compression, found.setting(point)))
    plan, wrong = plan_compression(changed)
    assert not wrong
    assert {one.layer: one.asked()["sparsity"] for one in plan.stages[0].layers} == {
        "first": 0.95,
        "second": 0.8,
        "scores": 0.5,
    }


def test_layers_with_next_to_no_weights_share_the_sparsity_of_the_pass() -> None:
    document = load("blueprints/digits_cnn.yaml")
    found = search_space(lower(document), document, per_node=True)
    assert [one.name for one in found.dimensions if "sparsity" in one.name] == [
        "sparsity",
        "sparsity of conv_2",
        "sparsity of hidden",
    ]


def test_where_nothing_can_vary_that_is_told() -> None:
    graph, document = read("pass: quantize")
    with pytest.raises(CommandError, match="GB842 the declared passes have no setting that could vary"):
        search_space(graph, document)


def test_the_declared_point_changes_nothing() -> None:
    passes = ("pass: prune, sparsity: $s", "pass: cluster, clusters: $c", "pass: quantize")
    graph, document = read(*passes)
    found = search_space(graph, document)
    same = apply(graph.compression, found.setting(found.declared()))
    assert [one.options for one in same] == [one.options for one in graph.compression]


def test_a_setting_leaves_the_declarations_as_they_are() -> None:
    graph, _ = read("pass: prune, sparsity: 0.5, overrides: {first: {sparsity: 0.6}}", "pass: quantize")
    before = copy.deepcopy([one.options for one in graph.compression])
    place = Place(0, ("overrides", "first", "sparsity"))
    made = apply(graph.compression, {place: 0.9, Place(0, ("overrides", "second", "sparsity")): 0.7})
    assert [one.options for one in graph.compression] == before
    assert made[0].options["overrides"] == {"first": {"sparsity": 0.9}, "second": {"sparsity": 0.7}}
    assert made[1] is graph.compression[1]


RANGES = st.tuples(st.floats(0.01, 0.98), st.floats(0.01, 0.98)).filter(lambda ends: ends[0] + 0.01 < ends[1])


@given(RANGES, st.sampled_from(["value", "log", "log_rest"]), st.floats(0, 1))
def test_every_raw_number_stands_for_a_value_within_the_range(
    ends: tuple[float, float], scale: str, share: float
) -> None:
    low, high = ends
    made = Dimension("x", (Place(0, ("sparsity",)),), low, low=low, high=high, scale=scale)  # type: ignore[arg-type]
    least, most = made.bounds
    value = made.value(least + share * (most - least))
    assert low <= value <= high
    assert made.value(made.raw(value)) == value
    assert least <= made.raw(value) <= most


@given(st.sets(st.integers(2, 4096), min_size=1, max_size=8), st.integers(2, 4096))
def test_choices_are_found_again(choices: set[int], other: int) -> None:
    made = Dimension("c", (Place(0, ("clusters",)),), 16, choices=tuple(sorted(choices)))
    assert all(made.value(made.raw(choice)) == choice for choice in choices)
    nearest = made.value(made.raw(other))
    assert abs(nearest - other) == min(abs(choice - other) for choice in choices)


POINTS = st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(0, 2))


@given(POINTS)
def test_no_point_is_predicted_smaller_than_the_smallest(drawn: tuple[float, float, int]) -> None:
    graph, document = read("pass: prune, sparsity: $s", "pass: cluster, clusters: $c", "pass: quantize")
    found = search_space(graph, document)
    point = {}
    for one, share in zip(found.dimensions, drawn, strict=True):
        low, high = one.bounds
        point[one.name] = one.value(share if one.choices else low + share * (high - low))

    def predicted(setting: dict[Place, int | float]) -> int:
        changed = replace(graph, compression=apply(graph.compression, setting))
        plan, wrong = plan_compression(changed)
        assert not wrong
        return predicted_sizes(plan, changed)[1].gzip

    assert predicted(found.setting(found.smallest())) <= predicted(found.setting(point))


def test_a_setting_that_cannot_be_small_enough_is_not_run() -> None:
    graph, _ = read("pass: prune, sparsity: 0.8", "pass: cluster, clusters: 16", "pass: quantize")
    large, small = {Place(0, ("sparsity",)): 0.4}, {Place(0, ("sparsity",)): 0.95}
    budget = Budget(gzip_ratio=20)
    told = refusal(graph, large, budget)
    assert told is not None
    assert told.startswith("gzip_ratio is predicted to be 6.")
    assert refusal(graph, small, budget) is None
    assert refusal(graph, large, budget, judged=False) is None
    assert refusal(graph, large, Budget(accuracy_drop=0.01)) is None
    assert refusal(graph, large, Budget(gzip_bytes=1_000)) is not None


def test_a_setting_that_no_pass_takes_is_not_run() -> None:
    graph, _ = read("pass: prune, sparsity: 0.8")
    assert refusal(graph, {Place(0, ("sparsity",)): 1.5}, Budget()) == "sparsity is 1.5"


def test_a_search_that_cannot_meet_its_budget_is_not_begun() -> None:
    graph, document = read("pass: prune, sparsity: 0.8", "pass: quantize")
    found = search_space(graph, document)
    refuse_hopeless(graph, found, Budget(gzip_ratio=20))
    with pytest.raises(CommandError, match=r"GB842 no setting can meet the budget: with sparsity 0\.97") as caught:
        refuse_hopeless(graph, found, Budget(gzip_ratio=200))
    assert "gzip_ratio is predicted to be" in str(caught.value)


def test_thinner_layers_are_not_predicted_and_so_not_refused() -> None:
    graph, document = read("pass: low_rank, energy: 0.9", "pass: quantize")
    refuse_hopeless(graph, search_space(graph, document), Budget(gzip_ratio=200))


def test_what_a_search_may_vary_is_checked_with_the_pass() -> None:
    graph, _ = read("pass: prune, sparsity: 0.5, search: {sparsity: [0.5, 0.9]}, overrides: {first: {sparsity: 0.6}}")
    passes, wrong = declared_passes(graph)
    assert not wrong
    assert passes[0].declared.search == {"sparsity": (0.5, 0.9)}
