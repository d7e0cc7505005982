"""Every fusion computed in NumPy from the formula in its docstring, to hold the built models against.

Nothing here is taken from how graphbuilder does it, but for the names of the layers whose weights are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from tests.fusion.layers_by_hand import (
    Array,
    Weights,
    broadcast,
    dense,
    encoder_layer,
    layer_norm,
    masked_mean,
    relu,
    sigmoid,
)

__all__ = ["FORMULAS", "Given", "counting_steps", "merged"]

# The option that says what a formula leaves open, by strategy; all others follow from the sizes of the weights.
Options: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Given:
    """A branch.

    Arguments:
        name: as the fusion calls it.
        values: its numbers.
        kept: which of its steps its mask leaves, (batch, steps); None for all.
        present: 1 for each sample that has it, 0 for each that lacks it; None where all have.
    """

    name: str
    values: Array
    kept: Array | None = None
    present: Array | None = None

    @property
    def there(self) -> Array:
        """1 and 0 for each sample, (batch,)."""
        return np.ones(len(self.values)) if self.present is None else self.present.astype("float64")

    @property
    def zeroed(self) -> Array:
        """Its numbers, zeros for samples that lack it."""
        return self.values * broadcast(self.there, self.values)

    @property
    def counted(self) -> Array:
        """Which steps count: those that the mask leaves, of samples that have it."""
        kept = np.ones(self.values.shape[:2]) if self.kept is None else self.kept.astype("float64")
        return kept * self.there[:, None]


def as_vector(branch: Given) -> Given:
    """The average over positions, masked steps left out."""
    if branch.values.ndim == 2:
        return branch
    return replace(branch, values=masked_mean(branch.values, branch.kept), kept=None)


def as_sequence(branch: Given) -> Given:
    """A vector is one step, and each position of a map one."""
    values = branch.values
    if values.ndim == 3:
        return branch
    return replace(branch, values=values.reshape(len(values), -1, values.shape[-1]), kept=None)


def _aligned(branches: Sequence[Given], weights: Weights) -> list[Given]:
    """Vectors unless all positions are equal; projected where the fusion has a layer that does it."""
    branches = list(branches)
    if len({branch.values.shape[1:-1] for branch in branches}) > 1:
        branches = [as_vector(branch) for branch in branches]
    return [
        replace(branch, values=dense(branch.values, weights.of(f"{branch.name}.project")))
        if weights.has(f"{branch.name}.project")
        else branch
        for branch in branches
    ]


def _fitting(branches: Sequence[Given], weights: Weights) -> list[Given]:
    """The same, but what Keras broadcasts stays: vectors beside sequences, axes of size 1 beside others."""
    longest = max(branches, key=lambda branch: branch.values.ndim).values
    try:
        for branch in branches:
            np.broadcast_shapes(broadcast(branch.values, longest).shape, longest.shape)
    except ValueError:
        return _aligned(branches, weights)
    return [replace(branch, values=broadcast(branch.values, longest)) for branch in branches]


def _units(branches: Sequence[Given], options: Options) -> int:
    """The width that the options say, or that of the widest branch."""
    widest: int = max(branch.values.shape[-1] for branch in branches)
    return options.get("units") or widest


def concat(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    branches = branches if options.get("axis", -1) != -1 else _aligned(branches, weights)
    return np.concatenate([branch.zeroed for branch in branches], axis=options.get("axis", -1))


def add(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    return sum((branch.zeroed for branch in _fitting(branches, weights)), np.zeros(()))


def mean(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    total = add(branches, weights, options)
    count = sum(branch.there for branch in branches)
    return total / broadcast(np.maximum(count, 1), total)


def _joined_by_keras(branches: Sequence[Given]) -> bool:
    """Whether Keras's own layer leaves padding out: it does where all branches carry a mask."""
    return all(branch.kept is not None and branch.present is None for branch in branches)


