"""The table of conversions is what the converter and the runtime do."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.api import lower, parse
from graphbuilder.catalog import layers
from graphbuilder.compression.conversions import (
    EXCEPTIONS,
    SCHEMES,
    Outcome,
    Scheme,
    form_of,
    ruling_of_form,
    rulings,
)
from tests.support.conversion_cells import CELLS, blueprint_of, measured, measured_cells

# A few for every run; the slow test has all. Deaths are tried in tests/backend/test_converting.py.
SAMPLE: list[tuple[str, Scheme]] = [
    ("Dense", "int8"),
    ("MultiHeadAttention", "int8"),
    ("MaxPooling3D", "float32"),
]


def disagreement(found: dict[str, Any]) -> str | None:
    """How what was measured contradicts the table, or None."""
    ruling = ruling_of_form(found["label"], found["scheme"])
    share = found.get("share")
    if found.get("signal") is not None:
        outcome = Outcome.ILLEGAL
        if ruling.kills != found["signal"]:
            return f"{found['label']} {found['scheme']}: killed by {found['signal']}, the table says {ruling.kills}"
    elif "error" in found or share is None or not share < 0.05:
        outcome = Outcome.ILLEGAL
        if ruling.kills is not None:
            return f"{found['label']} {found['scheme']}: the table says that {ruling.kills} kills it, and it did not"
    else:
        outcome = Outcome.FLOAT if found["still_float"] else Outcome.LEGAL
        if abs(share - found["share_without_delegate"]) > 0.02:
            return f"{found['label']} {found['scheme']}: XNNPACK and the plain kernels disagree: {found}"
    if outcome is not ruling.outcome:
        return f"{found['label']} {found['scheme']}: {outcome}, the table says {ruling.outcome}: {found}"
    if outcome is Outcome.FLOAT and not any(step in (ruling.reason or "") for step in found["still_float"]):
        return f"{found['label']} {found['scheme']}: {found['still_float']} stay floats, the table says {ruling.reason}"
    return None


def test_every_layer_that_the_twin_has_is_measured() -> None:
    kinds = {name for name in layers.names() if (kind := layers.get(name)) and kind.legacy.absent is None}
    assert kinds == {label.partition(" ")[0] for label in CELLS}
    assert EXCEPTIONS.keys() <= CELLS.keys()


@pytest.mark.parametrize("label", CELLS)
def test_a_layer_has_its_form(label: str) -> None:
    graph = lower(parse(blueprint_of(label)))
    call = graph.calls["layer"]
    masked = next(call.inputs()).masked
    assert masked is ("masked" in label)
    form = form_of(graph.layers["layer"], masked)
    assert form in (label, f"{label} of Dense")
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


def test_samples_of_the_table_hold() -> None:
    found = list(measured_cells(SAMPLE))
    assert len(found) == len(SAMPLE)
    assert not [told for cell in found if (told := disagreement(cell))]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("part", range(4))
def test_the_whole_table_holds(part: int) -> None:
    labels = list(CELLS)[part::4]
    found = list(measured(labels))
    assert len(found) == len(labels) * len(SCHEMES)
    assert not [told for cell in found if (told := disagreement(cell))]
