"""The neutral graph: layers that own weights, calls that apply them, values that flow between calls."""

from __future__ import annotations

from graphbuilder.graph.constants import constant_of
from graphbuilder.graph.model import (
    Adapter,
    Argument,
    BudgetDeclaration,
    Call,
    Constant,
    CustomLayer,
    FusedBranch,
    Fusion,
    Graph,
    GraphInput,
    Layer,
    Origin,
    PassDeclaration,
    PretrainingDeclaration,
    Structure,
    Value,
    flatten,
    map_structure,
)
from graphbuilder.graph.naming import layer_names

__all__ = [
    "Adapter",
    "Argument",
    "BudgetDeclaration",
    "Call",
    "Constant",
    "CustomLayer",
    "FusedBranch",
    "Fusion",
    "Graph",
    "GraphInput",
    "Layer",
    "Origin",
    "PassDeclaration",
    "PretrainingDeclaration",
    "Structure",
    "Value",
    "constant_of",
    "flatten",
    "layer_names",
    "map_structure",
]
