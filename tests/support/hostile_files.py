"""Models that are wrong or made to do harm as HDF5 files and as folders, and what is no file."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import h5py
import numpy

from tests.support.hostile_models import HOSTILE, case, content
from tests.support.model_files import dense_config, hdf5

# Importing this file adds its cases to the others.
__all__ = ["HOSTILE"]

# HDF5.


@content
def weights_alone() -> bytes:
    return hdf5({"keras_version": "3.15.1"})


@content
def attribute_of_terabytes() -> bytes:
    text = dense_config().decode()
    found = hdf5({"model_config": text})
    # A value of variable length begins with its length, which comes before the address of its heap.
    return found.replace(struct.pack("<I", len(text)), struct.pack("<I", 0xFFFFFFF0), 1)


@content
def fixed_attribute_of_gigabytes() -> bytes:
    found = hdf5({"model_config": numpy.array(b"x" * 4321, dtype="S4321")})
    return found.replace(struct.pack("<I", 4321), struct.pack("<I", 0xFFFFFFF0))


@content
def attributes_in_a_heap_of_their_own() -> bytes:
    return hdf5(
        {"model_config": dense_config().decode(), **{f"a{number}": number for number in range(40)}}, libver="latest"
    )


@case
def link_to_another_file(path: Path) -> None:
    other = path.with_name("other.h5")
    other.write_bytes(hdf5({"model_config": dense_config().decode()}))
    with h5py.File(path, "w") as file:
        file["model_config"] = h5py.ExternalLink(str(other), "/")
        file["config"] = h5py.SoftLink("/model_config")


@content
def half_an_hdf5_file() -> bytes:
    return hdf5({"model_config": dense_config().decode()})[:700]


# What is no file, and folders.


@case
def named_pipe(path: Path) -> None:
    os.mkfifo(path)


@case
def device_without_end(path: Path) -> None:
    path.symlink_to("/dev/zero")


@case
def empty_folder(path: Path) -> None:
    path.mkdir()


@case
def missing_file(path: Path) -> None:
    """Nothing is there."""


@case
def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


@case
def graph_without_a_configuration(path: Path) -> None:
    path.mkdir()
    (path / "saved_model.pb").write_bytes(b"\x08\x01\x12\x04\x0a\x02\x08\x01")


@case
def metadata_that_ends_too_early(path: Path) -> None:
    path.mkdir()
    (path / "keras_metadata.pb").write_bytes(b"\x0a\xff\xff\xff\xff\x0f\x1a\x04root")


@case
def metadata_of_nothing(path: Path) -> None:
    path.mkdir()
    (path / "keras_metadata.pb").write_bytes(b"")


@case
def metadata_that_is_a_pipe(path: Path) -> None:
    path.mkdir()
    os.mkfifo(path / "keras_metadata.pb")
