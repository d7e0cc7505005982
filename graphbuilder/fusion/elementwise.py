"""What fusions have in common that merge branches of one shape number by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from graphbuilder.catalog import Inputs, Misfit, TensorType
from graphbuilder.fusion.adapters import layer_entry
from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.graph import Value

__all__ = ["Elementwise", "fits_layer", "present_only"]


class Elementwise(FusionStrategy):
    """A merging layer of Keras; branches that it broadcasts stay as they are."""

    takes_unknown = True
    layer: ClassVar[str]

    def prepare(self, alignment: Alignment) -> None:
        alignment.one_kind_of_numbers()
        if alignment.unless(lambda types: fits_layer(self.layer, types)):
            alignment.features().same_positions().same_width()

    def heeds_masks(self, branches: Sequence[Branch]) -> bool:
        # Keras's merging layers join masks, but where only some branches have one, the two Kerases compute otherwise.
        return all(branch.value.masked and branch.presence is None for branch in branches)

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        if all(branch.presence is None for branch in branches):
            return calls.layer("", self.layer, tuple(branch.value for branch in branches))
        return self.merge_present(branches, calls)

    def merge_present(self, branches: Sequence[Branch], calls: Calls) -> Value:
        """Merges branches of which some samples lack some."""
        raise NotImplementedError(type(self).__name__)


def fits_layer(layer: str, types: Sequence[TensorType]) -> bool:
    """Whether a merging layer takes tensors as they are, and no two axes that must agree are known to differ.

    Keras compares one tensor with the next, so that an unknown axis between two hides that they differ.
    """
    try:
        layer_entry(layer).outputs(Inputs({"inputs": tuple(types)}))
    except Misfit:
        return False
    longest = max(tensor.rank for tensor in types)
    for place in range(1, longest):
        axes = {tensor.shape[-place] for tensor in types if tensor.rank > place} - {1}
        if any(sum(isinstance(axis, kind) for axis in axes) > 1 for kind in (int, str)):
            return False
    return True


def present_only(branch: Branch, calls: Calls) -> Value:
    """The branch with zeros for samples that lack it."""
    if branch.presence is None:
        return branch.value
    return calls.layer(f"{branch.name}.present", "Multiply", (branch.value, branch.presence))
