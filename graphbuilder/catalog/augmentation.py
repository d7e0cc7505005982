"""Layers that move the pixels of images by chance in training: flipped, turned, zoomed, sheared, cropped."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator

from graphbuilder.catalog.arguments import DataFormat, Fraction, PositiveInt, Seed, argument
from graphbuilder.catalog.augmenting import (
    SEED,
    Augmentation,
    Factor,
    NumberRange,
    Numbers,
    SignedFactor,
    strength,
    strength_schema,
)
from graphbuilder.catalog.entry import Example, Legacy
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.catalog.ports import Misfit
from graphbuilder.catalog.tensor import BATCH, TensorType, shape_text
from graphbuilder.catalog.windows import axis_text, join, split_image

__all__ = [
    "RandomCrop",
    "RandomElasticTransform",
    "RandomFlip",
    "RandomPerspective",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
]

_Interpolation: TypeAlias = Literal["nearest", "bilinear"]
_FillMode: TypeAlias = Literal["reflect", "wrap", "constant", "nearest"]
# Images cannot be made smaller than nothing.
_Zoom = Annotated[Numbers, BeforeValidator(strength(-1, 1, least_too=False)), strength_schema(-1, 1, least_too=False)]

_INTERPOLATION = "how values between those of the input are found"
_FILL_MODE = "what stands where the image ends: its mirror, its other end, one value, or its nearest pixel"
_FILL_VALUE = "the value that fills, with fill_mode: constant"
_DATA_FORMAT = "where the channels stand; null means channels_last"
_IMAGES = TensorType((BATCH, 64, 64, 3))


class RandomFlip(Augmentation):
    """Mirrors images left to right, upside down, or both, by chance in training."""

    keeping = Keeping.NUMBERS
    legacy = Legacy(lacking=("data_format",))
    examples = (Example({"mode": "horizontal"}, (_IMAGES,)),)

    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = argument(
        "along which axes", "horizontal_and_vertical"
    )
    seed: Seed | None = argument(SEED, None)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)


class RandomRotation(Augmentation):
    """Turns images by chance in training, by at most a share of a full turn."""

    legacy = Legacy(lacking=("data_format",))
    examples = (Example({"factor": 0.1}, (_IMAGES,)),)

    factor: SignedFactor = argument("the largest turn, as a share of a full one; or the least and the largest")
    fill_mode: _FillMode = argument(_FILL_MODE, "reflect")
    interpolation: _Interpolation = argument(_INTERPOLATION, "bilinear")
    seed: Seed | None = argument(SEED, None)
    fill_value: float = argument(_FILL_VALUE, 0.0)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)


class RandomTranslation(Augmentation):
    """Shifts images by chance in training, by at most a share of their height and width."""

    legacy = Legacy(lacking=("data_format",))
    examples = (Example({"height_factor": 0.1, "width_factor": [-0.2, 0.2]}, (_IMAGES,)),)

    height_factor: SignedFactor = argument("the largest shift downwards or upwards, as a share of the height")
    width_factor: SignedFactor = argument("the largest shift to the right or left, as a share of the width")
    fill_mode: _FillMode = argument(_FILL_MODE, "reflect")
    interpolation: _Interpolation = argument(_INTERPOLATION, "bilinear")
    seed: Seed | None = argument(SEED, None)
    fill_value: float = argument(_FILL_VALUE, 0.0)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)


class RandomZoom(Augmentation):
    """Zooms into images and out of them by chance in training; above 0 shows more around them, below 0 less of them."""

    legacy = Legacy(lacking=("data_format",))
    examples = (Example({"height_factor": [-0.2, 0.2]}, (_IMAGES,)),)

    height_factor: _Zoom = argument("the largest change of the height, as a share of it")
    width_factor: _Zoom | None = argument("the same of the width; null keeps the proportions", None)
    fill_mode: _FillMode = argument(_FILL_MODE, "reflect")
    interpolation: _Interpolation = argument(_INTERPOLATION, "bilinear")
    seed: Seed | None = argument(SEED, None)
    fill_value: float = argument(_FILL_VALUE, 0.0)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)


class RandomShear(Augmentation):
    """Slants images by chance in training."""

    legacy = Legacy(absent="shearing came with Keras 3")
    examples = (Example({"x_factor": 0.2, "y_factor": 0.2}, (_IMAGES,)),)

    x_factor: Factor = argument("the largest slant along the width, as a share of the height", 0.0)
    y_factor: Factor = argument("the largest slant along the height, as a share of the width", 0.0)
    interpolation: _Interpolation = argument(_INTERPOLATION, "bilinear")
    fill_mode: _FillMode = argument(_FILL_MODE, "reflect")
    fill_value: float = argument(_FILL_VALUE, 0.0)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)
    seed: Seed | None = argument(SEED, None)


class RandomPerspective(Augmentation):
    """Shows images as if seen from another place, by chance in training."""

    legacy = Legacy(absent="changes of perspective came with Keras 3")
    examples = (Example({"factor": 0.5, "scale": 0.3}, (_IMAGES,)),)

    factor: Factor = argument("how likely an image is changed", 1.0)
    scale: Fraction = argument("how far the corners move, as a share of the image", 1.0)
    interpolation: _Interpolation = argument(_INTERPOLATION, "bilinear")
    fill_value: float = argument("the value that fills what lies outside the image", 0.0)
    seed: Seed | None = argument(SEED, None)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)

    def images(self, given: TensorType) -> TensorType:
        """The type of the changed images.

        Raises:
            Misfit: they are lines, which have no perspective.
        """
        spatial, _ = split_image(given, 2, self.data_format)
        if 1 in spatial:
            raise Misfit(
                f"RandomPerspective cannot change images with {axis_text(spatial, spatial.index(1))}",
                found=shape_text(given.shape),
                expected="at least 2 pixels each way",
            )
        return super().images(given)


class RandomElasticTransform(Augmentation):
    """Warps images by chance in training, each place in a direction of its own."""

    legacy = Legacy(absent="elastic transforms came with Keras 3")
    examples = (Example({"factor": 0.5}, (_IMAGES,)),)

    factor: Factor = argument("how likely an image is changed", 1.0)
    scale: Factor = argument("how far pixels move", 1.0)
    interpolation: _Interpolation = argument(_INTERPOLATION, "bilinear")
    fill_mode: _FillMode = argument(_FILL_MODE, "reflect")
    fill_value: float = argument(_FILL_VALUE, 0.0)
    value_range: NumberRange = argument("the darkest and the brightest value of a pixel", (0.0, 255.0))
    seed: Seed | None = argument(SEED, None)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)


class RandomCrop(Augmentation):
    """Cuts a piece of one size out of images, at a place of chance.

    Keras 3 does so in training only, and hands whole images on at inference: behind it stands a CenterCrop of the same
    size, or only what takes images of any size.
    """

    keeping = Keeping.NUMBERS
    legacy = Legacy(
        lacking=("data_format",), differs="it cuts a piece out of the middle at inference, where Keras 3 cuts nothing"
    )
    examples = (Example({"height": 48, "width": 48, "seed": 1}, (_IMAGES,)),)

    height: PositiveInt = argument("the piece's height")
    width: PositiveInt = argument("the piece's width")
    seed: Seed | None = argument(SEED, None)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)

    def images(self, given: TensorType) -> TensorType:
        """The type of the pieces."""
        _, channels = split_image(given, 2, self.data_format)
        size = (self.height, self.width)
        return TensorType(join(given.shape[0], size, channels, self.data_format), self.compute_dtype)
