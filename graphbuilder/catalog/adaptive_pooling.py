"""Adaptive pooling: sequences, images and volumes of any size made into ones of a stated size."""

from __future__ import annotations

from typing import ClassVar

from graphbuilder.catalog.arguments import DataFormat, Size1, Size2, Size3, argument
from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, Masking, Outputs
from graphbuilder.catalog.meaning import Neighbours, Reading
from graphbuilder.catalog.ports import Inputs
from graphbuilder.catalog.tensor import BATCH, TensorType
from graphbuilder.catalog.windows import join, require_pixels, split_image

__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
]

_SEQUENCES = TensorType((BATCH, 100, 64))
_IMAGES = TensorType((BATCH, 30, 40, 64))
_VOLUMES = TensorType((BATCH, 9, 14, 14, 8))


class _AdaptivePooling(LayerEntry):
    """What adaptive pooling of every rank shares: windows as large as the sizes ask for, which may overlap."""

    family = "pooling"
    masking = Masking.LOSES
    neighbours = Neighbours.WINDOW
    legacy = Legacy(absent="adaptive pooling came with Keras 3")
    rank: ClassVar[int]

    output_size: tuple[int, ...]
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)

    def require_kernel(self, given: TensorType) -> None:
        """Refuses an input of a dtype with which TensorFlow cannot compute this.

        Raises:
            Misfit: the dtype is one of those.
        """
        require_dtype(given, Takes.FLOATS, type(self).name())

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        self.require_kernel(given)
        _, channels = split_image(given, self.rank, self.data_format)
        return TensorType(join(given.shape[0], self.output_size, channels, self.data_format), self.cast(given.dtype))


class _AdaptiveAveragePooling(_AdaptivePooling):
    """Averages."""

    reading = Reading.QUANTITIES


class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """Averages a sequence (batch, steps, channels) into a stated number of steps."""

    rank = 1
    examples = (Example({"output_size": 10}, (_SEQUENCES,)),)

    output_size: Size1 = argument("how many steps the output has")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)


class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """Averages an image (batch, height, width, channels) into one of a stated height and width."""

    rank = 2
    examples = (Example({"output_size": [6, 8]}, (_IMAGES,)),)

    output_size: Size2 = argument("the output's height and width")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)


class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """Averages a volume (batch, depth, height, width, channels) into one of a stated size."""

    rank = 3
    examples = (Example({"output_size": [3, 7, 7]}, (_VOLUMES,)),)

    output_size: Size3 = argument("the output's depth, height and width")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)


class _FlatAdaptiveMaxPooling(_AdaptivePooling):
    """Largest values of sequences and images, which TensorFlow also finds among integers."""

    def require_kernel(self, given: TensorType) -> None:
        require_pixels(given, type(self).name())


class AdaptiveMaxPooling1D(_FlatAdaptiveMaxPooling):
    """Keeps the largest values of a sequence (batch, steps, channels), in a stated number of steps."""

    rank = 1
    examples = (Example({"output_size": 10}, (_SEQUENCES,)),)

    output_size: Size1 = argument("how many steps the output has")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)


class AdaptiveMaxPooling2D(_FlatAdaptiveMaxPooling):
    """Keeps the largest values of an image (batch, height, width, channels), in a stated height and width."""

    rank = 2
    examples = (Example({"output_size": [6, 8]}, (_IMAGES,)),)

    output_size: Size2 = argument("the output's height and width")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)


class AdaptiveMaxPooling3D(_AdaptivePooling):
    """Keeps the largest values of a volume (batch, depth, height, width, channels), in one of a stated size."""

    rank = 3
    examples = (Example({"output_size": [3, 7, 7]}, (_VOLUMES,)),)

    output_size: Size3 = argument("the output's depth, height and width")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)
