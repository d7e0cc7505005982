"""Global pooling: one number for each channel of a whole sequence, image or volume."""

from __future__ import annotations

from typing import ClassVar

from graphbuilder.catalog.arguments import DataFormat, argument
from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Masking, Outputs
from graphbuilder.catalog.meaning import Reading
from graphbuilder.catalog.ports import Inputs, Misfit, Port
from graphbuilder.catalog.tensor import BATCH, TensorType, shape_text
from graphbuilder.catalog.windows import join, split_image

__all__ = [
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
]


class _GlobalPooling(LayerEntry):
    """What global pooling of every rank shares."""

    family = "pooling"
    masking = Masking.LOSES
    rank: ClassVar[int]

    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)
    keepdims: bool = argument("whether the pooled axes stay, with size 1", False)

    def pooled(self, given: TensorType, dtype: str) -> TensorType:
        """The input with its spatial axes gone, or of size 1.

        Raises:
            Misfit: it has another number of axes.
        """
        _, channels = split_image(given, self.rank, self.data_format)
        if not self.keepdims:
            return TensorType((given.shape[0], channels), dtype)
        return TensorType(join(given.shape[0], (1,) * self.rank, channels, self.data_format), dtype)

    def pooled_axes(self, tensor: TensorType) -> tuple[int, ...]:
        first = 2 if self.data_format == "channels_first" else 1
        return () if self.keepdims else tuple(range(first, first + self.rank))


class _GlobalMaxPooling(_GlobalPooling):
    """Largest values; those of booleans tell whether any is true."""

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.dtype != "bool":
            require_dtype(given, Takes.FLOATS_OR_INTEGERS, type(self).name())
        return self.pooled(given, self.cast(given.dtype))


class GlobalMaxPooling1D(_GlobalMaxPooling):
    """Keeps the largest value of each channel of a sequence (batch, steps, channels)."""

    rank = 1
    examples = (Example({}, (TensorType((BATCH, 100, 64)),)),)


class GlobalMaxPooling2D(_GlobalMaxPooling):
    """Keeps the largest value of each channel of an image (batch, height, width, channels)."""

    rank = 2
    examples = (Example({}, (TensorType((BATCH, 7, 7, 512)),)),)


class GlobalMaxPooling3D(_GlobalMaxPooling):
    """Keeps the largest value of each channel of a volume (batch, depth, height, width, channels)."""

    rank = 3
    examples = (Example({}, (TensorType((BATCH, 4, 7, 7, 64)),)),)


class _GlobalAveragePooling(_GlobalPooling):
    """Averages; those of integers are floats."""

    reading = Reading.QUANTITIES

    def outputs(self, inputs: Inputs) -> Outputs:
        require_dtype(inputs.first, Takes.NUMBERS, type(self).name())
        return self.pooled(inputs.first, self.compute_dtype)


class GlobalAveragePooling1D(_GlobalAveragePooling):
    """Averages each channel of a sequence (batch, steps, channels), over the steps that the mask leaves."""

    rank = 1
    masking = Masking.CONSUMES
    ports = (
        Port("inputs"),
        Port(
            "mask", optional=True, about="(batch, steps), true where a step counts; the input's own mask when left out"
        ),
    )
    examples = (
        Example({}, (TensorType((BATCH, 100, 64)),)),
        Example({}, (TensorType((BATCH, "time", 64)), TensorType((BATCH, "time"), "bool"))),
    )

    def outputs(self, inputs: Inputs) -> Outputs:
        pooled = super().outputs(inputs)
        mask = inputs.get("mask")
        if mask is not None:
            self._require_mask(inputs.first, mask)
        return pooled

    def _require_mask(self, given: TensorType, mask: TensorType) -> None:
        require_dtype(mask, Takes.NUMBERS, "the mask")
        (steps,), _ = split_image(given, self.rank, self.data_format)
        if mask.rank != 2:
            raise Misfit(
                f"the mask has {mask.rank} axes, {shape_text(mask.shape)}",
                found=shape_text(mask.shape),
                expected="(batch, steps)",
            )
        for size, wanted in zip(mask.shape, (given.shape[0], steps), strict=True):
            if isinstance(size, int) and isinstance(wanted, int) and size != wanted and 1 not in (size, wanted):
                raise Misfit(
                    f"the mask is {shape_text(mask.shape)} beside an input of {shape_text(given.shape)}",
                    found=shape_text(mask.shape),
                    expected=shape_text((given.shape[0], steps)),
                )


class GlobalAveragePooling2D(_GlobalAveragePooling):
    """Averages each channel of an image (batch, height, width, channels)."""

    rank = 2
    examples = (Example({}, (TensorType((BATCH, 7, 7, 512)),)),)


class GlobalAveragePooling3D(_GlobalAveragePooling):
    """Averages each channel of a volume (batch, depth, height, width, channels)."""

    rank = 3
    examples = (Example({}, (TensorType((BATCH, 4, 7, 7, 64)),)),)
