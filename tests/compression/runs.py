"""Runs of single passes on single layers, and what they gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from graphbuilder.backend.build import build
from graphbuilder.backend.compressing import Finished, factor, prepare
from graphbuilder.backend.compressing.variables import variables_of
from graphbuilder.compression.kernels import Kernel, kernels_of
from graphbuilder.compression.legality import Verdict, ruling
from graphbuilder.compression.legality_table import MOVING
from graphbuilder.compression.options import Block
from graphbuilder.compression.passes import Cluster, CompressionPass, LowRank, Prune, Quantize
from graphbuilder.compression.targets import Record, Target
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph
from tests.compression.cells import samples
from tests.support.conversion_cells import converted

__all__ = ["PASSES", "Attempt", "attempt", "follows_two_of_four", "run", "targets_of", "weights_of"]

# The pass that each column is run with.
PASSES: Mapping[str, CompressionPass] = {
    "prune": Prune(sparsity=0.5),
    "prune 2:4": Prune(structure="2:4"),
    "prune block": Prune(sparsity=0.5, structure=Block((2, 2))),
    "cluster": Cluster(clusters=3),
    "quantize aware": Quantize(),
    "low_rank": LowRank(rank=1),
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of trying a pass on a layer, whatever the tables say of it.

    Arguments:
        verdict: what acts is both LEGAL and EXTENDED: the first is given.
        weights: the paths of the weights that were changed as asked.
        seen: what was observed, for messages.
    """

    verdict: Verdict
    weights: tuple[str, ...] = ()
    seen: str = ""


