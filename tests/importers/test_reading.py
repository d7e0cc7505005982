"""Model files of every kind are told apart by their content, and read without Keras."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy
import pytest

from graphbuilder.errors import BlueprintError
from graphbuilder.importers import import_file
from graphbuilder.importers.reading_hdf5 import root_attributes
from graphbuilder.text import parse
from tests.support.model_files import archive, dense_model, hdf5

CONFIG = json.dumps(dense_model())
DATA = {
    "blueprint": 1,
    "name": "model",
    "inputs": {"x": {"shape": [4]}},
    "nodes": {"y": {"layer": "Dense", "units": 3}},
    "outputs": "y",
}


def data_of(path: Path) -> Any:
    """The blueprint of a file as plain data; that the only node has the only input goes without saying."""
    data = parse(import_file(path).text).data
    data["nodes"]["y"].pop("from", None)
    return data


def metadata_of(config: str) -> bytes:
    """The `keras_metadata.pb` of a model, as tf_keras writes it."""
    root = field(2, b"", number=0) + field(3, b"root") + field(4, b"_tf_keras_network") + field(5, config.encode())
    layer = field(3, b"root.layer-0") + field(4, b"_tf_keras_layer") + field(5, b"{}")
    return field(1, layer) + field(1, root)


def field(key: int, content: bytes, number: int | None = None) -> bytes:
    """A field of a protobuf message: bytes, or a number."""
    if number is not None:
        return varint(key << 3) + varint(number)
    return varint(key << 3 | 2) + varint(len(content)) + content


def varint(number: int) -> bytes:
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def graph_of(config: str) -> bytes:
    """The `saved_model.pb` of a model, as TensorFlow until 2.4 wrote it, with the configuration in it."""
    user = field(1, b"_tf_keras_network") + field(3, config.encode())
    objects = field(1, field(4, user)) + field(1, field(4, field(1, b"_tf_keras_layer")))
    return field(1, b"", number=1) + field(2, field(1, b"") + field(7, objects))


def folder(name: str, content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.mkdir()
        (path / name).write_bytes(content)

    return write


def file(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


FORMS = {
    "json": file(CONFIG.encode()),
    "json_with_a_byte_order_mark": file(b"\xef\xbb\xbf" + CONFIG.encode()),
    "json_after_blanks": file(b"\n\n  " + CONFIG.encode()),
    "archive": file(archive({"metadata.json": b'{"keras_version": "3.15.1"}', "config.json": CONFIG.encode()})),
    "archive_without_metadata": file(archive({"config.json": CONFIG.encode()})),
    "hdf5": file(hdf5({"model_config": CONFIG, "keras_version": "3.15.1", "backend": "tensorflow"})),
    "saved_model": folder("keras_metadata.pb", metadata_of(CONFIG)),
    "saved_model_of_old": folder("saved_model.pb", graph_of(CONFIG)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ending", [".keras", ".h5", ".json", ".txt", ""])
def test_a_form_is_known_by_its_content(form: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"model{ending}"
    FORMS[form](path)
    assert data_of(path) == DATA


@pytest.mark.parametrize("name", ["keras_metadata.pb", "saved_model.pb"])
def test_a_file_of_a_saved_model_stands_for_it(name: str, tmp_path: Path) -> None:
    folder("keras_metadata.pb", metadata_of(CONFIG))(tmp_path / "model")
    (tmp_path / "model" / "saved_model.pb").write_bytes(graph_of("{}"))
    assert data_of(tmp_path / "model" / name) == DATA


def test_a_saved_model_of_a_class_of_somebodys_own_has_no_layers_to_read(tmp_path: Path) -> None:
    config = json.dumps({"class_name": "Net", "config": {"width": 3}})
    folder("keras_metadata.pb", metadata_of(config))(tmp_path / "model")
    with pytest.raises(BlueprintError, match="GB851 it is a Net, which says in code"):
        import_file(tmp_path / "model")


def test_reading_imports_no_keras(tmp_path: Path) -> None:
    for form, write in FORMS.items():
        write(tmp_path / form)
    script = (
        "import sys; from pathlib import Path; from graphbuilder.importers import import_file\n"
        "for path in Path(sys.argv[1]).iterdir(): import_file(path)\n"
        "print(*sorted({'h5py', 'keras', 'networkx', 'numpy', 'tensorflow', 'tf_keras'} & {*sys.modules}))"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() in ("", "networkx")


LONG = "é" + "x" * 300_000
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "text": {"model_config": "{}", "keras_version": "2.3.1"},
    "bytes": {"model_config": numpy.bytes_(b"{}"), "keras_version": numpy.array(b"2.3.1", dtype="S5")},
    "row_of_one": {"model_config": numpy.array(["{}"], dtype=object), "keras_version": "2.3.1"},
    "long": {"model_config": LONG, "keras_version": "2.3.1", "training_config": LONG[:70_000]},
    "many": {"layer_names": [f"layer_{number}" for number in range(900)], "model_config": LONG[:3000]},
    "empty": {"model_config": "", "keras_version": "2.3.1"},
    "other_kinds": {"keras_version": 3.0, "training_config": numpy.arange(4), "model_config": "{}"},
}


@pytest.mark.parametrize("libver", ["earliest", "v108", "latest"])
@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_attributes_are_those_that_h5py_reads(kind: str, libver: str, tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(hdf5(ATTRIBUTES[kind], libver=libver))
    names = ("model_config", "keras_version", "training_config")
    with path.open("rb") as opened:
        found = {name: value.decode() for name, value in root_attributes(opened, names).items()}
    with h5py.File(path) as whole:
        read = {name: numpy.asarray(whole.attrs[name]) for name in names if name in whole.attrs}
    expected = {
        name: value.ravel()[0] if value.dtype.kind in "OU" else value.ravel()[0].decode()
        for name, value in read.items()
        if value.dtype.kind in "OUS" and value.size == 1
    }
    assert found == expected


def test_attributes_behind_a_large_file_are_found(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as whole:
        for number in range(20):
            whole.create_dataset(f"weights_{number}", data=numpy.zeros(50_000, "float32"))
            whole.attrs[f"attribute_{number}"] = LONG[:5000]
        whole.attrs["model_config"] = LONG
        # What stood there before is replaced in another place.
        whole.attrs["model_config"] = CONFIG
    with path.open("rb") as opened:
        assert root_attributes(opened, ("model_config",)) == {"model_config": CONFIG.encode()}
