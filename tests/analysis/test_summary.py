"""Sums over graphs."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.analysis import CallSummary, Summary, summarize
from graphbuilder.api import lower, parse


def summary_of(text: str) -> Summary:
    return summarize(lower(parse(f"blueprint: 1\n{text}")))


def named(summary: Summary, name: str) -> CallSummary:
    return next(call for call in summary.calls if call.name == name)


@pytest.mark.parametrize(("name", "parameters"), [("cnn", 1_969_738), ("resnet50", 25_636_712)])
def test_parameters_are_those_of_keras(root: Path, name: str, parameters: int) -> None:
    graph = lower(root / "blueprints" / f"{name}.yaml")
    totals = summarize(graph).totals
    assert totals.parameters == parameters == graph.parameters
    assert totals.size == {"float32": 4 * parameters}
    assert totals.unknown_macs == totals.unknown_weights == ()


def test_the_calls_add_up_to_the_totals(root: Path) -> None:
    summary = summarize(lower(root / "blueprints" / "transformer.yaml"))
    assert sum(call.parameters or 0 for call in summary.calls) == summary.totals.parameters
    assert sum(call.macs or 0 for call in summary.calls) == summary.totals.macs


def test_batch_statistics_and_frozen_layers_are_not_trainable() -> None:
    summary = summary_of(
        "inputs: {x: {shape: [8]}}\n"
        "nodes: {norm: {layer: BatchNormalization}, dense: {layer: Dense, units: 2, trainable: false}}"
    )
    norm, dense = summary.calls
    assert (norm.trainable, norm.non_trainable) == (16, 16)
    assert (dense.trainable, dense.non_trainable) == (0, 18)
    assert summary.totals.non_trainable == 34


def test_weights_are_counted_in_the_dtype_they_are_kept_in() -> None:
    summary = summary_of(
        "inputs: {x: {shape: [8]}}\n"
        "nodes:\n"
        "  half: {layer: Dense, units: 8, dtype: float16}\n"
        "  mixed: {layer: Dense, units: 8, dtype: mixed_float16}\n"
        "  double: {layer: Dense, units: 8, dtype: float64}"
    )
    assert summary.totals.size == {"float16": 144, "float32": 288, "float64": 576}


def test_shared_weights_are_counted_once_and_named() -> None:
    summary = summary_of(
        "inputs: {a: {shape: [8]}, b: {shape: [8]}}\n"
        "nodes:\n"
        "  one: {layer: Dense, from: a, units: 4}\n"
        "  two: {reuse: one, from: b}\n"
        "  flat: {layer: Flatten, from: one}\n"
        "  flatter: {reuse: flat, from: two}\n"
        "outputs: [flat, flatter]"
    )
    assert named(summary, "one").shared_by == ("two",)
    assert (named(summary, "two").shares, named(summary, "two").parameters) == ("one", 0)
    assert named(summary, "two").macs == 32
    assert named(summary, "flatter").shares is None, "a layer without weights shares none"
    assert summary.totals.parameters == 36
    assert [(output.name, output.value) for output in summary.outputs] == [("0", "flat"), ("1", "flatter")]


def test_several_outputs_have_a_type_and_a_name_each() -> None:
    summary = summary_of(
        "inputs: {x: {shape: [5, 3]}}\nnodes: {lstm: {layer: LSTM, units: 4, return_state: true}}\noutputs: lstm.1"
    )
    assert summary.calls[0].values == ("lstm.0", "lstm.1", "lstm.2")
    assert len(summary.calls[0].outputs) == len(summary.calls[0].masked) == 3
    assert [(output.name, output.value) for output in summary.outputs] == [(None, "lstm.1")]


def test_what_is_unknown_is_named() -> None:
    summary = summary_of(
        "inputs: {x: {shape: [time, 3]}}\n"
        'nodes: {mine: {layer: "a.b:C", from: x}, dense: {layer: Dense, from: x, units: 2}}\n'
        "outputs: [mine, dense]"
    )
    assert summary.totals.unknown_weights == ("mine",)
    assert summary.totals.unknown_macs == ("mine", "dense")
    assert (summary.totals.parameters, summary.totals.macs) == (8, 0)
    assert named(summary, "mine").outputs == (None,)
