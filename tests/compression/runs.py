"""Runs of single passes on single layers, and what they gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphbuilder.backend.build import build
from graphbuilder.backend.compressing import Finished, factor, prepare
from graphbuilder.backend.compressing.variables import variables_of
from graphbuilder.compression.kernels import Kernel, kernels_of
from graphbuilder.compression.legality import Verdict, ruling
from graphbuilder.compression.options import Block
from graphbuilder.compression.passes import Cluster, CompressionPass, LowRank, Prune, Quantize
from graphbuilder.compression.targets import Record, Target
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph
from tests.compression.cells import graph_of, samples

__all__ = ["PASSES", "follows_two_of_four", "outcome", "run", "targets_of", "weights_of"]

# The pass that each column is run with.
PASSES: Mapping[str, CompressionPass] = {
    "prune": Prune(sparsity=0.5),
    "prune 2:4": Prune(structure="2:4"),
    "prune block": Prune(sparsity=0.5, structure=Block((2, 2))),
    "cluster": Cluster(clusters=3),
    "quantize aware": Quantize(),
    "low_rank": LowRank(rank=1),
}


def targets_of(graph: Graph, declared: CompressionPass, layers: Sequence[str]) -> list[Target]:
    """What a pass does to some layers, as far as it may."""
    found = []
    for name in layers:
        ruled = ruling(declared, graph.layers[name])
        assert ruled.acts, (name, ruled)
        found.append(Target(name, declared, ruled.weights))
    return found


def run(
    model: Any,
    graph: Graph,
    targets: Sequence[Target],
    *,
    steps: int = 4,
    record: Record | None = None,
    optimizer: Any = "sgd",
) -> Finished:
    """Runs a pass on random data, four samples a step."""
    prepared = prepare(model, graph, targets, steps=steps, record=record)
    prepared.model.compile(optimizer, "mse")
    x, y = samples(graph, 4 * steps)
    prepared.model.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=list(prepared.callbacks))
    return prepared.finish()


def weights_of(model: Any, graph: Graph) -> dict[tuple[str, str], Any]:
    """A model's weights as arrays, by the names that the graph has for them."""
    return {place: variable.numpy() for place, variable in variables_of(model, graph).items()}


def follows_two_of_four(kernel: Kernel, weight: Any) -> bool:
    """Whether at most two of each four weights along the axis of inputs are not zero."""
    groups = np.transpose(weight, kernel.rows_last).reshape(-1, kernel.inputs)
    groups = groups[:, : kernel.inputs // 4 * 4].reshape(-1, 4)
    return bool((np.count_nonzero(groups, axis=1) <= 2).all())


def _follows_blocks(kernel: Kernel, weight: Any, block: tuple[int, int]) -> bool:
    """Whether blocks are zero as a whole or not at all."""
    matrix = np.transpose(weight, kernel.rows_first).reshape(kernel.inputs, -1) == 0
    rows, columns = block
    cut = matrix[: len(matrix) // rows * rows, : matrix.shape[1] // columns * columns]
    shares = cut.reshape(len(cut) // rows, rows, -1, columns).mean(axis=(1, 3))
    return bool(np.isin(shares, (0, 1)).all())


def outcome(kind: str, column: str) -> Verdict:
    """What a run of a pass on a layer gives, whatever the table says of it.

    What acts is both LEGAL and EXTENDED here: the first is given.
    """
    graph = graph_of(kind)
    declared = PASSES[column]
    try:
        model = build(graph, keras=2, compiled=False)
    except BlueprintError as error:
        if error.diagnostics[0].code != "GB502":
            raise
        return Verdict.ILLEGAL
    layer = graph.layers["it"]
    kernels = kernels_of(layer)
    if column == "quantize aware":
        ruled = ruling(declared, layer)
        if not ruled.acts:
            # The layers around it are trained for 8 bits, and it hands on what it is given.
            around = run(model, graph, targets_of(graph, declared, ["before", "after"]))
            assert around.quantized is not None
            (it,) = (each for each in around.quantized.layers if each.name == "it")
            measures = any(weight.name.partition(":")[0].endswith(("_min", "_max")) for weight in it.weights)
            return Verdict.LEGAL if measures else Verdict.NO_EFFECT
        finished = run(model, graph, [Target("it", declared, ruled.weights)])
        assert finished.quantized is not None
        (wrapper,) = (each for each in finished.quantized.layers if each.name == "it")
        quantizes = any("_min" in weight.name for weight in wrapper.weights) or kind == "Softmax"
        quantizes = quantizes or kind == "BatchNormalization"
        return Verdict.LEGAL if "Wrapper" in type(wrapper).__name__ and quantizes else Verdict.NO_EFFECT
    if not kernels:
        return Verdict.NO_EFFECT
    paths = tuple(kernel.path for kernel in kernels)
    if column == "low_rank":
        return _factoring(model, graph, paths)
    suitable = [kernel for kernel in kernels if kernel.summed or column not in ("prune 2:4", "prune block")]
    if not suitable:
        return Verdict.ILLEGAL
    finished = run(model, graph, [Target("it", declared, tuple(kernel.path for kernel in suitable))])
    weights = weights_of(finished.model, graph)
    for kernel in suitable:
        weight = weights["it", kernel.path]
        if isinstance(declared, Cluster):
            assert len(np.unique(weight)) <= declared.clusters
        else:
            assert abs((weight == 0).mean() - 0.5) < 0.05, (kernel, (weight == 0).mean())
        if column == "prune 2:4":
            assert follows_two_of_four(kernel, weight)
        if column == "prune block":
            assert _follows_blocks(kernel, weight, (2, 2))
    others = {place: weight for place, weight in weights.items() if place[0] != "it" and weight.ndim > 1}
    assert all((weight != 0).all() for weight in others.values())
    return Verdict.LEGAL


def _factoring(model: Any, graph: Graph, paths: tuple[str, ...]) -> Verdict:
    """Whether a layer can be replaced by two of full rank that give the same."""
    if not hasattr(graph.layers["it"].entry, "units" if graph.layers["it"].kind == "Dense" else "filters") and (
        graph.layers["it"].kind != "Embedding"
    ):
        return Verdict.ILLEGAL
    if len(paths) > 1 or graph.layers["it"].kind not in ("Dense", "Embedding", "Conv1D", "Conv2D"):
        return Verdict.ILLEGAL
    thinner, made = factor(model, graph, [Target("it", LowRank(rank=10_000), paths)])
    assert list(made.ranks) == ["it"]
    x, _ = samples(graph)
    np.testing.assert_allclose(thinner(x), model(x), atol=1e-5)
    return Verdict.LEGAL
