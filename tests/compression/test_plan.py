"""The plan of a compression: what each pass selects, how single nodes differ, what is skipped and what is kept."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from graphbuilder.api import check, json_schema, lower, parse
from graphbuilder.compression.passes import Prune
from graphbuilder.compression.plan import CompressionPlan, plan_compression
from graphbuilder.compression.plan_data import plan_data
from graphbuilder.compression.selection import matches
from graphbuilder.compression.targets import Kept
from graphbuilder.graph import Graph
from graphbuilder.text import to_json

NODES: dict[str, Any] = {
    "conv_1": {"layer": "Conv2D", "filters": 16, "kernel_size": 3, "activation": "relu"},
    "conv_2": {"layer": "Conv2D", "filters": 16, "kernel_size": 3},
    "norm": {"layer": "BatchNormalization"},
    "pooled": {"layer": "GlobalAveragePooling2D"},
    "head": {"block": "std.mlp", "units": 10, "hidden": 32, "layers": 2},
}


def graph_of(*passes: dict[str, Any]) -> Graph:
    """A small network that declares passes."""
    document = {
        "blueprint": 1,
        "inputs": {"image": {"shape": [12, 12, 3]}},
        "nodes": NODES,
        "compression": list(passes),
    }
    checked = check(parse(to_json(document), name="plan.json"))
    assert checked.graph is not None, checked.diagnostics
    return checked.graph


def plan_of(*passes: dict[str, Any]) -> CompressionPlan:
    """The plan of passes that are right."""
    found, diagnostics = plan_compression(graph_of(*passes))
    assert not diagnostics
    return found


DENSE = ("head.layers.0.dense", "head.layers.1.dense", "head.output")


def touched(plan: CompressionPlan, number: int = 0) -> tuple[str, ...]:
    """The layers that a stage changes."""
    return tuple(target.layer for target in plan.stages[number].targets)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, {"conv_1", "conv_2", "dense"}),
        ({"nodes": ["conv_1"]}, {"conv_1"}),
        ({"nodes": "conv_*"}, {"conv_1", "conv_2"}),
        ({"layers": ["Dense"]}, {"dense"}),
        ({"nodes": "head"}, {"dense"}),
        ({"layers": ["Conv2D", "Dense"], "except": ["conv_2", "head"]}, {"conv_1"}),
        ({"except": "Dense"}, {"conv_1", "conv_2"}),
        ({"nodes": ["conv_*", "head"], "layers": "Conv2D"}, {"conv_1", "conv_2"}),
    ],
)
def test_where_selects(where: dict[str, Any], expected: set[str]) -> None:
    found = touched(plan_of({"pass": "prune", "sparsity": 0.5, "where": where}))
    dense = {layer for layer in found if layer.startswith("head")}
    assert {layer for layer in found if not layer.startswith("head")} | ({"dense"} if dense else set()) == expected
    assert len(dense) in (0, 3)


def test_overrides_change_single_nodes_and_names_win_over_patterns() -> None:
    overrides = {"conv_2": {"sparsity": 0.9}, "conv_*": {"sparsity": 0.3}}
    plan = plan_of({"pass": "prune", "sparsity": 0.5, "overrides": overrides})
    asked: dict[str, Any] = {}
    for target in plan.stages[0].targets:
        assert isinstance(target.options, Prune)
        asked[target.layer] = target.options.sparsity
    assert (asked["conv_1"], asked["conv_2"]) == (0.3, 0.9)
    assert {value for layer, value in asked.items() if layer.startswith("head")} == {0.5}


def test_what_a_pattern_selects_in_vain_is_skipped_with_its_reason() -> None:
    stage = plan_of({"pass": "prune", "sparsity": 0.5}).stages[0]
    assert {one.layer: one.ruling.reason for one in stage.skipped} == {"norm": "it has no kernel"}


def test_later_passes_keep_what_earlier_ones_made() -> None:
    prune = {"pass": "prune", "sparsity": 0.5, "where": {"nodes": "conv_*"}}
    plan = plan_of(prune, {"pass": "cluster", "clusters": 8}, {"pass": "quantize"})
    assert plan.stages[1].keeps == {(f"conv_{number}", "kernel"): Kept(zeros=True) for number in (1, 2)}
    assert plan.stages[2].keeps["conv_1", "kernel"] == Kept(zeros=True, values=True)
    assert {kept for place, kept in plan.stages[2].keeps.items() if place[0].startswith("head")} == {Kept(values=True)}
    lost = plan_of(prune, {"pass": "cluster", "clusters": 8, "preserve": "none"})
    assert lost.stages[1].keeps == {}


def test_a_plan_is_plain_data_and_predicts_smaller_files() -> None:
    passes = ({"pass": "prune", "sparsity": 0.8}, {"pass": "cluster", "clusters": 16}, {"pass": "quantize"})
    graph = graph_of(*passes)
    data = plan_data(plan_compression(graph)[0], graph)
    assert [stage["pass"] for stage in data["stages"]] == ["prune", "cluster", "quantize"]
    assert data["predicted"]["scheme"] == "int8"
    assert data["predicted"]["after"]["gzip"] < data["predicted"]["after"]["raw"] < data["predicted"]["before"]["raw"]
    pruned = plan_data(plan_compression(graph_of(passes[0]))[0], graph)["predicted"]
    assert pruned["after"]["raw"] == pruned["before"]["raw"]
    assert pruned["after"]["gzip"] < pruned["before"]["gzip"]


def model(nodes: str, declared: str, shape: str = "[6, 8]") -> Graph:
    """A graph whose passes need not be right."""
    text = f"blueprint: 1\nname: m\ninputs: {{x: {{shape: {shape}}}}}\nnodes:\n{nodes}\ncompression: [{declared}]\n"
    return lower(parse(text))


RECURRENT = (
    "  embedded: {layer: Dense, units: 8}\n  memory: {layer: LSTM, units: 12}\n  scores: {layer: Dense, units: 4}"
)


def test_what_training_for_8_bits_leaves_out_is_told() -> None:
    plan, found = plan_compression(model(RECURRENT, "{pass: quantize, where: {except: scores}}"))
    assert not found
    (stage,) = plan.stages
    assert [target.layer for target in stage.targets] == ["embedded"]
    assert [(one.layer, one.ruling.verdict.value) for one in stage.skipped] == [("memory", "illegal")]
    told = {one.layer: one.ruling.reason or "" for one in stage.left_out}
    assert "float32" in told["memory"]
    assert "the converter quantizes it too" in told["scores"]
    assert [one["layer"] for one in plan_data(plan, model(RECURRENT, ""))["stages"][0]["left_out"]] == [*told]
    # Behind the LSTM, which cannot be trained for 8 bits, that would be in vain.
    plan, found = plan_compression(model(RECURRENT, "{pass: quantize}"))
    assert not found
    assert [target.layer for target in plan.stages[0].targets] == ["embedded"]
    assert "gives it floats" in next(one.ruling.reason or "" for one in plan.stages[0].skipped if one.layer == "scores")
    plan, found = plan_compression(model(RECURRENT, "{pass: quantize, where: {except: memory}}"))
    assert [target.layer for target in plan.stages[0].targets] == ["embedded"]


def test_after_training_each_layer_is_ruled_as_it_stands_in_the_graph() -> None:
    nodes = "  masked: {layer: Masking}\n  memory: {layer: LSTM, units: 12UNROLL}\n  scores: {layer: Dense, units: 4}"
    declared = "{pass: quantize, aware: false}"
    _, found = plan_compression(model(nodes.replace("UNROLL", ""), declared))
    assert [(one.code, one.node) for one in found] == [("GB811", "memory")]
    plan, found = plan_compression(model(nodes.replace("UNROLL", ", unroll: true"), declared))
    assert not found
    reasons = {one.layer: one.ruling.reason for one in plan.stages[0].layers}
    assert reasons["memory"] == "some of it stays float: TFLite's CAST computes floats only"


def test_a_pass_that_converts_all_may_name_all() -> None:
    nodes = "  hidden: {layer: Dense, units: 8}\n  flat: {layer: Flatten}\n  scores: {layer: Dense, units: 4}"
    # Flatten computes nothing: leaving it out leaves nothing as it was.
    for where in ("{layers: Dense}", "{nodes: '*'}"):
        assert not plan_compression(model(nodes, f"{{pass: quantize, aware: false, where: {where}}}"))[1]
    (found,) = plan_compression(model(nodes, "{pass: quantize, scheme: float16, where: {nodes: hidden}}"))[1]
    assert found.code == "GB836"


def test_float_files_are_made_for_comparison_so_what_tflite_lacks_is_refused_under_every_pass() -> None:
    nodes = "  conv: {layer: Conv3D, filters: 4, kernel_size: 2}\n  pool: {layer: AveragePooling3D, pool_size: 2}"
    for declared in ("{pass: prune, sparsity: 0.5}", "{pass: quantize}", "{pass: quantize, scheme: float16}"):
        found = plan_compression(model(nodes, declared, "[6, 6, 6, 2]"))[1]
        assert ("GB811", "pool") in [(one.code, one.node) for one in found]
        assert len([one for one in found if one.node == "pool"]) == 1


def test_the_schema_takes_what_the_check_takes() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    right = {"pass": "prune", "sparsity": "$share", "structure": {"block": [1, 4]}, "where": {"nodes": "conv_*"}}
    document = {"blueprint": 1, "inputs": {"image": {"shape": [12, 12, 3]}}, "nodes": NODES, "compression": [right]}
    assert not list(validator.iter_errors(document))
    for wrong in ({"pass": "prun"}, {"pass": "cluster", "sparsity": 0.5}, {"sparsity": 0.5}):
        assert list(validator.iter_errors({**document, "compression": [wrong]}))


@pytest.mark.parametrize(
    ("path", "written", "expected"),
    [
        ("encoder.0.attention", "encoder", True),
        ("encoder.0.attention", "encoder.*.attention", True),
        ("encoder_2.dense", "encoder", False),
        ("conv_2", "conv_?", True),
        ("conv_12", "conv_?", False),
    ],
)
def test_names_and_patterns(path: str, written: str, expected: bool) -> None:
    assert matches(path, written) is expected
