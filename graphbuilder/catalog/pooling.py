"""Pooling: windows that keep one number of each patch."""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from graphbuilder.catalog.arguments import DataFormat, Padding, Size1, Size2, Size3, argument, conflict
from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, Masking, Outputs
from graphbuilder.catalog.meaning import Neighbours, Reading
from graphbuilder.catalog.ports import Inputs
from graphbuilder.catalog.tensor import BATCH, TensorType
from graphbuilder.catalog.windows import join, require_pixels, slide, split_image

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


class _Pooling(LayerEntry):
    """What window pooling of every rank shares."""

    family = "pooling"
    masking = Masking.LOSES
    neighbours = Neighbours.WINDOW
    rank: ClassVar[int]

    # Sizes of the rank of the subclass, which declares them.
    pool_size: tuple[int, ...]
    strides: tuple[int, ...] | None

    padding: Padding = argument("valid: no padding; same: padded so that stride 1 keeps the size", "valid")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        self.require_kernel(given)
        spatial, channels = split_image(given, self.rank, self.data_format)
        strides = self.strides or self.pool_size
        moved = slide(spatial, self.pool_size, strides, (1,) * self.rank, self.padding)
        return TensorType(join(given.shape[0], moved, channels, self.data_format), self.cast(given.dtype))

    def require_kernel(self, given: TensorType) -> None:
        """Refuses an input of a dtype that TensorFlow cannot pool.

        Raises:
            Misfit: the dtype is one of those.
        """
        require_dtype(given, Takes.FLOATS, type(self).name())


class _FlatMaxPooling(_Pooling):
    """Largest values of sequences and images, which TensorFlow also finds among integers."""

    def require_kernel(self, given: TensorType) -> None:
        require_pixels(given, type(self).name())


class MaxPooling1D(_FlatMaxPooling):
    """Keeps the largest value of each stretch of a sequence (batch, steps, channels)."""

    rank = 1
    examples = (Example({"pool_size": 2}, (TensorType((BATCH, 100, 16)),)),)

    pool_size: Size1 = argument("length of the window", (2,))
    strides: Size1 | None = argument("step of the window; null means pool_size", None)


class MaxPooling2D(_FlatMaxPooling):
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

    @model_validator(mode="after")
    def _dtype_has_a_kernel(self) -> MaxPooling3D:
        if self.compute_dtype == "float64":
            raise conflict(
                "dtype", "TensorFlow cannot find largest values of volumes in float64", "float32, float16 or bfloat16"
            )
        return self


class AveragePooling1D(_Pooling):
    """Averages each stretch of a sequence (batch, steps, channels)."""

    rank = 1
    reading = Reading.QUANTITIES
    legacy = Legacy(defaults={"pool_size": 2})
    examples = (Example({"pool_size": 2}, (TensorType((BATCH, 100, 16)),)),)

    pool_size: Size1 = argument("length of the window")
    strides: Size1 | None = argument("step of the window; null means pool_size", None)


class AveragePooling2D(_Pooling):
    """Averages each patch of an image (batch, height, width, channels)."""

    rank = 2
    reading = Reading.QUANTITIES
    legacy = Legacy(defaults={"pool_size": (2, 2)})
    examples = (Example({"pool_size": 2}, (TensorType((BATCH, 64, 64, 32)),)),)

    pool_size: Size2 = argument("height and width of the window")
    strides: Size2 | None = argument("step of the window along height and width; null means pool_size", None)


class AveragePooling3D(_Pooling):
    """Averages each block of a volume (batch, depth, height, width, channels)."""

    rank = 3
    reading = Reading.QUANTITIES
    legacy = Legacy(defaults={"pool_size": (2, 2, 2)})
    examples = (Example({"pool_size": 2}, (TensorType((BATCH, 16, 32, 32, 8)),)),)

    pool_size: Size3 = argument("depth, height and width of the window")
    strides: Size3 | None = argument("step of the window along depth, height and width; null means pool_size", None)
