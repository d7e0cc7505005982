"""An embedding that is used twice: from integers to vectors, and from vectors back to scores of each integer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import ClassVar, Literal

from graphbuilder.catalog.arguments import (
    UNIFORM,
    Constraint,
    Initializer,
    PositiveInt,
    Regularizer,
    argument,
)
from graphbuilder.catalog.checks import Takes, known_axis, require_dtype
from graphbuilder.catalog.entry import (
    Example,
    LayerEntry,
    Legacy,
    Masking,
    MaskOps,
    Outputs,
    Tensor,
    Weight,
)
from graphbuilder.catalog.meaning import Reading
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit
from graphbuilder.catalog.tensor import BATCH, TensorType, elements, shape_text

__all__ = ["ReversibleEmbedding"]


class ReversibleEmbedding(LayerEntry):
    """Looks each integer up in a table of vectors; with reverse: true, gives each vector a score for every integer.

    Both calls are of one layer: the second is a node with `reuse:`.

    Source: Press and Wolf, 2016, https://arxiv.org/abs/1608.05859
    """

    family = "core"
    masking = Masking.LOSES
    reading = Reading.NAMES
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "reverse": CallArgument(bool, False, "whether vectors are turned into scores")
    }
    legacy = Legacy(absent="an embedding that can be reversed came with Keras 3")
    examples = (
        Example({"input_dim": 1000, "output_dim": 16}, (TensorType((BATCH, 12), "int32"),)),
        Example({"input_dim": 50, "output_dim": 8}, (TensorType((BATCH, 12, 8)),), {"reverse": True}),
    )

    input_dim: PositiveInt = argument("how many vectors; one more than the largest integer")
    output_dim: PositiveInt = argument("the length of a vector")
    tie_weights: bool = argument("whether one table serves both ways", True)
    embeddings_initializer: Initializer = argument("how the vectors start", UNIFORM)
    embeddings_regularizer: Regularizer = argument("penalty on the vectors", None)
    embeddings_constraint: Constraint = argument("constraint on the vectors", None)
    mask_zero: bool = argument("whether 0 stands for padding, which later layers then skip", False)
    reverse_dtype: Literal["float16", "bfloat16", "float32", "float64"] | None = argument(
        "the dtype that scores are computed in; null means dtype", None
    )
    logit_soft_cap: float | None = argument("scores are bent so that none is beyond it; null leaves them", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if not inputs.call.get("reverse"):
            require_dtype(given, Takes.NUMBERS, "ReversibleEmbedding")
            return TensorType((*given.shape, self.output_dim), self.compute_dtype)
        require_dtype(given, Takes.REAL, "ReversibleEmbedding")
        if given.rank < 1 or known_axis(given, -1, "each vector is compared with the table") != self.output_dim:
            raise Misfit(
                f"vectors of {shape_text(given.shape)} are compared with those of output_dim {self.output_dim}",
                found=shape_text(given.shape),
                expected=f"a last axis of {self.output_dim}",
                hint=f"put a Dense with units: {self.output_dim} before it",
            )
        return TensorType((*given.shape[:-1], self.input_dim), self.reverse_dtype or self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        table = Weight("embeddings", (self.input_dim, self.output_dim))
        back = Weight("reverse_embeddings", (self.output_dim, self.input_dim))
        return (table,) if self.tie_weights else (table, back)

    def masks(self, masked: bool) -> bool:
        return False

    def mask_of_output(
        self, ops: MaskOps[Tensor], given: Sequence[Tensor], masks: Sequence[Tensor | None]
    ) -> Tensor | None:
        return None

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Vectors × their length × integers, where vectors are turned into scores."""
        if not inputs.call.get("reverse"):
            return 0
        rows = elements(inputs.first.shape[1:-1])
        return None if rows is None else prod((rows, self.output_dim, self.input_dim))
