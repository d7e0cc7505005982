"""Whatever bytes stand in a model file, and whatever its configuration says, it is imported or refused with a code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.errors import CODES, BlueprintError, Diagnostic
from graphbuilder.importers import import_file
from graphbuilder.importers.reading import read_model
from tests.importers.test_reading import CONFIG, metadata_of
from tests.support.model_files import archive, dense_model, hdf5

FILES = {
    "archive": archive({"metadata.json": b'{"keras_version": "3.15.1"}', "config.json": CONFIG.encode()}),
    "hdf5": hdf5({"model_config": CONFIG, "keras_version": "3.15.1", "backend": "tensorflow"}),
    "hdf5_of_today": hdf5({"model_config": CONFIG, "keras_version": "3.15.1"}, libver="latest"),
    "json": CONFIG.encode(),
    "metadata": metadata_of(CONFIG),
}
# What somebody might put in the place of anything.
OTHERS: list[Any] = [
    *(None, True, -1, 0, 2, 10**30, -0.5, float("nan"), float("inf"), "", "x", "y", "Dense", "Lambda", "é" * 300),
    *([], [None], ["x", 0, 0], [["x", 0, 0]], [[["x", 0, 0, {}]]], {}, {"a": 1}),
    {"class_name": "x", "config": None},
    {"class_name": "L2", "config": {"l2": "x"}},
    {"class_name": "function", "config": "relu"},
    {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}},
    {"class_name": "__slice__", "config": {}},
]


def read_or_refuse(path: Path, read: Callable[[Path], object] = read_model) -> None:
    """Reads a file; any error but our own is a fault."""
    diagnostics: tuple[Diagnostic, ...] = ()
    try:
        read(path)
    except BlueprintError as error:
        diagnostics = error.diagnostics
    assert all(found.code in CODES and found.code != "GB900" for found in diagnostics)


def write(kind: str, content: bytes, folder: Path) -> Path:
    if kind != "metadata":
        (folder / "model").write_bytes(content)
        return folder / "model"
    (folder / "saved").mkdir(exist_ok=True)
    (folder / "saved" / "keras_metadata.pb").write_bytes(content)
    return folder / "saved"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzzed")


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_ends_anywhere(kind: str, folder: Path) -> None:
    content = FILES[kind]
    for end in range(0, len(content), 1 if len(content) < 3000 else 7):
        read_or_refuse(write(kind, content[:end], folder))


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.fuzz
@given(data=st.data())
def test_bytes_that_were_changed(kind: str, folder: Path, data: st.DataObject) -> None:
    content = bytearray(FILES[kind])
    places = st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(places, min_size=1, max_size=20)):
        content[place] = value
    read_or_refuse(write(kind, bytes(content), folder))


def set_every_byte(kind: str, folder: Path, values: tuple[int, ...], stop: int | None = None) -> None:
    """Sets the bytes of a file to other values, one at a time."""
    content = bytearray(FILES[kind])
    for place in range(len(content))[:stop]:
        before = content[place]
        for value in values:
            content[place] = value
            read_or_refuse(write(kind, bytes(content), folder))
        content[place] = before


@pytest.mark.parametrize("kind", FILES)
def test_every_byte_at_the_head_set_to_its_extremes(kind: str, folder: Path) -> None:
    """Sizes and addresses of binary forms stand there."""
    set_every_byte(kind, folder, (0, 255), 600)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_every_byte_set_to_many_values(kind: str, folder: Path) -> None:
    set_every_byte(kind, folder, (1, 127, 128))


@pytest.mark.fuzz
@given(
    start=st.sampled_from([b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"{", b'{"class_name": "Functional", "config": ']),
    rest=st.binary(max_size=300),
)
def test_bytes_of_no_form(start: bytes, rest: bytes, folder: Path) -> None:
    read_or_refuse(write("random", start + rest, folder))


def places_in(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value of plain data."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*place, key)
        yield from places_in(item, (*place, key))


def changed(saved: Any, place: tuple[Any, ...], value: Any, *, leave_out: bool) -> None:
    """Puts something else at a place, if it is still there."""
    *way, last = place
    for key in way:
        if not isinstance(saved, (dict, list)) or key not in (saved if isinstance(saved, dict) else range(len(saved))):
            return
        saved = saved[key]
    if isinstance(saved, dict) or (isinstance(saved, list) and isinstance(last, int) and last < len(saved)):
        if leave_out and (isinstance(saved, list) or last in saved):
            del saved[last]
        else:
            saved[last] = value


def legacy_model() -> dict[str, Any]:
    """A model of Keras 2 with a bit of everything that its form has."""
    inner = {
        "name": "inner",
        "layers": [{"class_name": "Dense", "config": {"units": 4, "batch_input_shape": [None, 4]}}],
    }
    layers: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "x"}, "name": "x"},
        {"class_name": "Dense", "config": {"units": 4, "activation": "relu"}, "name": "d"},
        {"class_name": "Sequential", "config": inner, "name": "inner"},
        {"class_name": "TFOpLambda", "config": {"function": "math.add"}, "name": "tf.math.add"},
        {"class_name": "TFOpLambda", "config": {"function": "unstack"}, "name": "tf.unstack"},
        {"class_name": "SlicingOpLambda", "config": {"function": "__operators__.getitem"}, "name": "tf.getitem"},
        {"class_name": "TFOpLambda", "config": {"function": "reshape"}, "name": "tf.reshape"},
        {"class_name": "Concatenate", "config": {"axis": -1}, "name": "joined"},
    ]
    nodes: list[list[Any]] = [
        [],
        [[["x", 0, 0, {}]], [["d", 0, 0, {}]]],
        [[["d", 1, 0, {}]]],
        [["d", 0, 0, {"y": ["inner", 1, 0], "name": None}], ["_CONSTANT_VALUE", -1, 2.0, {"y": ["d", 0, 0]}]],
        [["tf.math.add", 1, 0, {"axis": 1}]],
        [["tf.math.add", 0, 0, {"slice_spec": [{"start": None, "stop": None, "step": None}, {"start": 1, "stop": 3}]}]],
        [["tf.getitem", 0, 0, {"shape": [["tf.unstack", 0, 1], 2]}]],
        [[["tf.reshape", 0, 0, {}], ["tf.getitem", 0, 0, {}]]],
    ]
    for layer, calls in zip(layers, nodes, strict=True):
        layer["inbound_nodes"] = calls
    config = {"name": "old", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["joined", 0, 0]]}
    return {"class_name": "Functional", "config": config, "keras_version": "2.12.0"}


MODELS = {"keras_2": legacy_model, "keras_3": dense_model}


def test_the_models_to_change_are_right(folder: Path) -> None:
    for make in MODELS.values():
        import_file(write("json", json.dumps(make()).encode(), folder))


def change_one_thing(which: str, folder: Path, step: int) -> None:
    """Puts something else at each place of a configuration: one in so many of what there is."""
    for index, place in enumerate(places_in(MODELS[which]())):
        for number in range(index % step, len(OTHERS), step):
            saved = MODELS[which]()
            changed(saved, place, OTHERS[number], leave_out=not number)
            read_or_refuse(write("json", json.dumps(saved).encode(), folder), import_file)


@pytest.mark.parametrize("which", MODELS)
def test_configurations_with_one_thing_changed(which: str, folder: Path) -> None:
    change_one_thing(which, folder, 5)


@pytest.mark.slow
@pytest.mark.parametrize("which", MODELS)
def test_configurations_with_one_thing_changed_to_anything(which: str, folder: Path) -> None:
    change_one_thing(which, folder, 1)


@pytest.mark.parametrize("which", MODELS)
@pytest.mark.fuzz
@given(data=st.data())
def test_configurations_with_several_things_changed(which: str, folder: Path, data: st.DataObject) -> None:
    saved = MODELS[which]()
    place = st.sampled_from(list(places_in(saved)))
    for where, value, leave_out in data.draw(
        st.lists(st.tuples(place, st.sampled_from(OTHERS), st.booleans()), min_size=1, max_size=5)
    ):
        changed(saved, where, json.loads(json.dumps(value)), leave_out=leave_out)
    read_or_refuse(write("json", json.dumps(saved).encode(), folder), import_file)
