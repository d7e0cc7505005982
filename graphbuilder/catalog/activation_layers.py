"""Activations that are layers: with options of their own, or with weights."""

from __future__ import annotations

from pydantic import model_validator

from graphbuilder.catalog.activations import relu_takes
from graphbuilder.catalog.arguments import Axes, Constraint, Initializer, NonNegative, Regularizer, argument, conflict
from graphbuilder.catalog.broadcasting import axes_of
from graphbuilder.catalog.checks import Takes, known_axis
from graphbuilder.catalog.elementwise import ElementwiseLayer
from graphbuilder.catalog.entry import Example, Legacy, Outputs, Weight
from graphbuilder.catalog.objects import ObjectSpec
from graphbuilder.catalog.ports import Inputs, Misfit, Port
from graphbuilder.catalog.tensor import BATCH, TensorType, shape_text

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class _ActivationLayer(ElementwiseLayer):
    """What activation layers share."""

    family = "activation"


class ReLU(_ActivationLayer):
    """The positive part: x where x is above a threshold, 0 or a slope below, optionally cut off above."""

    examples = (Example({"max_value": 6.0}, (TensorType((BATCH, 32, 32, 64)),)),)

    max_value: NonNegative | None = argument("the largest output; null means unlimited", None)
    negative_slope: NonNegative = argument("slope below the threshold", 0.0)
    threshold: NonNegative = argument("where the positive part begins", 0.0)

    def computes(self, inputs: Inputs) -> Takes:
        return relu_takes(self.max_value, self.negative_slope, self.threshold)


class LeakyReLU(_ActivationLayer):
    """x where it is positive, and a fixed small slope below."""

    takes = Takes.FLOATS_OR_INTEGERS
    legacy = Legacy(renamed={"negative_slope": "alpha"})
    examples = (Example({"negative_slope": 0.2}, (TensorType((BATCH, 128)),)),)

    negative_slope: NonNegative = argument("slope below 0", 0.3)


class PReLU(_ActivationLayer):
    """x where it is positive, and a learned slope below."""

    legacy = Legacy(defaults={"alpha_initializer": "zeros"})
    examples = (
        Example({}, (TensorType((BATCH, 128)),)),
        Example({"shared_axes": [1, 2]}, (TensorType((BATCH, "height", "width", 64)),)),
    )

    alpha_initializer: Initializer = argument("how the slopes start", ObjectSpec("initializer", "Zeros"))
    alpha_regularizer: Regularizer = argument("penalty on the slopes", None)
    alpha_constraint: Constraint = argument("constraint on the slopes", None)
    shared_axes: Axes | None = argument("axes along which one slope is shared, counted from 1 behind the batch", None)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        given = inputs.first
        count = given.rank - 1
        shared = (self.shared_axes,) if isinstance(self.shared_axes, int) else self.shared_axes or ()
        places = set()
        for axis in shared:
            # Keras takes the axis behind the batch, and counts backwards from there: 0 is the last axis.
            if not -count <= axis - 1 < count:
                raise Misfit(
                    f"shared_axes has {axis}, which is no axis of the input {shape_text(given.shape)}",
                    found=str(axis),
                    expected=f"axes from 1 to {count}" if count else "no shared axes",
                    code="GB203",
                    argument="shared_axes",
                )
            places.add((axis - 1) % count)
        why = "each position has a slope of its own unless shared_axes has the axis"
        shape = [1 if place in places else known_axis(given, place + 1, why) for place in range(count)]
        return (Weight("alpha", tuple(shape)),)


class ELU(_ActivationLayer):
    """x where it is positive, and alpha · (exp(x) − 1) below."""

    examples = (Example({"alpha": 0.5}, (TensorType((BATCH, 128)),)),)

    alpha: float = argument("minus the limit far below 0", 1.0)


class Softmax(_ActivationLayer):
    """Makes values along an axis, or several, positive with the sum 1."""

    ports = (Port("inputs"), Port("mask", optional=True, about="which positions take part; the others become 0"))
    examples = (
        Example({}, (TensorType((BATCH, 10)),)),
        Example({"axis": -1}, (TensorType((BATCH, 8, 8)), TensorType((BATCH, 1, 8), "bool"))),
    )

    axis: Axes | None = argument("the axis or axes whose values sum to 1; null means all, the batch too", -1)

    def computes(self, inputs: Inputs) -> Takes:
        # What a mask leaves out is set far below 0, which makes floats of integers.
        return Takes.FLOATS if inputs.get("mask") is None else Takes.REAL

    @model_validator(mode="after")
    def _has_an_axis(self) -> Softmax:
        if self.axis == ():
            raise conflict("axis", "axis is []", "at least one axis")
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if self.axis is not None:
            axes_of(self.axis, given.rank)
        mask = inputs.get("mask")
        if mask is not None:
            pairs = zip(reversed(mask.shape), reversed(given.shape), strict=False)
            fits = mask.rank <= given.rank and all(
                had in (1, met) or not (isinstance(had, int) and isinstance(met, int)) for had, met in pairs
            )
            if not fits:
                raise Misfit(
                    f"the mask is {shape_text(mask.shape)} for an input of {shape_text(given.shape)}",
                    found=shape_text(mask.shape),
                    expected="1 or the input's size in each axis, counted from the last",
                    hint="add an axis to the mask with {op: expand_dims}" if mask.rank < given.rank else None,
                )
        return super().outputs(inputs)
