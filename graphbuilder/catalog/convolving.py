"""What convolutions of every kind share: their window, their bias, and what they ask of an image."""

from __future__ import annotations

from typing import ClassVar

from pydantic_core import PydanticCustomError

from graphbuilder.catalog.arguments import (
    ZEROS,
    Activation,
    Constraint,
    DataFormat,
    Initializer,
    Padding,
    Regularizer,
    argument,
    as_written,
    conflict,
)
from graphbuilder.catalog.checks import Takes, known_axis, require_dtype
from graphbuilder.catalog.entry import LayerEntry, Masking, Weight
from graphbuilder.catalog.meaning import Neighbours, Reading
from graphbuilder.catalog.ports import Inputs
from graphbuilder.catalog.tensor import Dim, Shape
from graphbuilder.catalog.windows import split_image

__all__ = ["ConvolutionLayer"]


class ConvolutionLayer(LayerEntry):
    """A layer that slides kernels over an image, adds a bias and applies an activation."""

    family = "convolution"
    masking = Masking.LOSES
    reading = Reading.QUANTITIES
    neighbours = Neighbours.WINDOW
    rank: ClassVar[int]

    # Sizes of the rank of the subclass, which declares them.
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]

    padding: Padding = argument("valid: no padding; same: zeros all around, so that stride 1 keeps the size", "valid")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)
    activation: Activation = argument("applied to the result", None)
    use_bias: bool = argument("whether a bias is added", True)
    bias_initializer: Initializer = argument("how the bias starts", ZEROS)
    bias_regularizer: Regularizer = argument("penalty on the bias", None)
    activity_regularizer: Regularizer = argument("penalty on the output", None)
    bias_constraint: Constraint = argument("constraint on the bias", None)

    def image(self, inputs: Inputs) -> tuple[Shape, Dim]:
        """The spatial axes and the channels of the input.

        Raises:
            Misfit: it is no image of this rank, or holds no floats.
        """
        require_dtype(inputs.first, Takes.FLOATS, type(self).name())
        return split_image(inputs.first, self.rank, self.data_format)

    def channels(self, inputs: Inputs) -> int:
        """The input's channels.

        Raises:
            Misfit: their number is unknown.
        """
        self.image(inputs)
        axis = 1 if self.data_format == "channels_first" else -1
        return known_axis(inputs.first, axis, "the kernel's size depends on it")

    def with_bias(self, channels: int, *kernels: Weight) -> tuple[Weight, ...]:
        """The weights: the kernels, and a bias for so many channels where there is one."""
        return (*kernels, Weight("bias", (channels,))) if self.use_bias else kernels

    def strides_conflict(self) -> PydanticCustomError | None:
        """The error of steps and spacings larger than 1 in one layer, or None."""
        if max(self.strides) == 1 or max(self.dilation_rate) == 1:
            return None
        return conflict(
            "dilation_rate",
            f"dilation_rate is {as_written(self.dilation_rate)} beside strides of {as_written(self.strides)}",
            "one of the two to be 1 along every axis",
            "do it in two layers: one with the dilation, then one with the strides",
        )
