"""Transposed convolutions: from a small image to the large one that a convolution would have made it of."""

from __future__ import annotations

from math import prod

from pydantic import model_validator

from graphbuilder.catalog.arguments import (
    GLOROT_UNIFORM,
    Constraint,
    Initializer,
    PositiveInt,
    Regularizer,
    Size1,
    Size2,
    Size3,
    argument,
    as_written,
    conflict,
)
from graphbuilder.catalog.convolving import ConvolutionLayer
from graphbuilder.catalog.entry import Example, Outputs, Weight
from graphbuilder.catalog.margins import Extra1, Extra2, Extra3
from graphbuilder.catalog.ports import Inputs
from graphbuilder.catalog.tensor import BATCH, TensorType, elements
from graphbuilder.catalog.windows import join, slide_back, split_image

__all__ = ["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"]


class _TransposedConvolution(ConvolutionLayer):
    """What transposed convolutions of every rank share."""

    # Of the rank of the subclass, which declares it.
    output_padding: tuple[int, ...] | None

    filters: PositiveInt = argument("how many kernels; the channels of the output")
    kernel_initializer: Initializer = argument("how the kernel starts", GLOROT_UNIFORM)
    kernel_regularizer: Regularizer = argument("penalty on the kernel", None)
    kernel_constraint: Constraint = argument("constraint on the kernel", None)

    @model_validator(mode="after")
    def _fits_together(self) -> _TransposedConvolution:
        wrong = self.strides_conflict()
        if wrong is not None:
            raise wrong
        if self.output_padding is not None:
            for extra, stride in zip(self.output_padding, self.strides, strict=True):
                if extra >= stride:
                    raise conflict(
                        "output_padding",
                        f"output_padding is {as_written(self.output_padding)} beside strides of "
                        f"{as_written(self.strides)}",
                        "less than the stride along every axis",
                    )
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        spatial, _ = self.image(inputs)
        moved = slide_back(
            spatial, self.kernel_size, self.strides, self.dilation_rate, self.padding, self.output_padding
        )
        return TensorType(join(inputs.first.shape[0], moved, self.filters, self.data_format), self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        kernel = Weight("kernel", (*self.kernel_size, self.filters, self.channels(inputs)))
        return self.with_bias(self.filters, kernel)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Every number of the input is multiplied with every element of a kernel, for each filter."""
        spatial, channels = split_image(inputs.first, self.rank, self.data_format)
        given = elements((*spatial, channels))
        return None if given is None else given * prod(self.kernel_size) * self.filters


class Conv1DTranspose(_TransposedConvolution):
    """Makes a longer sequence of a sequence (batch, steps, channels), with kernels that are learnt."""

    rank = 1
    examples = (
        Example({"filters": 32, "kernel_size": 3, "strides": 2, "padding": "same"}, (TensorType((BATCH, 50, 16)),)),
    )

    kernel_size: Size1 = argument("length of a kernel")
    strides: Size1 = argument("step of the window on the output", (1,))
    output_padding: Extra1 | None = argument("positions added at the end; null chooses them by padding", None)
    dilation_rate: Size1 = argument("spacing of a kernel's elements", (1,))


class Conv2DTranspose(_TransposedConvolution):
    """Makes a larger image of an image (batch, height, width, channels), with kernels that are learnt."""

    rank = 2
    examples = (
        Example(
            {"filters": 64, "kernel_size": 3, "strides": 2, "padding": "same"}, (TensorType((BATCH, 16, 16, 128)),)
        ),
    )

    kernel_size: Size2 = argument("height and width of a kernel")
    strides: Size2 = argument("step of the window on the output, along height and width", (1, 1))
    output_padding: Extra2 | None = argument("rows and columns added at the end; null chooses them by padding", None)
    dilation_rate: Size2 = argument("spacing of a kernel's elements along height and width", (1, 1))


class Conv3DTranspose(_TransposedConvolution):
    """Makes a larger volume of a volume (batch, depth, height, width, channels), with kernels that are learnt."""

    rank = 3
    examples = (Example({"filters": 8, "kernel_size": 3, "strides": 2}, (TensorType((BATCH, 8, 16, 16, 16)),)),)

    kernel_size: Size3 = argument("depth, height and width of a kernel")
    strides: Size3 = argument("step of the window on the output, along depth, height and width", (1, 1, 1))
    output_padding: Extra3 | None = argument("planes added at the end of each axis; null chooses them by padding", None)
    dilation_rate: Size3 = argument("spacing of a kernel's elements along depth, height and width", (1, 1, 1))
