"""Models saved in every format come back the same, and nothing is ever half-written or run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras

from graphbuilder.api import compile, load_model, save
from graphbuilder.errors import BlueprintError, CommandError, MissingError

TINY = """\
blueprint: 1
inputs:
  x: {shape: [4]}
nodes:
  hidden: {layer: Dense, units: 3, activation: {relu: {max_value: 6.0}}}
  out: {layer: Dense, units: 2}
training: {optimizer: {sgd: {learning_rate: 0.1}}, loss: mse, metrics: [mae]}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


X = np.linspace(-2, 2, 12, dtype="float32").reshape(3, 4)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
@pytest.mark.parametrize("version", [2, 3])
def test_a_saved_model_predicts_the_same(tiny: Path, tmp_path: Path, name: str, version: Any) -> None:
    model = compile(tiny, keras=version)
    again = load_model(save(model, tmp_path / name), keras=version)
    np.testing.assert_array_equal(again(X), model(X))
    assert [layer.name for layer in again.layers] == ["x", "hidden", "out"]


def test_an_h5_file_that_keras_could_not_load_is_refused(tiny: Path, tmp_path: Path) -> None:
    tiny.write_text(TINY.replace("  out:", "  squared: {op: square}\n  out:"))
    model = compile(tiny)
    with pytest.raises(BlueprintError, match=r"no ops such as squared; save it as \.keras"):
        save(model, tmp_path / "model.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]
    np.testing.assert_array_equal(load_model(save(model, tmp_path / "model.keras"))(X), model(X))


@pytest.mark.parametrize("version", [2, 3])
def test_a_saved_architecture_takes_the_weights(tiny: Path, tmp_path: Path, version: Any) -> None:
    model = compile(tiny, keras=version)
    again = load_model(save(model, tmp_path / "model.json"), keras=version)
    weights = save(model, tmp_path / "model.weights.h5")
    again.load_weights(weights)
    np.testing.assert_array_equal(again(X), model(X))


@pytest.mark.parametrize("version", [2, 3])
def test_a_saved_model_folder_serves(tiny: Path, tmp_path: Path, version: Any) -> None:
    import tensorflow as tf

    model = compile(tiny, keras=version)
    served = tf.saved_model.load(str(save(model, tmp_path / "served")))
    found = served.serve(X) if version == 3 else served(X)
    np.testing.assert_allclose(found, model(X), atol=1e-6)


def test_a_model_can_be_trained_right_after_it_is_loaded(tiny: Path, tmp_path: Path) -> None:
    save(compile(tiny), tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    before = model.evaluate(X, X[:, :2], verbose=0)[0]
    model.fit(X, X[:, :2], epochs=3, verbose=0)
    assert model.evaluate(X, X[:, :2], verbose=0)[0] < before


def test_an_existing_file_stays_unless_forced(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    path.write_text("mine")
    with pytest.raises(CommandError, match="GB601"):
        save(compile(tiny), path)
    assert path.read_text() == "mine"
    save(compile(tiny), path, force=True)
    assert load_model(path).count_params() == 23


def test_an_existing_folder_is_replaced_as_a_whole(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "served"
    path.mkdir()
    (path / "saved_model.pb").write_text("old")
    (path / "old").write_text("old")
    save(compile(tiny), path, force=True)
    assert (path / "saved_model.pb").is_file()
    assert not (path / "old").exists()


@pytest.mark.parametrize("name", ["work", "work.keras"])
def test_a_folder_of_something_else_is_never_replaced(tiny: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.mkdir()
    (path / "thesis.txt").write_text("mine")
    with pytest.raises(CommandError, match=r"GB601 .* is a folder that holds no SavedModel"):
        save(compile(tiny), path, force=True)
    assert (path / "thesis.txt").read_text() == "mine"


def test_a_save_that_breaks_leaves_the_old_file(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.keras"
    path.write_text("mine")
    model = compile(tiny)

    def half(where: Any, *_: Any, **__: Any) -> None:
        Path(where).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "save", half)
    with pytest.raises(KeyboardInterrupt):
        save(model, path, force=True)
    assert path.read_text() == "mine"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["model.keras", "tiny.yaml"]


def test_a_folder_that_refuses_writing_is_told(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Said by hand, because a folder's mode stops nobody who is root.
    def refuse(*_: Any, **__: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(MissingError, match=r"GB602 .*Permission denied"):
        save(compile(tiny), tmp_path / "model.keras")


def test_an_output_below_a_file_is_told(tiny: Path) -> None:
    with pytest.raises(MissingError, match="GB602"):
        save(compile(tiny), tiny / "model.keras")


def test_an_unknown_ending_is_told(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="does not say in which format"):
        save(compile(tiny), tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["bad.h5", "bad.json"])
def test_code_in_a_model_file_is_not_run(tmp_path: Path, name: str) -> None:
    witness = tmp_path / "witness"
    code = f"import pathlib; pathlib.Path({str(witness)!r}).write_text('run')"

    def evil(x: Any) -> Any:
        exec(code)  # noqa: S102 - what a hostile model file would do
        return x

    given = tf_keras.Input((2,))
    model = tf_keras.Model(given, tf_keras.layers.Lambda(evil)(given))
    witness.unlink()
    path = tmp_path / name
    if name.endswith(".json"):
        path.write_text(model.to_json())
    else:
        model.save(path, save_format="h5")
    for version in (2, 3):
        with pytest.raises(BlueprintError, match="GB213"):
            load_model(path, keras=version)
    assert not witness.exists()


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BlueprintError, match="there is no file"):
        load_model(tmp_path / "none.keras")
