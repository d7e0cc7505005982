"""Pruning and clustering: what they make of the weights asked for, and what they leave alone."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from tensorflow_model_optimization.python.core.clustering.keras import cluster, cluster_config
from tensorflow_model_optimization.python.core.sparsity.keras import prune, pruning_callbacks, pruning_schedule

from graphbuilder.api import lower, parse
from graphbuilder.backend.build import build
from graphbuilder.backend.compressing import prepare
from graphbuilder.backend.weights import copy_weights
from graphbuilder.compression.kernels import kernels_of
from graphbuilder.compression.options import ConstantSchedule, PolynomialSchedule
from graphbuilder.compression.passes import Cluster, Prune, Quantize
from graphbuilder.compression.targets import Kept, Target
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph
from tests.compression.cells import graph_of, samples
from tests.compression.runs import PASSES, follows_two_of_four, run, targets_of, weights_of

NETWORK = """
blueprint: 1
name: network
inputs: {x: {shape: [8, 8, 1]}}
nodes:
  first: {layer: Conv2D, filters: 8, kernel_size: 3, use_bias: false}
  norm: {layer: BatchNormalization}
  active: {layer: ReLU}
  second: {layer: Conv2D, filters: 16, kernel_size: 3, activation: relu}
  flat: {layer: Flatten}
  hidden: {layer: Dense, units: 32, activation: relu}
  after: {layer: Dense, units: 2}
