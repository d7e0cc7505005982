"""All branches' tokens in one Transformer encoder."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.fusion.attention import AttentionFusion, normalized, seen
from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.masks import kept_side_by_side, present_steps, unmasked_steps
from graphbuilder.graph import Value

__all__ = ["Tokens"]


class Tokens(AttentionFusion):
    """One sequence of all branches' tokens, through a Transformer encoder.

    Tokens are E x + e, with a projection E for each branch and a vector e that tells modalities, and positions, apart;
    then layers of t ← t + MHA(LN(t)), t ← t + FFN(LN(t)), and a last LN. The output is the average over all tokens, or
    with `pool: none` the sequence. Steps that are masked, and those of a branch that the sample lacks, are not seen.

    Source: Li et al. 2019, VisualBERT (one stream), https://arxiv.org/abs/1908.03557; layers normalized first as in
    Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929
    """

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        units = self.width(branches)
        embedded = tuple(self.embed(branch, units, calls) for branch in branches)
        counted = [present_steps(branch, unmasked_steps(branch, calls), calls) for branch in branches]
        kept = kept_side_by_side(embedded, counted, calls, "kept")
        mask = seen(calls, "seen", kept)
        tokens = calls.layer("joined", "Concatenate", embedded, axis=1)
        for number in range(1, self.layers + 1):
            tokens = self.block(calls, f"layer_{number}", tokens, None, mask, units)
        return self.pooled(calls, "", normalized(calls, "norm", tokens), kept)
