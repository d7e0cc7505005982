"""The table of conversions is what the converter and the runtime do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from graphbuilder.api import lower, parse
from graphbuilder.catalog import layers
from graphbuilder.compression.conversion_table import ACTIVATIONS, AWARE, EXCEPTIONS, LEFT_OUT, UNCONVERTED
from graphbuilder.compression.conversions import SCHEMES, Outcome, form_of, ruling_of_form, rulings
from tests.support import conversion_cells
from tests.support.conversion_cells import (
    CELLS,
    EVERY,
    MIXED,
    WRAPPED,
    Cell,
    blueprint_of,
    cells_of,
    measured_cells,
)

# A few for every run; the slow test has all. Deaths are tried in tests/backend/test_converting.py.
SAMPLE = [
    Cell("Dense", "int8"),
    Cell("MultiHeadAttention", "int8"),
    Cell("MaxPooling3D", "float32"),
    Cell("GRU unrolled", "int8", True),
    Cell("Conv1D", "int8", False),
]
# Operators of TFLite as reasons name them.
_OPERATOR = re.compile(r"\b[A-Z][A-Z0-9_]{2,}\b")


def disagreement(found: dict[str, Any]) -> str | None:
    """How what was measured contradicts the table, or None."""
    trained = found["trained"]
    ruling = ruling_of_form(found["label"], found["scheme"], trained=trained)
    way = {None: "", True: " trained", False: " left out"}[trained]
    cell = f"{found['label']} {found['scheme']}{way}"
    share = found.get("share")
    if found.get("signal") is not None:
        outcome = Outcome.ILLEGAL
        if ruling.kills != found["signal"]:
            return f"{cell}: killed by {found['signal']}, the table says {ruling.kills}"
    elif "error" in found or share is None or not share < 0.05:
        outcome = Outcome.ILLEGAL
        if ruling.kills is not None:
            return f"{cell}: the table says that {ruling.kills} kills it, and it did not"
    else:
        outcome = Outcome.FLOAT if found["still_float"] else Outcome.LEGAL
        if abs(share - found["share_without_delegate"]) > 0.02:
            return f"{cell}: XNNPACK and the plain kernels disagree: {found}"
        # A layer without kernels has none that are floats.
        if found["scheme"] == "int8" and found["float_kernels"] and ruling.kernels:
            return f"{cell}: its kernels are floats: {found}"
        if found["scheme"] == "int8" and found["has_kernels"] and not found["float_kernels"] and not ruling.kernels:
            return f"{cell}: the table says that its kernels are floats, and they are not: {found}"
    if trained is False and outcome is not Outcome.ILLEGAL and ruling.legal:
        # What is said of a layer that was left out is said of its kernels.
        return None
    if outcome is not ruling.outcome:
        return f"{cell}: {outcome}, the table says {ruling.outcome}: {found}"
    named = _OPERATOR.findall((ruling.reason or "").replace("LSTM", "").replace("TFLite", ""))
    if outcome is Outcome.FLOAT and named and not set(named) & set(found["still_float"]):
        return f"{cell}: {found['still_float']} stay floats, the table says {ruling.reason}"
    return None


def disagreements(cells: Sequence[Cell]) -> list[str]:
    """Measures cells; how they contradict the table."""
    found = list(measured_cells(cells))
    assert len(found) == len(cells)
    return [told for cell in found if (told := disagreement(cell))]


def test_every_layer_that_the_twin_has_is_measured() -> None:
    kinds = {name for name in layers.names() if (kind := layers.get(name)) and kind.legacy.refusal(name) is None}
    assert kinds - UNCONVERTED.keys() == {label.partition(" ")[0] for label in CELLS}
    assert kinds >= UNCONVERTED.keys()
    assert EXCEPTIONS.keys() | AWARE.keys() | LEFT_OUT.keys() <= EVERY.keys()


@pytest.mark.parametrize("label", CELLS)
def test_a_layer_has_its_form(label: str) -> None:
    graph = lower(parse(blueprint_of(label)))
    call = graph.calls["layer"]
    masked = next(call.inputs()).masked
    assert masked is ("masked" in label)
    assert form_of(graph.layers["layer"], masked) == label
    for scheme in SCHEMES:
        assert rulings(graph, scheme)["layer"] == ruling_of_form(label, scheme)


def test_what_is_illegal_has_a_reason_and_mostly_a_fix() -> None:
    for rows in EXCEPTIONS.values():
        for ruling in rows.values():
            assert ruling.reason
            assert ruling.fix or ruling.legal


def test_a_layer_that_the_twin_lacks_cannot_be_converted() -> None:
    graph = lower(parse("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes: {norm: {layer: RMSNormalization}}\n"))
    ruling = rulings(graph, "float32")["norm"]
    assert not ruling.legal
    assert "tf_keras" in (ruling.reason or "")


JOINED = """\
blueprint: 1
inputs: {said: {shape: [6, 8]}, seen: {shape: [10]}}
nodes:
  large: {layer: Rescaling, from: seen, scale: 3.0}
  heard: {layer: LSTM, from: said, units: 12BETWEEN
  out: {layer: Concatenate, from: [large, LAST]}
"""


@pytest.mark.parametrize(
    ("between", "last", "legal"),
    [
        ("}", "heard", False),
        (", return_sequences: true}\n  top: {layer: GlobalMaxPooling1D}", "top", False),
        (", unroll: true}", "heard", True),
        ("}\n  meant: {layer: Dense, units: 4}", "meant", True),
    ],
)
def test_an_lstm_that_is_joined_with_other_values_is_wrong_in_int8(between: str, last: str, legal: bool) -> None:
    graph = lower(parse(JOINED.replace("BETWEEN", between).replace("LAST", last)))
    assert rulings(graph, "int8")["heard"].legal is legal
    assert rulings(graph, "dynamic")["heard"].legal


@pytest.mark.parametrize("label", WRAPPED)
def test_a_wrapped_layer_has_its_form(label: str) -> None:
    graph = lower(parse(blueprint_of(label)))
    assert form_of(graph.layers["layer"], "masked" in label) == label


@pytest.mark.parametrize("label", conversion_cells.ACTIVATIONS)
def test_an_activation_of_note_is_in_the_form(label: str) -> None:
    graph = lower(parse(blueprint_of(label)))
    assert form_of(graph.layers["layer"]) == (label if label.split()[-1] in ACTIVATIONS else "Dense")


def test_attention_that_is_left_out_is_refused_where_a_trained_layer_feeds_its_query_alone() -> None:
    graph = lower(parse(blueprint_of(MIXED, False)))
    around = [name for name in graph.layers if name != "layer"]
    assert not rulings(graph, "int8", trained=around)["layer"].legal
    assert rulings(graph, "int8", trained=[*around, "layer"])["layer"].legal
    assert rulings(graph, "int8", trained=["after"])["layer"].legal
    alone = lower(parse(blueprint_of("MultiHeadAttention", False)))
    assert rulings(alone, "int8", trained=around)["layer"].legal


@pytest.mark.slow
def test_attention_that_is_left_out_is_refused_by_the_runtime_too() -> None:
    (found,) = measured_cells([Cell(MIXED, "int8", False)])
    assert "GB815" in found["error"]
    (found,) = measured_cells([Cell(MIXED, "int8", True)])
    assert found["share"] < 0.05


def test_of_two_directions_the_one_in_a_loop_decides() -> None:
    wraps = "wraps: {layer: GRU, units: 4, unroll: true}, backward_layer: {layer: GRU, units: 4, go_backwards: true}"
    text = f"blueprint: 1\ninputs: {{x: {{shape: [6, 8]}}}}\nnodes: {{it: {{layer: Bidirectional, {wraps}}}}}\n"
    assert rulings(lower(parse(text)), "int8")["it"].kills == "SIGSEGV"


def test_samples_of_the_table_hold() -> None:
    assert not disagreements(SAMPLE)


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("part", range(4))
def test_every_kind_converts_as_the_table_says(part: int) -> None:
    assert not disagreements(cells_of(list(CELLS)[part::4]))


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("part", range(4))
def test_every_kind_converts_after_training_for_8_bits_as_the_table_says(part: int) -> None:
    labels = [*CELLS, *(label for label in AWARE if label not in CELLS)][part::4]
    assert not disagreements([Cell(label, "int8", trained) for label in labels for trained in (True, False)])


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("part", range(4))
def test_wrappers_and_activations_convert_as_the_table_says(part: int) -> None:
    assert not disagreements(cells_of([label for label in EVERY if label not in CELLS and label != MIXED][part::4]))
