"""Every cell of the legality table, every wrapper and every condition on arguments against a run of it."""

from __future__ import annotations

import keras
import pytest
import tf_keras
from tensorflow_model_optimization.python.core.clustering.keras import clustering_registry
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import default_8bit_quantize_registry
from tensorflow_model_optimization.python.core.sparsity.keras import prune_registry

from graphbuilder.backend.build import build
from graphbuilder.catalog import layers
from graphbuilder.catalog.objects import KINDS
from graphbuilder.compression.kernels import kernels_of
from graphbuilder.compression.legality import CONVERSIONS, Verdict, ruling, verdict_of
from graphbuilder.compression.legality_table import NO_TWIN, TABLE
from graphbuilder.compression.options import Block
from graphbuilder.compression.passes import Cluster, CompressionPass, LowRank, Prune, Quantize
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph
from tests.compression.cells import NODES, WRAPPABLE, graph_of, wrapped_graph
from tests.compression.runs import PASSES, attempt

SAMPLE = [
    ("Conv2D", "prune"),
    ("Conv1D", "prune 2:4"),
    ("DepthwiseConv1D", "prune 2:4"),
    ("MultiHeadAttention", "prune block"),
    ("DepthwiseConv2D", "cluster"),
    ("Conv1D", "quantize aware"),
    ("SeparableConv2D", "quantize aware"),
    ("LSTM", "quantize aware"),
    ("Flatten", "prune"),
    ("RMSNormalization", "cluster"),
    ("Embedding", "low_rank"),
    ("GRU", "low_rank"),
]
ACTS = (Verdict.LEGAL, Verdict.EXTENDED)
# What the table says was never tried.
UNTRIED = {kind for kind, row in TABLE.items() if row["prune"] == "m"}
RECURRENT = ("LSTM", "GRU", "SimpleRNN")


@pytest.fixture(autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(0)
    tf_keras.utils.set_random_seed(0)


def check(graph: Graph, declared: CompressionPass) -> None:
    """The ruling on `it` is what a run gives."""
    told = ruling(declared, graph.layers["it"])
    found = attempt(graph, declared)
    if told.acts:
        assert found.verdict in ACTS, (told, found)
        assert found.weights == told.weights, (told, found)
    else:
        assert found.verdict is told.verdict, (told, found)
        assert told.reason


def test_there_is_a_cell_for_every_layer() -> None:
    assert sorted(NODES) == sorted(name for name in layers.names() if name not in UNTRIED)


@pytest.mark.parametrize(("kind", "column"), SAMPLE)
def test_a_sample_of_the_table_is_what_runs_give(kind: str, column: str) -> None:
    check(graph_of(kind), PASSES[column])


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(NODES))
@pytest.mark.parametrize("column", [*PASSES])
def test_the_table_is_what_runs_give(kind: str, column: str) -> None:
    graph = graph_of(kind)
    check(graph, PASSES[column])
    if kind in TABLE:
        assert verdict_of(kind, column)[0] is ruling(PASSES[column], graph.layers["it"]).verdict


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(WRAPPABLE)))
@pytest.mark.parametrize("column", [*PASSES])
def test_what_is_applied_to_each_step_is_ruled_by_what_is_applied(kind: str, column: str) -> None:
    check(wrapped_graph("TimeDistributed", kind), PASSES[column])


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", "unroll: true"])
@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize("column", [*PASSES])
def test_both_directions_are_ruled_by_the_layer_that_runs_in_them(kind: str, column: str, more: str) -> None:
    check(wrapped_graph("Bidirectional", kind, more), PASSES[column])


@pytest.mark.slow
@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize("column", [*PASSES])
def test_unrolled_layers_are_ruled_as_they_run(kind: str, column: str) -> None:
    check(graph_of(kind, "unroll: true"), PASSES[column])


@pytest.mark.slow
@pytest.mark.parametrize("column", [*CONVERSIONS])
@pytest.mark.parametrize("kind", sorted(kind for kind, row in TABLE.items() if row["prune"] in NO_TWIN))
def test_what_no_twin_has_is_not_converted_either(kind: str, column: str) -> None:
    assert verdict_of(kind, column)[0] is Verdict.ILLEGAL
    assert attempt(graph_of(kind), Quantize(aware=False)).verdict is Verdict.ILLEGAL


