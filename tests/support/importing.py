"""Imports a Keras model, compiles the blueprint, and compares the two."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graphbuilder.api import compile, parse
from graphbuilder.importers import Imported, import_file, imported
from graphbuilder.importers.keras3 import described3

__all__ = ["compare", "copy_by_names", "import_file_of", "import_model", "layers_inside", "outputs_of", "samples"]


def import_model(model: Any, *, flat: bool = False) -> Imported:
    """The blueprint of a model of Keras 3, by way of the JSON that Keras writes."""
    return imported(described3(json.loads(model.to_json())), "model.json", flat=flat)


def import_file_of(model: Any, folder: Path) -> Imported:
    """The blueprint of a model of Keras 3, by way of the archive that Keras saves."""
    model.save(folder / "model.keras")
    return import_file(folder / "model.keras")


def compare(model: Any, found: Imported, *, tolerance: float = 0.0, batch: int = 3) -> Any:
    """Compiles what was imported and holds it against the model: parameters, layers, and outputs for random inputs.

    Arguments:
        model: the model of Keras.
        found: what was imported of it.
        tolerance: the largest difference of an output.
        batch: how many samples are compared.

    Returns:
        The compiled model.
    """
    built = compile(parse(found.text))
    assert built.count_params() == model.count_params()
    # A layer that several models share is one layer.
    different = {id(layer): layer for _, layer in layers_inside(model)}.values()
    theirs = [type(layer).__name__ for layer in different if not _is_input(layer)]
    ours = [type(layer).__name__ for layer in built.layers if not _is_input(layer)]
    nested = any(hasattr(layer, "layers") for layer in model.layers)
    # The layers of a nested model stand in one row here, where Keras sorts them by their depth.
    assert (sorted(ours) == sorted(theirs)) if nested else (ours == theirs)
    copy_by_names(model, built, found.names)
    given = samples(model, batch)
    for mine, other in zip(outputs_of(built, given), outputs_of(model, given), strict=True):
        assert mine.shape == other.shape
        assert mine.dtype == other.dtype
        if mine.dtype == object or tolerance == 0:
            np.testing.assert_array_equal(mine, other)
        else:
            np.testing.assert_allclose(mine, other, rtol=0, atol=tolerance)
    return built


def _is_input(layer: Any) -> bool:
    return type(layer).__name__ == "InputLayer"


def layers_inside(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The layers of a model and of those inside it, each by its name below theirs."""
    for layer in model.layers:
        if hasattr(layer, "layers") and hasattr(layer, "outputs"):
            yield from layers_inside(layer, f"{prefix}{layer.name}/")
        else:
            yield f"{prefix}{layer.name}", layer


def copy_by_names(model: Any, built: Any, names: Mapping[str, str]) -> None:
    """Copies weights from a model to what was compiled of its blueprint."""
    for name, layer in layers_inside(model):
        if layer.weights:
            built.get_layer(names[name]).set_weights(layer.get_weights())


def samples(model: Any, batch: int = 3, size: int = 5) -> list[Any]:
    """Random inputs, in the order of the model's inputs; unknown axes have one size."""
    drawn = np.random.default_rng(7)
    found: list[Any] = []
    for tensor in model.inputs:
        shape = [batch, *(size if axis is None else axis for axis in tensor.shape[1:])]
        match tensor.dtype:
            case "string":
                found.append(np.full(shape, "word", dtype=object))
            case "bool":
                found.append(drawn.random(shape) < 0.5)
            case dtype if "int" in dtype:
                found.append(drawn.integers(0, 4, shape).astype(dtype))
            case dtype:
                found.append(drawn.normal(size=shape).astype(dtype))
    return found


def outputs_of(model: Any, given: list[Any]) -> list[np.ndarray]:
    """The outputs of a model in the order of Keras, for inputs in that order."""
    import keras

    # A sequential model keeps a functional one, and only that has a structure.
    structure = getattr(model, "_inputs_struct", given[0])
    made = keras.tree.pack_sequence_as(structure, given)
    return [np.asarray(output) for output in keras.tree.flatten(model(made))]
