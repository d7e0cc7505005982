"""A tf_keras model whose training step obeys rules for single weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphbuilder.backend.compressing.held import Rule
from graphbuilder.backend.compressing.pruning import Pruned
from graphbuilder.backend.compressing.ranges import Ranges
from graphbuilder.backend.compressing.toolkit import keras, tf

__all__ = ["Ruled", "ruled_model"]


class Ruled:
    """The rules of a training and its count of steps. Plain, so that Keras does not take its variables for weights.

    Arguments:
        step: counts the training steps, from 1.
        rules: by the layer's path and the weight's path.
        ranges: those that training aware of quantization measures.
    """

    def __init__(self, step: Any, rules: Mapping[tuple[str, str], Rule], ranges: Ranges | None) -> None:
        self.step = step
        self.ranges = ranges
        self.rules = dict(rules)
        self._by_variable = {rule.variable.ref(): rule for rule in rules.values()}

    def trained(self, variables: Sequence[Any]) -> list[Any]:
        """What the optimizer changes in the place of these variables of the model."""
        return [item for variable in variables for item in self._of(variable)]

    def _of(self, variable: Any) -> list[Any]:
        rule = self._by_variable.get(variable.ref())
        return [variable] if rule is None else rule.trained()

    def gradients(self, pairs: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        """The gradients that the optimizer is given in the place of these."""
        found: list[tuple[Any, Any]] = []
        for gradient, variable in pairs:
            rule = self._by_variable.get(variable.ref())
            if rule is None or gradient is None:
                found.append((gradient, variable))
            else:
                found += zip(rule.gradients(tf.convert_to_tensor(gradient)), rule.trained(), strict=True)
        return found

    def begin_step(self) -> None:
        """Counts a step and puts the weights into the form in which it uses them."""
        self.step.assign_add(1)
        for rule in self.rules.values():
            if isinstance(rule, Pruned):
                rule.update()
        self.settle()
        if self.ranges is not None:
            self.ranges.begin_step()

    def settle(self) -> None:
        """Puts the weights into the form in which they are used."""
        for rule in self.rules.values():
            rule.before()

    def end_step(self) -> None:
        """Puts the weights right after the optimizer."""
        for rule in self.rules.values():
            rule.after()
        if self.ranges is not None:
            self.ranges.end_step()


class _RuledModel(keras.Model):  # type: ignore[misc]  # tf_keras has no types
    """A functional model that trains by rules."""

    ruled: Ruled

    def compile(self, *arguments: Any, **keywords: Any) -> None:
        super().compile(*arguments, **keywords)
        # At once, so that a state can be restored before the first step. The older optimizers, which tf_keras takes on
        # Apple's processors, call it otherwise.
        build = getattr(self.optimizer, "build", None) or self.optimizer._create_all_weights
        build(self.ruled.trained(self.trainable_variables))

    def train_step(self, data: Any) -> Any:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        self.ruled.begin_step()
        with tf.GradientTape() as tape:
            predicted = self(x, training=True)
            loss = self.compute_loss(x, y, predicted, weights)
        self._validate_target_and_loss(y, loss)
        variables = self.trainable_variables
        if hasattr(self.optimizer, "compute_gradients"):
            pairs = self.optimizer.compute_gradients(loss, variables, tape=tape)
        else:
            pairs = list(zip(tape.gradient(loss, variables), variables, strict=True))
        self.optimizer.apply_gradients(self.ruled.gradients(pairs))
        self.ruled.end_step()
        return self.compute_metrics(x, y, predicted, weights)

    def test_step(self, data: Any) -> Any:
        self.ruled.settle()
        return super().test_step(data)


def ruled_model(model: Any, rules: Mapping[tuple[str, str], Rule], step: Any, *, aware: bool) -> Any:
    """A model of the same layers that trains by rules.

    Arguments:
        model: a functional tf_keras model, whose weights are trained.
        rules: by the layer's path and the weight's path.
        step: the variable that counts the steps.
        aware: whether the model is aware of quantization.
    """
    made = _RuledModel(model.input, model.output, name=model.name)
    made.ruled = Ruled(step, rules, Ranges(model, step) if aware else None)
    return made
