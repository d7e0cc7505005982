"""Models from elsewhere as blueprints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphbuilder.importers import Imported

__all__ = ["from_keras"]


def from_keras(model: Any, *, flat: bool = False, strict: bool = False) -> Imported:
    """The blueprint of a Keras model: a text that compiles to the same model, up to its weights.

    Arguments:
        model: a functional or sequential model of Keras 3 or tf_keras.
        flat: whether each layer stays a node of its own; else repeated structure becomes blocks.
        strict: whether what a blueprint has no words for is an error; else it is told in `lost`.

    Raises:
        BlueprintError: the model holds what a blueprint cannot hold, each thing told at its layer.
        CommandError: it is no model of Keras.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((4,), name="row"), keras.layers.Dense(1, name="score")], name="small")
        >>> print(from_keras(model).text, end="")
        blueprint: 1
        name: small
        <BLANKLINE>
        inputs:
          row: {shape: [4]}
        <BLANKLINE>
        nodes:
          score: {layer: Dense, units: 1}
        <BLANKLINE>
        outputs: score
    """
    from graphbuilder.importers import import_model

    found = import_model(model, flat=flat)
    if strict:
        found.refuse_losses()
    return found
