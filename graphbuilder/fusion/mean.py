"""The average of the branches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import Elementwise, present_only
from graphbuilder.graph import Value

__all__ = ["Mean", "present_mean"]


class Mean(Elementwise):
    """The average of the branches.

    y = Σᵢ mᵢ xᵢ / Σᵢ mᵢ, where mᵢ is 1, or 0 where the sample lacks branch i.

    Source: Kittler et al. 1998, On combining classifiers, https://doi.org/10.1109/34.667881
    """

    layer = "Average"

    def merge_present(self, branches: Sequence[Branch], calls: Calls) -> Value:
        return present_mean(branches, [branch.value for branch in branches], calls, "")


def present_mean(branches: Sequence[Branch], values: Sequence[Value], calls: Calls, suffix: str) -> Value:
    """The average of what was made of the branches, over those that the sample has; zeros where it has none.

    Arguments:
        branches: the branches.
        values: what was made of each, all of one shape.
        calls: adds calls.
        suffix: the name of the average.
    """
    if all(branch.presence is None for branch in branches):
        return calls.layer(suffix, "Average", tuple(values))
    here = calls.below(suffix) if suffix else calls
    present = tuple(
        present_only(replace(branch, value=value), here) for branch, value in zip(branches, values, strict=True)
    )
    total = here.layer("total", "Add", present)
    always = float(sum(branch.presence is None for branch in branches))
    told = tuple(branch.presence for branch in branches if branch.presence is not None)
    counted = here.layer("told", "Add", told) if len(told) > 1 else told[0]
    count = here.two("branches", "add", counted, always) if always else counted
    # A sample without any branch has zeros, not the quotient of zeros.
    share = here.op("share", "reciprocal", here.two("divisor", "maximum", count, 1.0))
    return calls.layer(suffix, "Multiply", (total, share))
