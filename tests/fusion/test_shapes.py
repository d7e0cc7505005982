"""The shapes that the check infers of fusions, and of every call inside, are those of Keras and of real numbers."""

from __future__ import annotations

from random import Random
from typing import Any, Literal

import numpy as np
import pytest

from graphbuilder.api import check, compile, lower
from graphbuilder.graph import Graph
from tests.fusion.branches import Case, draw_case, feed, joined_cases
from tests.fusion.models import STRATEGIES, document

# That Keras's layers drop the mask of texts in several axes is what it warns of.
pytestmark = pytest.mark.filterwarnings("ignore:.*input with a mask attached:UserWarning")

# The share of drawn fusions that must be accepted: what is refused proves nothing about shapes.
ACCEPTED = 0.5


def accepted(strategy: str, count: int, seed: int) -> list[Case]:
    """Drawn fusions of one strategy that the check accepts."""
    random = Random(f"{strategy} {seed}")
    drawn = [draw_case(random, strategy, f"f{number}") for number in range(count)]
    found = [case for case in drawn if _lowers(case)]
    assert len(found) >= ACCEPTED * count
    return found


def _lowers(case: Case) -> bool:
    errors = check(document(case.inputs, case.nodes)).errors
    assert {found.code for found in errors} <= {"GB203", "GB304", "GB305"}, f"{case}: {errors}"
    assert all(found.hint or found.code == "GB203" for found in errors), f"{case}: {errors}"
    return not errors


def shape_in_keras(shape: tuple[Any, ...]) -> tuple[int | None, ...]:
    """A shape as Keras writes it: unknown axes have no names."""
    return tuple(axis if isinstance(axis, int) else None for axis in shape)


def inner_differences(graph: Graph, model: Any) -> list[str]:
    """The calls whose shape or dtype is otherwise in Keras."""
    operations = {operation.name: operation for operation in model.operations}
    wrong = []
    for call in graph.calls.values():
        tensor = operations[call.name].output
        kind = call.outputs[0].type
        assert kind is not None
        tensor = tensor[0] if isinstance(tensor, (list, tuple)) else tensor
        if shape_in_keras(kind.shape) != tuple(tensor.shape) or kind.dtype != tensor.dtype:
            wrong.append(f"{call.name}, {call.kind}: {kind} where Keras has {tuple(tensor.shape)} {tensor.dtype}")
    return wrong


def wrong_shapes(cases: list[Case], keras: Literal[2, 3], seed: int = 0) -> list[str]:
    """Where a model of several fusions is otherwise than was inferred."""
    graph = lower(document(*joined_cases(cases)))
    model = compile(graph, keras=keras)
    wrong = inner_differences(graph, model) if keras == 3 else []
    given = feed(graph, cases, seed=seed)
    produced = model({name: np.asarray(given[name]) for name in graph.inputs})
    for case in cases:
        kind = graph.fusions[case.name].gives.type
        assert kind is not None
        announced, computed = tuple(model.output[case.name].shape), tuple(produced[case.name].shape)
        if keras == 3 and announced != shape_in_keras(kind.shape):
            wrong.append(f"{case}: {kind} where Keras announces {announced}")
        agree = [not isinstance(mine, int) or mine == real for mine, real in zip(kind.shape, computed, strict=False)]
        if len(computed) != kind.rank or not all(agree):
            wrong.append(f"{case}: {kind} where {computed} is computed")
        if not np.isfinite(np.asarray(produced[case.name]).astype("float64")).all():
            wrong.append(f"{case}: it computes what is no number")
    return wrong


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_shapes_are_those_of_keras(strategy: str) -> None:
    cases = accepted(strategy, 4 if strategy in ("bottleneck", "cross_attention", "tokens") else 10, seed=0)
    assert wrong_shapes(cases, 3) == []


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_shapes_are_those_of_the_twin(strategy: str) -> None:
    cases = accepted(strategy, 2 if strategy in ("bottleneck", "cross_attention", "tokens") else 4, seed=1)
    assert wrong_shapes(cases, 2) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 10))
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_shapes_are_those_of_keras_widely(strategy: str, seed: int) -> None:
    cases = accepted(strategy, 20, seed)
    assert wrong_shapes(cases, 3, seed) == []
    assert wrong_shapes(cases[:6], 2, seed) == []
