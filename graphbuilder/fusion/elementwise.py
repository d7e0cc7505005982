"""Branches of equal shape merged number by number."""

from __future__ import annotations

from typing import Any, ClassVar

from graphbuilder.catalog import LayerEntry, layers
from graphbuilder.fusion.strategy import Apply, FusionStrategy
from graphbuilder.graph import Value

__all__ = ["Add", "Max", "Mean", "Multiply"]


class _Elementwise(FusionStrategy):
    """What they share: one merging layer of Keras."""

    layer: ClassVar[str]

    def lower(self, branches: tuple[Any, ...], apply: Apply) -> Value | None:
        kind = layers.get(self.layer)
        assert kind is not None
        entry: LayerEntry = kind.model_validate({})
        return apply("", entry, {"inputs": branches})


class Add(_Elementwise):
    """The sum of the branches, as in residual connections (He et al. 2015, https://arxiv.org/abs/1512.03385)."""

    layer = "Add"

    @classmethod
    def name(cls) -> str:
        return "add"


class Mean(_Elementwise):
    """The average of the branches."""

    layer = "Average"

    @classmethod
    def name(cls) -> str:
        return "mean"


class Max(_Elementwise):
    """The largest of the branches' numbers at each place."""

    layer = "Maximum"

    @classmethod
    def name(cls) -> str:
        return "max"


class Multiply(_Elementwise):
    """The product of the branches, as gates and attention maps use it."""

    layer = "Multiply"

    @classmethod
    def name(cls) -> str:
        return "multiply"
