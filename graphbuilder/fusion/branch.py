"""A branch on its way into a fusion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.catalog import Misfit, TensorType
from graphbuilder.graph import Value

__all__ = ["Branch", "BranchMisfit", "branches_of", "widest"]

# The width that learned fusions bring branches to is that of the widest branch, and no more than this.
MOST_UNITS = 256


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the values that a fusion merges.

    Arguments:
        name: what the fusion calls it: the reference under `from`.
        value: the tensor.
        role: the port that it stands at ("query", "condition"), or None where all branches are alike.
        presence: 1 for each sample that has this branch and 0 for each that lacks it, (batch, 1), float32; None where
            all samples have it.
    """

    name: str
    value: Value
    role: str | None = None
    presence: Value | None = None

    @property
    def type(self) -> TensorType:
        """Its shape and dtype; a fusion that asks is only given branches that have them."""
        assert self.value.type is not None, self.name
        return self.value.type

    @property
    def width(self) -> int:
        """The size of its last axis, which alignment has seen to be known."""
        width = self.type.shape[-1]
        assert isinstance(width, int), self.name
        return width


class BranchMisfit(Misfit):
    """One branch that cannot be merged.

    Arguments:
        branch: its name.
        message: what is wrong; see `Misfit` for this and the others.
        presence: whether what tells of its presence is at fault, and not the branch.
        place: the keys from the fusion's node to what is at fault, where it stands in an option.
    """

    def __init__(
        self, branch: str, message: str, *, presence: bool = False, place: tuple[str | int, ...] = (), **told: Any
    ) -> None:
        super().__init__(message, **told)
        self.branch = branch
        self.presence = presence
        self.place = place


def branches_of(branches: Sequence[Branch], role: str) -> list[Branch]:
    """Those that stand at one port."""
    return [branch for branch in branches if branch.role == role]


def widest(branches: Sequence[Branch]) -> int:
    """The width of the widest branch, at most `MOST_UNITS`: the default of every `units`."""
    return min(max(branch.width for branch in branches), MOST_UNITS)
