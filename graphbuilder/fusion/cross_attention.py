"""Branches that look at each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from graphbuilder.catalog.arguments import argument
from graphbuilder.fusion.attention import AttentionFusion, average, normalized, seen
from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.elementwise import present_only
from graphbuilder.fusion.masks import kept_side_by_side, present_steps, steps_unless_absent, unmasked_steps
from graphbuilder.graph import Value

__all__ = ["CrossAttention"]


class CrossAttention(AttentionFusion):
    """Branches look at each other: cross-attention, in one direction or in both.

    Tokens are E x + e, with a projection E for each branch and a vector e for its positions; then layers of
    t ← t + MHA(LN(t), LN(c)), t ← t + FFN(LN(t)), where c are the tokens of all other branches, and a last LN.
    With `direction: first` the first branch looks at the others, with `last` the last one does, and the output is the
    average over its steps; with `both` each branch looks at all others, and the averages stand side by side. With
    `pool: none` it is the sequence, or the sequences one behind the other. Steps that are masked, and those of a branch
    that the sample lacks, are not seen. The tokens of such a branch are zeros: it looks with them, and where all that
    could be looked at is absent, they are looked at.

    Source: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762; both directions as in Lu et al. 2019, ViLBERT
    (co-attention), https://arxiv.org/abs/1908.02265
    """

    direction: Literal["first", "last", "both"] = argument(
        "which branch looks at the others: first, last or both", "both"
    )

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        units = self.width(branches)
        everyone = range(len(branches))
        asking = {"first": everyone[:1], "last": everyone[-1:], "both": everyone}[self.direction]
        unmasked = [unmasked_steps(branch, calls) for branch in branches]
        embedded = [self.embed(branch, units, calls) for branch in branches]
        # Zeros for samples that lack a branch: it looks with them, and they are looked at where there is nothing else.
        streams = [
            present_only(replace(branch, value=stream), calls)
            for branch, stream in zip(branches, embedded, strict=True)
        ]
        masks = self._masks(branches, streams, unmasked, asking, calls)
        contexts = [
            normalized(calls, f"{branch.name}.context", streams[place]) for place, branch in enumerate(branches)
        ]
        for number in range(1, self.layers + 1):
            if number > 1:
                for place in asking:
                    name = f"{branches[place].name}.context_{number}"
                    contexts[place] = normalized(calls, name, streams[place])
            changed = {
                place: self.block(
                    calls,
                    f"{branches[place].name}.layer_{number}",
                    streams[place],
                    _side_by_side(calls, f"{branches[place].name}.others_{number}", contexts, place),
                    masks[place],
                    units,
                )
                for place in asking
            }
            streams = [changed.get(place, stream) for place, stream in enumerate(streams)]
        counted = [
            steps_unless_absent(branch, unmasked[place], calls) if place in asking else None
            for place, branch in enumerate(branches)
        ]
        return self._output(branches, streams, counted, asking, calls)

    def _masks(
        self,
        branches: Sequence[Branch],
        streams: Sequence[Value],
        unmasked: Sequence[Value | None],
        asking: range,
        calls: Calls,
    ) -> dict[int, Value | None]:
        """What each branch that looks may see of the others."""
        kept = [present_steps(branch, steps, calls) for branch, steps in zip(branches, unmasked, strict=True)]
        masks = {}
        for place in asking:
            others = [other for other in range(len(branches)) if other != place]
            name = f"{branches[place].name}.seen"
            steps = kept_side_by_side([streams[i] for i in others], [kept[i] for i in others], calls, f"{name}_steps")
            masks[place] = seen(calls, name, steps)
        return masks

    def _output(
        self,
        branches: Sequence[Branch],
        streams: Sequence[Value],
        counted: Sequence[Value | None],
        asking: range,
        calls: Calls,
    ) -> Value:
        """What the branches that looked make of the steps that count."""
        last = {place: normalized(calls, f"{branches[place].name}.norm", streams[place]) for place in asking}
        if len(asking) == 1:
            (place,) = asking
            return self.pooled(calls, "", last[place], counted[place])
        if self.pool == "mean":
            averages = [
                average(calls, f"{branches[place].name}.average", last[place], counted[place]) for place in asking
            ]
            return calls.layer("", "Concatenate", tuple(averages))
        joined = calls.layer("joined", "Concatenate", tuple(last.values()), axis=1)
        return self.pooled(calls, "", joined, kept_side_by_side(list(last.values()), counted, calls, "kept"))


def _side_by_side(calls: Calls, suffix: str, contexts: Sequence[Value], place: int) -> Value:
    """The contexts of all branches but one, one behind the other."""
    others = tuple(context for other, context in enumerate(contexts) if other != place)
    return others[0] if len(others) == 1 else calls.layer(suffix, "Concatenate", others, axis=1)
