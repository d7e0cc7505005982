"""What is known of each activation function beside its name."""

from __future__ import annotations

from graphbuilder.catalog.checks import Takes
from graphbuilder.catalog.objects import KINDS, ObjectSpec

__all__ = ["activation_takes", "relu_takes"]

# The functions that compute with more than floats.
_TAKES = {
    "exponential": Takes.NUMBERS,
    "hard_shrink": Takes.FLOATS_OR_COMPLEX,
    "leaky_relu": Takes.FLOATS_OR_INTEGERS,
    "linear": Takes.ANYTHING,
    "relu6": Takes.FLOATS_OR_INTEGERS,
    "sigmoid": Takes.FLOATS_OR_COMPLEX,
    "silu": Takes.FLOATS_OR_COMPLEX,
    "squareplus": Takes.FLOATS_OR_COMPLEX,
    "tanh": Takes.NUMBERS,
    "tanh_shrink": Takes.FLOATS_OR_COMPLEX,
}


def activation_takes(activation: ObjectSpec | None) -> Takes:
    """The dtypes with which an activation function can compute; None is the function that changes nothing.

    Example:
        >>> activation_takes(ObjectSpec("activation", "softmax")).text
        'a float dtype'
    """
    if activation is None:
        return Takes.ANYTHING
    canonical = KINDS["activation"].canonical(activation.name) or activation.name
    if canonical == "relu":
        return relu_takes(**activation.options)
    return _TAKES.get(canonical, Takes.FLOATS)


def relu_takes(max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0) -> Takes:
    """The dtypes with which ReLU can compute: a slope that stands beside another option needs floats.

    Arguments are those of the layer.
    """
    sloped = negative_slope and (max_value is not None or threshold)
    return Takes.FLOATS if sloped else Takes.FLOATS_OR_INTEGERS
