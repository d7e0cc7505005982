"""Recurrent layers for sequences of images: an LSTM whose products are convolutions."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from pydantic import model_validator

from graphbuilder.catalog.arguments import (
    SIGMOID,
    Activation,
    DataFormat,
    Padding,
    PositiveInt,
    Size1,
    Size2,
    Size3,
    argument,
    as_written,
    conflict,
)
from graphbuilder.catalog.checks import Takes, known_axis
from graphbuilder.catalog.entry import Example, Legacy, Outputs, Weight
from graphbuilder.catalog.ports import Inputs, Misfit, wrong_rank
from graphbuilder.catalog.recurrent import Recurrent
from graphbuilder.catalog.tensor import BATCH, Shape, TensorType, elements, shape_text
from graphbuilder.catalog.windows import AXIS_NAMES, join, slide, split_image

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


class _ConvLSTM(Recurrent):
    """What the convolutional LSTMs of every rank share.

    Source: Shi et al., 2015, https://arxiv.org/abs/1506.04214
    """

    cell = "conv_lstm_cell"
    state_names = ("hidden state", "cell state")
    takes = Takes.FLOATS
    legacy = Legacy(
        lacking=("seed",),
        defaults={"recurrent_activation": "hard_sigmoid"},
        weights={
            "conv_lstm_cell/kernel": "kernel",
            "conv_lstm_cell/recurrent_kernel": "recurrent_kernel",
            "conv_lstm_cell/bias": "bias",
        },
    )
    rank: ClassVar[int]

    # Sizes of the rank of the subclass, which declares them.
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]

    filters: PositiveInt = argument("how many kernels of each gate; the channels of the output")
    padding: Padding = argument("valid: no padding; same: padded so that stride 1 keeps the size", "valid")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)
    recurrent_activation: Activation = argument("applied to the gates", SIGMOID)
    unit_forget_bias: bool = argument("whether the forget gate's bias starts one higher, so that states last", True)

    @model_validator(mode="after")
    def _strides_or_dilation(self) -> _ConvLSTM:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise conflict(
                "dilation_rate",
                f"dilation_rate is {as_written(self.dilation_rate)} beside strides of {as_written(self.strides)}",
                "one of the two to be 1 along every axis",
            )
        return self

    def _step(self, sequences: TensorType) -> TensorType:
        """One step of the sequences.

        Raises:
            Misfit: they are no sequences of images of this rank.
        """
        axes = AXIS_NAMES[self.rank]
        if sequences.rank != self.rank + 3:
            last = self.data_format != "channels_first"
            names = ("batch", "time", *axes, "channels") if last else ("batch", "time", "channels", *axes)
            hint = None
            if sequences.rank == self.rank + 2:
                hint = f"add a time or channels axis with a Reshape, or use Conv{self.rank}D for images without time"
            raise wrong_rank(sequences, f"({', '.join(names)})", hint)
        return sequences.with_shape((sequences.shape[0], *sequences.shape[2:]))

    def state_shape(self, sequences: TensorType) -> Shape:
        step = self._step(sequences)
        spatial, _ = split_image(step, self.rank, self.data_format)
        if not all(isinstance(size, int) for size in spatial):
            raise Misfit(
                f"a step of {shape_text(sequences.shape)} is an image of unknown size, and so would be the state",
                found=shape_text(sequences.shape),
                expected=f"a known {' and '.join(AXIS_NAMES[self.rank])}",
                hint="give the size where the shape comes from, in `inputs:`",
            )
        moved = slide(spatial, self.kernel_size, self.strides, self.dilation_rate, self.padding)
        return join(step.shape[0], moved, self.filters, self.data_format)

    def _channels(self, inputs: Inputs) -> int:
        axis = 2 if self.data_format == "channels_first" else -1
        return known_axis(inputs.one("sequences"), axis, "the kernel's size depends on it")

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        kernels = (
            Weight(f"{self.cell}/kernel", (*self.kernel_size, self._channels(inputs), 4 * self.filters)),
            Weight(f"{self.cell}/recurrent_kernel", (*self.kernel_size, self.filters, 4 * self.filters)),
        )
        return (*kernels, Weight(f"{self.cell}/bias", (4 * self.filters,))) if self.use_bias else kernels

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """Steps × 4 gates × places of the output × kernel × (channels + filters) × filters."""
        sequences = inputs.one("sequences")
        numbers = elements(self.state_shape(sequences)[1:])
        steps = sequences.shape[1]
        if numbers is None or not isinstance(steps, int):
            return None
        return prod((steps, 4, numbers, *self.kernel_size, self._channels(inputs) + self.filters))


class ConvLSTM1D(_ConvLSTM):
    """An LSTM over sequences of rows (batch, time, steps, channels), its products convolutions."""

    rank = 1
    examples = (
        Example({"filters": 8, "kernel_size": 3}, (TensorType((BATCH, 10, 32, 4)),)),
        Example(
            {"filters": 4, "kernel_size": 3, "padding": "same", "return_state": True},
            (TensorType((BATCH, "time", 9, 3)), (TensorType((BATCH, 9, 4)), TensorType((BATCH, 9, 4)))),
        ),
    )

    kernel_size: Size1 = argument("length of a kernel")
    strides: Size1 = argument("step of the window over the input", (1,))
    dilation_rate: Size1 = argument("spacing of a kernel's elements over the input", (1,))


class ConvLSTM2D(_ConvLSTM):
    """An LSTM over sequences of images (batch, time, height, width, channels), its products convolutions."""

    rank = 2
    examples = (
        Example(
            {"filters": 16, "kernel_size": 3, "padding": "same", "return_sequences": True},
            (TensorType((BATCH, 10, 32, 32, 1)),),
        ),
    )

    kernel_size: Size2 = argument("height and width of a kernel")
    strides: Size2 = argument("step of the window over the input along height and width", (1, 1))
    dilation_rate: Size2 = argument("spacing of a kernel's elements over the input along height and width", (1, 1))


class ConvLSTM3D(_ConvLSTM):
    """An LSTM over sequences of volumes (batch, time, depth, height, width, channels), its products convolutions."""

    rank = 3
    examples = (Example({"filters": 4, "kernel_size": 3}, (TensorType((BATCH, 5, 8, 8, 8, 1)),)),)

    kernel_size: Size3 = argument("depth, height and width of a kernel")
    strides: Size3 = argument("step of the window over the input along depth, height and width", (1, 1, 1))
    dilation_rate: Size3 = argument("spacing of a kernel's elements along depth, height and width", (1, 1, 1))
