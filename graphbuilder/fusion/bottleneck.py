"""Branches that see each other through a few tokens only."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.catalog.arguments import PositiveInt, argument
from graphbuilder.fusion.attention import AttentionFusion, average, normalized, seen
from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.learned import free_weight
from graphbuilder.fusion.masks import kept_side_by_side, present_steps, unmasked_steps
from graphbuilder.fusion.mean import present_mean
from graphbuilder.graph import Value

__all__ = ["Bottleneck"]


class Bottleneck(AttentionFusion):
    """A Transformer for each branch, joined by a few tokens: attention bottleneck.

    In each layer [tᵢ, fᵢ] ← Encoderᵢ([tᵢ, f]) for every branch i, with tokens tᵢ = Eᵢ xᵢ + eᵢ and bottleneck tokens f,
    of which the next layer gets the average f = Σᵢ fᵢ / k. The output is the average over the branches of the averages
    of their normalized tokens, or with `pool: none` those tokens one behind the other. Steps that are masked, and those
    of a branch that the sample lacks, are not seen, and such a branch has no part in the averages.

    Source: Nagrani et al. 2021, Attention bottlenecks for multimodal fusion, https://arxiv.org/abs/2107.00135
    """

    layers: PositiveInt = argument("how many layers follow one another; with one, nothing is exchanged", 2)
    bottlenecks: PositiveInt = argument("how many tokens the branches exchange", 4)

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        units = self.width(branches)
        tokens = [self.embed(branch, units, calls) for branch in branches]
        kept = [present_steps(branch, unmasked_steps(branch, calls), calls) for branch in branches]
        exchanged = free_weight(
            calls, "bottleneck", branches[0], self.bottlenecks, units, {"random_normal": {"stddev": 0.02}}
        )
        masks = [
            seen(
                calls,
                f"{branch.name}.seen",
                kept_side_by_side([tokens[place], exchanged], [kept[place], None], calls, f"{branch.name}.seen_steps"),
            )
            for place, branch in enumerate(branches)
        ]
        for number in range(1, self.layers + 1):
            streams = []
            for place, branch in enumerate(branches):
                here = calls.below(branch.name)
                joined = here.layer(f"joined_{number}", "Concatenate", (tokens[place], exchanged), axis=1)
                streams.append(self.block(here, f"layer_{number}", joined, None, masks[place], units))
            tokens = [
                calls.op(f"{branch.name}.tokens_{number}", "get_item", stream, key=f":, :-{self.bottlenecks}")
                for branch, stream in zip(branches, streams, strict=True)
            ]
            if number < self.layers:
                exchanged = self._exchanged(branches, streams, calls, number)
        last = [
            normalized(calls, f"{branch.name}.norm", stream) for branch, stream in zip(branches, tokens, strict=True)
        ]
        if self.pool == "none":
            together = calls.layer("joined", "Concatenate", tuple(last), axis=1)
            return self.pooled(calls, "", together, kept_side_by_side(last, kept, calls, "kept"))
        averages = [
            average(calls, f"{branch.name}.average", stream, steps)
            for branch, stream, steps in zip(branches, last, kept, strict=True)
        ]
        return present_mean(branches, averages, calls, "")

    def _exchanged(self, branches: Sequence[Branch], streams: Sequence[Value], calls: Calls, number: int) -> Value:
        """The bottleneck tokens behind a layer: the average of what the branches made of them."""
        made = [
            calls.op(f"{branch.name}.bottleneck_{number}", "get_item", stream, key=f":, -{self.bottlenecks}:")
            for branch, stream in zip(branches, streams, strict=True)
        ]
        return present_mean(branches, made, calls, f"bottleneck_{number}")
