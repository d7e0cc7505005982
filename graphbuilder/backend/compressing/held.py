"""What every training step does to single weights, besides what the optimizer does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from graphbuilder.backend.compressing.toolkit import tf

__all__ = ["FixedValues", "FixedZeros", "Rule", "state_variable"]


def state_variable(value: Any, name: str) -> Any:
    """A variable beside the model's own, which no optimizer changes by itself."""
    return tf.Variable(value, trainable=False, name=name)


class Rule(Protocol):
    """What is done to one weight in every step.

    A rule says which variables the optimizer changes in the weight's place, and puts the weight right before each step
    and after it. All of it runs inside the compiled training step.
    """

    variable: Any

    def state(self) -> Mapping[str, Any]:
        """The variables that a training which goes on must have again, by name; the weight itself is not among them."""

    def trained(self) -> list[Any]:
        """The variables that the optimizer changes."""

    def gradients(self, gradient: Any) -> list[Any]:
        """Their gradients, given the weight's."""

    def before(self) -> None:
        """Puts the weight into the form that it is used in, before a step and before it is evaluated."""

    def after(self) -> None:
        """Puts the weight right once the optimizer has changed what it trains."""


class FixedZeros:
    """Keeps the zeros that a weight has; the rest trains on."""

    def __init__(self, variable: Any) -> None:
        self.variable = variable
        self._mask = state_variable(tf.cast(tf.not_equal(variable, 0), variable.dtype), "mask")

    def state(self) -> Mapping[str, Any]:
        return {"mask": self._mask}

    def trained(self) -> list[Any]:
        return [self.variable]

    def gradients(self, gradient: Any) -> list[Any]:
        # A gradient where the weight stays zero would only fill the optimizer's averages.
        return [tf.multiply(gradient, self._mask)]

    def before(self) -> None:
        """The weight is right already."""

    def after(self) -> None:
        self.variable.assign(tf.multiply(self.variable, self._mask))


class FixedValues:
    """Keeps which elements of a weight share a value; the shared values train on, and zero stays zero.

    A shared value gets the mean of its elements' gradients. Their sum, as in Han et al. 2016,
    https://arxiv.org/abs/1510.00149, would be too large a step for optimizers that do not scale gradients.
    """

    def __init__(self, variable: Any, *, zeros: bool) -> None:
        self.variable = variable
        flat = tf.reshape(variable, [-1])
        values, places = tf.unique(flat)
        self._values = state_variable(values, "values")
        self._places = state_variable(places, "places")
        free = tf.not_equal(values, 0) if zeros else tf.ones_like(values, tf.bool)
        self._free = state_variable(tf.cast(free, variable.dtype), "free")

    def state(self) -> Mapping[str, Any]:
        return {"values": self._values, "places": self._places, "free": self._free}

    def trained(self) -> list[Any]:
        return [self._values]

    def gradients(self, gradient: Any) -> list[Any]:
        flat = tf.reshape(gradient, [-1])
        mean = tf.math.unsorted_segment_mean(flat, self._places, self._values.shape[0])
        return [tf.multiply(mean, self._free)]

    def before(self) -> None:
        """The weight is right already."""

    def after(self) -> None:
        self._values.assign(tf.multiply(self._values, self._free))
        self.variable.assign(tf.reshape(tf.gather(self._values, self._places), self.variable.shape))
