"""Layers of general use: dense projections, embeddings, activations as layers, masking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import ClassVar

from pydantic import model_validator

from graphbuilder.catalog.activations import activation_takes
from graphbuilder.catalog.arguments import (
    GLOROT_UNIFORM,
    UNIFORM,
    ZEROS,
    Constraint,
    Initializer,
    NonNegativeInt,
    PositiveInt,
    Regularizer,
    argument,
)
from graphbuilder.catalog.arguments import Activation as ActivationArgument
from graphbuilder.catalog.broadcasting import axes_of
from graphbuilder.catalog.checks import Takes, known_axis, require_dtype
from graphbuilder.catalog.elementwise import ElementwiseLayer
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, MaskOps, Outputs, Tensor, Weight
from graphbuilder.catalog.entry import Masking as MaskRule
from graphbuilder.catalog.lora import adapted, lora_conflict
from graphbuilder.catalog.meaning import Keeping, Reading
from graphbuilder.catalog.ports import CallArgument, Inputs, wrong_rank
from graphbuilder.catalog.tensor import BATCH, TensorType, elements

__all__ = ["Activation", "Dense", "Embedding", "Identity", "Masking"]


class Dense(LayerEntry):
    """Multiplies the last axis by a matrix and adds a bias: activation(x · kernel + bias)."""

    family = "core"
    masking = MaskRule.PASSES
    reading = Reading.QUANTITIES
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, None, "whether the model is being trained; changes nothing here")
    }
    legacy = Legacy(lacking=("lora_rank", "lora_alpha"))
    examples = (Example({"units": 64, "activation": "relu"}, (TensorType((BATCH, 32)),)),)

    units: PositiveInt = argument("the size of the output's last axis")
    activation: ActivationArgument = argument("applied to the result", None)
    use_bias: bool = argument("whether a bias is added", True)
    kernel_initializer: Initializer = argument("how the kernel starts", GLOROT_UNIFORM)
    bias_initializer: Initializer = argument("how the bias starts", ZEROS)
    kernel_regularizer: Regularizer = argument("penalty on the kernel", None)
    bias_regularizer: Regularizer = argument("penalty on the bias", None)
    activity_regularizer: Regularizer = argument("penalty on the output", None)
    kernel_constraint: Constraint = argument("constraint on the kernel", None)
    bias_constraint: Constraint = argument("constraint on the bias", None)
    lora_rank: NonNegativeInt | None = argument(
        "adapt a frozen kernel by a product of this rank; null trains it all", None
    )
    lora_alpha: float | None = argument("weight of that product, over lora_rank; null means lora_rank", None)

    @model_validator(mode="after")
    def _adapted_kernel_is_free(self) -> Dense:
        error = lora_conflict(self.lora_rank, self.kernel_constraint, "kernel_constraint")
        if error is not None:
            raise error
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.rank < 2:
            raise wrong_rank(given, "(batch, …, features)", "add an axis with a Reshape")
        require_dtype(given, Takes.NUMBERS, "Dense")
        return TensorType((*given.shape[:-1], self.units), self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        features = known_axis(inputs.first, -1, "the kernel's size depends on it")
        kernel = Weight("kernel", (features, self.units))
        bias = (Weight("bias", (self.units,)),) if self.use_bias else ()
        return adapted(kernel, self.lora_rank, *bias)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        rows = elements(inputs.first.shape[1:-1])
        features = elements(inputs.first.shape[-1:])
        return None if rows is None or features is None else prod((rows, features, self.units))


class Embedding(LayerEntry):
    """Looks each integer up in a table of vectors."""

    family = "core"
    reading = Reading.NAMES
    legacy = Legacy(lacking=("lora_rank", "lora_alpha"))
    examples = (
        Example({"input_dim": 20000, "output_dim": 128}, (TensorType((BATCH, 64), "int32"),)),
        Example({"input_dim": 1000, "output_dim": 16, "mask_zero": True}, (TensorType((BATCH, "words"), "int32"),)),
    )

    input_dim: PositiveInt = argument("how many vectors; one more than the largest integer")
    output_dim: PositiveInt = argument("the length of a vector")
    embeddings_initializer: Initializer = argument("how the vectors start", UNIFORM)
    embeddings_regularizer: Regularizer = argument("penalty on the vectors", None)
    embeddings_constraint: Constraint = argument("constraint on the vectors", None)
    mask_zero: bool = argument("whether 0 stands for padding, which later layers then skip", False)
    lora_rank: NonNegativeInt | None = argument(
        "adapt a frozen table by a product of this rank; null trains it all", None
    )
    lora_alpha: float | None = argument("weight of that product, over lora_rank; null means lora_rank", None)

    @model_validator(mode="after")
    def _adapted_table_is_free(self) -> Embedding:
        error = lora_conflict(self.lora_rank, self.embeddings_constraint, "embeddings_constraint")
        if error is not None:
            raise error
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        require_dtype(given, Takes.NUMBERS, "Embedding")
        return TensorType((*given.shape, self.output_dim), self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return adapted(Weight("embeddings", (self.input_dim, self.output_dim)), self.lora_rank)

    def masks(self, masked: bool) -> bool:
        return self.mask_zero

    def mask_of_output(
        self, ops: MaskOps[Tensor], given: Sequence[Tensor], masks: Sequence[Tensor | None]
    ) -> Tensor | None:
        return ops.apply("not_equal", {"x1": given[0], "x2": 0}) if self.mask_zero else None


class Activation(ElementwiseLayer):
    """Applies an activation function to each value (softmax and its kin: along the last axis)."""

    family = "core"
    examples = (Example({"activation": "relu"}, (TensorType((BATCH, 32)),)),)

    activation: ActivationArgument = argument("the function; null changes nothing")

    def outputs(self, inputs: Inputs) -> Outputs:
        axis = self.activation.options.get("axis") if self.activation else None
        if isinstance(axis, int):
            axes_of(axis, inputs.first.rank, "activation")
        return super().outputs(inputs)

    def computes(self, inputs: Inputs) -> Takes:
        return activation_takes(self.activation)


class Masking(ElementwiseLayer):
    """Marks the steps of a sequence (batch, steps, features) whose features all have one value, to be skipped."""

    family = "core"
    masking = MaskRule.CREATES
    keeping = Keeping.NUMBERS
    takes = Takes.NUMBERS
    examples = (Example({"mask_value": 0.0}, (TensorType((BATCH, 100, 16)),)),)

    mask_value: float = argument("the value of a step to skip", 0.0)

    def mask_of_output(
        self, ops: MaskOps[Tensor], given: Sequence[Tensor], masks: Sequence[Tensor | None]
    ) -> Tensor | None:
        return ops.apply("any", {"x": ops.apply("not_equal", {"x1": given[0], "x2": self.mask_value})}, axis=-1)


class Identity(LayerEntry):
    """Gives its input back; a place to name or to replace."""

    family = "core"
    masking = MaskRule.PASSES
    keeping = Keeping.NUMBERS
    examples = (Example({}, (TensorType((BATCH, 32)),)),)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        return TensorType(given.shape, self.cast(given.dtype))
