"""Branches summed with learned weights."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.learned import free_weight, present_shares
from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.graph import Value

__all__ = ["Weighted"]


class Weighted(FusionStrategy):
    """The sum of the branches with learned weights.

    y = Σᵢ softmax(w)ᵢ xᵢ, with one weight for each branch, all equal at the start; `NODE.weights` shows them. The
    weights of the branches that a sample has add up to 1.

    Source: Tan et al. 2020, EfficientDet (softmax-based fusion), https://arxiv.org/abs/1911.09070
    """

    def prepare(self, alignment: Alignment) -> None:
        alignment.features().same_positions().same_width()

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        count = len(branches)
        free = free_weight(calls, "logits", branches[0], 1, count, "zeros")
        logits = calls.layer("flat_logits", "Reshape", free, target_shape=[count])
        weights = present_shares(branches, logits, calls, "weights")
        shares = []
        for index, branch in enumerate(branches):
            weight = calls.op(f"{branch.name}.weight", "get_item", weights, key=f":, {index}:{index + 1}")
            shares.append(calls.layer(f"{branch.name}.share", "Multiply", (branch.value, weight)))
        return calls.layer("", "Add", tuple(shares))
