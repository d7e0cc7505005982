"""Small models to train, and the weights that come of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphbuilder.backend.build import build
from graphbuilder.backend.fitting import FitOptions, Fitted, fit
from graphbuilder.backend.frameworks import KerasVersion, framework
from graphbuilder.data import Data, given_arrays, wants_of
from graphbuilder.graph import Graph

__all__ = ["RANDOM", "SUMS", "built", "fitted", "same_weights", "sums", "weights"]

# Everything in it that draws numbers while it is trained must depend on the seed and the epoch alone.
RANDOM = """\
blueprint: 1
name: random
inputs: {rows: {shape: [6, 4]}}
nodes:
  noisy: {layer: GaussianNoise, stddev: 0.1}
  drawn: {layer: Activation, activation: tanh}
  normal: {layer: BatchNormalization, axis: -1}
  flat: {layer: Flatten}
  dropped: {layer: Dropout, rate: 0.3}
  scores: {layer: Dense, units: 2, activation: softmax}
training:
  optimizer: {adam: {learning_rate: 0.01}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
  seed: 3
"""

SUMS = """\
blueprint: 1
name: sums
inputs: {row: {shape: [4]}}
nodes:
  sum: {layer: Dense, units: 1}
training: {optimizer: {sgd: {learning_rate: 0.05}}, loss: mse, epochs: 3, batch_size: 8, seed: 1}
"""


def sums(graph: Graph, count: int = 64) -> Data:
    """Rows and their sums."""
    rows = np.random.default_rng(0).normal(size=(count, 4)).astype("float32")
    return given_arrays({"row": rows, "y": rows.sum(axis=1)}, wants_of(graph))


def built(graph: Graph, keras: KerasVersion = 3, seed: int = 1) -> Any:
    """The compiled model of a graph, its first weights fixed by the seed."""
    framework(keras).keras.utils.set_random_seed(seed)
    return build(graph, keras=keras)


def fitted(model: Any, data: Data, epochs: int = 2, **options: Any) -> Fitted:
    """What training gives, in batches of 8."""
    return fit(model, data, FitOptions(epochs, 8, True, 1), **options)


def weights(model: Any) -> list[Any]:
    """Every weight as an array."""
    return [weight.numpy() for weight in model.weights]


def same_weights(one: Any, other: Any) -> bool:
    """Whether two models have the very same weights."""
    return all(np.array_equal(mine, theirs) for mine, theirs in zip(weights(one), weights(other), strict=True))
