"""Regularization: layers that disturb or punish activations in training and pass them on at inference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from graphbuilder.catalog.arguments import DataFormat, Fraction, PartialShape, Seed, argument, as_written
from graphbuilder.catalog.checks import Takes
from graphbuilder.catalog.elementwise import ElementwiseLayer
from graphbuilder.catalog.entry import Example, Outputs
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit, wrong_rank
from graphbuilder.catalog.tensor import BATCH, TensorType, shape_text
from graphbuilder.catalog.windows import AXIS_NAMES

__all__ = [
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]

_BelowOne = Annotated[float, Field(ge=0, lt=1)]
_Penalty = Annotated[float, Field(ge=0, allow_inf_nan=False)]

_SEED = "start of the random numbers, to draw the same ones again; null draws others each time"


class _Noise(ElementwiseLayer):
    """What layers that draw random numbers in training share."""

    family = "regularization"
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, False, "whether to disturb the input")
    }

    def computes(self, inputs: Inputs) -> Takes:
        return self.takes if self._works(inputs) else Takes.ANYTHING

    def _works(self, inputs: Inputs) -> bool:
        """Whether anything is ever done to the input; a call may say that it is never in training."""
        return self._disturbs() and inputs.call.get("training") is not False

    def _disturbs(self) -> bool:
        """Whether anything is done in training."""
        raise NotImplementedError


class _Dropping(_Noise):
    """What layers that drop a share of their input share."""

    rate: Fraction = argument("the share of values to drop, from 0 to 1")
    seed: Seed | None = argument(_SEED, None)

    def _disturbs(self) -> bool:
        return 0 < self.rate < 1


def _check_noise_shape(given: TensorType, noise_shape: tuple[int | None, ...]) -> None:
    """Refuses a mask of dropped values that cannot be spread over the input."""
    fits = len(noise_shape) <= given.rank
    if fits:
        # A null takes the size of the axis of that number; then the shapes are aligned at their ends.
        drawn = [given.shape[index] if size is None else size for index, size in enumerate(noise_shape)]
        for size, met in zip(reversed(drawn), reversed(given.shape), strict=False):
            fits = fits and (size in (1, met) or not (isinstance(size, int) and isinstance(met, int)))
    if not fits:
        raise Misfit(
            f"noise_shape is {as_written(noise_shape)} for an input of {shape_text(given.shape)}",
            found=as_written(noise_shape),
            expected="1, the input's size or null for each axis",
            hint="1 drops whole axes together; null lets each position be dropped for itself",
            code="GB203",
            argument="noise_shape",
        )


class Dropout(_Dropping):
    """Sets a share of the values to 0 in training, and scales up the others."""

    examples = (
        Example({"rate": 0.5}, (TensorType((BATCH, 128)),)),
        Example({"rate": 0.2, "noise_shape": [None, 1, None]}, (TensorType((BATCH, 100, 64)),)),
    )

    noise_shape: PartialShape | None = argument("the shape in which values are dropped together; null means each", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        if self.noise_shape is not None and self._works(inputs):
            _check_noise_shape(inputs.first, self.noise_shape)
        return super().outputs(inputs)


class _SpatialDropout(_Dropping):
    """What dropping whole feature maps of every rank shares."""

    takes_trainable = False
    rank: ClassVar[int]

    def outputs(self, inputs: Inputs) -> Outputs:
        if inputs.first.rank != self.rank + 2:
            raise wrong_rank(inputs.first, f"(batch, {', '.join(AXIS_NAMES[self.rank])}, channels)", "use Dropout")
        return super().outputs(inputs)


class SpatialDropout1D(_SpatialDropout):
    """Sets whole features of a sequence (batch, steps, channels) to 0 in training."""

    rank = 1
    examples = (Example({"rate": 0.2}, (TensorType((BATCH, 100, 64)),)),)


class SpatialDropout2D(_SpatialDropout):
    """Sets whole feature maps of an image (batch, height, width, channels) to 0 in training."""

    rank = 2
    examples = (Example({"rate": 0.2}, (TensorType((BATCH, 32, 32, 64)),)),)

    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)


class SpatialDropout3D(_SpatialDropout):
    """Sets whole feature maps of a volume (batch, depth, height, width, channels) to 0 in training."""

    rank = 3
    examples = (Example({"rate": 0.2}, (TensorType((BATCH, 8, 32, 32, 16)),)),)

    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)


class GaussianDropout(_Noise):
    """Multiplies by Gaussian noise around 1 in training."""

    takes = Takes.FLOATS_OR_BOOL
    examples = (Example({"rate": 0.3}, (TensorType((BATCH, 128)),)),)

    # Keras divides by 1 − rate.
    rate: _BelowOne = argument("as of Dropout: the noise's standard deviation is √(rate / (1 − rate))")
    seed: Seed | None = argument(_SEED, None)

    def _disturbs(self) -> bool:
        return self.rate > 0


class GaussianNoise(_Noise):
    """Adds Gaussian noise around 0 in training."""

    examples = (Example({"stddev": 0.1}, (TensorType((BATCH, 64, 64, 3)),)),)

    stddev: Fraction = argument("the noise's standard deviation, from 0 to 1")
    seed: Seed | None = argument(_SEED, None)

    def _disturbs(self) -> bool:
        return self.stddev > 0


class AlphaDropout(_Noise):
    """Drops values to the negative end of SELU in training, so that mean and variance stay."""

    takes = Takes.FLOATS_OR_COMPLEX
    examples = (Example({"rate": 0.1}, (TensorType((BATCH, 128)),)),)

    # Keras divides by √(1 − rate).
    rate: _BelowOne = argument("the share of values to drop, below 1")
    noise_shape: PartialShape | None = argument("the shape in which values are dropped together; null means each", None)
    seed: Seed | None = argument(_SEED, None)

    def outputs(self, inputs: Inputs) -> Outputs:
        if self.noise_shape is not None and self._works(inputs):
            _check_noise_shape(inputs.first, self.noise_shape)
        return super().outputs(inputs)

    def _disturbs(self) -> bool:
        return self.rate > 0


class ActivityRegularization(ElementwiseLayer):
    """Adds a penalty on its input to the loss, and passes it on."""

    family = "regularization"
    examples = (Example({"l2": 0.01}, (TensorType((BATCH, 128)),)),)

    l1: _Penalty | None = argument("weight of the sum of absolute values", 0.0)
    l2: _Penalty | None = argument("weight of the sum of squares", 0.0)

    def computes(self, inputs: Inputs) -> Takes:
        return Takes.FLOATS_OR_WIDE_INTEGERS if self.l1 or self.l2 else Takes.NUMBERS
