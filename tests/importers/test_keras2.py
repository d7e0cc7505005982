"""Models of tf_keras, in every form in which they are saved, become blueprints that compute the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tf_keras

from graphbuilder.errors import BlueprintError
from graphbuilder.importers import import_file, imported
from graphbuilder.importers.configurations import described
from graphbuilder.importers.problems import NotCarried
from graphbuilder.text import parse
from tests.support.legacy_models import LEGACY_MODELS, compare_legacy


def without_training(text: str) -> Any:
    data = dict(parse(text).data)
    data.pop("training", None)
    return data


@pytest.mark.parametrize("name", LEGACY_MODELS)
def test_a_model_of_keras_2_comes_back(name: str) -> None:
    model = LEGACY_MODELS[name]()
    found = imported(described(json.loads(model.to_json())), "model.json")
    compare_legacy(model, found, 2, 1e-6)
    compare_legacy(model, found, 3, 1e-5 if name != "half_precision" else 1e-3)


def check_forms(name: str, folder: Path, forms: Mapping[str, str]) -> None:
    """Saves a model in several forms, which must all give the blueprint that its JSON gives."""
    model = LEGACY_MODELS[name]()
    json_file = folder / "model.json"
    json_file.write_text(model.to_json(), encoding="utf-8")
    expected = without_training(import_file(json_file).text)
    for ending, form in forms.items():
        path = folder / f"model.{ending}"
        model.save(path, save_format=form)
        assert without_training(import_file(path).text) == expected, form


@pytest.mark.parametrize("name", LEGACY_MODELS)
def test_files_give_the_same_blueprint(name: str, tmp_path: Path) -> None:
    # tf_keras cannot write `...` in an index into a .keras file.
    check_forms(name, tmp_path, {"h5": "h5"} if name == "shapes" else {"h5": "h5", "keras": "keras"})


@pytest.mark.parametrize("name", ["models_inside", "states_handed_on", "options_of_all_kinds"])
def test_saved_models_give_the_same_blueprint(name: str, tmp_path: Path) -> None:
    check_forms(name, tmp_path, {"folder": "tf"})


@pytest.mark.slow
@pytest.mark.parametrize("name", LEGACY_MODELS)
def test_every_saved_model_gives_the_same_blueprint(name: str, tmp_path: Path) -> None:
    check_forms(name, tmp_path, {"folder": "tf"})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "EfficientNetB0", "NASNetMobile"])
def test_an_application_of_keras_2_comes_back(name: str) -> None:
    model = getattr(tf_keras.applications, name)(weights=None)
    compare_legacy(model, imported(described(json.loads(model.to_json())), name), 3, 1e-5)


def test_what_it_was_compiled_with_is_carried(tmp_path: Path) -> None:
    model = LEGACY_MODELS["sequential_with_an_input"]()
    model.compile(tf_keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    for ending, form in {"h5": "h5", "keras": "keras", "folder": "tf"}.items():
        path = tmp_path / f"model.{ending}"
        model.save(path, save_format=form)
        data = parse(import_file(path).text).data
        assert data["training"] == {
            "optimizer": {"sgd": {"learning_rate": 0.1, "momentum": 0.9}},
            "loss": "mse",
        }, form


def imported_layers(*layers: dict[str, Any], **rest: Any) -> Any:
    """What a sequential model of Keras 2 comes to, of which the layers are written by hand."""
    saved = {"class_name": "Sequential", "config": list(layers), **rest}
    return parse(imported(described(saved), "old.json").text).data


def test_a_file_of_the_first_years_of_keras_2() -> None:
    first = {"name": "a", "filters": 4, "kernel_size": [3, 3], "batch_input_shape": [None, 8, 8, 3], "dtype": "float32"}
    second = {"name": "b", "axis": 3, "momentum": 0.99, "epsilon": 0.001}
    data = imported_layers(
        {"class_name": "Convolution2D", "config": first},
        {"class_name": "BatchNormalizationV1", "config": second},
        keras_version="2.1.6",
    )
    assert list(data["inputs"].values()) == [{"shape": [8, 8, 3]}]
    assert [node["layer"] for node in data["nodes"].values()] == ["Conv2D", "BatchNormalization"]


def test_a_gru_of_before_reset_after_is_one_without() -> None:
    gru = {"name": "gru", "units": 4, "batch_input_shape": [None, 5, 3], "implementation": 1}
    data = imported_layers({"class_name": "GRU", "config": gru})
    assert data["nodes"]["gru"]["reset_after"] is False


def test_a_registered_class_is_a_custom_layer_of_its_package() -> None:
    scale = {"name": "scale", "factor": 2.0, "batch_input_shape": [None, 3]}
    data = imported_layers({"class_name": "mine>Scale", "config": scale}, keras_version="2.9.0")
    assert data["nodes"]["scale"]["layer"] == "mine:Scale"


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (
            {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "hard_sigmoid"}},
            "GB853 d: activation is hard_sigmoid, which is another function in Keras 3",
        ),
        (
            {"class_name": "LSTM", "config": {"name": "d", "units": 2, "time_major": True}},
            "GB853 d: LSTM has an argument time_major, which the catalog does not know",
        ),
        (
            {"class_name": "TensorFlowOpLayer", "config": {"name": "d", "node_def": "", "constants": {}}},
            "GB853 d: it is a function of TensorFlow in a form that was given up in TensorFlow 2.4",
        ),
        (
            {"class_name": "ConvLSTM2D", "config": {"name": "d", "filters": 2, "kernel_size": 3}},
            "GB853 d: recurrent_activation is hard_sigmoid, which is another function in Keras 3",
        ),
    ],
)
def test_what_keras_3_computes_otherwise_is_refused(layer: dict[str, Any], told: str, tmp_path: Path) -> None:
    start = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 5, 5, 3, 3], "name": "x"}}
    (tmp_path / "model").write_text(json.dumps({"class_name": "Sequential", "config": [start, layer]}))
    with pytest.raises(BlueprintError) as caught:
        import_file(tmp_path / "model")
    assert told in str(caught.value)


def test_two_layers_of_one_name_are_refused() -> None:
    x = tf_keras.Input((3,), name="x")
    saved = json.loads(tf_keras.Model(x, tf_keras.layers.Dense(2, name="d")(x), name="m").to_json())
    saved["config"]["layers"].append({**saved["config"]["layers"][1], "class_name": "Flatten"})
    with pytest.raises(NotCarried, match="two layers of m are named d"):
        described(saved)


def test_sparse_inputs_are_refused() -> None:
    start = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 5], "name": "x", "sparse": True}}
    with pytest.raises(NotCarried, match="the input is sparse"):
        imported_layers(start)


def test_a_call_that_keras_2_could_not_save_is_refused() -> None:
    x = tf_keras.Input((3,), name="x")
    model = tf_keras.Model(x, tf.einsum("bi,bj->bij", x, x))
    with pytest.raises(NotCarried, match="without the tensors that it was called with"):
        described(json.loads(model.to_json()))


def test_functions_without_a_counterpart_are_refused_by_name() -> None:
    x = tf_keras.Input((4, 4, 1), name="x")
    model = tf_keras.Model(x, [tf.image.resize(x, (8, 8)), tf.cumsum(x, axis=1, exclusive=True)])
    with pytest.raises(BlueprintError) as caught:
        imported(described(json.loads(model.to_json())), "model.json")
    assert "the catalog has no op image.resize" in str(caught.value)
    assert "cumsum is used with exclusive, which the catalog does not know" in str(caught.value)
