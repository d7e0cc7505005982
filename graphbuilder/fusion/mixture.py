"""A mixture of experts, some for each branch."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.catalog.arguments import Activation, PositiveInt, argument
from graphbuilder.catalog.objects import ObjectSpec
from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch, widest
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import present_only
from graphbuilder.fusion.learned import present_shares
from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.graph import Value

__all__ = ["Mixture"]


class Mixture(FusionStrategy):
    """A gate weighs experts that each see one branch: a mixture of experts.

    y = Σᵢ gᵢ Eᵢ(xᵢ), where Eᵢ(x) = σ(Wᵢ x + bᵢ) and g = softmax(W_g [x₁, …, xₖ] + b_g). An expert whose branch the
    sample lacks has weight 0. `NODE.gate` shows the weights, the experts of one branch side by side.

    Source: Jacobs et al. 1991, Adaptive mixtures of local experts, https://doi.org/10.1162/neco.1991.3.1.79
    """

    units: PositiveInt | None = argument("the output's width; null means the widest branch's, at most 256", None)
    experts: PositiveInt = argument("how many experts each branch has", 1)
    activation: Activation = argument("of the experts", ObjectSpec("activation", "relu"))

    def prepare(self, alignment: Alignment) -> None:
        alignment.features().same_positions()

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        units = self.units or widest(branches)
        values = tuple(present_only(branch, calls) for branch in branches)
        together = calls.layer("joined", "Concatenate", values)
        logits = calls.layer("logits", "Dense", together, units=len(branches) * self.experts)
        gate = present_shares(branches, logits, calls, "gate", self.experts)
        weighed = []
        for place, (branch, value) in enumerate(zip(branches, values, strict=True)):
            for number in range(self.experts):
                one = f"{branch.name}.expert" + (f"_{number + 1}" if self.experts > 1 else "")
                expert = calls.layer(one, "Dense", value, units=units, activation=self.activation)
                index = place * self.experts + number
                weight = calls.op(f"{one}_weight", "get_item", gate, key=f"..., {index}:{index + 1}")
                weighed.append(calls.layer(f"{one}_share", "Multiply", (expert, weight)))
        return calls.layer("", "Add", tuple(weighed))
