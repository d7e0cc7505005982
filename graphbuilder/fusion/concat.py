"""Branches laid side by side."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.catalog import Inputs, Misfit, TensorType
from graphbuilder.catalog.arguments import argument
from graphbuilder.fusion.adapters import layer_entry
from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import present_only
from graphbuilder.fusion.masks import kept_side_by_side, steps_of_any, steps_unless_absent, unmasked_steps
from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.graph import Value

__all__ = ["Concat"]


class Concat(FusionStrategy):
    """The branches side by side along one axis.

    y = [x₁, …, xₖ]. Along the features, the last axis, branches of any widths are joined. A branch that the sample
    lacks is zeros.

    Source: Ngiam et al. 2011, Multimodal deep learning, https://icml.cc/2011/papers/399_icmlpaper.pdf
    """

    takes_unknown = True

    axis: int = argument("the axis along which they are laid; negative counts from the end", -1)

    def prepare(self, alignment: Alignment) -> None:
        alignment.one_kind_of_numbers()
        ranks = {draft.type.rank for draft in alignment.drafts}
        if not -max(ranks) < self.axis < max(ranks) or self.axis == 0:
            raise Misfit(
                f"axis is {self.axis}, and the branches have {max(ranks)} axes, the batch among them",
                found=str(self.axis),
                expected=f"-1, or an axis from 1 to {max(ranks) - 1}",
                code="GB203",
                argument="axis",
            )
        along_features = self.axis == -1 or ranks == {self.axis + 1}
        if along_features:
            if alignment.unless(self._fits) or not alignment.agree():
                alignment.features().same_positions()
        elif alignment.unless(self._fits) and (self.axis == 1 or (self.axis == -2 and max(ranks) <= 3)):
            alignment.features().sequences().same_width()

    def _fits(self, types: Sequence[TensorType]) -> bool:
        try:
            layer_entry("Concatenate", axis=self.axis).outputs(Inputs({"inputs": tuple(types)}))
        except Misfit:
            return False
        return True

    def heeds_masks(self, branches: Sequence[Branch]) -> bool:
        # Concatenate passes masks on, but where only some branches have one, the two Kerases do it otherwise.
        return all(branch.value.masked and branch.presence is None for branch in branches)

    def kept_steps(self, branches: Sequence[Branch], calls: Calls) -> Value | None:
        if self._along_features(branches):
            return steps_of_any(branches, calls)
        if branches[0].type.rank != 3 or self.axis not in (1, -2):
            return None
        rows = [steps_unless_absent(branch, unmasked_steps(branch, calls), calls) for branch in branches]
        return kept_side_by_side([branch.value for branch in branches], rows, calls, "kept")

    def _along_features(self, branches: Sequence[Branch]) -> bool:
        return self.axis in (-1, branches[0].type.rank - 1)

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        values = tuple(present_only(branch, calls) for branch in branches)
        return calls.layer("", "Concatenate", values, axis=self.axis)
