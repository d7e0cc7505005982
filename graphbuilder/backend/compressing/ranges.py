"""The ranges of activations that training aware of quantization measures."""

from __future__ import annotations

from typing import Any

from graphbuilder.backend.compressing.toolkit import tf

__all__ = ["Ranges"]

# How much of a range's average each step leaves, in tensorflow-model-optimization.
_DECAY = 0.999
# The averages of ranges by the ends of their names; ranges of weights and of inputs are no averages.
_AVERAGES = ("activation_min", "activation_max", "output_min", "output_max")


class Ranges:
    """Lets the averages of ranges begin with what is measured.

    tensorflow-model-optimization lets them begin at -6 and 6 and leaves 99.9 % of that in every step, so that after a
    run of a hundred steps numbers of about 1 are still computed in steps of 0.04. Here step n leaves 1 - 1/n, up to
    99.9 %, as an average over all steps does.
    """

    def __init__(self, model: Any, step: Any) -> None:
        """Finds the ranges.

        Arguments:
            model: a tf_keras model that is aware of quantization.
            step: the variable that counts the training steps, from 1.
        """
        self._step = step
        self._averages = [
            (variable, _DECAY ** max(len(layer.inbound_nodes), 1))
            for layer in model.layers
            for variable in layer.weights
            if variable.name.partition(":")[0].endswith(_AVERAGES)
        ]
        self._before: list[Any] = []

    def begin_step(self) -> None:
        """Remembers the averages as they are before a step."""
        self._before = [tf.identity(variable) for variable, _ in self._averages]

    def end_step(self) -> None:
        """Averages anew what the step has measured, which is what it added to the averages."""
        left = tf.minimum(1.0 - 1.0 / tf.cast(self._step, tf.float32), _DECAY)
        for (variable, decay), before in zip(self._averages, self._before, strict=True):
            measured = (variable - decay * before) / (1.0 - decay)
            variable.assign(left * before + (1.0 - left) * measured)
