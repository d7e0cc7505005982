"""Blueprints of many fusions over common inputs, built with random weights, and fed with numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from graphbuilder.api import compile, lower, parse
from graphbuilder.backend.weights import weights_by_name
from graphbuilder.blueprint import Document
from graphbuilder.graph import Graph
from tests.fusion.layers_by_hand import Array

__all__ = ["STRATEGIES", "Built", "built", "document"]

# Written here too, so that one that is forgotten in the table is missed.
STRATEGIES = (
    "concat", "add", "mean", "max", "multiply", "weighted", "gated", "film", "bilinear", "tensor", "low_rank_tensor",
    "cross_attention", "tokens", "bottleneck", "mixture",
)  # fmt: skip


def document(inputs: Mapping[str, Any], nodes: Mapping[str, Any], outputs: Any = None, **more: Any) -> Document:
    """A blueprint whose model is called with a mapping; every fuse node is an output where none is named."""
    outputs = outputs or {name: name for name, node in nodes.items() if "fuse" in node}
    text = {"blueprint": 1, "inputs": inputs, "inputs_as": "mapping", "nodes": nodes, "outputs": outputs, **more}
    return parse(json.dumps(text))


@dataclass
class Built:
    """A built model and its graph.

    Arguments:
        graph: what was built.
        model: of either Keras.
        weights: by layer and path.
    """

    graph: Graph
    model: Any
    weights: dict[str, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.weights = weights_by_name(self.model)

    def __call__(self, given: Mapping[str, Array], **options: Any) -> dict[str, Array]:
        """What the model computes, by output."""
        produced = self.model({name: np.asarray(given[name]) for name in self.graph.inputs}, **options)
        return {name: np.asarray(value) for name, value in produced.items()}


def built(blueprint: Document, keras: Literal[2, 3] = 3, seed: int = 1) -> Built:
    """A model whose weights are all random, so that no zero at the start hides a fault.

    Arguments:
        blueprint: its outputs are a mapping.
        keras: 2 for the twin.
        seed: of the weights.
    """
    graph = lower(blueprint)
    found = Built(graph, compile(graph, keras=keras))
    random = np.random.default_rng(seed)
    # By name, so that two models with layers of the same names start alike.
    for _, named in sorted(found.weights.items()):
        for _, weight in sorted(named.items()):
            weight.assign(random.normal(scale=0.5, size=tuple(weight.shape)))
    return found
