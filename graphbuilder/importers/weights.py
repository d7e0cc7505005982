"""The weights of a `.keras` archive, written beside a blueprint under the names of its nodes. No Keras is needed."""

from __future__ import annotations

import re
import secrets
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from graphbuilder.errors import BlueprintError, Diagnostic, MissingError
from graphbuilder.importers.described import DescribedLayer, DescribedModel
from graphbuilder.importers.operations import is_operation
from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_limits import damaged, shown

__all__ = ["BY_NAME", "write_weights"]

# The attribute at the root of a file whose groups bear the names of layers.
BY_NAME = "layers_by_name"
_ENTRY = "model.weights.h5"
_DEEPEST = 32


def write_weights(archive: Path, model: DescribedModel, names: Mapping[str, str], target: Path) -> int:
    """Writes the weights of an archive so that `compile --weights` puts them back by name.

    The file appears whole or not at all. It is an HDF5 file in which each layer has a group `layers/NAME`, with what
    Keras keeps of it inside.

    Arguments:
        archive: a `.keras` file of Keras 3.
        model: what its configuration describes.
        names: the layer of the compiled model by the layer of the file, as `Imported.names` has them.
        target: where to; what stands there is replaced.

    Returns:
        How many numbers were written.

    Raises:
        BlueprintError: GB851, the file has no weights; GB852, they are damaged.
        MissingError: the file cannot be written.
    """
    import h5py

    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        # As late as possible, so that a damaged archive leaves nothing behind.
        with zipfile.ZipFile(archive) as found, found.open(_entry(found)) as entry, h5py.File(entry, "r") as source:
            target.parent.mkdir(parents=True, exist_ok=True)
            with h5py.File(beside, "x") as written:
                written.attrs[BY_NAME] = True
                count = _Copier(source, written, names).copied(model)
        beside.replace(target)
    except NotCarried as problem:
        told = Diagnostic(problem.code, problem.message, file=str(archive), node=problem.layer, hint=problem.hint)
        raise BlueprintError([told]) from None
    except zipfile.BadZipFile:
        hint = "load the model with Keras, and save it as .keras"
        message = "weights are read from .keras archives, and this is none"
        raise BlueprintError([Diagnostic("GB851", message, file=str(archive), hint=hint)]) from None
    except (RuntimeError, ValueError, KeyError) as error:
        raise BlueprintError([Diagnostic("GB852", f"its weights are damaged: {error}", file=str(archive))]) from None
    except OSError as error:
        if error.errno is None:
            # The HDF5 library's own errors.
            message = f"its weights are damaged: {error}"
            raise BlueprintError([Diagnostic("GB852", message, file=str(archive))]) from None
        reason = error.strerror or error
        raise MissingError(Diagnostic("GB602", f"{target} cannot be written: {reason}")) from error
    finally:
        beside.unlink(missing_ok=True)
    return count


def _entry(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The weights in an archive.

    Raises:
        NotCarried: it has none that can be read where they stand.
    """
    try:
        entry = archive.getinfo(_ENTRY)
    except KeyError:
        hint = "`model.save` of Keras 3 writes them in one file"
        raise NotCarried(f"the archive has no {_ENTRY}", hint, code="GB851") from None
    if entry.compress_type != zipfile.ZIP_STORED:
        raise damaged(f"its {_ENTRY} is compressed, which Keras does not do")
    return entry


class _Copier:
    """Copies the groups of one file.

    Arguments:
        source: the weights of the archive.
        written: what is written.
        names: the layer of the compiled model by the layer of the file.
    """

    def __init__(self, source: Any, written: Any, names: Mapping[str, str]) -> None:
        self.source = source
        self.written = written
        self.names = names

    def copied(self, model: DescribedModel) -> int:
        """The number of elements that were copied.

        Raises:
            NotCarried: a layer's weights are missing, or the file is no such file.
        """
        return sum(self._model(model, "layers", ""))

    def _model(self, model: DescribedModel, group: str, prefix: str) -> Iterator[int]:
        counts: dict[str, int] = {}
        for layer in _layers(model):
            # Keras numbers the layers of each class; what they are called it keeps aside.
            key = _group_name(layer.kind)
            number = counts.get(key, 0)
            counts[key] = number + 1
            place = f"{group}/{key}_{number}" if number else f"{group}/{key}"
            if layer.model is not None:
                yield from self._model(layer.model, f"{place}/layers", f"{prefix}{layer.name}/")
                continue
            name = self.names.get(f"{prefix}{layer.name}")
            # A layer that several models share stands where the first of them has it.
            if name is not None and place in self.source and f"layers/{name}" not in self.written:
                self._check_name(place, layer)
                yield self._group(self.source[place], self.written.create_group(f"layers/{name}"), 0)

    def _check_name(self, place: str, layer: DescribedLayer) -> None:
        """Sees that a group is that of its layer, where the file says whose it is."""
        found = self.source[place].get("vars")
        name = None if found is None else found.attrs.get("name")
        if isinstance(name, str) and name != layer.name:
            raise damaged(f"its weights of {shown(layer.name)} are those of {shown(name)}")

    def _group(self, source: Any, target: Any, depth: int) -> int:
        import h5py

        if depth > _DEEPEST:
            raise damaged(f"its weights are nested deeper than {_DEEPEST} groups")
        count = 0
        for name in source:
            # A link may lead out of the file.
            if not isinstance(source.get(name, getlink=True), h5py.HardLink):
                raise damaged(f"its weights have a link, {shown(name)}")
            item = source[name]
            if isinstance(item, h5py.Group):
                count += self._group(item, target.create_group(name), depth + 1)
                continue
            # So that what is read is what lies in the file, and no more.
            if item.external or item.is_virtual or item.id.get_storage_size() != item.nbytes:
                raise damaged(f"its weights are kept in a form that Keras does not write, {shown(name)}")
            copied = target.create_dataset(name, data=item[()])
            copied.attrs.update(item.attrs)
            count += int(item.size)
        return count


def _layers(model: DescribedModel) -> Iterator[DescribedLayer]:
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
