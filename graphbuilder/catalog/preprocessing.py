"""Layers that prepare numbers and images for the layers that learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from graphbuilder.catalog.arguments import Axes, DataFormat, PositiveInt, argument, as_written, conflict, refuse
from graphbuilder.catalog.broadcasting import axes_of
from graphbuilder.catalog.checks import Takes, known_axis, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, Masking, Outputs, Weight
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit, Port
from graphbuilder.catalog.tensor import BATCH, Shape, TensorType, shape_text
from graphbuilder.catalog.windows import join, require_pixels, split_image

__all__ = ["CenterCrop", "Normalization", "Rescaling", "Resizing"]

# A number, or numbers in nested tuples of equal lengths.
Numbers: TypeAlias = float | tuple[Any, ...]


def _numbers(value: Any) -> Any:
    """A validator of numbers: lists become tuples, and must be as long as their neighbours."""
    expected = "a number, or a list of numbers"

    def normalized(item: Any) -> Numbers:
        if isinstance(item, (int, float)) and not isinstance(item, bool):
            return float(item)
        if not isinstance(item, (list, tuple)) or not item:
            raise refuse(expected)
        items = tuple(normalized(inner) for inner in item)
        if len({_shape(inner) for inner in items}) > 1:
            raise refuse("nested lists of the same length")
        return items

    return normalized(value)


def _shape(numbers: Numbers) -> tuple[int, ...]:
    """The lengths of the nested tuples, outermost first; none for a plain number."""
    return (len(numbers), *_shape(numbers[0])) if isinstance(numbers, tuple) else ()


_Numbers = Annotated[
    Numbers,
    BeforeValidator(_numbers),
    WithJsonSchema(
        {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": ["number", "array"]}, "minItems": 1}]}
    ),
]


class Rescaling(LayerEntry):
    """Multiplies by a scale and adds an offset: inputs · scale + offset."""

    family = "preprocessing"
    masking = Masking.PASSES
    keeping = Keeping.PLACES
    examples = (
        Example({"scale": 0.00392156862745098}, (TensorType((BATCH, 224, 224, 3)),)),
        Example({"scale": [0.5, 0.25, 0.5], "offset": -1}, (TensorType((BATCH, 32, 32, 3)),)),
    )

    scale: _Numbers = argument("what values are multiplied by: a number, or one for each channel")
    offset: _Numbers = argument("what is added then: a number, or one for each channel", 0.0)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        require_dtype(given, Takes.NUMBERS, "Rescaling")
        for name, numbers in (("scale", self.scale), ("offset", self.offset)):
            _require_spread(name, _shape(numbers), given.shape)
        return TensorType(given.shape, self.compute_dtype)


def _require_spread(argument_name: str, numbers: tuple[int, ...], shape: Shape) -> None:
    """Refuses numbers that do not stand for whole axes of the input, counted from the last."""
    facing = shape[-len(numbers) :] if numbers else ()
    fits = len(facing) == len(numbers) and all(
        count == 1 or not isinstance(size, int) or count == size for count, size in zip(numbers, facing, strict=True)
    )
    if not fits:
        raise Misfit(
            f"{argument_name} holds {' × '.join(map(str, numbers))} numbers for an input of {shape_text(shape)}",
            found=" × ".join(map(str, numbers)),
            expected="one number, or as many as the last axis has",
            argument=argument_name,
        )


class Normalization(LayerEntry):
    """Shifts and scales values to mean 0 and variance 1: (inputs − mean) / √variance.

    Mean and variance are either arguments, or weights that `adapt` learns from data before training.
    """

    family = "preprocessing"
    masking = Masking.PASSES
    keeping = Keeping.PLACES
    examples = (
        Example({}, (TensorType((BATCH, 12)),)),
        Example({"mean": [0.5, 0.4, 0.4], "variance": [0.05, 0.05, 0.06]}, (TensorType((BATCH, 64, 64, 3)),)),
    )

    axis: Axes | None = argument("axes that keep a mean and variance for each position; null for one of all", -1)
    mean: _Numbers | None = argument("the means; null makes them a weight", None)
    variance: _Numbers | None = argument("the variances; null makes them a weight", None)
    invert: bool = argument("whether to undo a normalization instead: inputs · √variance + mean", False)

    @model_validator(mode="after")
    def _fits_together(self) -> Normalization:
        if (self.mean is None) != (self.variance is None):
            missing, given = ("mean", "variance") if self.mean is None else ("variance", "mean")
            raise conflict(given, f"{given} is given without {missing}", "both, or neither")
        if self.mean is None or self.variance is None:
            return self
        if _shape(self.mean) != _shape(self.variance):
            raise conflict(
                "variance",
                f"variance is {as_written(self.variance)} beside a mean of {as_written(self.mean)}",
                "as many numbers as mean holds",
            )
        if len(_shape(self.mean)) > len(self._axes()):
            raise conflict(
                "mean",
                f"mean is {as_written(self.mean)} with axis: {as_written(self.axis)}",
                "one list level for each axis",
            )
        return self

    def _axes(self) -> tuple[int, ...]:
        if self.axis is None:
            return ()
        return (self.axis,) if isinstance(self.axis, int) else self.axis

    def _kept(self, given: TensorType) -> tuple[int, ...]:
        """The sizes of the axes that are kept, in the input's order."""
        kept = sorted(axes_of(self._axes(), given.rank))
        return tuple(known_axis(given, axis, "every position of it has a mean") for axis in kept)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        require_dtype(given, Takes.NUMBERS, "Normalization")
        kept = self._kept(given)
        numbers = () if self.mean is None else _shape(self.mean)
        facing = kept[len(kept) - len(numbers) :]
        if any(count not in (1, size) for count, size in zip(numbers, facing, strict=True)):
            raise Misfit(
                f"mean holds {' × '.join(map(str, numbers))} numbers for {' × '.join(map(str, facing))} positions",
                found=as_written(self.mean),
                expected=f"{' × '.join(map(str, facing))} numbers",
                argument="mean",
            )
        return TensorType(given.shape, self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        kept = self._kept(inputs.first)
        if self.mean is not None:
            return ()
        return (
            Weight("mean", kept, trainable=False),
            Weight("variance", kept, trainable=False),
            Weight("count", (), trainable=False),
        )


class _ImageLayer(LayerEntry):
    """A layer that gives images of a stated size."""

    family = "preprocessing"
    masking = Masking.LOSES
    ports = (Port("data"),)
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, True, "makes no difference: it is done in training and out of it")
    }

    height: PositiveInt = argument("the output's height")
    width: PositiveInt = argument("the output's width")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        self.require_kernel(given)
        size = (self.height, self.width)
        # Keras takes a single image without a batch axis. A batch of images without channels is not one.
        if given.rank == 3 and given.shape[0] != BATCH:
            _, channels = split_image(TensorType((1, *given.shape), given.dtype), 2, self.data_format)
            return TensorType(join(1, size, channels, self.data_format)[1:], self.compute_dtype)
        _, channels = split_image(given, 2, self.data_format)
        return TensorType(join(given.shape[0], size, channels, self.data_format), self.compute_dtype)

    def require_kernel(self, given: TensorType) -> None:
        """Refuses an input of a dtype with which TensorFlow cannot compute this.

        Raises:
            Misfit: the dtype is one of those.
        """
        require_dtype(given, Takes.NUMBERS, type(self).name())


