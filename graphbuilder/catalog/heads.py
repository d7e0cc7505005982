"""What attention of several heads shares: its ports, what goes together, its masks, its projections and its cost."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar

from pydantic import model_validator

from graphbuilder.catalog.arguments import (
    GLOROT_UNIFORM,
    ZEROS,
    Constraint,
    Fraction,
    PositiveInt,
    Regularizer,
    RequiredInitializer,
    argument,
    conflict,
)
from graphbuilder.catalog.attention import check_mask, fits
from graphbuilder.catalog.broadcasting import may_equal
from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.entry import LayerEntry, Masking, Outputs, Weight
from graphbuilder.catalog.meaning import Reading
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit, Port
from graphbuilder.catalog.tensor import Dim, Shape, TensorType, shape_text

__all__ = ["Heads", "same_axis"]


def _product(sizes: Shape) -> int | None:
    """The product of known sizes, or None."""
    known = [size for size in sizes if isinstance(size, int)]
    return prod(known) if len(known) == len(sizes) else None


def same_axis(one: Dim, other: Dim) -> bool:
    """Whether Keras sees the same axis twice: to it, unknown is one more size."""
    return (one if isinstance(one, int) else None) == (other if isinstance(other, int) else None)


class Heads(LayerEntry):
    """What attention of several heads shares."""

    family = "attention"
    masking = Masking.PASSES
    reading = Reading.QUANTITIES
    ports: ClassVar[tuple[Port, ...]] = (
        Port("query", about="what is looked up"),
        Port("value", about="what is averaged"),
        Port("key", optional=True, about="what the query is scored against; left out, the value"),
        Port("query_mask", optional=True, about="false at the places of the query to leave out, (batch, queries)"),
        Port("value_mask", optional=True, about="false at the values not to look at, (batch, values)"),
        Port("key_mask", optional=True, about="false at the keys not to look at, (batch, values)"),
        Port(
            "attention_mask", optional=True, about="false where a query may not see a value, (batch, queries, values)"
        ),
    )
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "return_attention_scores": CallArgument(bool, False, "whether the scores are given beside the output"),
        "training": CallArgument(bool, None, "whether dropout acts"),
        "use_causal_mask": CallArgument(bool, False, "whether a query sees only values up to its own place"),
    }

    dropout: Fraction = argument("share of the scores that is dropped in training", 0.0)
    use_bias: bool = argument("whether the projections add a bias", True)
    sliding_window: PositiveInt | None = argument("how far from its own place a query sees, its own included", None)
    flash_attention: bool | None = argument("whether the scores are computed in blocks; not in TensorFlow", None)
    # Keras copies these two for each projection, and cannot copy null.
    kernel_initializer: RequiredInitializer = argument("how the projections' kernels start", GLOROT_UNIFORM)
    bias_initializer: RequiredInitializer = argument("how their biases start", ZEROS)
    kernel_regularizer: Regularizer = argument("penalty on the kernels", None)
    bias_regularizer: Regularizer = argument("penalty on the biases", None)
    activity_regularizer: Regularizer = argument("penalty on what the projections give", None)
    kernel_constraint: Constraint = argument("constraint on the kernels", None)
    bias_constraint: Constraint = argument("constraint on the biases", None)
    use_gate: bool = argument("whether what the heads give is multiplied by a sigmoid of the query's projection", False)
    seed: int | None = argument("makes the dropout repeatable", None)

    @model_validator(mode="after")
    def _flash_drops_nothing(self) -> Heads:
        if self.flash_attention and self.dropout > 0:
            raise conflict(
                "dropout", f"dropout is {self.dropout} beside flash_attention", "0", "leave one of the two out"
            )
        return self

    @abstractmethod
    def score_shape(self, query: TensorType, value: TensorType) -> Shape:
        """The shape of the scores that the heads compute, or else: (batch, …, heads, queries, values)."""

    def three(self, inputs: Inputs) -> tuple[TensorType, TensorType, TensorType]:
        """Query, value and key, whose shapes go together.

        Raises:
            Misfit: they do not.
        """
        query, value = inputs.one("query"), inputs.one("value")
        key = inputs.get("key") or value
        for name, tensor in (("query", query), ("value", value), ("key", key)):
            require_dtype(tensor, Takes.REAL, type(self).name())
            if tensor.rank != query.rank or not may_equal(tensor.shape[0], query.shape[0]):
                raise Misfit(
                    f"{name} is {shape_text(tensor.shape)} beside a query of {shape_text(query.shape)}",
                    found=shape_text(tensor.shape),
                    expected="as many axes, and the same batch",
                    hint="add or merge axes with a Reshape" if tensor.rank != query.rank else None,
                )
        if not all(map(same_axis, key.shape[1:-1], value.shape[1:-1])):
            raise Misfit(
                f"key is {shape_text(key.shape)} beside a value of {shape_text(value.shape)}",
                found=shape_text(key.shape),
                expected="the same sizes in all axes but the last",
            )
        return query, value, key

    def check_flash(self, inputs: Inputs, obeyed: bool) -> None:
        scores = bool(inputs.call.get("return_attention_scores"))
        if self.flash_attention and (obeyed or scores):
            raise Misfit(
                "flash_attention is true, and TensorFlow has none",
                found="true",
                expected="null or false",
                hint="leave flash_attention out",
                code="GB203",
                argument="flash_attention",
            )

    def check_masks(self, inputs: Inputs, scores: Shape, attended: int) -> None:
        """Sees that the masks fit.

        Arguments:
            inputs: of the call.
            scores: the scores' shape.
            attended: how many axes the attention runs over.
        """
        query, value = inputs.one("query"), inputs.one("value")
        for name, tensor in (("query_mask", query), ("value_mask", value), ("key_mask", value)):
            mask = inputs.get(name)
            if mask is not None:
                check_mask(name, mask, tensor.shape[:2])
        mask = inputs.get("attention_mask")
        if mask is None:
            return
        pairs = 2 * attended
        leading = mask.shape[: max(mask.rank - pairs, 0)]
        if not pairs <= mask.rank <= len(scores) or not all(
            map(fits, (*leading, *mask.shape[-pairs:]), (*scores[: len(leading)], *scores[-pairs:]))
        ):
            raise Misfit(
                f"attention_mask is {shape_text(mask.shape)}",
                found=shape_text(mask.shape),
                expected=shape_text((scores[0], *scores[-pairs:])),
            )
        require_dtype(mask, Takes.REAL, "attention_mask is a mask: it")

    def output_count(self, call: Mapping[str, Any]) -> int | None:
        return 2 if call.get("return_attention_scores") else None

    def projection(self, name: str, given: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[Weight, ...]:
        kernel = Weight(f"{name}/kernel", (*given, *wanted))
        return (kernel, Weight(f"{name}/bias", wanted)) if self.use_bias else (kernel,)

    @abstractmethod
    def depth(self) -> int:
        """The products that one score takes part in: the sizes of a key and a value in a head."""

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """The projections, a product for each place and element of a kernel, and scores × (key size + value size)."""
        query, value, _ = self.three(inputs)
        scores = _product(self.score_shape(query, value)[1:])
        asking, asked = _product(query.shape[1:-1]), _product(value.shape[1:-1])
        if scores is None or asking is None or asked is None:
            return None
        kernels = {weight.name: weight.size for weight in self.weights(inputs)}
        of_query = sum(kernels.get(f"{name}/kernel", 0) for name in ("query", "gate", "attention_output"))
        return asking * of_query + asked * (kernels["key/kernel"] + kernels["value/kernel"]) + scores * self.depth()
