"""The configuration that Keras 2 writes into a SavedModel, which is a folder."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from pathlib import Path

from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_files import opened
from graphbuilder.importers.reading_json import parsed
from graphbuilder.importers.reading_limits import MOST_BYTES, damaged
from graphbuilder.importers.reading_protobuf import fields, texts

__all__ = ["PARTS", "is_saved_model", "layer_objects", "saved_model"]

_GRAPH = "saved_model.pb"
_METADATA = "keras_metadata.pb"
# Its files that somebody may name in its place.
PARTS = (_GRAPH, _METADATA)
_MODELS = ("_tf_keras_network", "_tf_keras_sequential", "_tf_keras_model")


def is_saved_model(folder: Path) -> bool:
    """Whether a folder looks like a SavedModel."""
    return (folder / _GRAPH).exists() or (folder / _METADATA).exists()


def saved_model(folder: Path) -> bytes:
    """The JSON that describes the model of a SavedModel.

    Arguments:
        folder: the SavedModel.

    Raises:
        NotCarried: GB851, it holds no configuration of Keras; GB852, it is damaged, or too large.
        OSError: it cannot be read.
    """
    if (folder / _METADATA).exists():
        found = _root(fields(_mapped(folder / _METADATA), 1), path=3, identifier=4, metadata=5)
    else:
        # Until TensorFlow 2.4 it stood in the graph's own file.
        found = _in_graph(_mapped(folder / _GRAPH))
    if found is None:
        raise NotCarried(
            "the SavedModel holds no configuration of Keras, only a graph, as model.export of Keras 3 writes it",
            "save the model with model.save('model.keras'), or write its model.to_json() to a file, and import that",
            code="GB851",
        )
    return found


def layer_objects(folder: Path) -> dict[str, str]:
    """What the layers of a SavedModel's model are called among its objects, such as `layer-2`, by their names.

    Arguments:
        folder: the SavedModel.

    Raises:
        NotCarried: GB851, it does not say so: TensorFlow wrote it before 2.5; GB852, it is damaged.
        OSError: it cannot be read.
    """
    if not (folder / _METADATA).exists():
        hint = "load the model with Keras 2, and save it as .h5"
        raise NotCarried("a TensorFlow before 2.5 wrote it, and its weights are not read", hint, code="GB851")
    found: dict[str, str] = {}
    for node in fields(_mapped(folder / _METADATA), 1):
        root, _, place = (texts(node, 3) or [""])[0].partition(".")
        if root == "root" and place.startswith("layer") and "." not in place:
            for value in fields(node, 5):
                name = parsed(bytes(value[: MOST_BYTES + 1])).get("name")
                if isinstance(name, str):
                    found.setdefault(name, place)
    return found


def _root(nodes: Iterator[memoryview], *, path: int | None, identifier: int, metadata: int) -> bytes | None:
    """What is told of the model among the objects that it consists of."""
    for node in nodes:
        if path is not None and texts(node, path) != ["root"]:
            continue
        if not set(texts(node, identifier)) & set(_MODELS):
            return None
        for value in fields(node, metadata):
            if len(value) > MOST_BYTES:
                raise damaged(f"its configuration has more than {MOST_BYTES:,} bytes")
            return bytes(value)
        return None
    return None


def _in_graph(message: memoryview) -> bytes | None:
    for graph in fields(message, 2):
        for objects in fields(graph, 7):
            for root in fields(objects, 1):
                # The first object is the model itself.
                return _root(fields(root, 4), path=None, identifier=1, metadata=3)
    return None


def _mapped(path: Path) -> memoryview:
    """A file's bytes, of which only those that are looked at are read: the graph may have gigabytes."""
    with opened(path) as file:
        if not os.fstat(file.fileno()).st_size:
            raise damaged(f"{path.name} is empty")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
