"""Normalization: layers that shift and scale their input to a common mean and spread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, WithJsonSchema, field_validator, model_validator

from graphbuilder.catalog.arguments import (
    ONES,
    ZEROS,
    Axes,
    Axis,
    Constraint,
    Initializer,
    Regularizer,
    argument,
    conflict,
    refuse,
)
from graphbuilder.catalog.broadcasting import axes_of
from graphbuilder.catalog.checks import Takes, known_axis
from graphbuilder.catalog.elementwise import ElementwiseLayer
from graphbuilder.catalog.entry import Example, Legacy, Masking, Outputs, Weight
from graphbuilder.catalog.meaning import Reading
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit, Port
from graphbuilder.catalog.tensor import BATCH, Dim, TensorType, shape_text

__all__ = [
    "BatchNormalization",
    "GroupNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
]


class _Normalization(ElementwiseLayer):
    """What normalization with a learned scale and shift shares."""

    family = "normalization"
    reading = Reading.QUANTITIES
    takes = Takes.NUMBERS

    # Declared by the subclasses, some of which take only one.
    axis: Axes
    epsilon: float = argument("added to the variance, against division by zero", 1e-3)
    center: bool = argument("whether a learned beta is added", True)
    scale: bool = argument("whether the result is multiplied by a learned gamma", True)
    beta_initializer: Initializer = argument("how beta starts", ZEROS)
    gamma_initializer: Initializer = argument("how gamma starts", ONES)
    beta_regularizer: Regularizer = argument("penalty on beta", None)
    gamma_regularizer: Regularizer = argument("penalty on gamma", None)
    beta_constraint: Constraint = argument("constraint on beta", None)
    gamma_constraint: Constraint = argument("constraint on gamma", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        axes_of(self.axis, inputs.first.rank)
        return super().outputs(inputs)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = _sizes(inputs.first, self.axis)
        gamma = (Weight("gamma", shape),) if self.scale else ()
        beta = (Weight("beta", shape),) if self.center else ()
        return gamma + beta


def _sizes(given: TensorType, axes: int | tuple[int, ...]) -> tuple[int, ...]:
    """The shape of weights that vary along some axes.

    Keras sorts the axes as they are written, so that -1 comes before 1.
    """
    axes_of(axes, given.rank)
    ordered = (axes,) if isinstance(axes, int) else sorted(axes)
    return tuple(known_axis(given, axis, "the weights' size depends on it") for axis in ordered)


_CLIPPING = ("rmax", "rmin", "dmax")


class BatchNormalization(_Normalization):
    """Normalizes each feature by its mean and variance over the batch; at inference, by their moving averages."""

    ports = (
        Port("inputs"),
        Port("mask", optional=True, about="which steps count for the mean and variance, in training"),
    )
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, None, "whether to use the batch's own mean and variance")
    }
    examples = (Example({}, (TensorType((BATCH, 32, 32, 64)),)),)

    axis: Axis = argument("the axis whose features are normalized each for itself", -1)
    momentum: float = argument("how much of the moving averages each batch leaves", 0.99)
    moving_mean_initializer: Initializer = argument("how the moving mean starts", ZEROS)
    moving_variance_initializer: Initializer = argument("how the moving variance starts", ONES)
    renorm: bool = argument(
        "whether to correct the batch's statistics towards the moving ones (batch renormalization)", False
    )
    renorm_clipping: dict[str, float | None] | None = argument(
        "bounds of that correction: rmax, rmin and dmax; null means none", None
    )
    renorm_momentum: float = argument("how much of the statistics for that correction each batch leaves", 0.99)
    synchronized: bool = argument("whether devices share their batch statistics", False)

    @model_validator(mode="after")
    def _clipping_is_possible(self) -> BatchNormalization:
        if not self.renorm or not self.renorm_clipping:
            return self
        bounds = self.renorm_clipping
        for key in bounds:
            if key not in _CLIPPING:
                raise conflict(
                    ("renorm_clipping", key), f"renorm_clipping has no {key}", "rmax, rmin or dmax", on_key=True
                )
        rmax, rmin, dmax = (bounds.get(key) for key in _CLIPPING)
        if rmax is not None and rmin is not None and rmax < rmin:
            raise conflict(
                ("renorm_clipping", "rmax"), f"rmax is {rmax:g} and rmin is {rmin:g}", "rmax of at least rmin"
            )
        if dmax is not None and dmax < 0:
            raise conflict(("renorm_clipping", "dmax"), f"dmax is {dmax:g}", "at least 0")
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        mask = inputs.get("mask")
        if mask is not None:
            fits = mask.rank == given.rank - 1 and all(map(_broadcasts, mask.shape, given.shape))
            if not fits:
                raise Misfit(
                    f"the mask is {shape_text(mask.shape)} for an input of {shape_text(given.shape)}",
                    found=shape_text(mask.shape),
                    expected="the input's axes but the last",
                )
        return super().outputs(inputs)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = _sizes(inputs.first, self.axis)
        moving = ["moving_mean", "moving_variance"]
        if self.renorm:
            moving += ["moving_stddev", "renorm_mean", "renorm_stddev"]
        return (*super().weights(inputs), *(Weight(name, shape, trainable=False) for name in moving))


def _broadcasts(had: Dim, wanted: Dim) -> bool:
    """Whether an axis of a mask can be spread over an axis of an input."""
    return had in (1, wanted) or not (isinstance(had, int) and isinstance(wanted, int))


class LayerNormalization(_Normalization):
    """Normalizes each sample for itself, over its features."""

    examples = (
        Example({}, (TensorType((BATCH, "steps", 64)),)),
        Example({"axis": [1, 2], "epsilon": 1e-6}, (TensorType((BATCH, 8, 64)),)),
    )

    axis: Axes = argument("the axis or axes over which to normalize", -1)

    @field_validator("axis")
    @classmethod
    def _sorted_axes(cls, axis: int | tuple[int, ...]) -> int | tuple[int, ...]:
        """Keras 3 sorts the axes and tf_keras does not, so both are given them sorted."""
        return axis if isinstance(axis, int) else tuple(sorted(axis))


def _groups(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool) or (value < 1 and value != -1):
        raise refuse("a positive integer, or -1 for a group of each channel")
    return value


class GroupNormalization(_Normalization):
    """Normalizes each sample for itself, over groups of its channels."""

    examples = (Example({"groups": 8}, (TensorType((BATCH, 32, 32, 64)),)),)

    groups: Annotated[
        int,
        BeforeValidator(_groups),
        WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"const": -1}]}),
    ] = argument("how many groups the channels form; -1 makes each channel one", 32)
    axis: Axis = argument("the axis of the channels", -1)

    def outputs(self, inputs: Inputs) -> Outputs:
        found = super().outputs(inputs)
        given = inputs.first
        if axes_of(self.axis, given.rank) == (0,):
            raise Misfit(
                "axis is that of the batch", found=str(self.axis), expected="the axis of the channels", argument="axis"
            )
        channels = known_axis(given, self.axis, "it must split into groups")
        if self.groups > channels or channels % self.groups:
            fitting = [size for size in range(1, min(channels, self.groups) + 1) if channels % size == 0]
            raise Misfit(
                f"groups is {self.groups}, and the input {shape_text(given.shape)} has {channels} channels",
                found=str(self.groups),
                expected=f"a divisor of {channels}",
                hint=f"write groups: {fitting[-1]}",
                argument="groups",
            )
        return found


class UnitNormalization(ElementwiseLayer):
    """Scales the vectors along one axis, or several, to length 1."""

    family = "normalization"
    reading = Reading.QUANTITIES
    examples = (Example({}, (TensorType((BATCH, 64)),)),)

    axis: Axes = argument("the axis or axes of a vector", -1)

    def outputs(self, inputs: Inputs) -> Outputs:
        axes_of(self.axis, inputs.first.rank)
        return super().outputs(inputs)


class RMSNormalization(ElementwiseLayer):
    """Divides by the root mean square over the features and multiplies by a learned scale.

    Source: Zhang and Sennrich, 2019, https://arxiv.org/abs/1910.07467
    """

    family = "normalization"
    masking = Masking.LOSES
    reading = Reading.QUANTITIES
    takes = Takes.NUMBERS
    ports = (Port("x"),)
    legacy = Legacy(absent="root mean square normalization came with Keras 3")
    examples = (Example({}, (TensorType((BATCH, "steps", 64)),)),)

    axis: Axes = argument("the axis or axes over which to normalize", -1)
    epsilon: float = argument("added to the mean square, against division by zero", 1e-6)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        scale = _sizes(given, self.axis)
        # Keras multiplies by the scale as it is, so it meets the input's last axes, whichever axes it was made for.
        for size, met in zip(reversed(scale), reversed(given.shape), strict=False):
            if size != 1 and isinstance(met, int) and met != size:
                raise Misfit(
                    f"the scale of axis {self.axis if isinstance(self.axis, int) else list(self.axis)} has the shape "
                    f"{shape_text(scale)}, which Keras applies to the last axes of the input {shape_text(given.shape)}",
                    expected="the last axis, or the last axes in order",
                    hint="put a Permute layer before and after, or use LayerNormalization",
                    code="GB203",
                    argument="axis",
                )
        return super().outputs(inputs)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (Weight("scale", _sizes(inputs.first, self.axis)),)
