"""Loads a file of weights whose groups bear the names of layers, as `graphbuilder import --weights` writes it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.importers.weights import BY_NAME, IN_ORDER

__all__ = ["is_by_name", "load_by_name"]


def is_by_name(path: Path) -> bool:
    """Whether the groups of a file bear the names of layers."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return BY_NAME in file.attrs
    except OSError:
        return False


def load_by_name(model: Any, path: Path) -> None:
    """Loads every layer's weights from the group of its name; either all or none.

    Arguments:
        model: a functional model of Keras 3.
        path: the file.

    Raises:
        BlueprintError: a layer or its weights are missing on one side, or their shapes differ.
    """
    import h5py

    in_order: dict[str, list[Any]] = {}
    with tempfile.TemporaryDirectory() as folder, h5py.File(path, "r") as given:
        native = Path(folder) / "native.weights.h5"
        # Keras finds a layer by its class and place, so the groups are put where it keeps those of this model.
        model.save_weights(native)
        with h5py.File(native, "r+") as places:
            groups = dict(_groups(model, places, given))
            _check(model, groups, places, given)
            for place, (name, source) in groups.items():
                if source is None:
                    continue
                if IN_ORDER in given[source].attrs:
                    in_order[name] = _in_order(given[source])
                    continue
                for inner in _shapes(given[source]):
                    places[f"{place}/{inner}"][...] = given[f"{source}/{inner}"]
        model.load_weights(native)
    for name, arrays in in_order.items():
        for weight, array in zip(_owned(model.get_layer(name)), arrays, strict=True):
            weight.assign(array)


def _groups(model: Any, places: Any, given: Any) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Where Keras keeps each layer of a model, with the layer's name and its group in the file that is given."""
    layers = {layer.name for layer in model.layers}
    for key, group in places["layers"].items():
        name = str(group["vars"].attrs["name"])
        # A name that tf_keras would refuse has an `x` in front in the model.
        known = [each for each in (name, name[1:] if name.startswith("x_") else name) if f"layers/{each}" in given]
        if name in layers:
            yield f"layers/{key}", (name, f"layers/{known[0]}" if known else None)


def _in_order(group: Any) -> list[Any]:
    """The arrays of a layer that are numbered."""
    return [group[str(number)][()] for number in range(len(group))]


def _owned(layer: Any) -> list[Any]:
    """The weights of a layer in the order in which `.h5` files list them."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _check(model: Any, groups: Mapping[str, tuple[str, str | None]], places: Any, given: Any) -> None:
    """Sees that both have the same layers with weights of the same shapes.

    Raises:
        BlueprintError: with every layer of which that is not so.
    """
    problems = []
    for place, (name, source) in groups.items():
        if source is not None and IN_ORDER in given[source].attrs:
            found = {str(number): array.shape for number, array in enumerate(_in_order(given[source]))}
            wanted = {str(number): tuple(own.shape) for number, own in enumerate(_owned(model.get_layer(name)))}
        else:
            found = {} if source is None else _shapes(given[source])
            # The state of what draws random numbers is no weight; Keras 2 keeps none.
            wanted = {key: shape for key, shape in _shapes(places[place]).items() if key in found or not _is_seed(key)}
        if wanted and not found:
            problems.append(Diagnostic("GB505", f"the file has no weights of {name}", node=name))
        elif wanted != found:
            told = f"its weights are {_listed(found)} in the file and {_listed(wanted)} in the model"
            problems.append(Diagnostic("GB505", told, node=name))
    used = {source for _, source in groups.values()}
    for name, group in given["layers"].items():
        if f"layers/{name}" not in used and _shapes(group):
            hint = "they were written for another blueprint"
            problems.append(Diagnostic("GB505", f"the file has weights of {name}, which the model lacks", hint=hint))
    if problems:
        raise BlueprintError(problems)


def _is_seed(path: str) -> bool:
    return "seed_generator" in path.split("/")


def _shapes(group: Any) -> dict[str, tuple[int, ...]]:
    """The shape of every array in a group, by its path."""
    found: dict[str, tuple[int, ...]] = {}

    def note(name: str, item: Any) -> None:
        if hasattr(item, "shape"):
            found[name] = tuple(item.shape)

    group.visititems(note)
    return found


def _listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes.values()) or "none"
