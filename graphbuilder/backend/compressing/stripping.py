"""What a pass made, as a Keras 3 model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphbuilder.backend.build import build
from graphbuilder.backend.weights import copy_weights
from graphbuilder.compression.twins import differing
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.graph import Graph

__all__ = ["keras_model"]


def keras_model(model: Any, graph: Graph, *, trust: Sequence[str] = (), compiled: bool = True) -> Any:
    """A Keras 3 model of a graph with the weights of its twin.

    Arguments:
        model: a float tf_keras model built from the graph, such as a pass leaves.
        graph: the graph.
        trust: modules whose layers may be imported.
        compiled: whether the model is compiled for training as the blueprint says.

    Raises:
        BlueprintError: a node is computed differently in Keras 3, so the model would not give what was measured.
    """
    found = [
        Diagnostic("GB823", reason, node=node, hint="use another activation, or leave the model uncompressed")
        for node, reason in differing(graph)
    ]
    if found:
        raise BlueprintError(found)
    made = build(graph, keras=3, trust=trust, compiled=compiled)
    copy_weights(model, made)
    return made
