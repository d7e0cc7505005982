"""The tensor fusion network's outer product."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import present_only
from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.graph import Value

__all__ = ["Tensor"]

# The most numbers that an outer product may have before its branches are projected first.
MOST_PRODUCTS = 65_536


class Tensor(FusionStrategy):
    """All products of the branches' features: tensor fusion.

    y = vec([x₁, 1] ⊗ … ⊗ [xₖ, 1]): the features of each branch, of each pair and of all together, (d₁ + 1) ⋯ (dₖ + 1)
    numbers. Branches so wide that there would be more than 65,536 are projected first. A branch that the sample lacks
    is zeros, so that the products of the others stay.

    Source: Zadeh et al. 2017, Tensor fusion network for multimodal sentiment analysis, https://arxiv.org/abs/1707.07250
    """

    def prepare(self, alignment: Alignment) -> None:
        alignment.features().vectors()
        count = len(alignment.drafts)
        products = 1
        for draft in alignment.drafts:
            products *= draft.width + 1 if isinstance(draft.width, int) else 1
        if products > MOST_PRODUCTS:
            most = max(1, int(MOST_PRODUCTS ** (1 / count) + 1e-9) - 1)
            alignment.at_most(most, f"the outer product would have {products:,} numbers")

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        ends = tuple(
            calls.op(
                f"{branch.name}.and_one",
                "pad",
                present_only(branch, calls),
                pad_width=[[0, 0], [0, 1]],
                constant_values=1.0,
            )
            for branch in branches
        )
        letters = ascii_lowercase.replace("b", "")[: len(branches)]
        subscripts = f"{','.join(f'b{letter}' for letter in letters)}->b{letters}"
        products = calls.op("products", "einsum", ends, subscripts=subscripts)
        return calls.layer("", "Flatten", products)
