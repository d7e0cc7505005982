"""Feature-wise linear modulation."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.catalog import BATCH, Example, Port, TensorType
from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch, branches_of
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import present_only
from graphbuilder.fusion.learned import joined
from graphbuilder.fusion.strategy import PRESENCE, FusionStrategy
from graphbuilder.graph import Value

__all__ = ["Film"]


class Film(FusionStrategy):
    """One branch scales and shifts another: feature-wise linear modulation.

    y = γ(c) ∘ x + β(c), where γ(c) = 1 + W_γ c + b_γ and β(c) = W_β c + b_β for every feature, at all positions of x
    alike. The first branch is x and keeps its shape; the others, side by side, are the condition c. Where a sample
    lacks every condition, y = x. `NODE.scale` and `NODE.shift` show γ and β.

    Source: Perez et al. 2018, FiLM, https://arxiv.org/abs/1709.07871
    """

    ports = (
        Port("features", about="the branch that is modulated"),
        Port("condition", many=True, about="the branches that say how"),
        PRESENCE,
    )
    examples = (Example({}, (TensorType((BATCH, 14, 14, 64)), (TensorType((BATCH, 32)),))),)

    def prepare(self, alignment: Alignment) -> None:
        alignment.of("features").features()
        alignment.of("condition").features().vectors()

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        (features,) = branches_of(branches, "features")
        conditions = branches_of(branches, "condition")
        condition = joined(conditions, calls, "condition")
        # A bias that starts at 1 is the 1 that the paper adds to what is predicted.
        gamma = calls.layer("scale", "Dense", condition, units=features.width, bias_initializer="ones")
        beta = calls.layer("shift", "Dense", condition, units=features.width)
        told = tuple(branch.presence for branch in conditions if branch.presence is not None)
        if len(told) == len(conditions):
            some = calls.layer("some", "Maximum", told) if len(told) > 1 else told[0]
            change = calls.two("change", "subtract", gamma, 1.0)
            kept = calls.layer("kept_change", "Multiply", (change, some))
            gamma = calls.two("gamma", "add", kept, 1.0)
            beta = calls.layer("beta", "Multiply", (beta, some))
        scaled = calls.layer("scaled", "Multiply", (present_only(features, calls), gamma))
        return calls.layer("", "Add", (beta, scaled))
