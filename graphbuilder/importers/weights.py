"""The weights of a model's file, written beside a blueprint under the names of its nodes. No Keras is needed.

The HDF5 library hangs and crashes on some damaged files, so `backend.importing` runs this in a process of its own.
"""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias

from graphbuilder.catalog import LayerEntry
from graphbuilder.errors import BlueprintError, Diagnostic, MissingError
from graphbuilder.graph import Graph
from graphbuilder.importers.described import DescribedModel
from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_files import opened
from graphbuilder.importers.reading_hdf5 import SIGNATURE
from graphbuilder.importers.reading_limits import damaged
from graphbuilder.importers.weights_archive import ArchiveWeights
from graphbuilder.importers.weights_in_order import InOrderWeights, Lists, listed_in_hdf5
from graphbuilder.importers.weights_reading import arrays_in

__all__ = ["BY_NAME", "IN_ORDER", "Owned", "count_weights", "owned_weights", "write_listed", "write_weights"]

# The attribute at the root of a file whose groups bear the names of layers.
BY_NAME = "layers_by_name"
# The attribute of a group in which the weights are numbered in the order of `layer.weights`.
IN_ORDER = InOrderWeights.MARK
_ENTRY = "model.weights.h5"
# What the HDF5 library raises at damaged files, beside OSError.
_DAMAGES = (RuntimeError, ValueError, KeyError, TypeError, OverflowError, AttributeError)

# What each layer of a blueprint owns, by its path: the shape of each weight, and whether training changes it.
Owned: TypeAlias = Mapping[str, Sequence[tuple[Sequence[int], bool]]]


def owned_weights(graph: Graph) -> dict[str, list[tuple[list[int], bool]]]:
    """The weights of each layer whose weights are known, those that training changes first.

    Arguments:
        graph: what the imported blueprint lowers to.
    """
    found: dict[str, list[tuple[list[int], bool]]] = {}
    for name, layer in graph.layers.items():
        if layer.weights is not None:
            frozen = isinstance(layer.entry, LayerEntry) and not layer.entry.trainable
            owned = [(list(weight.shape), weight.trainable and not frozen) for weight in layer.weights]
            found[name] = sorted(owned, key=lambda weight: not weight[1])
    return found


def write_weights(file: Path, model: DescribedModel, names: Mapping[str, str], owned: Owned, target: Path) -> int:
    """Writes the weights of a model's file so that `compile --weights` puts them back by name.

    What is written is an HDF5 file in which each layer has a group `layers/NAME`, with what Keras keeps of it inside:
    as in a `.keras` archive, or numbered in the order of the layer's weights.

    Arguments:
        file: a `.keras` or `.h5` file, of Keras 2 or 3.
        model: what its configuration describes.
        names: the layer of the compiled model by the layer of the file, as `Imported.names` has them.
        owned: what the layers of the compiled model own.
        target: where to; nothing may stand there.

    Returns:
        How many numbers were written.

    Raises:
        BlueprintError: GB851, the file has no weights; GB852, they are damaged; GB853, some cannot be carried.
        MissingError: GB602, the target cannot be written.
    """
    with _told(file, target), opened(file) as content:
        return _copied(content, model, names, owned, target)


def write_listed(
    file: Path, lists: Lists, model: DescribedModel, names: Mapping[str, str], owned: Owned, target: Path
) -> int:
    """Writes weights that were read in another way, as `write_weights` does.

    Arguments:
        file: what they were read from.
        lists: the weights of each layer of the model.
        model: what the file's configuration describes.
        names: as `write_weights` takes them.
        owned: as `write_weights` takes it.
        target: where to; nothing may stand there.

    Raises:
        BlueprintError: as `write_weights`.
        MissingError: GB602, the target cannot be written.
    """
    with _told(file, target):
        return _written(InOrderWeights(lists, names, owned), model, target)


def count_weights(file: Path) -> int:
    """How many numbers the arrays of an HDF5 file hold, all of which are read.

    Arguments:
        file: a file of weights.

    Raises:
        BlueprintError: GB101, it cannot be read; GB852, it is damaged.
    """
    import h5py

    with _told(file), opened(file) as content, h5py.File(content, "r") as source:
        return sum(int(item.size) for item in arrays_in(source))


@contextlib.contextmanager
def _told(file: Path, target: Path | None = None) -> Iterator[None]:
    """Makes messages of whatever is raised while a file is read, and another one written."""
    try:
        yield
    except NotCarried as problem:
        told = Diagnostic(problem.code, problem.message, file=str(file), node=problem.layer, hint=problem.hint)
        raise BlueprintError([told]) from None
    except zipfile.BadZipFile:
        hint = "load the model with Keras, and save it as .keras"
        message = "weights are read from .keras and .h5 files and SavedModels, and this is none"
        raise BlueprintError([Diagnostic("GB851", message, file=str(file), hint=hint)]) from None
    except _DAMAGES as error:
        raise _damage(file, error) from None
    except OSError as error:
        if error.errno is None:
            # The HDF5 library's own errors.
            raise _damage(file, error) from None
        reason = error.strerror or error
        if target is None:
            raise BlueprintError([Diagnostic("GB101", f"the file cannot be read: {reason}", file=str(file))]) from None
        raise MissingError(Diagnostic("GB602", f"{target} cannot be written: {reason}")) from error


def _copied(content: BinaryIO, model: DescribedModel, names: Mapping[str, str], owned: Owned, target: Path) -> int:
    import h5py

    start = content.read(len(SIGNATURE))
    content.seek(0)
    if start.startswith(SIGNATURE):
        with h5py.File(content, "r") as source:
            return _written(InOrderWeights(listed_in_hdf5(source), names, owned), model, target)
    with (
        zipfile.ZipFile(content) as archive,
        archive.open(_entry(archive)) as entry,
        h5py.File(entry, "r") as source,
    ):
        return _written(ArchiveWeights(source, names), model, target)


def _written(source: ArchiveWeights | InOrderWeights, model: DescribedModel, target: Path) -> int:
    import h5py

    # As late as possible, so that a damaged file leaves nothing behind.
    target.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(target, "x") as written:
        written.attrs[BY_NAME] = True
        written.create_group("layers")
        return source.copied(model, written)


def _damage(file: Path, error: Exception) -> BlueprintError:
    return BlueprintError([Diagnostic("GB852", f"its weights are damaged: {error}", file=str(file))])


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
