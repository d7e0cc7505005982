"""What a pass made, carried to Keras 3 and to thinner layers."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from graphbuilder.api import lower, parse
from graphbuilder.backend.build import build
from graphbuilder.backend.compressing import factor, keras_model
from graphbuilder.compression.kernels import kernels_of
from graphbuilder.compression.legality import ruling
from graphbuilder.compression.legality_table import TABLE
from graphbuilder.compression.passes import LowRank, Prune
from graphbuilder.compression.targets import Target
from graphbuilder.errors import BlueprintError
from tests.compression.cells import graph_of, samples
from tests.compression.runs import PASSES, run, targets_of, weights_of

QUICK = ["Conv2D", "DepthwiseConv2D", "MultiHeadAttention"]
# The two that tf_keras lacks apart, every kind is carried over.
KINDS = sorted({*TABLE, "Bidirectional", "TimeDistributed"} - {"RMSNormalization", "GroupQueryAttention"})


@pytest.fixture(autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(0)


def carry_over(kind: str) -> None:
    graph = graph_of(kind)
    model = build(graph, keras=2, compiled=False)
    declared = Prune(sparsity=0.5)
    acting = [name for name, layer in graph.layers.items() if ruling(declared, layer).acts]
    targets = targets_of(graph, declared, acting)
    finished = run(model, graph, targets)
    carried = keras_model(finished.model, graph)
    x, _ = samples(graph)
    np.testing.assert_allclose(carried.predict(x, verbose=0), finished.model.predict(x, verbose=0), atol=1e-5)
    if kernels_of(graph.layers["it"]):
        assert any((weight.numpy() == 0).any() for weight in carried.get_layer("it").weights if len(weight.shape) > 1)


@pytest.mark.parametrize("kind", QUICK)
def test_keras_3_computes_what_the_twin_does(kind: str) -> None:
    carry_over(kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in QUICK])
def test_keras_3_computes_what_the_twin_does_with_every_layer(kind: str) -> None:
    carry_over(kind)


@pytest.mark.slow
@pytest.mark.parametrize("column", ["cluster", "quantize aware"])
@pytest.mark.parametrize("kind", QUICK)
def test_every_pass_is_carried_to_keras_3(kind: str, column: str) -> None:
    graph = graph_of(kind)
    model = build(graph, keras=2, compiled=False)
    finished = run(model, graph, targets_of(graph, PASSES[column], ["it"]))
    x, _ = samples(graph)
    carried = keras_model(finished.model, graph)
    np.testing.assert_allclose(carried.predict(x, verbose=0), finished.model.predict(x, verbose=0), atol=1e-5)


def test_what_keras_3_computes_otherwise_is_refused_by_name() -> None:
    graph = graph_of("LSTM", "recurrent_activation: hard_sigmoid")
    model = build(graph, keras=2, compiled=False)
    with pytest.raises(BlueprintError, match="GB823 it: its activation hard_sigmoid is another function in tf_keras"):
        keras_model(model, graph)


def test_thinner_layers_of_full_rank_compute_the_same() -> None:
    graph = lower(
        parse(
            "blueprint: 1\nname: thin\ninputs: {ids: {shape: [9], dtype: int32}}\nnodes:\n"
            "  words: {layer: Embedding, input_dim: 20, output_dim: 12, mask_zero: true}\n"
            "  slid: {layer: Conv1D, filters: 8, kernel_size: 3, strides: 2, padding: same, activation: relu}\n"
            "  image: {layer: Reshape, target_shape: [5, 8, 1]}\n"
            "  seen: {layer: Conv2D, filters: 6, kernel_size: [3, 2], dilation_rate: 2, padding: same}\n"
            "  flat: {layer: Flatten}\n  out: {layer: Dense, units: 20, activation: tanh}\n"
            "  after: {layer: Dense, units: 2}\noutputs: after\n"
        )
    )
    model = build(graph, keras=2, compiled=False)
    paths = {"words": "embeddings", "slid": "kernel", "seen": "kernel", "out": "kernel"}
    x = np.random.default_rng(0).integers(0, 20, (4, 9))
    full, made = factor(model, graph, [Target(name, LowRank(rank=999), (path,)) for name, path in paths.items()])
    assert made.ranks == {"words": 12, "slid": 8, "seen": 6, "out": 20}
    np.testing.assert_allclose(full(x), model(x), atol=1e-5)
    thin, made = factor(model, graph, [Target(name, LowRank(rank=2), (path,)) for name, path in paths.items()])
    assert thin.count_params() == made.graph.parameters < model.count_params()
    # The thinner model is trained on like any other, also by further passes, and goes to Keras 3.
    trained = run(thin, made.graph, targets_of(made.graph, Prune(sparsity=0.5), ["out", "out.basis"]))
    weights = weights_of(trained.model, made.graph)
    assert all((weights[name, "kernel"] == 0).mean() == 0.5 for name in ("out", "out.basis"))
    carried = keras_model(trained.model, made.graph)
    np.testing.assert_allclose(carried.predict(x, verbose=0), trained.model(x), atol=1e-5)