outputs: after
"""


@pytest.fixture(autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(0)


@pytest.fixture
def network() -> tuple[Any, Graph]:
    graph = lower(parse(NETWORK))
    tf_keras.utils.set_random_seed(0)
    return build(graph, keras=2, compiled=False), graph


def zeros(weights: dict[tuple[str, str], Any]) -> dict[str, float]:
    """The share of zeros in each kernel."""
    return {layer: float((weight == 0).mean()) for (layer, path), weight in weights.items() if path == "kernel"}


def values(weights: dict[tuple[str, str], Any]) -> dict[str, int]:
    """How many values each kernel has."""
    return {layer: len(np.unique(weight)) for (layer, path), weight in weights.items() if path == "kernel"}


def test_a_short_run_reaches_the_sparsity_and_touches_nothing_else(network: tuple[Any, Graph]) -> None:
    model, graph = network
    before = [weight.numpy() for weight in model.weights]
    targets = targets_of(graph, Prune(sparsity=0.8), ["second", "hidden"])
    finished = run(model, graph, targets, steps=48)
    found = zeros(weights_of(finished.model, graph))
    assert abs(found["second"] - 0.8) < 0.005
    assert abs(found["hidden"] - 0.8) < 0.005
    assert found["first"] == found["after"] == 0
    assert finished.record == {("second", "kernel"): Kept(zeros=True), ("hidden", "kernel"): Kept(zeros=True)}
    # The caller's model is the very same.
    assert all((mine == weight.numpy()).all() for mine, weight in zip(before, model.weights, strict=True))


POLYNOMIAL = PolynomialSchedule(initial=0.2, begin=0.1, end=0.9)


@pytest.mark.parametrize(
    ("kind", "schedule"),
    [
        ("Dense", ConstantSchedule(0.5)),
        ("Conv2D", POLYNOMIAL),
        pytest.param("Dense", POLYNOMIAL, marks=pytest.mark.slow),
        pytest.param("Conv2D", ConstantSchedule(0.5), marks=pytest.mark.slow),
    ],
)
def test_pruning_gives_what_the_wrapper_of_tensorflow_model_optimization_gives(kind: str, schedule: Any) -> None:
    graph = graph_of(kind)
    model = build(graph, keras=2, compiled=False)
    mine = run(model, graph, targets_of(graph, Prune(sparsity=0.7, schedule=schedule), ["it"]), steps=10)
    theirs = (
        pruning_schedule.ConstantSparsity(0.7, 5, frequency=1)
        if isinstance(schedule, ConstantSchedule)
        else pruning_schedule.PolynomialDecay(0.2, 0.7, 1, 9, frequency=1)
    )

    def wrapped(layer: Any) -> Any:
        copy = type(layer).from_config(layer.get_config())
        return prune.prune_low_magnitude(copy, pruning_schedule=theirs) if layer.name == "it" else copy

    other = tf_keras.models.clone_model(model, clone_function=wrapped)
    for one, layer in zip(model.layers, other.layers, strict=True):
        for weight, target in zip(one.weights, layer.trainable_weights, strict=True):
            target.assign(weight)
    other.compile("sgd", "mse")
    x, y = samples(graph, 40)
    callbacks = [pruning_callbacks.UpdatePruningStep()]
    other.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=callbacks)
    stripped = build(graph, keras=2, compiled=False)
    for layer, one in zip(prune.strip_pruning(other).layers, stripped.layers, strict=True):
        one.set_weights(layer.get_weights())
    for (place, weight), theirs_there in zip(
        weights_of(mine.model, graph).items(), weights_of(stripped, graph).values(), strict=True
    ):
        np.testing.assert_allclose(weight, theirs_there, atol=1e-6, err_msg=str(place))
        assert ((weight == 0) == (theirs_there == 0)).all()


@pytest.mark.parametrize(
    "initialization", ["linear", *(pytest.param(name, marks=pytest.mark.slow) for name in ("kmeans++", "density"))]
)
def test_clustering_gives_what_the_wrapper_of_tensorflow_model_optimization_gives(initialization: Any) -> None:
    graph = graph_of("Dense")
    model = build(graph, keras=2, compiled=False)
    declared = Cluster(clusters=5, initialization=initialization)
    mine = weights_of(run(model, graph, targets_of(graph, declared, ["it"]), steps=10).model, graph)
    starts = {
        "linear": cluster_config.CentroidInitialization.LINEAR,
        "kmeans++": cluster_config.CentroidInitialization.KMEANS_PLUS_PLUS,
        "density": cluster_config.CentroidInitialization.DENSITY_BASED,
    }
    # Clustering takes the original apart.
    original = build(graph, keras=2, compiled=False)
    copy_weights(model, original)

    def wrapped(layer: Any) -> Any:
        if layer.name != "it":
            return layer
        mean = cluster_config.GradientAggregation.AVG
        return cluster.cluster_weights(layer, 5, starts[initialization], cluster_gradient_aggregation=mean)

    other = tf_keras.models.clone_model(original, clone_function=wrapped)
    other.compile("sgd", "mse")
    x, y = samples(graph, 40)
    other.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    stripped = cluster.strip_clustering(other)
    np.testing.assert_allclose(mine["it", "kernel"], stripped.get_layer("it").kernel.numpy(), atol=1e-6)
    np.testing.assert_allclose(mine["before", "kernel"], stripped.get_layer("before").kernel.numpy(), atol=1e-6)


@pytest.mark.parametrize("kind", ["Conv1D", "Conv2DTranspose", "EinsumDense", "MultiHeadAttention"])
def test_two_of_four_weights_along_the_inputs_are_zero(kind: str) -> None:
    graph = graph_of(kind)
    model = build(graph, keras=2, compiled=False)
    weights = weights_of(run(model, graph, targets_of(graph, PASSES["prune 2:4"], ["it"])).model, graph)
    for kernel in kernels_of(graph.layers["it"]):
        assert follows_two_of_four(kernel, weights["it", kernel.path])
        assert (weights["it", kernel.path] == 0).mean() == 0.5


def test_pruned_then_clustered_then_trained_for_8_bits(network: tuple[Any, Graph]) -> None:
    model, graph = network
    chosen = ["first", "second", "hidden"]
    pruned = run(model, graph, targets_of(graph, Prune(sparsity=0.8), chosen), steps=12)
    before = zeros(weights_of(pruned.model, graph))
    clustered = run(pruned.model, graph, targets_of(graph, Cluster(clusters=8), chosen), steps=12, record=pruned.record)
    aware = run(
        clustered.model,
        graph,
        targets_of(graph, Quantize(), [*chosen, "norm", "active"]),
        steps=12,
        record=clustered.record,
    )
    for finished in (clustered, aware):
        weights = weights_of(finished.model, graph)
        assert all(zeros(weights)[layer] == pytest.approx(before[layer], abs=0.005) for layer in chosen)
        assert all(values(weights)[layer] <= 8 for layer in chosen)
    hidden = ("hidden", "kernel")
    assert (weights_of(aware.model, graph)[hidden] != weights_of(clustered.model, graph)[hidden]).any()
    # What is quantized keeps zero exactly, and the same number of values.
    (wrapper,) = (layer for layer in aware.quantized.layers if layer.name == "hidden")  # type: ignore[union-attr]
    aware.quantized(samples(graph)[0], training=False)  # type: ignore[misc]
    assert len(np.unique(wrapper.layer.kernel)) <= 8


def test_training_on_keeps_what_earlier_passes_made(network: tuple[Any, Graph]) -> None:
    model, graph = network
    first = run(model, graph, targets_of(graph, Prune(sparsity=0.5), ["second"]))
    second = run(first.model, graph, targets_of(graph, Cluster(clusters=4), ["hidden"]), record=first.record)
    third = run(second.model, graph, targets_of(graph, Prune(sparsity=0.6), ["first"]), record=second.record)
    last = run(third.model, graph, [], record=third.record)
    weights = weights_of(last.model, graph)
    assert zeros(weights)["second"] == 0.5
    assert values(weights)["hidden"] <= 4
    assert zeros(weights)["first"] == pytest.approx(0.6, abs=0.02)
    assert last.record == third.record
    changed = weights_of(third.model, graph)
    assert all((weights[place] != changed[place]).any() for place in [("second", "kernel"), ("hidden", "kernel")])


def test_what_need_not_be_kept_is_lost(network: tuple[Any, Graph]) -> None:
    model, graph = network
    first = run(model, graph, targets_of(graph, Prune(sparsity=0.5), ["second"]))
    lost = run(first.model, graph, [], record={})
    assert zeros(weights_of(lost.model, graph))["second"] < 0.1


def test_each_channel_may_have_values_of_its_own() -> None:
    graph = graph_of("Conv2D")
    model = build(graph, keras=2, compiled=False)
    finished = run(model, graph, targets_of(graph, Cluster(clusters=3, per_channel=True), ["it"]))
    kernel = weights_of(finished.model, graph)["it", "kernel"]
    assert all(len(np.unique(kernel[..., channel])) <= 3 for channel in range(8))
    assert len(np.unique(kernel)) > 3


@pytest.mark.parametrize("declared", [Prune(sparsity=0.5), Cluster(clusters=4), Quantize()])
def test_a_training_goes_on_from_a_state(declared: Any, network: tuple[Any, Graph]) -> None:
    model, graph = network
    record = {("second", "kernel"): Kept(zeros=True)}
    targets = targets_of(graph, declared, ["first", "hidden"])
    x, y = samples(graph, 16)

    def prepared() -> Any:
        made = prepare(model, graph, targets, steps=8, record=record)
        made.model.compile("adam", "mse")
        return made

    def train(made: Any) -> None:
        made.model.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=list(made.callbacks))

    whole = prepared()
    train(whole)
    state = whole.state()
    train(whole)
    halves = prepared()
    halves.restore(state)
    train(halves)
    one, other = (weights_of(made.finish().model, graph) for made in (whole, halves))
    assert all((one[place] == other[place]).all() for place in one)


def test_the_state_of_another_pass_is_refused(network: tuple[Any, Graph]) -> None:
    model, graph = network
    one = prepare(model, graph, targets_of(graph, Prune(sparsity=0.5), ["first"]), steps=4)
    other = prepare(model, graph, targets_of(graph, Cluster(clusters=4), ["first"]), steps=4)
    for made in (one, other):
        made.model.compile("sgd", "mse")
    with pytest.raises(BlueprintError, match="GB723"):
        other.restore(one.state())


def test_a_layer_that_is_called_twice_is_pruned_once() -> None:
    graph = lower(
        parse(
            "blueprint: 1\nname: twice\ninputs: {x: {shape: [6]}}\nnodes:\n  it: {layer: Dense, units: 6}\n"
            "  again: {reuse: it}\n  after: {layer: Dense, units: 2}\noutputs: after\n"
        )
    )
    model = build(graph, keras=2, compiled=False)
    finished = run(model, graph, [Target("it", Prune(sparsity=0.5), ("kernel",))])
    assert zeros(weights_of(finished.model, graph)) == {"it": 0.5, "after": 0}
