"""The average of the branches."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import Elementwise, present_only
from graphbuilder.graph import Value

__all__ = ["Mean"]


class Mean(Elementwise):
    """The average of the branches: y = Σᵢ mᵢ xᵢ / Σᵢ mᵢ, where mᵢ tells whether the sample has branch i.

    Source: Kittler et al. 1998, On combining classifiers, https://doi.org/10.1109/34.667881
    """

    layer = "Average"

    def merge_present(self, branches: Sequence[Branch], calls: Calls) -> Value:
        total = calls.layer("total", "Add", tuple(present_only(branch, calls) for branch in branches))
        always = float(sum(branch.presence is None for branch in branches))
        told = tuple(branch.presence for branch in branches if branch.presence is not None)
        counted = calls.layer("told", "Add", told) if len(told) > 1 else told[0]
        count = calls.two("count", "add", counted, always) if always else counted
        # A sample without any branch has zeros, not the quotient of zeros.
        divisor = calls.two("divisor", "maximum", count, 1.0)
        share = calls.op("share", "reciprocal", divisor)
        return calls.layer("", "Multiply", (total, share))
