"""Convolutions of every rank."""

from __future__ import annotations

from math import prod
from typing import Literal

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
    conflict,
)
from graphbuilder.catalog.convolving import ConvolutionLayer
from graphbuilder.catalog.entry import Example, Outputs, Weight
from graphbuilder.catalog.ports import Inputs, Misfit
from graphbuilder.catalog.tensor import BATCH, TensorType, elements, shape_text
from graphbuilder.catalog.windows import join, slide, split_image

__all__ = ["Conv1D", "Conv2D", "Conv3D"]


class _Convolution(ConvolutionLayer):
    """What convolutions of every rank share."""

    filters: PositiveInt = argument("how many kernels; the channels of the output")
    groups: PositiveInt = argument("into how many groups the channels are split, each with kernels of its own", 1)
    kernel_initializer: Initializer = argument("how the kernel starts", GLOROT_UNIFORM)
    kernel_regularizer: Regularizer = argument("penalty on the kernel", None)
    kernel_constraint: Constraint = argument("constraint on the kernel", None)

    @model_validator(mode="after")
    def _fits_together(self) -> _Convolution:
        if self.filters % self.groups:
            raise conflict("filters", f"filters is {self.filters} with {self.groups} groups", "a multiple of groups")
        wrong = self.strides_conflict()
        if wrong is not None:
            raise wrong
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        spatial, channels = self.image(inputs)
        if isinstance(channels, int) and channels % self.groups:
            raise Misfit(
                f"the {channels} channels of the input {shape_text(given.shape)} do not split into "
                f"{self.groups} groups",
                found=str(channels),
                expected=f"a multiple of {self.groups}",
                argument="groups",
            )
        moved = slide(spatial, self.kernel_size, self.strides, self.dilation_rate, self.padding)
        return TensorType(join(given.shape[0], moved, self.filters, self.data_format), self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        channels = self.channels(inputs)
        kernel = Weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        return self.with_bias(self.filters, kernel)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Every number of the output takes one multiplication per element of a kernel."""
        assert isinstance(outputs, TensorType)
        _, channels = split_image(inputs.first, self.rank, self.data_format)
        produced = elements(outputs.shape[1:])
        if produced is None or not isinstance(channels, int):
            return None
        return produced * prod(self.kernel_size) * (channels // self.groups)


class Conv1D(_Convolution):
    """Slides kernels along a sequence (batch, steps, channels)."""

    rank = 1
    examples = (
        Example({"filters": 32, "kernel_size": 3, "activation": "relu"}, (TensorType((BATCH, 100, 16)),)),
        Example(
            {"filters": 32, "kernel_size": 2, "dilation_rate": 4, "padding": "causal"},
            (TensorType((BATCH, "time", 16)),),
        ),
    )

    kernel_size: Size1 = argument("length of a kernel")
    strides: Size1 = argument("step of the window", (1,))
    dilation_rate: Size1 = argument("spacing of a kernel's elements", (1,))
    padding: Literal["valid", "same", "causal"] = argument(  # type: ignore[assignment]  # one more than other ranks
        "valid: none; same: zeros on both sides; causal: zeros in front only", "valid"
    )


class Conv2D(_Convolution):
    """Slides kernels over an image (batch, height, width, channels)."""

    rank = 2
    examples = (
        Example(
            {"filters": 32, "kernel_size": 3, "padding": "same", "activation": "relu"},
            (TensorType((BATCH, 64, 64, 3)),),
        ),
        Example({"filters": 64, "kernel_size": 3, "strides": 2, "groups": 4}, (TensorType((BATCH, 31, 31, 32)),)),
    )

    kernel_size: Size2 = argument("height and width of a kernel")
    strides: Size2 = argument("step of the window along height and width", (1, 1))
    dilation_rate: Size2 = argument("spacing of a kernel's elements along height and width", (1, 1))


class Conv3D(_Convolution):
    """Slides kernels through a volume (batch, depth, height, width, channels)."""

    rank = 3
    examples = (Example({"filters": 16, "kernel_size": 3}, (TensorType((BATCH, 16, 32, 32, 1)),)),)

    kernel_size: Size3 = argument("depth, height and width of a kernel")
    strides: Size3 = argument("step of the window along depth, height and width", (1, 1, 1))
    dilation_rate: Size3 = argument("spacing of a kernel's elements along depth, height and width", (1, 1, 1))