class CenterCrop(_ImageLayer):
    """Cuts the middle out of images, and first enlarges those that are too small."""

    legacy = Legacy(lacking=("data_format",))
    examples = (Example({"height": 224, "width": 224}, (TensorType((BATCH, 256, 256, 3)),)),)


class Resizing(_ImageLayer):
    """Resizes images (batch, height, width, channels) to one size."""

    legacy = Legacy(lacking=("pad_to_aspect_ratio", "fill_mode", "fill_value", "antialias", "data_format"))
    examples = (Example({"height": 224, "width": 224}, (TensorType((BATCH, None, None, 3)),)),)

    interpolation: Literal["bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5"] = argument(
        "how values between those of the input are found", "bilinear"
    )
    crop_to_aspect_ratio: bool = argument("whether to cut off what would be distorted", False)
    pad_to_aspect_ratio: bool = argument("whether to fill up what would be distorted", False)
    fill_mode: Literal["constant"] = argument("what it is filled up with; Keras knows one way", "constant")
    fill_value: float = argument("the value that fills", 0.0)
    antialias: bool = argument("whether to smooth when making smaller", False)

    @model_validator(mode="after")
    def _one_way_to_keep_the_ratio(self) -> Resizing:
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise conflict(
                "pad_to_aspect_ratio", "pad_to_aspect_ratio is true beside crop_to_aspect_ratio", "one of the two"
            )
        return self

    def require_kernel(self, given: TensorType) -> None:
        require_pixels(given, "Resizing")
