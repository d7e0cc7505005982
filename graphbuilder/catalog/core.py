"""Layers of general use: dense projections, embeddings, activations as layers, masking."""

from __future__ import annotations

from math import prod

from graphbuilder.catalog.arguments import (
    GLOROT_UNIFORM,
    ZEROS,
    Activation,
    Constraint,
    Initializer,
    PositiveInt,
    Regularizer,
    argument,
)
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, Masking, Outputs, Weight
from graphbuilder.catalog.ports import Inputs, Misfit, wrong_rank
from graphbuilder.catalog.tensor import BATCH, TensorType, elements, shape_text

__all__ = ["Dense"]


def known_axis(tensor: TensorType, axis: int, why: str) -> int:
    """The size of an axis that a weight needs.

    Arguments:
        tensor: the input.
        axis: counted from the end when negative.
        why: what needs it, as it reads after "because".

    Raises:
        Misfit: the size is unknown.
    """
    size = tensor.shape[axis]
    if not isinstance(size, int):
        name = "the last axis" if axis == -1 else f"axis {axis % tensor.rank}"
        raise Misfit(
            f"{name} of the input {shape_text(tensor.shape)} is unknown, and {why}",
            found=shape_text(tensor.shape),
            expected="a known size there",
            hint="give the size where the shape comes from, in `inputs:`",
        )
    return size


class Dense(LayerEntry):
    """Multiplies the last axis by a matrix and adds a bias: activation(x · kernel + bias)."""

    family = "core"
    masking = Masking.PASSES
    legacy = Legacy(lacking=("lora_rank", "lora_alpha", "quantization_config"))
    examples = (Example({"units": 64, "activation": "relu"}, (TensorType((BATCH, 32)),)),)

    units: PositiveInt = argument("the size of the output's last axis")
    activation: Activation = argument("applied to the result", None)
    use_bias: bool = argument("whether a bias is added", True)
    kernel_initializer: Initializer = argument("how the kernel starts", GLOROT_UNIFORM)
    bias_initializer: Initializer = argument("how the bias starts", ZEROS)
    kernel_regularizer: Regularizer = argument("penalty on the kernel", None)
    bias_regularizer: Regularizer = argument("penalty on the bias", None)
    activity_regularizer: Regularizer = argument("penalty on the output", None)
    kernel_constraint: Constraint = argument("constraint on the kernel", None)
    bias_constraint: Constraint = argument("constraint on the bias", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.rank < 2:
            raise wrong_rank(given, "(batch, …, features)", "add an axis with a Reshape")
        return TensorType((*given.shape[:-1], self.units), self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        features = known_axis(inputs.first, -1, "the kernel's size depends on it")
        kernel = Weight("kernel", (features, self.units))
        return (kernel, Weight("bias", (self.units,))) if self.use_bias else (kernel,)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        rows = elements(inputs.first.shape[1:-1])
        features = elements(inputs.first.shape[-1:])
        return None if rows is None or features is None else prod((rows, features, self.units))
