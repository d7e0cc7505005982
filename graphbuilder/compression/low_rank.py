"""Replaces layers by two thinner ones each: the graph, and the weights by their singular values.

A kernel as a matrix (inputs × outputs) is replaced by the product of two of rank r, the nearest such product by the
truncated singular value decomposition (Eckart and Young 1936, https://doi.org/10.1007/BF02288367). A convolution
becomes one of the same size with r filters, and one of size 1 after it (Zhang et al. 2016,
https://arxiv.org/abs/1505.06798). The other way, along its spatial axes (Jaderberg et al. 2014,
https://arxiv.org/abs/1405.3866), has nothing to split in kernels along one axis or of size 1, and is not gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from graphbuilder.catalog import LayerEntry, TensorType, Weight
from graphbuilder.catalog import layers as catalog
from graphbuilder.catalog.ports import Inputs
from graphbuilder.compression.passes import LowRank
from graphbuilder.compression.targets import Target
from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.graph import Call, CustomLayer, Graph, Layer, Value

__all__ = ["Factored", "factored", "unfactorable"]

# The layers that two of their own kind, or one and a Dense, can stand in for.
_PAIRED = frozenset({"Dense", "Embedding", "Conv1D", "Conv2D", "Conv3D"})

# What the second of the two layers does and the first does not.
_LAST: Mapping[str, Any] = {"use_bias": False, "activation": None, "activity_regularizer": None}
# How the second convolution goes over the positions that the first one has made.
_POINTWISE: Mapping[str, Any] = {"padding": "valid"}


@dataclass(frozen=True, slots=True, eq=False)
class Factored:
    """What came of replacing layers.

    Arguments:
        graph: the graph with two layers in the place of each.
        weights: those of the new layers, by the layer's path and the weight's; all others stay as they are.
        ranks: the width between the two, by the path of the layer that was replaced.
        first: the path of the first of the two; the second has the path of the layer that was replaced.
        skipped: why a layer was left as it is, by its path.
    """

    graph: Graph
    weights: Mapping[tuple[str, str], Any]
    ranks: Mapping[str, int]
    first: Mapping[str, str]
    skipped: Mapping[str, str]


def unfactorable(entry: LayerEntry | CustomLayer) -> str | None:
    """Why a layer cannot be replaced by two thinner ones, in one clause; None where it can, unless it is too small."""
    if isinstance(entry, CustomLayer) or type(entry).name() not in _PAIRED:
        kind = "a custom layer" if isinstance(entry, CustomLayer) else type(entry).name()
        return f"no two thinner layers are known that compute what {kind} does"
    if getattr(entry, "groups", 1) != 1:
        return "its groups have kernels of their own"
    for name in ("kernel_constraint", "embeddings_constraint"):
        if getattr(entry, name, None) is not None:
            return f"its {name} would hold the two factors and not their product"
    return None


def factored(graph: Graph, targets: Sequence[Target], weights: Mapping[tuple[str, str], Any]) -> Factored:
    """Replaces layers by two thinner ones each.

    Arguments:
        graph: the graph.
        targets: the layers, whose options are of `LowRank`.
        weights: their weights as arrays, by the layer's path and the weight's.

    Raises:
        BlueprintError: two thinner layers cannot stand in for one of them.
    """
    _refuse(graph, targets)
    layers = dict(graph.layers)
    found: dict[tuple[str, str], Any] = {}
    ranks: dict[str, int] = {}
    pairs: dict[str, tuple[Layer, Layer]] = {}
    skipped: dict[str, str] = {}
    for target in targets:
        layer = graph.layers[target.layer]
        (path,) = target.weights
        kernel = weights[target.layer, path]
        rank, reason = _rank(kernel, target.options)
        if reason is not None:
            skipped[target.layer] = reason
            continue
        first, second = pairs[layer.name] = _thinner(layer, path, rank, {*graph.layers, *graph.calls})
        one, other = _factors(kernel, rank)
        found[first.name, path] = one.reshape(first.weights[0].shape if first.weights else one.shape)
        found[second.name, "kernel"] = other.reshape(second.weights[0].shape if second.weights else other.shape)
        for weight in layer.weights or ():
            if weight.name != path:
                found[second.name, weight.name] = weights[layer.name, weight.name]
        ranks[layer.name] = rank
        layers[layer.name] = second
        layers[first.name] = first
    made = replace(graph, layers=layers, calls=_calls(graph, pairs))
    used = dict.fromkeys(call.target.name for call in made.calls.values() if isinstance(call.target, Layer))
    made = replace(made, layers={name: layers[name] for name in used})
    return Factored(made, found, ranks, {name: pair[0].name for name, pair in pairs.items()}, skipped)


def _refuse(graph: Graph, targets: Sequence[Target]) -> None:
    """Refuses layers that no two can stand in for."""
    problems = []
    for target in targets:
        layer = graph.layers[target.layer]
        reason = unfactorable(layer.entry)
        if reason is not None:
            where = layer.origin
            message = f"low_rank cannot be done to {layer.name}, {layer.kind}: {reason}"
            place = where.position(key=True)
            problems.append(Diagnostic("GB833", message, file=where.source.name, position=place, node=layer.name))
    if problems:
        raise BlueprintError(problems)


def _matrix(kernel: Any) -> Any:
    """A kernel with one row for each input and one column for each output."""
    return kernel.reshape(-1, kernel.shape[-1]).astype("float64")


def _rank(kernel: Any, options: Any) -> tuple[int, str | None]:
    """The rank that the pass asks for, and why it would not make the layer thinner."""
    import numpy as np

    assert isinstance(options, LowRank)
    matrix = _matrix(kernel)
    inputs, outputs = matrix.shape
    if options.rank is not None:
        return min(options.rank, inputs, outputs), None
    assert options.energy is not None
    squares = np.linalg.svd(matrix, compute_uv=False) ** 2
    shares = np.cumsum(squares) / max(squares.sum(), np.finfo(float).tiny)
    rank = min(int(np.searchsorted(shares, options.energy)) + 1, len(squares))
    if rank * (inputs + outputs) >= inputs * outputs:
        held = f"{100 * options.energy:g} % of the squared singular values need rank {rank}"
        return (
            rank,
            f"{held}, at which the two factors hold no fewer numbers than the {inputs} × {outputs} they replace",
        )
    return rank, None


def _factors(kernel: Any, rank: int) -> tuple[Any, Any]:
    """The two matrices of a rank whose product is nearest to the kernel; both get the roots of the singular values."""
    import numpy as np

    left, values, right = np.linalg.svd(_matrix(kernel), full_matrices=False)
    roots = np.sqrt(values[:rank])
    return (left[:, :rank] * roots).astype(kernel.dtype), (roots[:, None] * right[:rank]).astype(kernel.dtype)


def _thinner(layer: Layer, path: str, rank: int, taken: set[str]) -> tuple[Layer, Layer]:
    """The two layers that stand in the place of one."""
    entry = layer.entry
    assert isinstance(entry, LayerEntry)
    name = f"{layer.name}.basis"
    while name in taken:
        name += "_"
    (kernel,) = (weight for weight in layer.weights or () if weight.name == path)
    others = tuple(weight for weight in layer.weights or () if weight.name != path)
    outputs = kernel.shape[-1]
    first_kernel = Weight(path, (*kernel.shape[:-1], rank), kernel.trainable)
    if layer.kind == "Embedding":
        first = entry.model_copy(update={"output_dim": rank})
        dense = catalog.get("Dense")
        assert dense is not None
        second: LayerEntry = dense(
            units=outputs,
            use_bias=False,
            trainable=entry.trainable,
            dtype=entry.dtype,  # type: ignore[call-arg]
        )
        second_kernel = Weight("kernel", (rank, outputs))
    elif layer.kind == "Dense":
        first = entry.model_copy(update={**_LAST, "units": rank})
        second = entry
        second_kernel = Weight("kernel", (rank, outputs), kernel.trainable)
    else:
        first = entry.model_copy(update={**_LAST, "filters": rank})
        ones = (1,) * (len(kernel.shape) - 2)
        second = entry.model_copy(update={**_POINTWISE, "kernel_size": ones, "strides": ones, "dilation_rate": ones})
        second_kernel = Weight("kernel", (*ones, rank, outputs), kernel.trainable)
    assert prod(first_kernel.shape) * outputs >= prod(second_kernel.shape)
    return (
        Layer(name, first, (first_kernel,), layer.origin),
        Layer(layer.name, second, (second_kernel, *others), layer.origin),
    )


def _calls(graph: Graph, pairs: Mapping[str, tuple[Layer, Layer]]) -> dict[str, Call]:
    """The calls, with two in the place of each call of a layer that was replaced."""
    found: dict[str, Call] = {}
    for call in graph.calls.values():
        if not isinstance(call.target, Layer) or call.target.name not in pairs:
            found[call.name] = call
            continue
        first, second = pairs[call.target.name]
        port, argument = next(iter(call.arguments.items()))
        # A second call of the layer, under a name of its own, has an inner call of its own too.
        name = first.name if call.name == call.target.name else f"{call.name}.basis"
        while name in graph.calls or name in found:
            name += "_"
        (given,) = call.inputs()
        assert isinstance(first.entry, LayerEntry)
        assert isinstance(second.entry, LayerEntry)
        between, cost = _computed(first.entry, port, given.type)
        value = Value(name, between, first.entry.masks(given.masked), given.modalities)
        found[name] = replace(
            call, name=name, target=first, arguments={port: argument}, outputs=(value,), macs=cost, about=None
        )
        second_port = second.entry.ports[0].name
        _, cost = _computed(second.entry, second_port, between)
        found[call.name] = replace(call, target=second, arguments={second_port: value}, macs=cost)
    return found


def _computed(entry: LayerEntry, port: str, given: TensorType | None) -> tuple[TensorType | None, int | None]:
    """What a layer gives for one tensor, and what it costs."""
    if given is None:
        return None, None
    inputs = Inputs({port: given})
    outputs = entry.outputs(inputs)
    assert isinstance(outputs, TensorType)
    return outputs, entry.macs(inputs, outputs)
