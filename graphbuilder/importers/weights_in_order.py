"""Weights as lists: one for each layer, those that training changes first; and a single one for a model inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from graphbuilder.importers.described import DescribedLayer, DescribedModel
from graphbuilder.importers.operations import is_operation
from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_limits import damaged, shown
from graphbuilder.importers.weights_reading import content_of, item_at

__all__ = ["InOrderWeights", "Lists", "listed_in_hdf5"]

# The weights of a layer by its name; None of a layer that has none.
Lists: TypeAlias = Callable[[str], list[Any] | None]

_ROOT, _NAMES = "model_weights", "weight_names"
# An attribute holds 64 KiB at most; Keras parts longer ones.
_MOST_PARTS = 10_000


class InOrderWeights:
    """Copies the lists of one file.

    Arguments:
        lists: the weights of each layer of the model.
        names: the layer of the compiled model by the layer of the file.
        owned: what the layers of the compiled model own, those weights first that training changes.
    """

    # The attribute of a group whose arrays are numbered in the order of `layer.weights`.
    MARK: ClassVar[str] = "in_order"

    def __init__(
        self, lists: Lists, names: Mapping[str, str], owned: Mapping[str, Sequence[tuple[Sequence[int], bool]]]
    ) -> None:
        self.lists = lists
        self.names = names
        self.owned = owned

    def copied(self, model: DescribedModel, written: Any) -> int:
        """The number of elements that were copied.

        Arguments:
            model: what the file's configuration describes.
            written: the HDF5 file that is written.

        Raises:
            NotCarried: the file is damaged, or nobody knows whose some of its weights are.
        """
        count = 0
        for layer in model.layers:
            arrays = None if is_operation(layer) else self.lists(layer.name)
            if arrays is None:
                continue
            for name, parts in self._parted(layer, arrays):
                # A layer that several models share stands where the first of them has it.
                if f"layers/{name}" in written:
                    continue
                group = written.create_group(f"layers/{name}")
                group.attrs[self.MARK] = True
                for number, array in enumerate(parts):
                    group.create_dataset(str(number), data=array)
                    count += int(array.size)
        return count

    def _parted(self, layer: DescribedLayer, arrays: list[Any]) -> Iterator[tuple[str, list[Any]]]:
        """The arrays of each layer in a layer, by what it is called in the compiled model."""
        if layer.model is None:
            name = self.names.get(layer.name)
            if arrays and name is not None:
                self._check(name, layer.name, arrays)
                yield name, arrays
            return
        leaves = _leaves(layer.model, f"{layer.name}/")
        inside = {place: self.names[place] for place in leaves if place in self.names}
        unknown = [place for place, name in inside.items() if name not in self.owned]
        if unknown:
            raise NotCarried(
                "the file has its weights in one list with those of other layers, and nobody knows how many it has",
                "save the model as .keras",
                layer=shown(unknown[0]),
            )
        found: dict[str, list[Any]] = {name: [] for name in dict.fromkeys(inside.values())}
        waiting = iter(arrays)
        for trainable in (True, False):
            for name in found:
                found[name] += [array for _, own in self.owned[name] if own == trainable for array in _next(waiting)]
        if next(waiting, None) is not None or sum(map(len, found.values())) != len(arrays):
            raise damaged(f"its weights of {shown(layer.name)} are {len(arrays)}, and its layers have another number")
        for place, name in inside.items():
            self._check(name, place, found[name])
            if found[name]:
                yield name, found[name]

    def _check(self, name: str, place: str, arrays: Sequence[Any]) -> None:
        """Sees that the arrays have the shapes of the layer's weights, where those are known."""
        wanted = [tuple(shape) for shape, _ in self.owned.get(name, ())]
        found = [tuple(array.shape) for array in arrays]
        if name in self.owned and wanted != found:
            told = f"its weights are {_told(found)} in the file and {_told(wanted)} in the blueprint"
            raise NotCarried(told, layer=shown(place))


def _next(waiting: Iterator[Any]) -> Iterator[Any]:
    """The next one, if there is one."""
    found = next(waiting, None)
    if found is not None:
        yield found


def _told(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes) or "none"


def _leaves(model: DescribedModel, prefix: str) -> Iterator[str]:
    """The layers of a model and of those inside it, their names below theirs."""
    for layer in model.layers:
        if layer.model is not None:
            yield from _leaves(layer.model, f"{prefix}{layer.name}/")
        elif not is_operation(layer) and layer.kind != "InputLayer":
            yield f"{prefix}{layer.name}"


def listed_in_hdf5(source: Any) -> Lists:
    """The weights in an `.h5` file with a whole model.

    Arguments:
        source: the file, open.

    Raises:
        NotCarried: GB851, it has none.
    """
    if _ROOT not in source:
        raise NotCarried("the file has no weights", "`model.save` of Keras writes them", code="GB851")
    root = item_at(source, _ROOT)
    return lambda name: [content_of(item) for item in _listed(item_at(root, name))] if name in root else None


def _listed(group: Any) -> Iterator[Any]:
    """The arrays of a layer, in the order that the file tells."""
    for name in _names(group):
        yield item_at(group, name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name))


def _names(group: Any) -> Iterator[Any]:
    if _NAMES in group.attrs:
        yield from group.attrs[_NAMES]
        return
    for number in range(_MOST_PARTS):
        if f"{_NAMES}{number}" not in group.attrs:
            return
        yield from group.attrs[f"{_NAMES}{number}"]
