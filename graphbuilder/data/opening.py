"""Opens data of the kinds that need no TensorFlow to be found and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from graphbuilder.data.digits import open_digits
from graphbuilder.data.faults import Faults
from graphbuilder.data.images import Decode, Pixels, open_images
from graphbuilder.data.npz import data_of_arrays, open_npz
from graphbuilder.data.parts import Data
from graphbuilder.data.spec import Spec
from graphbuilder.data.table import open_table
from graphbuilder.data.wants import Wants
from graphbuilder.errors import BlueprintError, Diagnostic

if TYPE_CHECKING:
    import numpy

__all__ = ["given_arrays", "open_plain"]


def open_plain(
    spec: Spec,
    wants: Wants,
    *,
    decode: Decode,
    pixels: Pixels = "0..1",
    columns: Mapping[str, Sequence[str]] | None = None,
    vocabularies: Mapping[str, tuple[str, ...]] | None = None,
) -> Data | None:
    """The data of a `.npz` file, a table, a folder of images or the digits; None for the other kinds.

    Arguments:
        spec: what was asked for.
        wants: what the graph needs.
        decode: makes pixels of an image file's bytes.
        pixels: how brightness is told.
        columns: the columns or arrays of an input or output, where their names do not say it.
        vocabularies: the words behind ids that other data fixed already.

    Raises:
        BlueprintError: with everything that does not fit.
        MissingError: a package is missing.
    """
    if columns and spec.kind not in ("npz", "table"):
        message = f"--columns names columns of a table or arrays of a .npz file, and {spec.name} has none"
        raise BlueprintError(Diagnostic("GB702", message))
    if spec.kind == "npz":
        return open_npz(spec.paths[0], spec.name, wants, columns)
    if spec.kind == "table":
        return open_table(spec.paths[0], spec.name, wants, columns, vocabularies)
    if spec.kind == "images":
        return open_images(spec.paths[0], spec.name, wants, decode, pixels)
    if spec.kind == "digits":
        return open_digits(wants)
    return None


def given_arrays(arrays: Mapping[str, numpy.ndarray], wants: Wants, name: str = "the arrays") -> Data:
    """Arrays in memory as data.

    Arguments:
        arrays: by the names of inputs and outputs.
        wants: what the graph needs.
        name: what messages call them.

    Raises:
        BlueprintError: with everything that does not fit.
    """
    import numpy as np

    from graphbuilder.data.checks import check_names

    held = {key: np.asarray(array) for key, array in arrays.items()}
    faults = Faults(name)
    names = check_names(list(held), wants, faults, "array")
    digest = hashlib.sha256()
    for key, array in held.items():
        digest.update(f"{key} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes() if array.dtype.kind != "O" else b"")
    return data_of_arrays(held, names, wants, faults, digest.hexdigest())
