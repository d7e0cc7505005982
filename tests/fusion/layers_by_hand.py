"""The layers that fusions are made of, written in NumPy from their definitions, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import erf
from typing import Any, TypeAlias

import numpy as np

__all__ = [
    "Array",
    "Weights",
    "broadcast",
    "dense",
    "encoder_layer",
    "gelu",
    "layer_norm",
    "masked_mean",
    "multi_head_attention",
    "relu",
    "sigmoid",
    "softmax",
]

# An array of any dtype: numbers come and go between them here.
Array: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of one fusion, by the names of its layers behind the node's own.

    Arguments:
        node: the fusion's name.
        found: the model's weights, by layer and path.
    """

    node: str
    found: Mapping[str, Mapping[str, Any]]

    def of(self, suffix: str) -> dict[str, Array]:
        """The weights of `NODE.suffix`, or of the node itself where the suffix is empty."""
        name = f"{self.node}.{suffix}" if suffix else self.node
        return {path: weight.numpy().astype("float64") for path, weight in self.found[name].items()}

    def has(self, suffix: str) -> bool:
        """Whether there is a layer `NODE.suffix` with weights."""
        return f"{self.node}.{suffix}" in self.found


def sigmoid(x: Array) -> Array:
    """The logistic function."""
    return 1 / (1 + np.exp(-x))


def relu(x: Array) -> Array:
    """Negative numbers become 0."""
    return np.maximum(x, 0)


def gelu(x: Array) -> Array:
    """Each number times the probability that a standard normal one is below it."""
    return x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2)))


def softmax(logits: Array) -> Array:
    """Over the last axis."""
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def dense(x: Array, weights: Mapping[str, Array], units: int | None = None, bias: bool = True) -> Array:
    """A Dense layer without activation, over the last axis.

    Arguments:
        x: (batch, …, features).
        weights: by path.
        units: how wide the layer must be, where the formula says so.
        bias: whether the formula has one.
    """
    assert units is None or weights["kernel"].shape[-1] == units
    return x @ weights["kernel"] + (weights["bias"] if bias else 0)


def layer_norm(x: Array, weights: Mapping[str, Array]) -> Array:
    """A LayerNormalization with epsilon 1e-6, over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) * weights["gamma"] + weights["beta"]


def masked_mean(x: Array, kept: Array | None) -> Array:
    """The average over all axes between batch and features; of a sequence, over the steps that are kept.

    Where no step is kept the average is 0.
    """
    if kept is None:
        return x.mean(tuple(range(1, x.ndim - 1)))
    weights = kept.astype("float64")
    return np.einsum("bsf,bs->bf", x, weights) / np.maximum(weights.sum(1, keepdims=True), 1)


def multi_head_attention(query: Array, value: Array, weights: Mapping[str, Array], kept: Array | None) -> Array:
    """Keras's MultiHeadAttention, the key being the value; a query that may see no step looks at all alike.

    Arguments:
        query: (batch, steps, units).
        value: (batch, other steps, units).
        weights: by path, the kernels (units, heads, key_dim).
        kept: (batch, other steps), which of them are seen; None for all.
    """
    asked, known, told = (
        np.einsum("bsu,uhd->bshd", x, weights[f"{name}/kernel"]) + weights[f"{name}/bias"]
        for x, name in ((query, "query"), (value, "key"), (value, "value"))
    )
    scores = np.einsum("bqhd,bkhd->bhqk", asked, known) / np.sqrt(known.shape[-1])
    if kept is not None:
        some = kept.any(-1)[:, None, None, None]
        scores = np.where(some, np.where(kept[:, None, None, :] > 0, scores, -np.inf), 0)
    seen = np.einsum("bhqk,bkhd->bqhd", softmax(scores), told)
    output: Array = np.einsum("bqhd,hdu->bqu", seen, weights["attention_output/kernel"])
    return output + weights["attention_output/bias"]


def encoder_layer(
    tokens: Array,
    context: Array | None,
    weights: Weights,
    suffix: str,
    kept: Array | None,
    heads: int = 4,
    feedforward: int | None = None,
) -> Array:
    """One layer, normalized first: t ← t + MHA(LN(t), c), t ← t + FFN(LN(t)).

    Arguments:
        tokens: (batch, steps, units).
        context: what they look at, normalized; None for themselves.
        weights: the fusion's.
        suffix: what stands before the names of the layers.
        kept: which steps of the context are seen; None for all.
        heads: how many, each of a part of the width.
        feedforward: the width inside; None for four times that of the tokens.
    """
    units = tokens.shape[-1]
    assert weights.of(f"{suffix}.attention")["query/kernel"].shape == (units, heads, max(2, units // heads))
    query = layer_norm(tokens, weights.of(f"{suffix}.norm_before_attention"))
    seen = query if context is None else context
    tokens = tokens + multi_head_attention(query, seen, weights.of(f"{suffix}.attention"), kept)
    inside = layer_norm(tokens, weights.of(f"{suffix}.norm_before_feedforward"))
    hidden = gelu(dense(inside, weights.of(f"{suffix}.feedforward_in"), feedforward or 4 * units))
    return tokens + dense(hidden, weights.of(f"{suffix}.feedforward_out"), units)


def broadcast(column: Array, like: Array) -> Array:
    """One number, or one vector, for each sample, (batch, …), with axes of size 1 to stand beside a larger tensor."""
    return column.reshape(column.shape[0], *(1,) * (like.ndim - column.ndim), *column.shape[1:])
