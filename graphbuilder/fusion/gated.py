"""The gated multimodal unit."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.catalog.arguments import PositiveInt, argument
from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch, widest
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import present_only
from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.graph import Value

__all__ = ["Gated"]


class Gated(FusionStrategy):
    """Gates choose how much of each branch passes: the gated multimodal unit.

    Of two branches h₁ = tanh(W₁ x₁), h₂ = tanh(W₂ x₂), z = σ(W_z [x₁, x₂]), y = z ∘ h₁ + (1 - z) ∘ h₂; of more
    branches each has a gate zᵢ = σ(W_zᵢ [x₁, …, xₖ]) of its own, and y = Σᵢ zᵢ ∘ hᵢ. A branch that the sample lacks is
    zeros. `NODE.gate`, or `NODE.BRANCH.gate`, shows the gates.

    Source: Arevalo et al. 2017, Gated multimodal units for information fusion, https://arxiv.org/abs/1702.01992
    """

    units: PositiveInt | None = argument("the output's width; null means the widest branch's, at most 256", None)

    def prepare(self, alignment: Alignment) -> None:
        alignment.features().same_positions()

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        units = self.units or widest(branches)
        values = tuple(present_only(branch, calls) for branch in branches)
        hidden = [
            calls.layer(f"{branch.name}.hidden", "Dense", value, units=units, activation="tanh", use_bias=False)
            for branch, value in zip(branches, values, strict=True)
        ]
        together = calls.layer("joined", "Concatenate", values)
        if len(branches) == 2:
            gate = calls.layer("gate", "Dense", together, units=units, activation="sigmoid", use_bias=False)
            rest = calls.two("rest", "subtract", 1.0, gate)
            gates = [gate, rest]
        else:
            gates = [
                calls.layer(f"{branch.name}.gate", "Dense", together, units=units, activation="sigmoid", use_bias=False)
                for branch in branches
            ]
        passed = tuple(
            calls.layer(f"{branch.name}.passed", "Multiply", (gate, value))
            for branch, gate, value in zip(branches, gates, hidden, strict=True)
        )
        return calls.layer("", "Add", passed)
