"""Every cell of the legality table against a run of it."""

from __future__ import annotations

import keras
import pytest
from tensorflow_model_optimization.python.core.clustering.keras import clustering_registry
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import default_8bit_quantize_registry
from tensorflow_model_optimization.python.core.sparsity.keras import prune_registry

from graphbuilder.backend.build import build
from graphbuilder.catalog import layers
from graphbuilder.compression.kernels import kernels_of
from graphbuilder.compression.legality import Verdict, ruling
from tests.compression.cells import NODES, graph_of
from tests.compression.runs import PASSES, outcome

SAMPLE = [
    ("Conv2D", "prune"),
    ("Conv1D", "prune 2:4"),
    ("MultiHeadAttention", "prune block"),
    ("DepthwiseConv2D", "cluster"),
    ("Conv1D", "quantize aware"),
    ("SeparableConv2D", "quantize aware"),
    ("Flatten", "prune"),
    ("RMSNormalization", "cluster"),
    ("Embedding", "low_rank"),
]
ACTS = (Verdict.LEGAL, Verdict.EXTENDED)


@pytest.fixture(autouse=True)
def seeded() -> None:
    keras.utils.set_random_seed(0)


def check(kind: str, column: str) -> None:
    told = ruling(PASSES[column], graph_of(kind).layers["it"])
    found = outcome(kind, column)
    assert (told.verdict in ACTS) == (found in ACTS), (told, found)
    if not told.acts:
        assert told.verdict is found
        assert told.reason


def test_there_is_a_cell_for_every_layer() -> None:
    assert sorted(NODES) == sorted(layers.names())


@pytest.mark.parametrize(("kind", "column"), SAMPLE)
def test_a_sample_of_the_table_is_what_runs_give(kind: str, column: str) -> None:
    check(kind, column)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(layers.names()))
@pytest.mark.parametrize("column", [*PASSES])
def test_the_table_is_what_runs_give(kind: str, column: str) -> None:
    check(kind, column)


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
    if told in ACTS and kind != "SeparableConv2D":
        registry = default_8bit_quantize_registry.Default8BitQuantizeRegistry()
        assert (told is Verdict.LEGAL) == registry.supports(made)
