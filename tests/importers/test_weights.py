"""The weights of an archive are written without Keras, and put back by name."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from graphbuilder.api import compile, lower, parse
from graphbuilder.backend import importing
from graphbuilder.backend.saving import load_weights
from graphbuilder.backend.supervision import run_task
from graphbuilder.backend.worker_protocol import TaskKind
from graphbuilder.errors import BlueprintError
from graphbuilder.importers import Imported, import_file
from graphbuilder.importers.reading import read_model
from graphbuilder.importers.weights import owned_weights, write_weights
from tests.importers.test_models import CASES, sharing_across_depth
from tests.support.importing import outputs_of, samples

WITH_WEIGHTS = [name for name in CASES if name not in ("slices", "arithmetic", "parts_of_a_tensor")]


def written(model: Any, folder: Path) -> tuple[Imported, Path, int]:
    """What was imported of a model, and its weights."""
    archive, target = folder / "model.keras", folder / "model.weights.h5"
    model.save(archive)
    found = import_file(archive)
    return found, target, write(archive, found, target)


def write(file: Path, found: Imported, target: Path) -> int:
    """Writes the weights in this process, where a file of our own is read."""
    return write_weights(file, read_model(file), found.names, owned_weights(lower(parse(found.text))), target)


def with_random_weights(model: Any) -> Any:
    drawn = np.random.default_rng(3)
    for weight in model.weights:
        weight.assign(drawn.random(weight.shape))
    return model


def compare(model: Any, built: Any) -> None:
    given = samples(model)
    for mine, theirs in zip(outputs_of(built, given), outputs_of(model, given), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", [*WITH_WEIGHTS, "sharing_across_depth"])
def test_weights_come_back_by_name(name: str, tmp_path: Path) -> None:
    model = with_random_weights({**CASES, "sharing_across_depth": sharing_across_depth}[name]())
    found, target, count = written(model, tmp_path)
    assert count == model.count_params()
    built = compile(parse(found.text))
    load_weights(built, target)
    compare(model, built)


def test_layers_of_keras_applications_keep_their_weights(tmp_path: Path) -> None:
    from keras.src.applications.convnext import LayerScale

    x = keras.Input((4, 4, 3), name="x")
    model = with_random_weights(keras.Model(x, LayerScale(0.1, 3, name="scale")(layers.Conv2D(3, 1)(x))))
    found, target, _ = written(model, tmp_path)
    built = compile(parse(found.text))
    load_weights(built, target)
    compare(model, built)


def test_another_blueprint_is_refused_and_nothing_loaded(tmp_path: Path) -> None:
    x = keras.Input((4,), name="x")
    found, target, _ = written(with_random_weights(keras.Model(x, layers.Dense(2, name="one")(x))), tmp_path)
    built = compile(parse(found.text.replace("one", "two")))
    before = [weight.numpy() for weight in built.weights]
    with pytest.raises(BlueprintError) as error:
        load_weights(built, target)
    assert [told.message for told in error.value.diagnostics] == [
        "the file has no weights of two",
        "the file has weights of one, which the model lacks",
    ]
    for weight, kept in zip(built.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), kept)


def test_other_shapes_are_refused(tmp_path: Path) -> None:
    x = keras.Input((4,), name="x")
    found, target, _ = written(keras.Model(x, layers.Dense(2, name="one")(x)), tmp_path)
    built = compile(parse(found.text.replace("units: 2", "units: 3")))
    with pytest.raises(
        BlueprintError, match=r"GB505 one: its weights are \[4, 2\], \[2\] in the file and \[4, 3\], \[3\]"
    ):
        load_weights(built, target)


def test_the_twin_is_told_what_to_do(tmp_path: Path) -> None:
    x = keras.Input((4,), name="x")
    found, target, _ = written(keras.Model(x, layers.Dense(2, name="one")(x)), tmp_path)
    with pytest.raises(BlueprintError, match="holds weights of Keras 3"):
        load_weights(compile(parse(found.text), keras=2), target)


def archive_with(weights: bytes | None, folder: Path, *, compressed: bool = False) -> tuple[Path, Imported]:
    """An archive of a small model with other weights."""
    x = keras.Input((4,), name="x")
    keras.Model(x, layers.Dense(2, name="one")(x)).save(folder / "good.keras")
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(folder / "good.keras") as good, zipfile.ZipFile(folder / "bad.keras", "w", method) as bad:
        for name in ("metadata.json", "config.json"):
            bad.writestr(name, good.read(name))
        if weights is not None:
            bad.writestr("model.weights.h5", weights or good.read("model.weights.h5"))
    return folder / "bad.keras", import_file(folder / "bad.keras")


def hdf5(folder: Path, *, link: bool = False, empty: bool = False, name: str = "one") -> bytes:
    """Weights of that model, with something wrong."""
    with h5py.File(folder / "made.h5", "w") as file:
        group = file.create_group("layers/dense/vars")
        group.attrs["name"] = name
        if link:
            group["0"] = h5py.ExternalLink("/etc/hostname", "/")
        elif empty:
            # As large as it says, and nothing of it in the file.
            group.create_dataset("0", shape=(1 << 20, 1 << 20), dtype="float32", chunks=(1024, 1024))
        else:
            group["0"] = np.ones((4, 2), "float32")
    return (folder / "made.h5").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"link": True}, "GB852 its weights have a link, 0"),
        ({"empty": True}, "GB852 its weights are kept in a form that Keras does not write, 0"),
        ({"name": "other"}, "GB852 its weights of one are those of other"),
    ],
    ids=["a link out of the file", "a bomb", "another layer's"],
)
def test_hostile_weights_are_refused(arguments: dict[str, Any], told: str, tmp_path: Path) -> None:
    archive, found = archive_with(hdf5(tmp_path, **arguments), tmp_path)
    refuse(archive, found, tmp_path, told)


def test_weights_that_are_missing_compressed_or_damaged_are_refused(tmp_path: Path) -> None:
    refuse(*archive_with(None, tmp_path), tmp_path, r"GB851 the archive has no model\.weights\.h5")
    refuse(*archive_with(b"", tmp_path, compressed=True), tmp_path, "GB852 .* is compressed, which Keras does not do")
    refuse(*archive_with(b"\x89HDF\r\n\x1a\n" + bytes(64), tmp_path), tmp_path, "GB852 its weights are damaged")


def test_a_file_without_weights_is_refused(tmp_path: Path) -> None:
    _, found = archive_with(None, tmp_path)
    with zipfile.ZipFile(tmp_path / "good.keras") as good:
        (tmp_path / "model.json").write_bytes(good.read("config.json"))
    refuse(tmp_path / "model.json", found, tmp_path, "GB851 weights are read from .keras and .h5 files and SavedModels")


@pytest.mark.parametrize(
    ("how", "told"),
    [("SIGSEGV", "GB852 its weights are damaged: .* was killed by SIGSEGV"), ("abort", "GB852 .* killed by SIGABRT")],
)
def test_a_file_that_kills_its_reader_is_refused(
    how: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_task(monkeypatch, "fault", how=how)
    refuse(*archive_with(b"", tmp_path), tmp_path, told)


def test_a_file_that_its_reader_never_comes_to_the_end_of_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_task(monkeypatch, "sleep", pid_file=str(tmp_path / "pid"))
    refuse(*archive_with(b"", tmp_path), tmp_path, "GB852 .* was not done with them within 0.5 s", timeout=0.5)


def test_damaged_weights_are_refused_before_they_are_loaded(tmp_path: Path) -> None:
    file = tmp_path / "model.weights.h5"
    x = keras.Input((4,), name="x")
    keras.Model(x, layers.Dense(2, name="one")(x)).save_weights(file)
    importing.check_weights(file)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(BlueprintError, match="GB852 its weights are damaged"):
        importing.check_weights(file)
    file.write_bytes(hdf5(tmp_path, link=True))
    with pytest.raises(BlueprintError, match="GB852 its weights have a link, 0"):
        importing.check_weights(file)
    with pytest.raises(
        BlueprintError, match=f"{file.parent}/none.weights.h5: GB101 the file cannot be read: No such file"
    ):
        importing.check_weights(file.with_name("none.weights.h5"))


def replace_task(monkeypatch: pytest.MonkeyPatch, name: str, **arguments: Any) -> None:
    """Has the worker do what a damaged file makes the HDF5 library do."""

    def run(task: str, given: Any, **options: Any) -> Any:
        kind = TaskKind(f"tests.support.tasks:{name}")
        return run_task(task, {**given, **arguments}, allow={task: kind}, **options)

    monkeypatch.setattr(importing, "run_task", run)


def refuse(file: Path, found: Imported, folder: Path, told: str, timeout: float | None = None) -> None:
    """Sees that weights are refused, and that nothing is left behind."""
    target = folder / "out" / "model.weights.h5"
    with pytest.raises(BlueprintError, match=told):
        importing.import_weights(file, found, target, timeout=timeout)
    assert not target.parent.exists() or list(target.parent.iterdir()) == []
