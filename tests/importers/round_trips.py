"""The way of a random blueprint to Keras, back, and to Keras again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from graphbuilder.analysis.diff import diff_graphs
from graphbuilder.api import compile, lower, parse
from graphbuilder.text import to_yaml
from tests.importers.random_models import features_of, random_blueprint
from tests.support.importing import compare, import_model

__all__ = ["NESTED", "Trip", "round_trip"]

NESTED = "models in models"
# Every so many graphs the models that are gone are cleared away, which takes longer than a round trip.
_CLEARED = 50
# Of so many graphs one comes back inside another model, twice.
_INSIDE = 5


@dataclass(frozen=True, slots=True)
class Trip:
    """What was among one round trip.

    Arguments:
        features: of the blueprint.
        nodes: of its graph.
    """

    features: frozenset[str]
    nodes: int


def round_trip(seed: int) -> Trip:
    """Imports what is compiled of a random blueprint, alone and now and then twice inside another model.

    What comes back has the same nodes, and computes the same numbers with the same weights.

    Arguments:
        seed: of the blueprint; every other one comes back flat.
    """
    keras.backend.clear_session(free_memory=seed % _CLEARED == 0)
    keras.utils.set_random_seed(seed)
    data = random_blueprint(seed)
    graph = lower(parse(to_yaml(data)))
    model = compile(graph)
    flat = seed % 2 == 0
    found = import_model(model, flat=flat)
    assert found.lost == ()
    again = compare(model, found)
    assert again is not model
    difference = diff_graphs(graph, lower(parse(found.text)), names=False, from_model=True)
    assert difference.count == 0, difference
    features = features_of(data)
    if seed % _INSIDE == 0:
        features.add(NESTED)
        around = inside_another(model)
        found = import_model(around, flat=flat)
        assert found.lost == ()
        compare(around, found)
    return Trip(frozenset(features), len(graph.calls))


def inside_another(model: Any) -> Any:
    """A model that calls another twice, with the same weights."""
    inputs = [
        keras.Input(tensor.shape[1:], name=f"in{number}", dtype=tensor.dtype)
        for number, tensor in enumerate(model.inputs)
    ]
    moved = [tensor if tensor.dtype == "int32" else tensor * 0.5 for tensor in inputs]
    structure = model._inputs_struct
    results = [model(keras.tree.pack_sequence_as(structure, tensors)) for tensors in (inputs, moved)]
    return keras.Model(inputs, keras.tree.flatten(results), name="around")
