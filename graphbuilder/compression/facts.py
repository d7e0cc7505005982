"""What became of the layers of a model in one stage, in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphbuilder.compression.kernels import kernels_of
from graphbuilder.compression.passes import Cluster, Prune
from graphbuilder.compression.plan import Stage
from graphbuilder.compression.report import Histogram, LayerFacts, Skip
from graphbuilder.compression.sizes import array_facts
from graphbuilder.graph import Graph, Layer

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Asked", "asked_of", "layer_facts", "skips_of", "with_tensors"]

# What is known of a converted layer's tensors holds more than its kernels: a bias is told from a kernel by its size.
_FLOAT_BITS = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """What passes have asked of a layer so far.

    Arguments:
        sparsity: the share of zeros.
        clusters: how many different values.
        rank: the width between the two layers that took its place.
    """

    sparsity: float | None = None
    clusters: int | None = None
    rank: int | None = None


def asked_of(before: Mapping[str, Asked], stage: Stage, ranks: Mapping[str, int] | None = None) -> dict[str, Asked]:
    """What has been asked of each layer, once a stage is done.

    Arguments:
        before: what had been asked before it.
        stage: the stage.
        ranks: the widths that a low_rank pass has chosen.
    """
    found = dict(before)
    for target in stage.targets:
        had = found.get(target.layer, Asked())
        if isinstance(target.options, Prune):
            sparsity = 0.5 if target.options.structure == "2:4" else target.options.sparsity
            found[target.layer] = Asked(sparsity, had.clusters, had.rank)
        elif isinstance(target.options, Cluster):
            found[target.layer] = Asked(had.sparsity, target.options.clusters, had.rank)
    for layer, rank in (ranks or {}).items():
        found[layer] = Asked(rank=rank)
    return found


def layer_facts(
    graph: Graph, weights: Mapping[tuple[str, str], np.ndarray], asked: Mapping[str, Asked]
) -> tuple[LayerFacts, ...]:
    """What became of each layer that has kernels.

    Arguments:
        graph: the graph.
        weights: the weights as arrays, by the layer's path and the weight's.
        asked: what passes have asked of the layers.
    """
    import numpy

    costs: dict[str, int | None] = {}
    for call in graph.calls.values():
        if isinstance(call.target, Layer):
            before = costs.get(call.target.name, 0)
            costs[call.target.name] = None if before is None or call.macs is None else before + call.macs
    found = []
    for path, layer in graph.layers.items():
        kernels = [weights[path, kernel.path] for kernel in kernels_of(layer) if (path, kernel.path) in weights]
        if not kernels:
            continue
        held = [array_facts(kernel) for kernel in kernels]
        size = sum(fact.size for fact in held)
        wanted = asked.get(path, Asked())
        channels = [fact.unique_per_channel for fact in held if fact.unique_per_channel is not None]
        found.append(
            LayerFacts(
                node=path,
                kind=layer.kind,
                parameters=size,
                macs=costs.get(path),
                asked_sparsity=wanted.sparsity,
                sparsity=sum(fact.zeros for fact in held) / max(1, size),
                asked_clusters=wanted.clusters,
                unique=max(fact.unique for fact in held),
                unique_per_channel=max(channels, default=None),
                bits=_FLOAT_BITS,
                rank=wanted.rank,
                histogram=Histogram.of(numpy.concatenate([kernel.reshape(-1) for kernel in kernels])),
            )
        )
    return tuple(found)


def with_tensors(layers: Sequence[LayerFacts], tensors: Iterable[Mapping[str, Any]]) -> tuple[LayerFacts, ...]:
    """The facts of layers as their .tflite file holds them: zeros, different values and bits of the stored numbers.

    A layer whose tensors cannot be told from others' keeps what was measured in Keras.

    Arguments:
        layers: the facts of the Keras model.
        tensors: the facts of the file's tensors, as plain data, with the `nodes` that each belongs to.
    """
    of_node: dict[str, list[Mapping[str, Any]]] = {}
    for tensor in tensors:
        for node in tensor["nodes"]:
            of_node.setdefault(node, []).append(tensor)
    found = []
    for layer in layers:
        kernels = _kernels(layer, of_node.get(layer.node, []))
        if kernels is None:
            found.append(layer)
            continue
        zeros = [tensor["zeros"] for tensor in kernels]
        unique = [tensor["unique"] for tensor in kernels if tensor["unique"] is not None]
        channels = [tensor["unique_per_channel"] for tensor in kernels if tensor["unique_per_channel"] is not None]
        found.append(
            layer.model_copy(
                update={
                    "sparsity": layer.sparsity if None in zeros else sum(zeros) / max(1, layer.parameters),
                    "unique": max(unique, default=layer.unique),
                    "unique_per_channel": max(channels, default=layer.unique_per_channel),
                    "bits": max(tensor["bits"] for tensor in kernels),
                }
            )
        )
    return tuple(found)


def _kernels(layer: LayerFacts, tensors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]] | None:
    """The tensors that hold a layer's kernels, if they can be told: those with more than one axis, of the same size."""
    held = [tensor for tensor in tensors if len(tensor["shape"]) > 1 and tensor["dtype"] not in ("INT32", "INT64")]
    return held if sum(tensor["size"] for tensor in held) == layer.parameters else None


def skips_of(stage: Stage, more: Mapping[str, str] | None = None) -> tuple[Skip, ...]:
    """The layers that a stage left alone, with the reasons.

    Arguments:
        stage: the stage.
        more: further layers that showed only when the pass ran, with the reasons.
    """
    name = stage.declared.name()
    planned = [
        Skip(node=one.layer, pass_name=name, reason=one.ruling.reason or str(one.ruling.verdict))
        for one in stage.skipped
    ]
    return (*planned, *(Skip(node=layer, pass_name=name, reason=reason) for layer, reason in (more or {}).items()))
