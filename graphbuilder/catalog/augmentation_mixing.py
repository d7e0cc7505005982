"""Layers that mix images of a batch with one another, and those that pick among many changes, in training."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from graphbuilder.catalog.arguments import DataFormat, NonNegative, NonNegativeInt, Seed, argument, conflict
from graphbuilder.catalog.augmenting import SEED, Augmentation, Factor, NumberRange
from graphbuilder.catalog.entry import Example, Legacy
from graphbuilder.catalog.tensor import BATCH, TensorType

__all__ = ["AugMix", "CutMix", "MixUp", "RandAugment", "RandomErasing"]

_RANGE = "the darkest and the brightest value of a pixel"
_PIXELS = (0.0, 255.0)
_DATA_FORMAT = "where the channels stand; null means channels_last"
_IMAGES = TensorType((BATCH, 64, 64, 3))


class MixUp(Augmentation):
    """Blends images with others of the batch, in training. The labels of a batch it does not reach; they stay.

    Source: Zhang and others, 2018, https://arxiv.org/abs/1710.09412
    """

    legacy = Legacy(absent="mixing images came with Keras 3")
    examples = (Example({"alpha": 0.4}, (_IMAGES,)),)

    alpha: NonNegative = argument("how evenly: shares are drawn from a beta distribution of this parameter", 0.2)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)
    seed: Seed | None = argument(SEED, None)


class CutMix(Augmentation):
    """Pastes pieces of other images of the batch into images, in training. The labels of a batch it does not reach.

    Source: Yun and others, 2019, https://arxiv.org/abs/1905.04899
    """

    legacy = Legacy(absent="mixing images came with Keras 3")
    examples = (Example({"factor": 0.5}, (_IMAGES,)),)

    factor: Factor = argument("how large the pieces are: the beta distribution's parameter, or two", 1.0)
    seed: Seed | None = argument(SEED, None)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)

    @model_validator(mode="after")
    def _dtype_can_mix(self) -> CutMix:
        if self.compute_dtype == "bfloat16":
            raise conflict("dtype", f"dtype is {self.dtype}, in which Keras cannot compute CutMix", "another dtype")
        return self


class RandomErasing(Augmentation):
    """Fills a rectangle of some images with noise, or with one value, in training."""

    legacy = Legacy(absent="erasing came with Keras 3")
    examples = (Example({"factor": 0.5}, (_IMAGES,)),)

    factor: Factor = argument("how likely an image is changed", 1.0)
    scale: Factor = argument("the rectangle's share of the image, or the least and the largest", (0.02, 0.33))
    fill_value: float | None = argument("the value that fills; null means noise", None)
    value_range: NumberRange = argument(_RANGE, _PIXELS)
    seed: Seed | None = argument(SEED, None)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)


class RandAugment(Augmentation):
    """Applies some changes of geometry and colour to each image in training, picked by chance.

    Source: Cubuk and others, 2019, https://arxiv.org/abs/1909.13719
    """

    coloured = (3,)
    legacy = Legacy(absent="policies of augmentation came with Keras 3")
    examples = (Example({"num_ops": 2, "factor": 0.4}, (_IMAGES,)),)

    value_range: NumberRange = argument(_RANGE, _PIXELS)
    num_ops: NonNegativeInt = argument("how many changes follow one another", 2)
    factor: Factor = argument("how strong they are, or the least and the largest", 0.5)
    interpolation: Literal["nearest", "bilinear"] = argument(
        "how values between those of the input are found", "bilinear"
    )
    seed: Seed | None = argument(SEED, None)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)


class AugMix(Augmentation):
    """Blends each image with versions of it that chains of changes have made, in training.

    Source: Hendrycks and others, 2020, https://arxiv.org/abs/1912.02781
    """

    coloured = (3,)
    legacy = Legacy(absent="policies of augmentation came with Keras 3")
    examples = (Example({"num_chains": 2, "chain_depth": 2}, (_IMAGES,)),)

    value_range: NumberRange = argument(_RANGE, _PIXELS)
    num_chains: NonNegativeInt = argument("how many chains are blended", 3)
    chain_depth: NonNegativeInt = argument("how many changes a chain has", 3)
    factor: Factor = argument("how strong they are, or the least and the largest", 0.3)
    alpha: NonNegative = argument("how evenly the chains are blended", 1.0)
    all_ops: bool = argument("whether brightness, colour, contrast and sharpness are changed too", True)
    interpolation: Literal["nearest", "bilinear"] = argument(
        "how values between those of the input are found", "bilinear"
    )
    seed: Seed | None = argument(SEED, None)
    data_format: DataFormat | None = argument(_DATA_FORMAT, None)
