"""Model files read without Keras: nothing in them is run, and nothing is unpacked to disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.importers.configurations import described
from graphbuilder.importers.described import DescribedModel
from graphbuilder.importers.problems import NotCarried
from graphbuilder.importers.reading_archive import archived
from graphbuilder.importers.reading_files import opened
from graphbuilder.importers.reading_hdf5 import SIGNATURE, root_attributes
from graphbuilder.importers.reading_json import parsed
from graphbuilder.importers.reading_limits import MOST_BYTES
from graphbuilder.importers.reading_saved_model import PARTS, is_saved_model, saved_model

__all__ = ["read_model"]

# What is looked at to tell one form from another; JSON may begin with blanks.
_START = 1024
_FORMS = "a .keras archive, an .h5 file, the JSON of model.to_json(), or the folder of a SavedModel"
# Files that people take for models, by their first bytes, with what to do.
_OTHERS = (
    (0, b"\x80", "it looks like a pickle, which is code, and is not read", None),
    (4, b"TFL3", "it is a TFLite model, which no longer says what layers it was made of", "import the Keras model"),
)


def read_model(path: Path) -> DescribedModel:
    """The model that a file describes, whatever the file's name ends in.

    Arguments:
        path: a `.keras` or `.h5` file, the JSON of `model.to_json()`, or the folder of a SavedModel; of Keras 2 or 3.

    Raises:
        BlueprintError: GB101, it cannot be read; GB851, it holds no model; GB852, it is damaged, or too large.
    """
    try:
        saved, version = _saved_model(path) if path.is_dir() or path.name in PARTS else _file(path)
        return described(saved, version)
    except NotCarried as problem:
        raise _refused(path, problem) from None
    except OSError as error:
        told = NotCarried(f"the file cannot be read: {error.strerror or error}", code="GB101")
        raise _refused(path, told) from None


def _saved_model(path: Path) -> tuple[Mapping[str, Any], str]:
    folder = path if path.is_dir() else path.parent
    if not is_saved_model(folder):
        raise NotCarried("this is a folder, and no SavedModel", f"give {_FORMS}", code="GB851")
    return parsed(saved_model(folder)), "2"


def _file(path: Path) -> tuple[Mapping[str, Any], str]:
    with opened(path) as file:
        start = file.read(_START)
        file.seek(0)
        if start.startswith(b"PK"):
            config, metadata = archived(file)
            return parsed(config), str(parsed(metadata or b"{}").get("keras_version") or "")
        if start.startswith(SIGNATURE):
            return _hdf5(file)
        for at, sign, message, hint in _OTHERS:
            if start[at:].startswith(sign):
                raise NotCarried(message, hint, code="GB851")
        if not start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            raise NotCarried("it is no model file", f"give {_FORMS}", code="GB851")
        return parsed(file.read(MOST_BYTES + 1)), ""


def _hdf5(file: BinaryIO) -> tuple[Mapping[str, Any], str]:
    found = root_attributes(file, ("model_config", "keras_version", "training_config"))
    if "model_config" not in found:
        raise NotCarried(
            "it holds no configuration: `save_weights` writes such files",
            "save the model with `model.save`, or write its model.to_json() to a file, and import that",
            code="GB851",
        )
    saved = parsed(found["model_config"])
    if "training_config" in found:
        saved = {**saved, "training_config": parsed(found["training_config"])}
    return saved, found.get("keras_version", b"").decode("utf-8", "replace")


def _refused(path: Path, problem: NotCarried) -> BlueprintError:
    return BlueprintError(
        [Diagnostic(problem.code, problem.message, file=str(path), node=problem.layer, hint=problem.hint)]
    )
