"""The product of the branches."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import Elementwise, present_only
from graphbuilder.graph import Value

__all__ = ["Multiply"]


class Multiply(Elementwise):
    """The product of the branches, as gates and attention maps use it.

    y = Πᵢ xᵢ. A branch that the sample lacks counts as ones.

    Source: Hu et al. 2018, Squeeze-and-excitation networks, https://arxiv.org/abs/1709.01507
    """

    layer = "Multiply"

    def merge_present(self, branches: Sequence[Branch], calls: Calls) -> Value:
        factors = []
        for branch in branches:
            value = present_only(branch, calls)
            if branch.presence is not None:
                absent = calls.two(f"{branch.name}.absent", "subtract", 1.0, branch.presence)
                # The column stands first: behind a tensor, Keras may take it for a bias.
                value = calls.layer(f"{branch.name}.factor", "Add", (absent, value))
            factors.append(value)
        return calls.layer("", "Multiply", tuple(factors))
