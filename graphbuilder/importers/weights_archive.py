"""The weights of a `.keras` archive: Keras numbers the layers of each class, and keeps inside what they consist of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from graphbuilder.importers.described import DescribedLayer, DescribedModel
from graphbuilder.importers.operations import is_operation
from graphbuilder.importers.reading_limits import damaged, shown
from graphbuilder.importers.weights_reading import MOST_DEPTH, content_of, item_at

__all__ = ["ArchiveWeights"]


class ArchiveWeights:
    """Copies the groups of one file.

    Arguments:
        source: the weights of the archive, an open HDF5 file.
        names: the layer of the compiled model by the layer of the file.
    """

    def __init__(self, source: Any, names: Mapping[str, str]) -> None:
        self.source = source
        self.names = names

    def copied(self, model: DescribedModel, written: Any) -> int:
        """The number of elements that were copied.

        Arguments:
            model: what the file's configuration describes.
            written: the HDF5 file that is written.

        Raises:
            NotCarried: the file is damaged, or its weights are those of other layers.
        """
        legacy = model.keras == 2
        counts: dict[str, int] = {}
        for place, layer, name in self._places(model, "layers", ""):
            # A layer that several models share stands where the first of them has it.
            if place in self.source and f"layers/{name}" not in written:
                self._check_name(place, layer)
                group = written.create_group(f"layers/{name}")
                counts[name] = self._group(item_at(self.source, place), group, legacy, 0)
        return sum(counts.values())

    def _places(self, model: DescribedModel, group: str, prefix: str) -> Iterator[tuple[str, DescribedLayer, str]]:
        """Where each layer has its weights, and what it is called in the compiled model."""
        counts: dict[str, int] = {}
        for layer in _saved_layers(model):
            key = _group_name(layer.kind)
            number = counts.get(key, 0)
            counts[key] = number + 1
            place = f"{group}/{key}_{number}" if number else f"{group}/{key}"
            name = self.names.get(f"{prefix}{layer.name}")
            if layer.model is not None:
                yield from self._places(layer.model, f"{place}/layers", f"{prefix}{layer.name}/")
            elif name is not None:
                yield place, layer, name

    def _check_name(self, place: str, layer: DescribedLayer) -> None:
        """Sees that a group is that of its layer, where the file says whose it is."""
        found = self.source[place].get("vars")
        name = None if found is None else found.attrs.get("name")
        if isinstance(name, str) and name != layer.name:
            raise damaged(f"its weights of {shown(layer.name)} are those of {shown(name)}")

    def _group(self, source: Any, target: Any, legacy: bool, depth: int) -> int:
        if depth > MOST_DEPTH:
            raise damaged(f"its weights are nested deeper than {MOST_DEPTH} groups")
        count = 0
        for name in source:
            item = item_at(source, name)
            if not hasattr(item, "shape"):
                # Keras 2 keeps the parts of attention under private names.
                inner = target.create_group(name.removeprefix("_") if legacy else name)
                count += self._group(item, inner, legacy, depth + 1)
                continue
            content = content_of(item)
            copied = target.create_dataset(name, data=content)
            copied.attrs.update(item.attrs)
            count += int(content.size)
        return count


def _saved_layers(model: DescribedModel) -> Iterator[DescribedLayer]:
    """The layers as Keras walks through them when it saves."""
    skipped = model.layers[0].name if model.kind == "Sequential" else None
    for layer in model.layers:
        if not is_operation(layer) and layer.name != skipped:
            yield layer


def _group_name(kind: str) -> str:
    """The name of a class as Keras writes it in small letters: `Conv2DTranspose` is `conv2d_transpose`.

    Example:
        >>> [_group_name(kind) for kind in ("Conv2D", "LSTM", "RMSNormalization", "SeparableConv1D")]
        ['conv2d', 'lstm', 'rms_normalization', 'separable_conv1d']
    """
    # A word begins at a capital with small letters behind it, or at one with a small letter before it.
    return re.sub(r"(?<=.)(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", kind).lower()
