"""Arrays in a `.npz` file, checked by their headers before they are read; nothing in it is ever unpickled."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from graphbuilder.data.checks import Axes, check_arrays, check_names, check_shape
from graphbuilder.data.faults import Faults, counted
from graphbuilder.data.parts import ArraySource, Data, IndexedPart
from graphbuilder.data.wants import Wants

if TYPE_CHECKING:
    import numpy

__all__ = ["data_of_arrays", "open_npz"]


@dataclass(frozen=True, slots=True)
class _Header:
    """What an array's header says.

    Arguments:
        shape: its axes.
        dtype: its NumPy dtype.
        size: how many bytes the file holds behind the header.
    """

    shape: tuple[int, ...]
    dtype: Any
    size: int


def open_npz(path: Path, name: str, wants: Wants, columns: Mapping[str, Sequence[str]] | None = None) -> Data:
    """The samples of a `.npz` file that NumPy wrote.

    Arguments:
        path: the file.
        name: what messages call it.
        wants: what the graph needs.
        columns: the names of arrays that are called otherwise than inputs and outputs.

    Raises:
        BlueprintError: with everything that does not fit.
    """
    import numpy as np

    faults = Faults(name)
    headers, fingerprint = _headers(path, faults)
    faults.stop()
    names = check_names(list(headers), wants, faults, "array", columns)
    axes = Axes()
    for wanted in wants:
        header = headers.get(names.get(wanted.name, ""))
        if header is None:
            continue
        if header.dtype.hasobject:
            faults.add(
                "GB706",
                f"the array {names[wanted.name]} holds Python objects, which are code when they are read",
                node=wanted.name,
                expected=wanted.dtype,
                hint="save it with a dtype of numbers or text; lists of unequal lengths must be padded",
            )
        elif header.size != prod(header.shape) * header.dtype.itemsize:
            message = f"the array {names[wanted.name]} is cut off: {counted(header.size, 'byte')} of"
            faults.add(
                "GB701",
                f"{message} {counted(prod(header.shape) * header.dtype.itemsize, 'byte')} are there",
                node=wanted.name,
            )
        else:
            check_shape(header.shape, wanted, axes, faults, names[wanted.name])
    # The arrays themselves are read when all fit, so that a wrong file costs neither time nor memory.
    faults.stop()
    arrays: dict[str, numpy.ndarray] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for held in names.values():
                arrays[held] = file[held]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        faults.add("GB701", f"it is damaged: {' '.join(str(error).split())}", hint="write or copy it anew")
        faults.stop()
    return data_of_arrays(arrays, names, wants, faults, fingerprint)


def data_of_arrays(
    arrays: Mapping[str, numpy.ndarray], names: Mapping[str, str], wants: Wants, faults: Faults, fingerprint: str
) -> Data:
    """The data that some arrays in memory are.

    Arguments:
        arrays: by the names that their source has for them.
        names: these names by the wanted names.
        wants: what the graph needs.
        faults: takes what does not fit.
        fingerprint: changes when the arrays do.

    Raises:
        BlueprintError: with everything that does not fit.
    """
    ready = check_arrays(arrays, names, wants, faults)
    faults.stop()
    source = ArraySource(
        {wanted.name: ready[wanted.name] for wanted in wants.inputs},
        {wanted.name: ready[wanted.name] for wanted in wants.outputs},
    )
    facts = (f"{faults.file}: {counted(source.count, 'sample')}",)
    part = IndexedPart(source)
    return Data(faults.file, wants, part, fingerprint=fingerprint, facts=facts, warnings=faults.warnings)


def _headers(path: Path, faults: Faults) -> tuple[dict[str, _Header], str]:
    """What the headers of all arrays say, and a fingerprint of their contents."""
    from numpy.lib import format as layout

    headers: dict[str, _Header] = {}
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(path) as archive:
            for item in archive.infolist():
                if not item.filename.endswith(".npy"):
                    continue
                digest.update(f"{item.filename} {item.CRC} {item.file_size}".encode())
                with archive.open(item) as file:
                    shape, dtype = _read_header(layout, file)
                    headers[item.filename[:-4]] = _Header(shape, dtype, item.file_size - file.tell())
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        faults.add("GB701", f"it is no .npz file, or damaged: {reason[:200]}", hint="numpy.savez writes such files")
    if not headers and not faults.errors:
        faults.add("GB710", "it holds no array", hint="numpy.savez(path, image=…, label=…) writes such files")
    return headers, digest.hexdigest()


def _read_header(layout: Any, file: IO[bytes]) -> tuple[tuple[int, ...], Any]:
    version = layout.read_magic(file)
    shape, _, dtype = (layout.read_array_header_1_0 if version == (1, 0) else layout.read_array_header_2_0)(file)
    return shape, dtype
