"""The sum of the branches."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import Elementwise, present_only
from graphbuilder.graph import Value

__all__ = ["Add"]


class Add(Elementwise):
    """The sum of the branches, as in residual connections.

    y = Σᵢ xᵢ. A sample that lacks a branch has the sum of its others.

    Source: He et al. 2015, https://arxiv.org/abs/1512.03385
    """

    layer = "Add"

    def merge_present(self, branches: Sequence[Branch], calls: Calls) -> Value:
        return calls.layer("", "Add", tuple(present_only(branch, calls) for branch in branches))
