"""What fusions by attention share: embedded branches, the steps that count, encoder layers, averages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from graphbuilder.catalog.arguments import PositiveInt, argument
from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch, widest
from graphbuilder.fusion.calls import Calls, Given
from graphbuilder.fusion.masks import without_mask
from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.graph import Value

__all__ = [
    "AttentionFusion",
    "average",
    "normalized",
    "seen",
]

# As in the Vision Transformer, whose positions start so (Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929).
_POSITIONS = {"random_normal": {"stddev": 0.02}}
_EPSILON = 1e-6


class AttentionFusion(FusionStrategy):
    """Options of fusions by attention, and how branches become sequences of one width."""

    units: PositiveInt | None = argument("the width of all tokens; null means the widest branch's, at most 256", None)
    heads: PositiveInt = argument("attention heads, each of width units // heads, and at least 2", 4)
    layers: PositiveInt = argument("how many layers follow one another", 1)
    feedforward: PositiveInt | None = argument(
        "the width inside the feed-forward networks; null means four times units", None
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = argument("share of the attention that is dropped in training", 0.0)
    positions: bool = argument("whether each step of a branch of known length has a learned vector added", True)
    pool: Literal["mean", "none"] = argument(
        "mean: the average over the steps, a vector; none: the whole sequence", "mean"
    )

    def prepare(self, alignment: Alignment) -> None:
        alignment.features().sequences()

    def heeds_masks(self, branches: Sequence[Branch]) -> bool:
        return True

    def width(self, branches: Sequence[Branch]) -> int:
        """The width of all tokens."""
        return self.units or widest(branches)

    def embed(self, branch: Branch, units: int, calls: Calls) -> Value:
        """A branch's tokens in the common width.

        The bias is what tells modalities apart: one vector for the branch, or one for each of its positions.
        """
        steps = _step_count(branch)
        # EinsumDense would lose a mask with a warning, and tf_keras cannot lay masked steps and others end to end.
        value = without_mask(calls, f"{branch.name}.plain", branch.value)
        if not self.positions or steps is None:
            return calls.layer(f"{branch.name}.embedded", "Dense", value, units=units, bias_initializer=_POSITIONS)
        return calls.layer(
            f"{branch.name}.embedded",
            "EinsumDense",
            value,
            equation="bsf,fu->bsu",
            output_shape=[steps, units],
            bias_axes="su",
            bias_initializer=_POSITIONS,
        )

    def block(
        self, calls: Calls, suffix: str, tokens: Value, context: Value | None, mask: Value | None, units: int
    ) -> Value:
        """One encoder layer, normalized first: attention, then a feed-forward network, each beside a shortcut.

        Arguments:
            calls: adds calls.
            suffix: what stands before the names of the calls.
            tokens: (batch, steps, units).
            context: what the tokens look at, normalized; None for themselves.
            mask: the steps of it that are seen, or None for all.
            units: the width of the tokens.
        """
        here = calls.below(suffix)
        query = normalized(here, "norm_before_attention", tokens)
        ports: dict[str, Given] = {"query": query, "value": query if context is None else context}
        if mask is not None:
            ports["attention_mask"] = mask
        attended = here.layer(
            "attention",
            "MultiHeadAttention",
            ports,
            num_heads=self.heads,
            key_dim=max(2, units // self.heads),
            dropout=self.dropout,
        )
        summed = here.layer("attention_sum", "Add", (tokens, attended))
        hidden = here.layer(
            "feedforward_in",
            "Dense",
            normalized(here, "norm_before_feedforward", summed),
            units=self.feedforward or 4 * units,
            activation="gelu",
        )
        outer = here.layer("feedforward_out", "Dense", hidden, units=units)
        return here.layer("feedforward_sum", "Add", (summed, outer))

    def pooled(self, calls: Calls, suffix: str, tokens: Value, kept: Value | None) -> Value:
        """What the option `pool` makes of a sequence: its average, or itself with a mask for what does not count."""
        if self.pool == "mean":
            return average(calls, suffix, tokens, kept)
        if kept is None:
            return calls.layer(suffix, "Identity", tokens)
        # Steps that do not count are zeros, which Masking makes a mask of.
        weights = calls.op(_join(suffix, "kept_weights"), "expand_dims", kept, axis=-1)
        zeroed = calls.layer(_join(suffix, "zeroed"), "Multiply", (tokens, weights))
        return calls.layer(suffix, "Masking", zeroed)


def _join(suffix: str, name: str) -> str:
    return f"{suffix}.{name}" if suffix else name


def _step_count(branch: Branch) -> int | None:
    """How many steps a sequence has, where that is known."""
    steps = branch.type.shape[1]
    return steps if isinstance(steps, int) else None


def seen(calls: Calls, suffix: str, kept: Value | None) -> Value | None:
    """The attention mask that lets every query see the steps that count, (batch, 1, steps)."""
    if kept is None:
        return None
    flags = calls.two(f"{suffix}_flags", "greater", kept, 0.0)
    return calls.op(suffix, "expand_dims", flags, axis=1)


def normalized(calls: Calls, suffix: str, tokens: Value) -> Value:
    """Tokens of mean 0 and variance 1, scaled and shifted."""
    return calls.layer(suffix, "LayerNormalization", tokens, epsilon=_EPSILON)


def average(calls: Calls, suffix: str, tokens: Value, kept: Value | None) -> Value:
    """The average over the steps that count, zeros where none does."""
    if kept is None:
        return calls.layer(suffix, "GlobalAveragePooling1D", tokens)
    total = calls.op(_join(suffix, "total"), "einsum", (tokens, kept), subscripts="bsu,bs->bu")
    count = calls.op(_join(suffix, "count"), "sum", kept, axis=1, keepdims=True)
    divisor = calls.two(_join(suffix, "divisor"), "maximum", count, 1.0)
    return calls.two(suffix, "divide", total, divisor)
