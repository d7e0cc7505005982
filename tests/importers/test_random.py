"""Random graphs make the round trip from blueprint to Keras to blueprint to Keras, and compute the same."""

from __future__ import annotations

from typing import Any

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.api import compile, parse
from graphbuilder.text import to_yaml
from tests.importers.random_models import random_blueprint
from tests.support.importing import compare, import_model


def round_trip(seed: int) -> None:
    """Imports what is compiled of a random blueprint, alone and twice inside another model."""
    keras.backend.clear_session()
    model = compile(parse(to_yaml(random_blueprint(seed))))
    flat = seed % 2 == 0
    found = import_model(model, flat=flat)
    assert found.lost == ()
    compare(model, found)
    if seed % 5 == 0:
        around = inside_another(model)
        found = import_model(around, flat=flat)
        assert found.lost == ()
        compare(around, found)


def inside_another(model: Any) -> Any:
    """A model that calls another twice, with the same weights."""
    inputs = [keras.Input(tensor.shape[1:], name=f"in{number}") for number, tensor in enumerate(model.inputs)]
    moved = [tensor * 0.5 for tensor in inputs]
    structure = model._inputs_struct
    results = [model(keras.tree.pack_sequence_as(structure, tensors)) for tensors in (inputs, moved)]
    return keras.Model(inputs, keras.tree.flatten(results), name="around")


@pytest.mark.fuzz
@given(seed=st.integers(0, 10**6))
def test_a_random_graph_comes_back(seed: int) -> None:
    round_trip(seed)


@pytest.mark.parametrize("seed", range(8))
def test_some_random_graphs_come_back(seed: int) -> None:
    round_trip(seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(8, 308, 20))
def test_hundreds_of_random_graphs_come_back(first: int) -> None:
    for seed in range(first, first + 20):
        round_trip(seed)
