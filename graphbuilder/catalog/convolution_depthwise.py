"""Convolutions that treat every channel by itself, and mix channels afterwards or not at all."""

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
    argument,
    as_written,
    conflict,
)
from graphbuilder.catalog.convolving import ConvolutionLayer
from graphbuilder.catalog.entry import Example, Legacy, Outputs, Weight
from graphbuilder.catalog.ports import Inputs
from graphbuilder.catalog.tensor import BATCH, Dim, TensorType, elements
from graphbuilder.catalog.windows import join, slide, split_image

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"]


class _ByChannel(ConvolutionLayer):
    """What convolutions share whose kernels see one channel each."""

    depth_multiplier: PositiveInt = argument("how many kernels each channel of the input has", 1)
    depthwise_initializer: Initializer = argument("how the kernels of the channels start", GLOROT_UNIFORM)
    depthwise_regularizer: Regularizer = argument("penalty on the kernels of the channels", None)
    depthwise_constraint: Constraint = argument("constraint on the kernels of the channels", None)

    @model_validator(mode="after")
    def _strides_have_a_kernel(self) -> _ByChannel:
        """TensorFlow's kernel takes equal strides only, on every device.

        Beside a dilation Keras does without that kernel. On CPUs for which TensorFlow uses oneDNN other strides work in
        float32, but not reliably; a blueprint is to compute everywhere.
        """
        if len(set(self.strides)) > 1 and max(self.dilation_rate) == 1:
            raise conflict(
                "strides",
                f"strides is {as_written(self.strides)}, and TensorFlow convolves by channel with equal strides only",
                "the same step along every axis",
                "use Conv2D with as many groups as there are channels, which takes any strides",
            )
        return self

    def spatial(self, inputs: Inputs) -> tuple[Dim, ...]:
        """The spatial axes after the window has slid over them."""
        given, _ = self.image(inputs)
        return slide(given, self.kernel_size, self.strides, self.dilation_rate, self.padding)

    def depthwise_macs(self, inputs: Inputs, outputs: Outputs) -> tuple[int, int] | None:
        """The positions of the output and the channels between both steps; None when either is unknown."""
        assert isinstance(outputs, TensorType)
        moved, _ = split_image(outputs, self.rank, self.data_format)
        _, channels = split_image(inputs.first, self.rank, self.data_format)
        positions = elements(moved)
        if positions is None or not isinstance(channels, int):
            return None
        return positions, channels * self.depth_multiplier


class _DepthwiseConvolution(_ByChannel):
    """What depthwise convolutions of every rank share."""

    legacy = Legacy(weights={"kernel": "depthwise_kernel"})

    def outputs(self, inputs: Inputs) -> Outputs:
        _, channels = self.image(inputs)
        produced: Dim = channels if self.depth_multiplier == 1 else None
        if isinstance(channels, int):
            produced = channels * self.depth_multiplier
        shape = join(inputs.first.shape[0], self.spatial(inputs), produced, self.data_format)
        return TensorType(shape, self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        channels = self.channels(inputs)
        kernel = Weight("kernel", (*self.kernel_size, channels, self.depth_multiplier))
        return self.with_bias(channels * self.depth_multiplier, kernel)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Every number of the output takes one multiplication per position of the window."""
        work = self.depthwise_macs(inputs, outputs)
        return None if work is None else prod((*work, *self.kernel_size))


class DepthwiseConv1D(_DepthwiseConvolution):
    """Slides kernels along every channel of a sequence (batch, steps, channels) by itself."""

    rank = 1
    examples = (Example({"kernel_size": 3, "depth_multiplier": 2}, (TensorType((BATCH, 100, 16)),)),)

    kernel_size: Size1 = argument("length of a kernel")
    strides: Size1 = argument("step of the window", (1,))
    dilation_rate: Size1 = argument("spacing of a kernel's elements", (1,))


class DepthwiseConv2D(_DepthwiseConvolution):
    """Slides kernels over every channel of an image (batch, height, width, channels) by itself."""

    rank = 2
    examples = (Example({"kernel_size": 3, "padding": "same", "use_bias": False}, (TensorType((BATCH, 56, 56, 32)),)),)

    kernel_size: Size2 = argument("height and width of a kernel")
    strides: Size2 = argument("step of the window along height and width", (1, 1))
    dilation_rate: Size2 = argument("spacing of a kernel's elements along height and width", (1, 1))


class _SeparableConvolution(_ByChannel):
    """What separable convolutions of every rank share: a depthwise convolution, then one of size 1 across channels."""

    filters: PositiveInt = argument("the channels of the output")
    pointwise_initializer: Initializer = argument("how the kernel across channels starts", GLOROT_UNIFORM)
    pointwise_regularizer: Regularizer = argument("penalty on the kernel across channels", None)
    pointwise_constraint: Constraint = argument("constraint on the kernel across channels", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        shape = join(inputs.first.shape[0], self.spatial(inputs), self.filters, self.data_format)
        return TensorType(shape, self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        channels = self.channels(inputs)
        between = channels * self.depth_multiplier
        return self.with_bias(
            self.filters,
            Weight("depthwise_kernel", (*self.kernel_size, channels, self.depth_multiplier)),
            Weight("pointwise_kernel", (*(1,) * self.rank, between, self.filters)),
        )

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """For each position of the output: channels · depth_multiplier · (elements of the window + filters)."""
        work = self.depthwise_macs(inputs, outputs)
        return None if work is None else prod(work) * (prod(self.kernel_size) + self.filters)


class SeparableConv1D(_SeparableConvolution):
    """Slides kernels along every channel of a sequence (batch, steps, channels), then mixes the channels."""

    rank = 1
    examples = (Example({"filters": 32, "kernel_size": 3, "activation": "relu"}, (TensorType((BATCH, 100, 16)),)),)

    kernel_size: Size1 = argument("length of a kernel")
    strides: Size1 = argument("step of the window", (1,))
    dilation_rate: Size1 = argument("spacing of a kernel's elements", (1,))


class SeparableConv2D(_SeparableConvolution):
    """Slides kernels over every channel of an image (batch, height, width, channels), then mixes the channels."""

    rank = 2
    examples = (Example({"filters": 64, "kernel_size": 3, "padding": "same"}, (TensorType((BATCH, 56, 56, 32)),)),)

    kernel_size: Size2 = argument("height and width of a kernel")
    strides: Size2 = argument("step of the window along height and width", (1, 1))
    dilation_rate: Size2 = argument("spacing of a kernel's elements along height and width", (1, 1))
