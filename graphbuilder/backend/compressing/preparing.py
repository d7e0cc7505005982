"""Prepares one pass on one model: what to train, and what the training leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphbuilder.backend.build import build
from graphbuilder.backend.compressing.clustering import Clustered
from graphbuilder.backend.compressing.held import FixedValues, FixedZeros, Rule, state_variable
from graphbuilder.backend.compressing.model import ruled_model
from graphbuilder.backend.compressing.pruning import Pruned
from graphbuilder.backend.compressing.quantizing import quantized_twin, quantized_variables
from graphbuilder.backend.compressing.state import restore_state, state_of
from graphbuilder.backend.compressing.toolkit import keras, tf
from graphbuilder.backend.compressing.variables import variables_of
from graphbuilder.backend.weights import copy_weights
from graphbuilder.compression.kernels import kernels_of
from graphbuilder.compression.passes import Cluster, Prune, Quantize
from graphbuilder.compression.targets import Kept, Record, Target
from graphbuilder.graph import Graph

__all__ = ["Finished", "Prepared", "prepare"]


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """What a pass made.

    Arguments:
        model: a float tf_keras model of the same graph with the weights that the pass left.
        quantized: the model that computes as after conversion to 8 bits, where the pass was aware of it.
        record: what later passes keep of each weight, this pass's work included.
    """

    model: Any
    quantized: Any | None
    record: Record


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A pass that is ready to train.

    Arguments:
        model: what to compile and to fit; a tf_keras model that takes and gives what the graph does, in its order.
        callbacks: callbacks that `fit` must be given.
        finish: makes what the pass leaves, from the weights as they stand.
        state: all that a training must have again to go on, as arrays by name.
        restore: puts such a state into a model that was prepared the same way and compiled.
    """

    model: Any
    callbacks: tuple[Any, ...]
    finish: Callable[[], Finished]
    state: Callable[[], dict[str, Any]]
    restore: Callable[[Mapping[str, Any]], None]


def prepare(
    model: Any,
    graph: Graph,
    targets: Sequence[Target],
    *,
    steps: int,
    record: Record | None = None,
    trust: Sequence[str] = (),
) -> Prepared:
    """Prepares a pass, on a copy of the model.

    Arguments:
        model: a float tf_keras model built from the graph; it is left as it is.
        graph: the graph.
        targets: what the pass does to each layer; all of one pass. None at all is a training that only keeps.
        steps: how many training steps the run has.
        record: what earlier passes made of single weights, which stays.
        trust: modules whose layers may be imported.

    Raises:
        BlueprintError: tensorflow-model-optimization refuses a layer.
    """
    record = record or {}
    twin = build(graph, keras=2, trust=trust, compiled=False)
    copy_weights(model, twin)
    aware = bool(targets) and isinstance(targets[0].options, Quantize)
    if aware:
        trained = quantized_twin(twin, graph, targets)
        variables = quantized_variables(trained, twin, graph)
    else:
        trained = twin
        variables = variables_of(twin, graph)
    step = state_variable(tf.zeros([], tf.int64), "step")
    rules = _rules(graph, variables, targets, record, steps, step)
    ruled = ruled_model(trained, rules, step, aware=aware)
    held = ruled.ruled

    def finish() -> Finished:
        held.settle()
        stripped = twin
        if aware:
            for place, variable in variables_of(twin, graph).items():
                variable.assign(variables[place])
        else:
            stripped = build(graph, keras=2, trust=trust, compiled=False)
            copy_weights(twin, stripped)
        return Finished(stripped, trained if aware else None, _kept_now(targets, record))

    def state() -> dict[str, Any]:
        held.settle()
        return state_of(ruled)

    class Settle(keras.callbacks.Callback):  # type: ignore[misc]  # tf_keras has no types
        """Puts the weights right at an epoch's end, so that whoever saves them then saves what is used."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            held.settle()

    return Prepared(ruled, (Settle(),), finish, state, lambda arrays: restore_state(ruled, arrays))


def _rules(
    graph: Graph,
    variables: Mapping[tuple[str, str], Any],
    targets: Sequence[Target],
    record: Record,
    steps: int,
    step: Any,
) -> dict[tuple[str, str], Rule]:
    """The rule of each weight that the pass changes or that keeps something."""
    wanted = {(target.layer, path): target.options for target in targets for path in target.weights}
    rules: dict[tuple[str, str], Rule] = {}
    for path, layer in graph.layers.items():
        kernels = {kernel.path: kernel for kernel in kernels_of(layer)}
        for name, kernel in kernels.items():
            place = (path, name)
            kept = record.get(place, Kept())
            options = wanted.get(place)
            variable = variables[place]
            if isinstance(options, Prune):
                zeros = kept.zeros and options.preserve == "auto"
                rules[place] = Pruned(variable, kernel, options, steps=steps, step=step, zeros=zeros)
            elif isinstance(options, Cluster):
                zeros = kept.zeros and options.preserve == "auto"
                per_channel = options.per_channel and layer.kind == "Conv2D"
                rules[place] = Clustered(variable, options, per_channel=per_channel, zeros=zeros)
            elif isinstance(options, Quantize) and options.preserve == "none":
                continue
            elif kept.values:
                rules[place] = FixedValues(variable, zeros=kept.zeros)
            elif kept.zeros:
                rules[place] = FixedZeros(variable)
    return rules


def _kept_now(targets: Sequence[Target], record: Record) -> Record:
    """What later passes keep, now that this one is done."""
    found = dict(record)
    for target in targets:
        for path in target.weights:
            place = (target.layer, path)
            before = record.get(place, Kept()) if target.options.preserve == "auto" else Kept()
            if isinstance(target.options, Prune):
                found[place] = Kept(zeros=True, values=False)
            elif isinstance(target.options, Cluster):
                found[place] = Kept(zeros=before.zeros, values=True)
            else:
                found[place] = before
    return found
