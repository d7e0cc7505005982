"""Loads a file of weights whose groups bear the names of layers, as `graphbuilder import --weights` writes it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.importers.weights import BY_NAME

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

    with tempfile.TemporaryDirectory() as folder, h5py.File(path, "r") as given:
        native, own = (Path(folder) / f"{name}.weights.h5" for name in ("native", "own"))
        # Keras finds a layer by its class and place, so the groups are put where it keeps those of this model.
        model.save_weights(own)
        with h5py.File(own, "r") as places, h5py.File(native, "w") as written:
            groups = dict(_groups(model, places, given))
            _check(groups, places, given)
            for place, (_, source) in groups.items():
                (places if source is None else given).copy(source or place, written, name=place)
            written.require_group("vars")
        model.load_weights(native)


def _groups(model: Any, places: Any, given: Any) -> Iterator[tuple[str, tuple[str, str | None]]]:
    """Where Keras keeps each layer of a model, with the layer's name and its group in the file that is given."""
    layers = {layer.name for layer in model.layers}
    for key, group in places["layers"].items():
        name = str(group["vars"].attrs["name"])
        # A name that tf_keras would refuse has an `x` in front in the model.
        known = [each for each in (name, name.removeprefix("x")) if f"layers/{each}" in given]
        if name in layers:
            yield f"layers/{key}", (name, f"layers/{known[0]}" if known else None)


def _check(groups: Mapping[str, tuple[str, str | None]], places: Any, given: Any) -> None:
    """Sees that both have the same layers with weights of the same shapes.

    Raises:
        BlueprintError: with every layer of which that is not so.
    """
    problems = []
    for place, (name, source) in groups.items():
        wanted, found = _shapes(places[place]), {} if source is None else _shapes(given[source])
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
