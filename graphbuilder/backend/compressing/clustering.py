"""Clustering, with the centroids of tensorflow-model-optimization on the variables of any layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorflow_model_optimization.python.core.clustering.keras import (
    cluster_config,
    clustering_algorithm,
    clustering_centroids,
)

from graphbuilder.backend.compressing.held import state_variable
from graphbuilder.backend.compressing.toolkit import tf, tfmot
from graphbuilder.compression.passes import Cluster

__all__ = ["Clustered"]

_INITIALIZATIONS = {
    "linear": tfmot.clustering.keras.CentroidInitialization.LINEAR,
    "random": tfmot.clustering.keras.CentroidInitialization.RANDOM,
    "density": tfmot.clustering.keras.CentroidInitialization.DENSITY_BASED,
    "kmeans++": tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS,
}


def _centroids(values: Any, options: Cluster, per_channel: bool, zeros: bool) -> Any:
    """The values to start with: one row, or one for each channel.

    Arguments:
        values: the weight.
        options: the pass.
        per_channel: whether there is a row for each channel.
        zeros: whether one of the values is zero.
    """
    if not per_channel:
        return _row(values.ravel(), options, zeros)
    rows = [_row(values[..., channel].ravel(), options, zeros) for channel in range(values.shape[-1])]
    width = max(len(row) for row in rows)
    # A channel of fewer values repeats its last one, which changes nothing.
    return np.stack([np.pad(row, (0, width - len(row)), mode="edge") for row in rows])


def _row(values: Any, options: Cluster, zeros: bool) -> Any:
    """The values to start with for some weights; at most as many as the weights have themselves."""
    if not zeros:
        return _between(values, options.clusters, options)
    negative, positive = values[values < 0], values[values > 0]
    others = options.clusters - 1
    below = round(others * len(negative) / max(len(negative) + len(positive), 1))
    # A side whose weights could not have that many values leaves them to the other.
    below = min(below, len(np.unique(negative)))
    above = min(others - below, len(np.unique(positive)))
    below = min(others - above, len(np.unique(negative)))
    zero = np.zeros(1, values.dtype)
    return np.concatenate([_between(negative, below, options), zero, _between(positive, above, options)])


def _between(values: Any, count: int, options: Cluster) -> Any:
    """So many values between the least and the largest of these, as the initialization of the pass has it."""
    present = np.unique(values)
    if count >= len(present):
        return present
    if count < 1:
        return present[:0]
    made = clustering_centroids.CentroidsInitializerFactory.get_centroid_initializer(
        _INITIALIZATIONS[options.initialization]
    )(tf.constant(values), count)
    return made.get_cluster_centroids().numpy()


class Clustered:
    """Gives the elements of a weight a few shared values.

    As in tensorflow-model-optimization, the optimizer changes the values (centroids) and, by the same gradients, an
    unclustered copy of the weight, whose elements are given the nearest value anew in every step.
    """

    def __init__(self, variable: Any, options: Cluster, *, per_channel: bool, zeros: bool) -> None:
        """Prepares a weight.

        Arguments:
            variable: the weight.
            options: the pass.
            per_channel: whether each channel, along the last axis, has values of its own.
            zeros: whether the zeros that it has stay; one of the values is zero then.
        """
        self.variable = variable
        self._centroids = state_variable(_centroids(variable.numpy(), options, per_channel, zeros), "centroids")
        self._original = state_variable(variable, "original")
        self._mask = state_variable(tf.cast(tf.not_equal(variable, 0), variable.dtype), "mask") if zeros else None
        # Which centroid is the one at zero; it stays there, by channel where each has its own.
        self._free: Any = None
        if zeros:
            nearest = tf.argmin(tf.abs(self._centroids), axis=-1)
            self._free = state_variable(1.0 - tf.one_hot(nearest, self._centroids.shape[-1]), "free")
        algorithm = (
            clustering_algorithm.ClusteringAlgorithmPerChannel
            if per_channel
            else clustering_algorithm.ClusteringAlgorithm
        )
        # By the mean of the gradients of a centroid's elements. The sum, which is the default there, makes plain SGD
        # throw the centroids of a large weight far off: 2,048 weights ended as two values of one sign.
        self._algorithm = algorithm(self._centroids, cluster_config.GradientAggregation.AVG, "channels_last")
        self._indices = state_variable(self._algorithm.get_pulling_indices(self._original), "indices")

    def state(self) -> Mapping[str, Any]:
        found = {"centroids": self._centroids, "original": self._original, "indices": self._indices}
        if self._mask is not None:
            found |= {"mask": self._mask, "free": self._free}
        return found

    def trained(self) -> list[Any]:
        return [self._centroids, self._original]

    def gradients(self, gradient: Any) -> list[Any]:
        sources = [self._centroids, self._original]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sources)
            clustered = self._algorithm.get_clustered_weight(self._indices, self._original)
        found: list[Any] = tape.gradient(clustered, sources, output_gradients=gradient)
        # The centroids are gathered, so their gradient comes as slices.
        return [tf.convert_to_tensor(each) for each in found]

    def before(self) -> None:
        original = self._original
        if self._mask is not None:
            self._centroids.assign(tf.multiply(self._centroids, self._free))
            original = tf.multiply(original, self._mask)
        self._indices.assign(self._algorithm.get_pulling_indices(original))
        self.variable.assign(self._algorithm.get_clustered_weight(self._indices, original))

    def after(self) -> None:
        """The weight is made of the new centroids before it is used next."""
