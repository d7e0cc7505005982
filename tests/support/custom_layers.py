"""Layers that the catalog does not know, of both Kerases."""

from __future__ import annotations

from typing import Any

import keras
import tf_keras

__all__ = ["LegacyScale", "Scale", "Twice"]


class Scale(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Multiplies by a learned number."""

    def __init__(self, start: float = 1.0, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.start = start

    def build(self, shape: Any) -> None:
        self.factor = self.add_weight(shape=(), initializer=keras.initializers.Constant(self.start), name="factor")

    def call(self, x: Any, twice: bool = False) -> Any:
        return x * self.factor * (2 if twice else 1)


class LegacyScale(tf_keras.layers.Layer):  # type: ignore[misc]  # tf_keras has no types
    """The same for tf_keras."""

    def build(self, shape: Any) -> None:
        self.factor = self.add_weight(shape=(), initializer="ones", name="factor")

    def call(self, x: Any) -> Any:
        return x * self.factor


class Twice(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Gives two tensors of a pair of inputs."""

    def call(self, pair: Any) -> Any:
        return [pair[0] + pair[1], pair[0] * pair[1]]