def largest(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    fitting = _fitting(branches, weights)
    there = [np.where(broadcast(b.there, b.values) > 0, b.values, -np.inf) for b in fitting]
    if _joined_by_keras(branches):
        there = [np.where(b.counted[..., None] > 0, b.values, -np.inf) for b in fitting]
    found: Array = there[0]
    for values in there[1:]:
        found = np.maximum(found, values)
    return np.where(np.isinf(found), 0, found)


def multiply(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    product: Array = np.ones(())
    for branch in _fitting(branches, weights):
        there = broadcast(branch.there, branch.values) > 0
        there = branch.counted[..., None] > 0 if _joined_by_keras(branches) else there
        product = product * np.where(there, branch.values, 1)
    return product


def _shares(logits: Array, there: Array) -> Array:
    """A softmax over the branches that a sample has; zeros where it has none."""
    raised = np.exp(logits - logits.max(-1, keepdims=True)) * there
    return raised / np.maximum(raised.sum(-1, keepdims=True), 1e-300)


def weighted(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    aligned = _aligned(branches, weights)
    shares = _shares(weights.of("logits")["embeddings"], np.stack([branch.there for branch in aligned], -1))
    return sum(
        (b.values * broadcast(share, b.values) for b, share in zip(aligned, shares.T, strict=True)), np.zeros(())
    )


def gated(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    units = _units(branches, options)
    values = {branch.name: branch.zeroed for branch in _aligned(branches, weights)}
    hidden = [np.tanh(dense(x, weights.of(f"{name}.hidden"), units, bias=False)) for name, x in values.items()]
    together = np.concatenate(list(values.values()), -1)
    if len(hidden) == 2:
        gate = sigmoid(dense(together, weights.of("gate"), units, bias=False))
        return gate * hidden[0] + (1 - gate) * hidden[1]
    gates = [sigmoid(dense(together, weights.of(f"{name}.gate"), units, bias=False)) for name in values]
    return sum((gate * one for gate, one in zip(gates, hidden, strict=True)), np.zeros(()))


def film(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    features, *conditions = branches
    condition = np.concatenate([as_vector(branch).zeroed for branch in conditions], -1)
    # The layer's bias holds the 1 that the formula adds to γ.
    gamma, beta = (dense(condition, weights.of(name)) for name in ("scale", "shift"))
    some = np.max([branch.there for branch in conditions], axis=0)[:, None] > 0
    gamma, beta = np.where(some, gamma, 1), np.where(some, beta, 0)
    return broadcast(gamma, features.values) * features.zeroed + broadcast(beta, features.values)


def bilinear(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    product: Array = np.ones(())
    for branch in _aligned(branches, weights):
        rank = options.get("rank") or _units(branches, options)
        factor = dense(branch.values, weights.of(f"{branch.name}.factor"), rank)
        factor = relu(factor) if options.get("activation") == "relu" else np.tanh(factor)
        product = product * np.where(broadcast(branch.there, factor) > 0, factor, 1)
    return dense(product, weights.of("unmasked" if weights.has("unmasked") else ""), _units(branches, options))


def tensor(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    product = np.ones((len(branches[0].values), 1))
    for branch in branches:
        vector = as_vector(branch).zeroed
        if weights.has(f"{branch.name}.project"):
            vector = dense(vector, weights.of(f"{branch.name}.project")) * branch.there[:, None]
        end = np.concatenate([vector, np.ones((len(vector), 1))], -1)
        product = (product[:, :, None] * end[:, None, :]).reshape(len(end), -1)
    return product


def low_rank_tensor(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    product: Array = np.ones(())
    for branch in branches:
        width = options.get("rank", 4) * _units(branches, options)
        product = product * dense(as_vector(branch).zeroed, weights.of(f"{branch.name}.factor"), width)
    return product.reshape(len(product), options.get("rank", 4), -1).sum(1)


def mixture(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    aligned = _aligned(branches, weights)
    each = options.get("experts", 1)
    logits = dense(np.concatenate([branch.zeroed for branch in aligned], -1), weights.of("logits"), each * len(aligned))
    there = np.repeat(np.stack([branch.there for branch in aligned], -1), each, axis=-1)
    gate = _shares(logits, broadcast(there, logits))
    total: Array = np.zeros(())
    for place, branch in enumerate(aligned):
        for number in range(each):
            name = f"{branch.name}.expert" + (f"_{number + 1}" if each > 1 else "")
            expert = relu(dense(branch.values, weights.of(name), _units(branches, options)))
            total = total + gate[..., place * each + number, None] * expert
    return total


def _pooled(tokens: Array, kept: Array, options: Options) -> Array:
    """The average over the steps that count, or the sequence with zeros where a step does not."""
    return tokens * kept[..., None] if options.get("pool") == "none" else masked_mean(tokens, kept)


def _embedded(branch: Given, weights: Weights, units: int) -> Array:
    return dense(branch.values, weights.of(f"{branch.name}.embedded"), units)


def _heads(options: Options) -> tuple[int, int | None]:
    return options.get("heads", 4), options.get("feedforward")


def cross_attention(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    sequences = [as_sequence(branch) for branch in branches]
    count = len(sequences)
    asking = {"first": [0], "last": [count - 1], "both": list(range(count))}[options.get("direction", "both")]
    # Absent branches are zeros once embedded.
    streams = [
        _embedded(branch, weights, _units(branches, options)) * branch.there[:, None, None] for branch in sequences
    ]
    for number in range(1, options.get("layers", 1) + 1):
        changed = {}
        for place in asking:
            others = [other for other in range(count) if other != place]
            contexts = []
            for other in others:
                norm = f"context_{number}" if number > 1 and other in asking else "context"
                contexts.append(layer_norm(streams[other], weights.of(f"{sequences[other].name}.{norm}")))
            context = np.concatenate(contexts, 1)
            kept = np.concatenate([sequences[other].counted for other in others], 1)
            suffix = f"{sequences[place].name}.layer_{number}"
            changed[place] = encoder_layer(streams[place], context, weights, suffix, kept, *_heads(options))
        streams = [changed.get(place, stream) for place, stream in enumerate(streams)]
    outputs = []
    for place in asking:
        branch = sequences[place]
        last = layer_norm(streams[place], weights.of(f"{branch.name}.norm"))
        # All steps of an absent branch are the same, so all count: which were masked is nobody's knowledge.
        kept = np.ones(last.shape[:2]) if branch.kept is None else branch.kept.astype("float64")
        outputs.append(_pooled(last, np.maximum(kept, 1 - branch.there[:, None]), options))
    return np.concatenate(outputs, 1)


def tokens(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    sequences = [as_sequence(branch) for branch in branches]
    kept = np.concatenate([branch.counted for branch in sequences], 1)
    together = np.concatenate([_embedded(branch, weights, _units(branches, options)) for branch in sequences], 1)
    for number in range(1, options.get("layers", 1) + 1):
        together = encoder_layer(together, None, weights, f"layer_{number}", kept, *_heads(options))
    return _pooled(layer_norm(together, weights.of("norm")), kept, options)


def bottleneck(branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    sequences = [as_sequence(branch) for branch in branches]
    size = options.get("bottlenecks", 4)
    samples = len(sequences[0].values)
    exchanged = np.repeat(weights.of("bottleneck")["embeddings"][None], samples, axis=0)
    streams = [_embedded(branch, weights, _units(branches, options)) for branch in sequences]
    there = [branch.there for branch in sequences]
    layers = options.get("layers", 2)
    for number in range(1, layers + 1):
        told = []
        for place, branch in enumerate(sequences):
            joined = np.concatenate([streams[place], exchanged], 1)
            kept = np.concatenate([branch.counted, np.ones((samples, size))], 1)
            joined = encoder_layer(joined, None, weights, f"{branch.name}.layer_{number}", kept, *_heads(options))
            streams[place], one = joined[:, :-size], joined[:, -size:]
            told.append(one)
        exchanged = _present_mean(told, there)
    last = [layer_norm(s, weights.of(f"{b.name}.norm")) for s, b in zip(streams, sequences, strict=True)]
    if options.get("pool") == "none":
        return np.concatenate([s * b.counted[..., None] for s, b in zip(last, sequences, strict=True)], 1)
    averages = [masked_mean(s, b.counted) for s, b in zip(last, sequences, strict=True)]
    return _present_mean(averages, there)


def _present_mean(values: Sequence[Array], there: Sequence[Array]) -> Array:
    total = sum((x * broadcast(m, x) for x, m in zip(values, there, strict=True)), np.zeros(()))
    return total / broadcast(np.maximum(sum(there), 1), values[0])


FORMULAS: dict[str, Callable[[Sequence[Given], Weights, Options], Array]] = {
    "concat": concat,
    "add": add,
    "mean": mean,
    "max": largest,
    "multiply": multiply,
    "weighted": weighted,
    "gated": gated,
    "film": film,
    "bilinear": bilinear,
    "tensor": tensor,
    "low_rank_tensor": low_rank_tensor,
    "cross_attention": cross_attention,
    "tokens": tokens,
    "bottleneck": bottleneck,
    "mixture": mixture,
}


def merged(strategy: str, branches: Sequence[Given], weights: Weights, options: Options) -> Array:
    """What a fusion gives, from its formula.

    Arguments:
        strategy: as after `fuse:`.
        branches: as they arrive at the fusion.
        weights: those of the built fusion.
        options: those that the node states.
    """
    return FORMULAS[strategy](branches, weights, options)


def counting_steps(strategy: str, branches: Sequence[Given], merged: Array) -> Array | None:
    """Which steps of a merged sequence its mask leaves, (batch, steps); None where it has no mask.

    A step counts if it does for any branch that has steps and is there.
    """
    sequences = [branch for branch in branches if branch.values.ndim == 3]
    sequences = sequences[:1] if strategy == "film" else sequences
    if merged.ndim != 3 or strategy in ("cross_attention", "tokens", "bottleneck"):
        return None
    if any(branch.kept is None for branch in sequences):
        return None
    absent = np.sum([branch.there for branch in sequences], axis=0) == 0
    return np.any([branch.counted for branch in sequences], axis=0) | absent[:, None]
