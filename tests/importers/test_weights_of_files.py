"""Weights come along from every form of file that keeps them, of Keras 2 and 3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import keras
import numpy as np
import pytest

from graphbuilder.api import compile, parse
from graphbuilder.backend.importing import import_weights
from graphbuilder.backend.saving import load_weights
from graphbuilder.cli.app import main
from graphbuilder.errors import BlueprintError
from graphbuilder.importers import import_file
from tests.importers.test_weights import compare, with_random_weights, write
from tests.support.legacy_models import LEGACY_MODELS, compare_outputs

# An .h5 file of Keras 3 holds no ops, and only what one layer is called with.
CASES: dict[str, Callable[[], Any]] = {}
LEGACY = [name for name in LEGACY_MODELS if LEGACY_MODELS[name]().count_params()]


def case(make: Callable[[], Any]) -> Callable[[], Any]:
    CASES[make.__name__] = make
    return make


@case
def wrapped_layers() -> Any:
    x = keras.Input((5, 4), name="x")
    y = keras.layers.Bidirectional(keras.layers.LSTM(2, return_sequences=True), name="both_ways")(x)
    y = keras.layers.TimeDistributed(keras.layers.Dense(4, name="inner"), name="each_step")(y)
    y = keras.layers.Bidirectional(keras.layers.GRU(3), backward_layer=keras.layers.GRU(3, go_backwards=True))(y)
    return keras.Model(x, y)


@case
def attention_and_normalization() -> Any:
    x = keras.Input((5, 4), name="x")
    y = keras.layers.MultiHeadAttention(2, 3, dropout=0.1, name="attention")(x, x)
    y = keras.layers.BatchNormalization()(keras.layers.SeparableConv1D(4, 2)(y))
    return keras.Model(x, keras.layers.LayerNormalization()(keras.layers.Dropout(0.1)(y)))


@case
def models_in_models() -> Any:
    deep = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), keras.layers.BatchNormalization()], name="deep")
    middle_in = keras.Input((4,), name="middle_in")
    middle = keras.layers.BatchNormalization(name="first")(keras.layers.Dense(3, name="dense")(middle_in))
    model = keras.Model(middle_in, keras.layers.PReLU()(deep(middle)), name="middle")
    x = keras.Input((4,), name="x")
    return keras.Model(x, keras.layers.Dense(2)(keras.layers.Add()([model(x), model(keras.layers.Dense(4)(x))])))


@case
def frozen_layers_among_others() -> Any:
    model = models_in_models()
    model.get_layer("middle").get_layer("first").trainable = False
    model.get_layer("middle").get_layer("deep").trainable = False
    return model


@pytest.mark.parametrize("name", CASES)
def test_weights_come_along_from_an_h5_file_of_keras_3(name: str, tmp_path: Path) -> None:
    model = with_random_weights(CASES[name]())
    file, target = tmp_path / "model.h5", tmp_path / "model.weights.h5"
    model.save(file)
    for flat in (True, False):
        found = import_file(file, flat=flat)
        target.unlink(missing_ok=True)
        assert write(file, found, target) == model.count_params()
        built = compile(parse(found.text))
        load_weights(built, target)
        compare(model, built)


# tf_keras cannot write `...` in an index, which `shapes` has, into a .keras file.
@pytest.mark.parametrize(
    ("name", "form"),
    [(name, form) for name in LEGACY for form in ("h5", "keras") if (name, form) != ("shapes", "keras")],
)
def test_weights_come_along_from_files_of_keras_2(name: str, form: str, tmp_path: Path) -> None:
    model = with_random_weights(LEGACY_MODELS[name]())
    file, target = tmp_path / f"model.{form}", tmp_path / "model.weights.h5"
    model.save(file, save_format=form)
    found = import_file(file)
    assert write(file, found, target) == model.count_params()
    built = compile(parse(found.text))
    load_weights(built, target)
    compare_outputs(model, built, found, 1e-5 if name != "half_precision" else 1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["models_inside", "states_handed_on", "options_of_all_kinds", "arithmetic"])
def test_weights_come_along_from_a_saved_model(name: str, tmp_path: Path) -> None:
    model = with_random_weights(LEGACY_MODELS[name]())
    folder, target = tmp_path / "saved", tmp_path / "model.weights.h5"
    model.save(folder, save_format="tf")
    found = import_file(folder)
    assert import_weights(folder, found, target) == model.count_params()
    built = compile(parse(found.text))
    load_weights(built, target)
    compare_outputs(model, built, found, 1e-5)


def test_a_saved_model_without_its_variables_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    LEGACY_MODELS["sequential_with_an_input"]().save(folder, save_format="tf")
    (folder / "variables" / "variables.index").write_bytes(b"nothing")
    with pytest.raises(BlueprintError, match="GB852 its weights are damaged"):
        import_weights(folder, import_file(folder), tmp_path / "model.weights.h5")


def test_weights_come_along_by_command(tmp_path: Path) -> None:
    model = with_random_weights(CASES["wrapped_layers"]())
    model.save(tmp_path / "model.h5")
    paths = {name: str(tmp_path / name) for name in ("model.h5", "model.yaml", "model.weights.h5", "again.keras")}
    weights = ["--weights", paths["model.weights.h5"]]
    assert main(["import", paths["model.h5"], "-o", paths["model.yaml"], *weights]) == 0
    assert main(["compile", paths["model.yaml"], "-o", paths["again.keras"], *weights]) == 0
    compare(model, keras.saving.load_model(paths["again.keras"]))


def test_weights_of_other_shapes_are_refused(tmp_path: Path) -> None:
    import h5py

    x = keras.Input((4,), name="x")
    keras.Model(x, keras.layers.Dense(2, name="one")(x)).save(tmp_path / "model.h5")
    found = import_file(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        del file["model_weights/one/one/kernel"]
        file["model_weights/one/one/kernel"] = np.ones((3, 2), "float32")
    with pytest.raises(
        BlueprintError, match=r"GB853 one: its weights are \[3, 2\], \[2\] in the file and \[4, 2\], \[2\]"
    ):
        import_weights(tmp_path / "model.h5", found, tmp_path / "model.weights.h5")


@keras.saving.register_keras_serializable("somewhere")
class Own(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """A layer that the catalog lacks, with a weight."""

    def build(self, shape: Any) -> None:
        self.factor = self.add_weight(shape=(shape[-1],))

    def call(self, inputs: Any) -> Any:
        return inputs * self.factor


def test_weights_are_told_to_be_missing_where_a_model_holds_a_layer_that_nobody_knows(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((4,)), Own(name="own"), keras.layers.Dense(2)], name="inner")
    x = keras.Input((4,), name="x")
    keras.Model(x, inner(x)).save(tmp_path / "model.h5")
    found = import_file(tmp_path / "model.h5")
    with pytest.raises(
        BlueprintError, match="GB853 inner/own: the file has its weights in one list with those of other"
    ):
        import_weights(tmp_path / "model.h5", found, tmp_path / "model.weights.h5")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["h5", "keras"])
def test_whatever_stands_in_a_file_ends_in_weights_or_in_a_message(form: str, tmp_path: Path) -> None:
    model = CASES["attention_and_normalization"]()
    file, target = tmp_path / f"model.{form}", tmp_path / "model.weights.h5"
    model.save(file)
    found, whole = import_file(file), file.read_bytes()
    random, codes = Random(5), set[str]()
    for _ in range(40):
        changed = bytearray(whole)
        # Most of what leads to the weights stands in front of them.
        for _ in range(random.randint(1, 6)):
            changed[random.randrange(min(len(changed), 40_000))] = random.randrange(256)
        file.write_bytes(changed)
        try:
            import_weights(file, found, target, timeout=20)
        except BlueprintError as error:
            codes |= {told.code for told in error.diagnostics}
    assert "GB852" in codes
    assert codes <= {"GB213", "GB851", "GB852", "GB853"}