# The activations that tf_keras has too, which are all that a model that is compressed can have.
SHARED = sorted(name for name in KINDS["activation"].names if callable(getattr(tf_keras.activations, name, None)))


@pytest.mark.slow
@pytest.mark.parametrize("activation", SHARED)
@pytest.mark.parametrize("kind", ["Dense", "Conv2D", "Conv1D", "EinsumDense", "Activation"])
def test_activations_are_refused_as_training_refuses_them(kind: str, activation: str) -> None:
    check(graph_of(kind, f"activation: {activation}"), Quantize())


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_training_for_8_bits_is_refused_or_lost_under_other_dtypes(dtype: str) -> None:
    graph = graph_of("Dense", f"dtype: {dtype}")
    assert ruling(Quantize(), graph.layers["it"]).verdict is Verdict.ILLEGAL
    # It is refused, if only beside others, or computed in floats after all.
    try:
        seen = attempt(graph, Quantize()).seen
    except BlueprintError as error:
        seen = error.diagnostics[0].code
    assert seen.startswith("tensorflow-model-optimization refuses") or seen == "GB821" or "'FULLY_CONNECTED'" in seen


BLOCKS_OF_THREE = Prune(sparsity=0.5, structure=Block((1, 3)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("declared", "kind", "more"),
    [
        (LowRank(rank=2), "Conv2D", "groups: 2"),
        (LowRank(rank=1), "Conv1D", "groups: 4"),
        (LowRank(rank=2), "Dense", "kernel_constraint: {max_norm: {max_value: 1.0}}"),
        (LowRank(rank=2), "Embedding", "embeddings_constraint: non_neg"),
        (LowRank(rank=3), "Dense", ""),
        (LowRank(rank=2), "Dense", ""),
        (PASSES["prune 2:4"], "Conv2D", "groups: 2"),
        (PASSES["prune 2:4"], "Conv1D", "groups: 4"),
        (PASSES["prune block"], "Conv2D", "groups: 2"),
        (PASSES["prune"], "Conv2D", "groups: 2"),
        (PASSES["cluster"], "Conv2D", "groups: 2"),
        (Prune(sparsity=0.5, structure=Block((4, 2))), "Dense", ""),
        (Prune(sparsity=0.5, structure=Block((1, 8))), "Dense", ""),
        (BLOCKS_OF_THREE, "Conv2D", ""),
        (BLOCKS_OF_THREE, "Conv1D", ""),
        (BLOCKS_OF_THREE, "Dense", ""),
        (Cluster(clusters=32), "Dense", ""),
        (Cluster(clusters=31), "Dense", ""),
        (Cluster(clusters=3), "DepthwiseConv1D", ""),
        (Cluster(clusters=12), "DepthwiseConv1D", ""),
    ],
)
def test_conditions_on_arguments_and_sizes_are_what_runs_give(declared: CompressionPass, kind: str, more: str) -> None:
    check(graph_of(kind, more), declared)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(layers.names()))
def test_legal_is_what_tensorflow_model_optimization_knows(kind: str) -> None:
    """Legal means that it does the same by itself, extended that it does less, or nothing."""
    graph = graph_of(kind)
    layer = graph.layers["it"]
    if ruling(PASSES["prune"], layer).reason and "tf_keras" in str(ruling(PASSES["prune"], layer).reason):
        return
    made = build(graph, keras=2, compiled=False).get_layer("it")
    count = len(kernels_of(layer))
    pruned = clustered = 0
    if prune_registry.PruneRegistry.supports(made):
        prune_registry.PruneRegistry.make_prunable(made)
        pruned = len(made.get_prunable_weights())
    if clustering_registry.ClusteringRegistry.supports(made):
        clustering_registry.ClusteringRegistry.make_clusterable(made)
        clustered = len(made.get_clusterable_weights())
    for column, theirs in (("prune", pruned), ("cluster", clustered)):
        told = ruling(PASSES[column], layer).verdict
        if told in ACTS:
            assert (told is Verdict.LEGAL) == (theirs == count), (column, theirs)
    told = ruling(PASSES["quantize aware"], layer).verdict
    # The one it splits into two before it asks; of the other it would have what is averaged cut off.
    if told in ACTS and kind not in ("SeparableConv2D", "AveragePooling1D"):
        registry = default_8bit_quantize_registry.Default8BitQuantizeRegistry()
        assert (told is Verdict.LEGAL) == registry.supports(made)
