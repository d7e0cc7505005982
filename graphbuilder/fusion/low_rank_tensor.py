"""Low-rank multimodal fusion."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.catalog.arguments import PositiveInt, argument
from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch, widest
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import present_only
from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.graph import Value

__all__ = ["LowRankTensor"]


class LowRankTensor(FusionStrategy):
    """Tensor fusion in factors of low rank.

    y = Σᵣ Πᵢ Wᵢᵣ [xᵢ, 1] for ranks r = 1 … R: the weights of a Dense layer on the outer product of all [xᵢ, 1], which
    is never computed, so that the cost grows with the sum of the widths. A branch that the sample lacks is zeros, so
    that its factor is the weight of its 1.

    Source: Liu et al. 2018, Efficient low-rank multimodal fusion, https://arxiv.org/abs/1806.00064
    """

    units: PositiveInt | None = argument("the output's width; null means the widest branch's, at most 256", None)
    rank: PositiveInt = argument("how many factors approximate the weights", 4)

    def prepare(self, alignment: Alignment) -> None:
        alignment.features().vectors()

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        units = self.units or widest(branches)
        # The bias is the weight of the 1; that it starts at 1 keeps each branch alone among the products.
        factors = tuple(
            calls.layer(
                f"{branch.name}.factor",
                "Dense",
                present_only(branch, calls),
                units=self.rank * units,
                bias_initializer="ones",
            )
            for branch in branches
        )
        product = calls.layer("product", "Multiply", factors)
        terms = calls.layer("terms", "Reshape", product, target_shape=[self.rank, units])
        return calls.op("", "sum", terms, axis=1)