def targets_of(graph: Graph, declared: CompressionPass, layers: Sequence[str]) -> list[Target]:
    """What a pass does to some layers, as far as it may; training for 8 bits also where conversion would lose it."""
    found = []
    for name in layers:
        layer = graph.layers[name]
        ruled = ruling(declared, layer)
        if isinstance(declared, Quantize):
            found.append(Target(name, declared, tuple(kernel.path for kernel in kernels_of(layer))))
            continue
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
    """Whether blocks are zero as a whole or not at all; there must be one."""
    matrix = np.transpose(weight, kernel.rows_first).reshape(kernel.inputs, -1) == 0
    rows, columns = block
    cut = matrix[: len(matrix) // rows * rows, : matrix.shape[1] // columns * columns]
    if not cut.size:
        return False
    shares = cut.reshape(len(cut) // rows, rows, -1, columns).mean(axis=(1, 3))
    # In a convolution a block that spans two positions is none.
    whole = kernel.matrix or weight.shape[kernel.kept[-1]] % columns == 0
    return bool(np.isin(shares, (0, 1)).all()) and whole


def attempt(graph: Graph, declared: CompressionPass) -> Attempt:
    """Tries a pass on the layer `it` of a graph, and looks at what it leaves.

    Arguments:
        graph: a cell's graph.
        declared: the pass.
    """
    try:
        model = build(graph, keras=2, compiled=False)
    except BlueprintError as error:
        return _refused(error, "GB502", "it")
    if isinstance(declared, Quantize):
        return _quantizing(model, graph, declared)
    kernels = kernels_of(graph.layers["it"])
    if not kernels:
        # Nor has Keras any weight that numbers are multiplied with and summed.
        shapes = [tuple(each.shape) for each in model.get_layer("it").trainable_weights]
        assert all(sum(size > 1 for size in shape) <= 1 for shape in shapes), shapes
        return Attempt(Verdict.NO_EFFECT)
    if isinstance(declared, LowRank):
        return _factoring(model, graph, declared, tuple(kernel.path for kernel in kernels))
    done = _changed(model, graph, declared, kernels)
    weights = tuple(path for path, right, _ in done if right)
    return Attempt(Verdict.LEGAL if weights else Verdict.ILLEGAL, weights, "; ".join(f"{p}: {s}" for p, _, s in done))


def _refused(error: BlueprintError, code: str, node: str) -> Attempt:
    """What came of a refusal, which must be the one that is expected, at the node."""
    told = error.diagnostics[0]
    if (told.code, told.node) != (code, node):
        raise error
    return Attempt(Verdict.ILLEGAL, seen=told.message)


def _changed(
    model: Any, graph: Graph, declared: CompressionPass, kernels: Sequence[Kernel]
) -> list[tuple[str, bool, str]]:
    """Of each kernel its path, whether a pass makes of it, and of no other, what was asked for, and what was seen."""
    try:
        finished = run(model, graph, [Target("it", declared, tuple(kernel.path for kernel in kernels))])
    except (BlueprintError, ValueError, tf.errors.InvalidArgumentError) as error:
        if len(kernels) > 1:
            # Which of them it is that is refused.
            return [found for kernel in kernels for found in _changed(model, graph, declared, [kernel])]
        return [(kernels[0].path, False, f"refused: {' '.join(str(error).split())[:120]}")]
    weights = weights_of(finished.model, graph)
    tried = {("it", kernel.path) for kernel in kernels}
    others = {(name, each.path) for name, layer in graph.layers.items() for each in kernels_of(layer)} - tried
    assert all((weights[place] != 0).all() for place in others)
    return [(kernel.path, *_right(declared, kernel, weights["it", kernel.path])) for kernel in kernels]


def _right(declared: CompressionPass, kernel: Kernel, weight: Any) -> tuple[bool, str]:
    """Whether a kernel is as a pass was asked to make it, and what was seen."""
    if isinstance(declared, Cluster):
        count = len(np.unique(weight))
        return count <= declared.clusters < weight.size, f"{count} different values of {weight.size}"
    assert isinstance(declared, Prune)
    zeros = float((weight == 0).mean())
    right = abs(zeros - (declared.sparsity or 0.5)) < 0.05
    if declared.structure == "2:4":
        right = right and kernel.inputs % 4 == 0 and follows_two_of_four(kernel, weight)
    elif isinstance(declared.structure, Block):
        right = right and _follows_blocks(kernel, weight, declared.structure.block)
    return right, f"{100 * zeros:.0f} % zeros"


def _factoring(model: Any, graph: Graph, declared: LowRank, paths: tuple[str, ...]) -> Attempt:
    """Whether a layer can be replaced by two with fewer numbers, and by two of full rank that give the same."""
    try:
        thinner, _ = factor(model, graph, [Target("it", declared, paths)])
        full, made = factor(model, graph, [Target("it", LowRank(rank=10_000), paths)])
    except BlueprintError as error:
        return _refused(error, "GB833", "it")
    assert list(made.ranks) == ["it"]
    x, _ = samples(graph)
    np.testing.assert_allclose(full(x), model(x), atol=1e-5)
    fewer = thinner.count_params() < model.count_params()
    seen = f"{thinner.count_params()} numbers for {model.count_params()}"
    return Attempt(Verdict.LEGAL if fewer else Verdict.ILLEGAL, paths if fewer else (), seen)


def _quantizing(model: Any, graph: Graph, declared: Quantize) -> Attempt:
    """What training for 8 bits makes of a layer, and the conversion of that."""
    around = targets_of(graph, declared, [name for name in ("before", "beside", "after") if name in graph.layers])
    layer = graph.layers["it"]
    paths = tuple(kernel.path for kernel in kernels_of(layer))
    # What hands on what it is given is not told to measure a range of its own.
    moves = _moves(model, graph) and not ruling(declared, layer).acts
    try:
        finished = run(model, graph, around if moves else [*around, Target("it", declared, paths)], steps=12)
    except BlueprintError as error:
        return _refused(error, "GB821", "it")
    quantized = finished.quantized
    assert quantized is not None
    (wrapper,) = (each for each in quantized.layers if each.name == "it")
    x, _ = samples(graph, 24)
    expected = {"after": np.asarray(quantized(x, training=False))}
    (name,) = graph.inputs
    try:
        facts = converted(graph, quantized, {name: x}, expected, "int8", True, node="it")
    except BlueprintError as error:
        return Attempt(Verdict.ILLEGAL, seen=error.diagnostics[0].message)
    if not facts["share"] < 0.05:
        return Attempt(Verdict.ILLEGAL, seen=f"it is off by {100 * facts['share']:.0f} % of its scale")
    # Of what it gives, or of its weights.
    names = [weight.name.partition(":")[0] for weight in wrapper.weights]
    measures = any(name.endswith(("_min", "_max")) for name in names)
    assert not (measures and layer.kind in MOVING)
    if moves:
        return Attempt(Verdict.NO_EFFECT, seen="it hands on what it is given")
    if paths and facts["float_kernels"]:
        return Attempt(Verdict.NO_EFFECT, seen="its kernels stay floats")
    # What computes at the scale of what it is given has nothing to measure.
    acts = measures or facts["integers"]
    return Attempt(Verdict.LEGAL if acts else Verdict.NO_EFFECT, paths if acts else (), str(facts))


def _moves(model: Any, graph: Graph) -> bool:
    """Whether a layer gives nothing but numbers that it was given, and zeros."""
    layer = model.get_layer("it")
    seen = type(model)(model.input, [layer.input, layer.output])
    *given, made = [np.asarray(each) for each in tf.nest.flatten(seen(samples(graph)[0]))]
    return bool(np.isin(made, [0.0, *np.concatenate([each.ravel() for each in given])]).all())
