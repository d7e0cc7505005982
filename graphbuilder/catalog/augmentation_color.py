"""Layers that change the colours of images by chance in training, and some that always do."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from graphbuilder.catalog.arguments import DataFormat, Fraction, Seed, argument, conflict, refuse
from graphbuilder.catalog.augmenting import (
    SEED,
    Augmentation,
    Factor,
    NumberRange,
    SignedFactor,
)
from graphbuilder.catalog.checks import Takes
from graphbuilder.catalog.entry import Example, Legacy
from graphbuilder.catalog.ports import Misfit
from graphbuilder.catalog.tensor import BATCH, TensorType, shape_text
from graphbuilder.catalog.windows import axis_text, split_image

__all__ = [
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPosterization",
    "RandomSaturation",
    "RandomSharpness",
    "Solarization",
]


def _bits(value: Any) -> Any:
    several = isinstance(value, (list, tuple))
    items = value if several else (value,)
    fits = all(isinstance(item, int) and not isinstance(item, bool) and 1 <= item <= 8 for item in items)
    if not fits or len(items) != (2 if several else 1):
        raise refuse("an integer from 1 to 8, or a list of two")
    return tuple(sorted(items)) if several else value


_BIT_COUNT = {"type": "integer", "minimum": 1, "maximum": 8}
_Bits = Annotated[
    int | tuple[int, int],
    BeforeValidator(_bits),
    WithJsonSchema({"anyOf": [_BIT_COUNT, {"type": "array", "items": _BIT_COUNT, "minItems": 2, "maxItems": 2}]}),
]

_RANGE = "the darkest and the brightest value of a pixel"
_PIXELS = (0.0, 255.0)
_DATA_FORMAT = "where the channels stand; null means channels_last"
_IMAGES = TensorType((BATCH, 64, 64, 3))


class RandomBrightness(Augmentation):
    """Makes images brighter or darker by chance in training."""

    takes = Takes.FLOATS_OR_INTEGERS
    examples = (Example({"factor": 0.2}, (_IMAGES,)),)

    factor: SignedFactor = argument("the largest change, as a share of value_range; or the least and the largest")
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    seed: Seed | None = argument(SEED, None)

    def images(self, given: TensorType) -> TensorType:
        """The type of the changed images: integers stay integers."""
        return TensorType(given.shape, self.cast(given.dtype))


class RandomContrast(Augmentation):
    """Strengthens or weakens the contrast of images by chance in training."""

    takes = Takes.FLOATS
    legacy = Legacy(lacking=("value_range",))
    examples = (Example({"factor": 0.2}, (_IMAGES,)),)

    factor: Factor = argument("the largest change of the contrast")
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    seed: Seed | None = argument(SEED, None)


class RandomSaturation(Augmentation):
    """Makes colours stronger or paler by chance in training; 0 makes images gray, 0.5 changes nothing."""

    coloured = (3,)
    takes = Takes.FLOATS
    legacy = Legacy(absent="changes of saturation came with Keras 3")
    examples = (Example({"factor": [0.4, 0.6]}, (_IMAGES,)),)

    factor: SignedFactor = argument("the strength, or the least and the largest; one below 0 counts as above")
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)
    seed: Seed | None = argument(SEED, None)


class RandomHue(Augmentation):
    """Turns the hues of images by chance in training."""

    coloured = (3,)
    legacy = Legacy(absent="changes of hue came with Keras 3")
    examples = (Example({"factor": 0.1}, (_IMAGES,)),)

    factor: Factor = argument("the largest turn, as a share of half the circle of colours")
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)
    seed: Seed | None = argument(SEED, None)


class RandomColorJitter(Augmentation):
    """Changes brightness, contrast, saturation and hue of images by chance in training."""

    legacy = Legacy(absent="changes of saturation and hue came with Keras 3")
    examples = (Example({"brightness_factor": 0.2, "hue_factor": 0.1}, (_IMAGES,)),)

    value_range: NumberRange = argument(_RANGE, _PIXELS)
    brightness_factor: SignedFactor | None = argument("as RandomBrightness takes it; null leaves it", None)
    contrast_factor: Factor | None = argument("as RandomContrast takes it; null leaves it", None)
    saturation_factor: SignedFactor | None = argument("as RandomSaturation takes it; null leaves it", None)
    hue_factor: Factor | None = argument("as RandomHue takes it; null leaves it", None)
    seed: Seed | None = argument(SEED, None)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)

    @model_validator(mode="after")
    def _channels_are_last(self) -> RandomColorJitter:
        if self.data_format == "channels_first":
            raise conflict(
                "data_format",
                "data_format is channels_first, which Keras overlooks in RandomColorJitter: it changes the wrong axis",
                "channels_last",
                "use RandomBrightness, RandomContrast, RandomSaturation and RandomHue one after another",
            )
        return self

    def channels(self) -> tuple[int, ...]:
        return () if self.saturation_factor is None and self.hue_factor is None else (3,)


class RandomColorDegeneration(Augmentation):
    """Blends images with their gray versions by chance in training."""

    coloured = (3,)
    legacy = Legacy(absent="blending with gray came with Keras 3")
    examples = (Example({"factor": 0.5}, (_IMAGES,)),)

    factor: SignedFactor = argument("the largest share of gray")
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)
    seed: Seed | None = argument(SEED, None)


class RandomGrayscale(Augmentation):
    """Makes some images gray in training; the channels stay three."""

    coloured = (1, 3)
    legacy = Legacy(absent="making images gray came with Keras 3")
    examples = (Example({"factor": 0.3}, (_IMAGES,)),)

    factor: Fraction = argument("how likely an image is made gray", 0.5)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)
    seed: Seed | None = argument(SEED, None)

    def images(self, given: TensorType) -> TensorType:
        """The type of the changed images: integers stay integers."""
        return TensorType(given.shape, self.cast(given.dtype))


class RandomInvert(Augmentation):
    """Turns some images into their negatives in training."""

    legacy = Legacy(absent="negatives came with Keras 3")
    examples = (Example({"factor": 0.5}, (_IMAGES,)),)

    factor: Factor = argument("how likely an image is inverted", 1.0)
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    seed: Seed | None = argument(SEED, None)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)


class RandomPosterization(Augmentation):
    """Leaves pixels only some of their bits, in training."""

    legacy = Legacy(absent="posterizing came with Keras 3")
    examples = (Example({"factor": 4}, (_IMAGES,)),)

    factor: _Bits = argument("how many bits remain, from 1 to 8; or the fewest and the most")
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)
    seed: Seed | None = argument(SEED, None)


class RandomSharpness(Augmentation):
    """Sharpens or softens images by chance in training."""

    legacy = Legacy(absent="sharpening came with Keras 3")
    examples = (Example({"factor": 0.5}, (_IMAGES,)),)

    factor: Factor = argument("the strength, or the least and the largest; 0.5 changes nothing")
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)
    seed: Seed | None = argument(SEED, None)


def _odd(value: Any) -> Any:
    several = isinstance(value, (list, tuple))
    items = value if several else (value,)
    fits = all(isinstance(item, int) and not isinstance(item, bool) and item > 0 and item % 2 for item in items)
    if not fits or len(items) != (2 if several else 1):
        raise refuse("an odd integer, or a list of two")
    return tuple(items) if several else value


_Odd = Annotated[
    int | tuple[int, int],
    BeforeValidator(_odd),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "not": {"multipleOf": 2}},
                {"type": "array", "items": {"type": "integer", "minimum": 1, "not": {"multipleOf": 2}}}
                | {"minItems": 2, "maxItems": 2},
            ]
        }
    ),
]


class RandomGaussianBlur(Augmentation):
    """Blurs some images in training."""

    legacy = Legacy(absent="blurring came with Keras 3")
    examples = (Example({"factor": 0.5, "kernel_size": 5}, (_IMAGES,)),)

    factor: Factor = argument("how likely an image is blurred", 1.0)
    kernel_size: _Odd = argument("width and height of the window, odd", 3)
    sigma: Factor = argument("the spread of the blur, or the least and the largest", 1.0)
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)
    seed: Seed | None = argument(SEED, None)


class AutoContrast(Augmentation):
    """Spreads the values of each channel over the whole range, in training."""

    legacy = Legacy(absent="automatic contrast came with Keras 3")
    examples = (Example({}, (_IMAGES,)),)

    value_range: NumberRange = argument(_RANGE, _PIXELS)


def _tiles(value: Any) -> Any:
    fits = isinstance(value, (list, tuple)) and len(value) == 2
    if not fits or any(not isinstance(item, int) or isinstance(item, bool) or item < 1 for item in value):
        raise refuse("a list of two positive integers")
    return tuple(value)


_Tiles = Annotated[
    tuple[int, int],
    BeforeValidator(_tiles),
    WithJsonSchema({"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2}),
]


class ContrastLimitedAdaptiveHistogramEqualization(Augmentation):
    """Equalizes each tile of an image for itself, with a limit to the contrast, in training."""

    legacy = Legacy(absent="equalization came with Keras 3")
    examples = (Example({"tile_grid_size": [4, 4]}, (_IMAGES,)),)

    value_range: NumberRange = argument(_RANGE, _PIXELS)
    clip_limit: float = argument("how much more frequent than the average a value may be", 4.0)
    tile_grid_size: _Tiles = argument("how many tiles stand below and beside one another", (8, 8))
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)

    def images(self, given: TensorType) -> TensorType:
        """The type of the equalized images.

        Raises:
            Misfit: they are too small for so many tiles.
        """
        spatial, _ = split_image(given, 2, self.data_format)
        for index, (size, tiles) in enumerate(zip(spatial, self.tile_grid_size, strict=True)):
            # Keras mirrors the image at its end until the tiles are of one size.
            if isinstance(size, int) and -size % tiles > size:
                raise Misfit(
                    f"{tiles} tiles do not fit into {axis_text(spatial, index)}",
                    found=shape_text(given.shape),
                    expected=f"at most {size} tiles there",
                    argument="tile_grid_size",
                )
        return super().images(given)


class Solarization(Augmentation):
    """Adds to the pixels, and inverts those above a threshold, by chance in training."""

    legacy = Legacy(absent="solarizing came with Keras 3")
    examples = (Example({"addition_factor": 0.1, "threshold_factor": 0.5}, (_IMAGES,)),)

    addition_factor: Factor = argument("the most that is added, as a share of value_range", 0.0)
    threshold_factor: Factor = argument("the highest threshold, as a share of value_range", 0.0)
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    seed: Seed | None = argument(SEED, None)
