"""The variables of a tf_keras model by the names that the graph has for them."""

from __future__ import annotations

from typing import Any

from graphbuilder.backend.build import layer_names
from graphbuilder.backend.weights import matched, weights_by_name
from graphbuilder.errors import Diagnostic, InternalError
from graphbuilder.graph import Graph

__all__ = ["variables_of"]


def variables_of(model: Any, graph: Graph) -> dict[tuple[str, str], Any]:
    """Every variable of a model by its layer's path in the graph and its own path as in Keras 3.

    Weights of custom layers have the paths that the model has for them.

    Arguments:
        model: a tf_keras model built from the graph.
        graph: the graph.

    Raises:
        InternalError: the model does not have the weights that the graph says.
    """
    names = layer_names(graph)
    present = weights_by_name(model)
    found: dict[tuple[str, str], Any] = {}
    for path, layer in graph.layers.items():
        theirs = present.get(names[path], {})
        if layer.weights is None:
            found.update({(path, name): variable for name, variable in theirs.items()})
            continue
        for name, weight, variable in matched({weight.name: weight for weight in layer.weights}, theirs):
            if weight is None or variable is None or tuple(weight.shape) != tuple(variable.shape):
                message = f"the twin's weights are {', '.join(theirs)}, and not as the graph says at {name}"
                raise InternalError(Diagnostic("GB900", message, node=path))
            found[path, name] = variable
    return found
