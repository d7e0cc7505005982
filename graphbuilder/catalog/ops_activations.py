"""Activation functions as ops."""

from __future__ import annotations

from graphbuilder.catalog.arguments import argument
from graphbuilder.catalog.broadcasting import axis_of
from graphbuilder.catalog.entry import Example, Outputs
from graphbuilder.catalog.ops_common import COMPLEX, FLOATS, NUMBERS, REALS, Gives, TensorOp
from graphbuilder.catalog.ports import Inputs
from graphbuilder.catalog.tensor import BATCH, TensorType

__all__ = [
    "Elu",
    "Erf",
    "Gelu",
    "HardSigmoid",
    "LeakyRelu",
    "LogSoftmax",
    "Relu",
    "Relu6",
    "Selu",
    "Sigmoid",
    "Silu",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
]

_FEATURES = TensorType((BATCH, 64))


class _Activation(TensorOp):
    """What activation functions share."""

    family = "activations"
    takes = FLOATS
    examples = (Example({}, (_FEATURES,)),)


class Relu(_Activation):
    """max(x, 0)."""

    takes = REALS


class Relu6(Relu):
    """min(max(x, 0), 6)."""


class LeakyRelu(_Activation):
    """x where it is positive, a fraction of it elsewhere."""

    # Keras announces integers for integers, and computes floats.
    takes = REALS
    gives = Gives.FLOAT

    negative_slope: float = argument("what negative elements are multiplied by", 0.2)


class Elu(_Activation):
    """x where it is positive, alpha · (exp(x) − 1) elsewhere."""

    alpha: float = argument("minus the limit for large negative x", 1.0)


class Selu(_Activation):
    """Scaled elu, with the two constants that keep mean and variance from layer to layer."""


class Gelu(_Activation):
    """x times the probability that a normal variable is smaller."""

    approximate: bool = argument("whether the probability is computed by a formula with tanh", True)


class Sigmoid(_Activation):
    """1 / (1 + exp(−x))."""

    takes = FLOATS | COMPLEX


class HardSigmoid(_Activation):
    """Sigmoid in three straight pieces: relu6(x + 3) / 6."""


class Silu(_Activation):
    """x · sigmoid(x), also called swish."""

    takes = FLOATS | COMPLEX


class Tanh(_Activation):
    """The hyperbolic tangent. It takes integers too."""

    takes = NUMBERS
    gives = Gives.FLOAT


class Softplus(_Activation):
    """log(1 + exp(x))."""


class Softsign(_Activation):
    """x / (1 + |x|)."""


class Erf(_Activation):
    """The Gauss error function."""


class Softmax(_Activation):
    """exp(x), divided by its sum along an axis."""

    # Keras announces several axes too, and then fails when the model is run.
    axis: int | None = argument("the axis that sums to 1; null for all elements together", -1)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        if self.axis is not None:
            axis_of(self.axis, given.rank)
        return given


class LogSoftmax(Softmax):
    """log(softmax(x)), without overflow."""
