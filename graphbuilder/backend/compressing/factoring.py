"""Replaces layers of a model by thinner ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphbuilder.backend.build import build
from graphbuilder.backend.compressing.variables import variables_of
from graphbuilder.compression.low_rank import Factored, factored
from graphbuilder.compression.targets import Target
from graphbuilder.graph import Graph

__all__ = ["factor"]


def factor(model: Any, graph: Graph, targets: Sequence[Target], *, trust: Sequence[str] = ()) -> tuple[Any, Factored]:
    """A tf_keras model with two thinner layers in the place of each target, and what was done.

    Training it on, to win back what the factors lost, is `prepare` without targets on the new graph.

    Arguments:
        model: a float tf_keras model built from the graph; it is left as it is.
        graph: the graph.
        targets: the layers, whose options are of `LowRank`.
        trust: modules whose layers may be imported.
    """
    variables = variables_of(model, graph)
    arrays: Mapping[tuple[str, str], Any] = {
        place: variable.numpy()
        for place, variable in variables.items()
        if place[0] in {target.layer for target in targets}
    }
    made = factored(graph, targets, arrays)
    thinner = build(made.graph, keras=2, trust=trust, compiled=False)
    for place, variable in variables_of(thinner, made.graph).items():
        given = made.weights.get(place)
        variable.assign(variables[place] if given is None else given)
    return thinner, made
