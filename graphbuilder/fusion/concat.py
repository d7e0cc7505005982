"""Branches laid side by side."""

from __future__ import annotations

from typing import Any

from graphbuilder.catalog import layers
from graphbuilder.catalog.arguments import argument
from graphbuilder.fusion.strategy import Apply, FusionStrategy
from graphbuilder.graph import Value

__all__ = ["Concat"]


class Concat(FusionStrategy):
    """The branches side by side along one axis."""

    axis: int = argument("the axis along which they are laid; negative counts from the end", -1)

    @classmethod
    def name(cls) -> str:
        return "concat"

    def lower(self, branches: tuple[Any, ...], apply: Apply) -> Value | None:
        kind = layers.get("Concatenate")
        assert kind is not None
        return apply("", kind.model_validate({"axis": self.axis}), {"inputs": branches})
