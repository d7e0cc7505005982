"""Pooling: windows that keep one number of each patch."""

from __future__ import annotations

from typing import ClassVar

from graphbuilder.catalog.arguments import DataFormat, Padding, Size1, Size2, Size3, argument
from graphbuilder.catalog.entry import Example, LayerEntry, Masking, Outputs
from graphbuilder.catalog.ports import Inputs
from graphbuilder.catalog.tensor import BATCH, TensorType
from graphbuilder.catalog.windows import join, slide, split_image

__all__ = ["MaxPooling1D", "MaxPooling2D", "MaxPooling3D"]


class _Pooling(LayerEntry):
    """What window pooling of every rank shares."""

    family = "pooling"
    masking = Masking.LOSES
    rank: ClassVar[int]

    padding: Padding = argument("valid: no padding; same: padded so that stride 1 keeps the size", "valid")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)

    # Sizes of the rank of the subclass, which declares them.
    pool_size: tuple[int, ...]
    strides: tuple[int, ...] | None

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        spatial, channels = split_image(given, self.rank, self.data_format)
        strides = self.strides or self.pool_size
        moved = slide(spatial, self.pool_size, strides, (1,) * self.rank, self.padding)
        return TensorType(join(given.shape[0], moved, channels, self.data_format), self.cast(given.dtype))


class MaxPooling1D(_Pooling):
    """Keeps the largest value of each stretch of a sequence (batch, steps, channels)."""

    rank = 1
    examples = (Example({"pool_size": 2}, (TensorType((BATCH, 100, 16)),)),)

    pool_size: Size1 = argument("length of the window", (2,))
    strides: Size1 | None = argument("step of the window; null means pool_size", None)


class MaxPooling2D(_Pooling):
    """Keeps the largest value of each patch of an image (batch, height, width, channels)."""

    rank = 2
    examples = (Example({"pool_size": 2}, (TensorType((BATCH, 64, 64, 32)),)),)

    pool_size: Size2 = argument("height and width of the window", (2, 2))
    strides: Size2 | None = argument("step of the window along height and width; null means pool_size", None)


class MaxPooling3D(_Pooling):
    """Keeps the largest value of each block of a volume (batch, depth, height, width, channels)."""

    rank = 3
    examples = (Example({"pool_size": 2}, (TensorType((BATCH, 16, 32, 32, 8)),)),)

    pool_size: Size3 = argument("depth, height and width of the window", (2, 2, 2))
    strides: Size3 | None = argument("step of the window along depth, height and width; null means pool_size", None)
