"""The neutral graph: layers that own weights, calls that apply them, values that flow between calls."""

from __future__ import annotations

from graphbuilder.graph.model import (
    Argument,
    Call,
    Constant,
    CustomLayer,
    Graph,
    GraphInput,
    Layer,
    Origin,
    Structure,
    Value,
    flatten,
    map_structure,
)

__all__ = [
    "Argument",
    "Call",
    "Constant",
    "CustomLayer",
    "Graph",
    "GraphInput",
    "Layer",
    "Origin",
    "Structure",
    "Value",
    "flatten",
    "map_structure",
]
