"""Layers that crop, pad and enlarge sequences, images and volumes."""

from __future__ import annotations

from typing import ClassVar, Literal

from graphbuilder.catalog.arguments import DataFormat, PositiveInt, Size2, Size3, argument
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, Masking, Outputs
from graphbuilder.catalog.margins import Edge, Edges1, Edges2, Edges3
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.catalog.ports import Inputs, Misfit
from graphbuilder.catalog.tensor import BATCH, Dim, Shape, TensorType
from graphbuilder.catalog.windows import axis_text, join, require_pixels, split_image

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "UpSampling1D",
    "UpSampling2D",
    "UpSampling3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]


class _Resized(LayerEntry):
    """A layer that changes the size of each spatial axis by itself."""

    family = "reshaping"
    masking = Masking.LOSES
    rank: ClassVar[int]

    def resized(self, spatial: Shape, axis: int) -> Dim:
        """The size that a spatial axis becomes.

        Arguments:
            spatial: the sizes of all of them.
            axis: which it is.

        Raises:
            Misfit: nothing would be left of it.
        """
        raise NotImplementedError

    def order(self) -> str | None:
        """The data format."""
        return None

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        spatial, channels = split_image(given, self.rank, self.order())
        changed = [self.resized(spatial, axis) for axis in range(self.rank)]
        return TensorType(join(given.shape[0], changed, channels, self.order()), self.cast(given.dtype))


class _Ordered(_Resized):
    """One of these layers that can be told where the channels stand, which Keras allows for most."""

    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)

    def order(self) -> str | None:
        return self.data_format


def _cropped(spatial: Shape, axis: int, edge: Edge) -> Dim:
    """The size that is left of an axis."""
    size, away = spatial[axis], sum(edge)
    if away == 0:
        return size
    if not isinstance(size, int):
        return None
    if away >= size:
        raise Misfit(
            f"cropping takes {edge[0]} and {edge[1]} of {axis_text(spatial, axis)}",
            found=str(away),
            expected=f"less than {size} together",
            argument="cropping",
        )
    return size - away


class Cropping1D(_Resized):
    """Cuts steps off both ends of a sequence (batch, steps, channels)."""

    rank = 1
    keeping = Keeping.NUMBERS
    examples = (Example({"cropping": [1, 2]}, (TensorType((BATCH, 100, 16)),)),)

    cropping: Edges1 = argument("steps cut off both ends, or [at the start, at the end]", (1, 1))

    def resized(self, spatial: Shape, axis: int) -> Dim:
        return _cropped(spatial, axis, self.cropping)


class Cropping2D(_Ordered):
    """Cuts rows and columns off an image (batch, height, width, channels)."""

    rank = 2
    keeping = Keeping.NUMBERS
    examples = (Example({"cropping": [[2, 2], [4, 4]]}, (TensorType((BATCH, 28, 28, 3)),)),)

    cropping: Edges2 = argument(
        "cut off all sides, or [height, width], each a number or [before, after]", ((0, 0),) * 2
    )

    def resized(self, spatial: Shape, axis: int) -> Dim:
        return _cropped(spatial, axis, self.cropping[axis])


class Cropping3D(_Ordered):
    """Cuts planes off a volume (batch, depth, height, width, channels)."""

    rank = 3
    keeping = Keeping.NUMBERS
    examples = (Example({"cropping": 2}, (TensorType((BATCH, 16, 32, 32, 1)),)),)

    cropping: Edges3 = argument(
        "cut off all sides, or [depth, height, width], each a number or [before, after]", ((1, 1),) * 3
    )

    def resized(self, spatial: Shape, axis: int) -> Dim:
        return _cropped(spatial, axis, self.cropping[axis])


def _padded(size: Dim, edge: Edge) -> Dim:
    """The size of an axis with positions added."""
    if sum(edge) == 0:
        return size
    return size + sum(edge) if isinstance(size, int) else None


class ZeroPadding1D(_Ordered):
    """Adds steps of zeros to both ends of a sequence (batch, steps, channels)."""

    rank = 1
    keeping = Keeping.NUMBERS
    legacy = Legacy(lacking=("data_format",))
    examples = (Example({"padding": [2, 0]}, (TensorType((BATCH, 100, 16)),)),)

    padding: Edges1 = argument("steps added at both ends, or [at the start, at the end]", (1, 1))

    def resized(self, spatial: Shape, axis: int) -> Dim:
        return _padded(spatial[axis], self.padding)


class ZeroPadding2D(_Ordered):
    """Adds rows and columns of zeros to an image (batch, height, width, channels)."""

    rank = 2
    keeping = Keeping.NUMBERS
    examples = (Example({"padding": [[0, 1], [0, 1]]}, (TensorType((BATCH, 224, 224, 3)),)),)

    padding: Edges2 = argument(
        "added on all sides, or [height, width], each a number or [before, after]", ((1, 1),) * 2
    )

    def resized(self, spatial: Shape, axis: int) -> Dim:
        return _padded(spatial[axis], self.padding[axis])


class ZeroPadding3D(_Ordered):
    """Adds planes of zeros to a volume (batch, depth, height, width, channels)."""

    rank = 3
    keeping = Keeping.NUMBERS
    examples = (Example({"padding": 1}, (TensorType((BATCH, 16, 32, 32, 1)),)),)

    padding: Edges3 = argument(
        "added on all sides, or [depth, height, width], each a number or [before, after]", ((1, 1),) * 3
    )

    def resized(self, spatial: Shape, axis: int) -> Dim:
        return _padded(spatial[axis], self.padding[axis])


def _repeated(size: Dim, factor: int) -> Dim:
    """The size of an axis each of whose positions is repeated."""
    if factor == 1:
        return size
    return size * factor if isinstance(size, int) else None


class UpSampling1D(_Resized):
    """Repeats every step of a sequence (batch, steps, channels)."""

    rank = 1
    examples = (Example({"size": 2}, (TensorType((BATCH, 50, 16)),)),)

    size: PositiveInt = argument("how often each step stands in the output", 2)

    def resized(self, spatial: Shape, axis: int) -> Dim:
        return _repeated(spatial[axis], self.size)


class UpSampling2D(_Ordered):
    """Enlarges an image (batch, height, width, channels) by repeating its rows and columns, or interpolating."""

    rank = 2
    examples = (Example({"size": 2, "interpolation": "bilinear"}, (TensorType((BATCH, 16, 16, 64)),)),)

    size: Size2 = argument("factors for height and width", (2, 2))
    interpolation: Literal["nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5"] = argument(
        "how values between those of the input are found", "nearest"
    )

    def outputs(self, inputs: Inputs) -> Outputs:
        if self.interpolation != "nearest":
            require_pixels(inputs.first, f"UpSampling2D with interpolation: {self.interpolation}")
        return super().outputs(inputs)

    def resized(self, spatial: Shape, axis: int) -> Dim:
        return _repeated(spatial[axis], self.size[axis])


class UpSampling3D(_Ordered):
    """Enlarges a volume (batch, depth, height, width, channels) by repeating its planes."""

    rank = 3
    examples = (Example({"size": 2}, (TensorType((BATCH, 8, 16, 16, 8)),)),)

    size: Size3 = argument("factors for depth, height and width", (2, 2, 2))

    def resized(self, spatial: Shape, axis: int) -> Dim:
        return _repeated(spatial[axis], self.size[axis])
