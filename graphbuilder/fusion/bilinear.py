"""Low-rank bilinear pooling."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.catalog.arguments import TANH, Activation, PositiveInt, argument
from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch, widest
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.learned import without_absent
from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.graph import Value

__all__ = ["Bilinear"]


class Bilinear(FusionStrategy):
    """Products of projected branches: low-rank bilinear pooling.

    y = P (σ(U x₁ + b₁) ∘ σ(V x₂ + b₂)) + b, where σ is the activation and the projections' width is the rank of the
    bilinear form; of more branches, the product of all. A branch that the sample lacks counts as ones.

    Source: Kim et al. 2017, Hadamard product for low-rank bilinear pooling, https://arxiv.org/abs/1610.04325
    """

    rank: PositiveInt | None = argument("the width in which branches are multiplied; null means that of `units`", None)
    units: PositiveInt | None = argument("the output's width; null means the widest branch's, at most 256", None)
    activation: Activation = argument("applied to each projection before the product", TANH)

    def prepare(self, alignment: Alignment) -> None:
        alignment.features().same_positions()

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        units = self.units or widest(branches)
        factors = []
        for branch in branches:
            factor = calls.layer(
                f"{branch.name}.factor", "Dense", branch.value, units=self.rank or units, activation=self.activation
            )
            factors.append(without_absent(branch, factor, calls, f"{branch.name}.factor"))
        product = calls.layer("product", "Multiply", tuple(factors))
        return calls.layer("", "Dense", product, units=units)
