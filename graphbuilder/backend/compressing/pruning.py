"""Pruning by magnitude, with the masks of tensorflow-model-optimization on the variables of any layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl, pruning_utils

from graphbuilder.backend.compressing.held import state_variable
from graphbuilder.backend.compressing.toolkit import tf, tfmot
from graphbuilder.compression.kernels import Kernel
from graphbuilder.compression.options import Block, ConstantSchedule
from graphbuilder.compression.passes import Prune

__all__ = ["Pruned", "schedule_of"]


def schedule_of(options: Prune, steps: int) -> Any:
    """The schedule in steps of this run; masks are made anew in every step of it.

    Arguments:
        options: the pass, whose schedule is in shares of the run.
        steps: how many the run has.
    """
    sparsity = 0.5 if options.sparsity is None else options.sparsity
    written = options.schedule
    # The run's steps count from 1; a schedule must have come to its end within them.
    begin = min(round(written.begin * steps), steps - 1)
    if isinstance(written, ConstantSchedule):
        return tfmot.sparsity.keras.ConstantSparsity(sparsity, begin, frequency=1)
    end = min(max(round(written.end * steps), begin + 1), steps)
    return tfmot.sparsity.keras.PolynomialDecay(
        min(written.initial, sparsity), sparsity, begin, end, power=written.power, frequency=1
    )


class _Masks(pruning_impl.Pruning):  # type: ignore[misc]  # it has no types
    """The masks of one kernel, whatever axes it has."""

    def __init__(self, kernel: Kernel, options: Prune, steps: int, step: Any, variables: tuple[Any, Any, Any]) -> None:
        self._kernel = kernel
        block = options.structure if isinstance(options.structure, Block) else Block((1, 1))
        self._blocks = block.block != (1, 1)
        super().__init__(
            training_step_fn=lambda: step,
            pruning_vars=[variables],
            pruning_schedule=schedule_of(options, steps),
            block_size=block.block,
            block_pooling_type={"average": "AVG", "max": "MAX"}[block.pooling],
            sparsity_m_by_n=(2, 4) if options.structure == "2:4" else None,
        )

    def _validate_block(self) -> None:
        """Any kernel is made a matrix first."""

    def _update_mask_sparsity_m_by_n(self, weights: Any, m_by_n: tuple[int, int] = (2, 4)) -> Any:
        order = self._kernel.rows_last
        ordered = tf.transpose(weights, order)
        mask = pruning_utils.generate_m_by_n_mask(tf.reshape(ordered, [-1, self._kernel.inputs]), m_by_n)
        mask = tf.cast(tf.reshape(mask, ordered.shape), weights.dtype)
        return tf.transpose(mask, _inverse(order))

    def _maybe_update_block_mask(self, weights: Any) -> Any:
        if not self._blocks:
            return super()._maybe_update_block_mask(weights)
        order = self._kernel.rows_first
        ordered = tf.transpose(weights, order)
        threshold, mask = super()._maybe_update_block_mask(tf.reshape(ordered, [self._kernel.inputs, -1]))
        return threshold, tf.transpose(tf.reshape(mask, ordered.shape), _inverse(order))


def _inverse(order: tuple[int, ...]) -> list[int]:
    """The order of axes that undoes another."""
    return [order.index(axis) for axis in range(len(order))]


class Pruned:
    """Makes the smallest elements of a weight zero, more of them from step to step.

    As in tensorflow-model-optimization, the mask is made from the weight as the optimizer left it, so that an element
    may come back as long as the schedule runs.
    """

    def __init__(self, variable: Any, kernel: Kernel, options: Prune, *, steps: int, step: Any, zeros: bool) -> None:
        """Prepares a weight.

        Arguments:
            variable: the weight.
            kernel: what the graph says of it.
            options: the pass.
            steps: how many the run has.
            step: the variable that counts them, from 1.
            zeros: whether the zeros that it has already stay.
        """
        self.variable = variable
        dtype = variable.dtype
        self._mask = state_variable(tf.ones(variable.shape, dtype), "mask")
        self._threshold = state_variable(tf.zeros([], dtype), "threshold")
        self._held = state_variable(tf.cast(tf.not_equal(variable, 0), dtype), "held") if zeros else None
        self._masks = _Masks(kernel, options, steps, step, (variable, self._mask, self._threshold))

    def state(self) -> Mapping[str, Any]:
        held = {} if self._held is None else {"held": self._held}
        return {"mask": self._mask, "threshold": self._threshold, **held}

    def trained(self) -> list[Any]:
        return [self.variable]

    def gradients(self, gradient: Any) -> list[Any]:
        return [gradient]

    def update(self) -> None:
        """Makes the mask anew, if the schedule says so for this step."""
        if self._held is not None:
            self.variable.assign(tf.multiply(self.variable, self._held))
        self._masks.conditional_mask_update()

    def before(self) -> None:
        if self._held is not None:
            self.variable.assign(tf.multiply(self.variable, self._held))
        self._masks.weight_mask_op()

    def after(self) -> None:
        """Left as the optimizer made it: the next mask is made from that."""
