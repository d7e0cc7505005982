"""Convolutions of every rank."""

from __future__ import annotations

from math import prod
from typing import ClassVar, Literal

from pydantic import model_validator

from graphbuilder.catalog.arguments import (
    GLOROT_UNIFORM,
    ZEROS,
    Activation,
    Constraint,
    DataFormat,
    Initializer,
    Padding,
    PositiveInt,
    Regularizer,
    Size1,
    Size2,
    Size3,
    argument,
    conflict,
)
from graphbuilder.catalog.entry import Example, LayerEntry, Masking, Outputs, Weight
from graphbuilder.catalog.ports import Inputs, Misfit
from graphbuilder.catalog.tensor import BATCH, TensorType, elements, shape_text
from graphbuilder.catalog.windows import join, slide, split_image

__all__ = ["Conv1D", "Conv2D", "Conv3D"]


class _Convolution(LayerEntry):
    """What convolutions of every rank share."""

    family = "convolution"
    masking = Masking.LOSES
    rank: ClassVar[int]

    filters: PositiveInt = argument("how many kernels; the channels of the output")
    padding: Padding = argument("valid: no padding; same: zeros all around, so that stride 1 keeps the size", "valid")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)
    groups: PositiveInt = argument("into how many groups the channels are split, each with kernels of its own", 1)
    activation: Activation = argument("applied to the result", None)
    use_bias: bool = argument("whether a bias is added", True)
    kernel_initializer: Initializer = argument("how the kernel starts", GLOROT_UNIFORM)
    bias_initializer: Initializer = argument("how the bias starts", ZEROS)
    kernel_regularizer: Regularizer = argument("penalty on the kernel", None)
    bias_regularizer: Regularizer = argument("penalty on the bias", None)
    activity_regularizer: Regularizer = argument("penalty on the output", None)
    kernel_constraint: Constraint = argument("constraint on the kernel", None)
    bias_constraint: Constraint = argument("constraint on the bias", None)

    # Sizes of the rank of the subclass, which declares them.
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]

    @model_validator(mode="after")
    def _groups_divide_filters(self) -> _Convolution:
        if self.filters % self.groups:
            raise conflict("filters", f"filters is {self.filters} with {self.groups} groups", "a multiple of groups")
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise conflict(
                "dilation_rate", f"dilation_rate is {self.dilation_rate} with strides {self.strides}", "one of them all 1"
            )
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        spatial, channels = split_image(given, self.rank, self.data_format)
        if isinstance(channels, int) and channels % self.groups:
            raise Misfit(
                f"the {channels} channels of the input {shape_text(given.shape)} do not split into {self.groups} groups",
                found=str(channels),
                expected=f"a multiple of {self.groups}",
                argument="groups",
            )
        moved = slide(spatial, self.kernel_size, self.strides, self.dilation_rate, self.padding)
        return TensorType(join(given.shape[0], moved, self.filters, self.data_format), self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        given = inputs.first
        _, channels = split_image(given, self.rank, self.data_format)
        if not isinstance(channels, int):
            raise Misfit(
                f"the channels of the input {shape_text(given.shape)} are unknown, and the kernel's size depends on them",
                found=shape_text(given.shape),
                expected="known channels",
                hint="give the size where the shape comes from, in `inputs:`",
            )
        kernel = Weight("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        return (kernel, Weight("bias", (self.filters,))) if self.use_bias else (kernel,)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        assert isinstance(outputs, TensorType)
        _, channels = split_image(inputs.first, self.rank, self.data_format)
        produced = elements(outputs.shape[1:])
        if produced is None or not isinstance(channels, int):
            return None
        return produced * prod(self.kernel_size) * (channels // self.groups)


class Conv1D(_Convolution):
    """Slides kernels along a sequence (batch, steps, channels)."""

    rank = 1
    examples = (Example({"filters": 32, "kernel_size": 3, "activation": "relu"}, (TensorType((BATCH, 100, 16)),)),)

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
