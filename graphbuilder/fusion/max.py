"""The largest numbers of the branches."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import Elementwise, present_only
from graphbuilder.graph import Value

__all__ = ["Max"]

# Below whatever a network computes, and far from the smallest float32.
_FAR_BELOW = 1e9


class Max(Elementwise):
    """The largest of the branches' numbers at each position.

    y = maxᵢ xᵢ, over the branches that the sample has.

    Source: Kittler et al. 1998, On combining classifiers, https://doi.org/10.1109/34.667881
    """

    layer = "Maximum"

    def merge_present(self, branches: Sequence[Branch], calls: Calls) -> Value:
        lowered = []
        for branch in branches:
            value = present_only(branch, calls)
            if branch.presence is not None:
                absent = calls.two(f"{branch.name}.absent", "subtract", branch.presence, 1.0)
                below = calls.two(f"{branch.name}.below", "multiply", absent, _FAR_BELOW)
                # The column stands first: behind a tensor, Keras may take it for a bias.
                value = calls.layer(f"{branch.name}.lowered", "Add", (below, value))
            lowered.append(value)
        told = tuple(branch.presence for branch in branches if branch.presence is not None)
        if len(told) < len(branches):
            return calls.layer("", "Maximum", tuple(lowered))
        # A sample without any branch has zeros.
        largest = calls.layer("largest", "Maximum", tuple(lowered))
        some = calls.layer("some", "Maximum", told)
        return calls.layer("", "Multiply", (largest, some))
