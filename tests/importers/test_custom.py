"""Layers that the catalog does not know become custom layers, which compile imports only where they are trusted."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from graphbuilder.api import compile, lower, parse
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import CustomLayer
from graphbuilder.importers import Imported, imported
from graphbuilder.importers.keras3 import described3
from tests.support.custom_layers import Scale, Twice
from tests.support.importing import copy_by_names, import_model, outputs_of, samples

MODULE = "tests.support.custom_layers"


def nodes_of(found: Imported) -> dict[str, Any]:
    nodes: dict[str, Any] = parse(found.text).source.data["nodes"]
    return nodes


def compare_trusted(model: Any, found: Imported, module: str) -> None:
    built = compile(parse(found.text), trust=[module])
    copy_by_names(model, built, found.names)
    given = samples(model)
    for mine, theirs in zip(outputs_of(built, given), outputs_of(model, given), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_custom_layer_is_carried_by_name_and_told() -> None:
    x = keras.Input((4,), name="x")
    scale = Scale(2.0, name="scale")
    model = keras.Model(x, layers.Dense(2, name="score")(scale(scale(x, twice=False), twice=True)))
    found = import_model(model, flat=True)
    assert [(told.code, told.node, told.hint) for told in found.lost] == [
        ("GB854", "scale", f"compile imports it with --trust {MODULE}, if you trust it")
    ]
    nodes = nodes_of(found)
    assert nodes["scale"] == {
        "layer": f"{MODULE}:Scale",
        "from": "x",
        "args": {"start": 2.0},
        "gives": {"shape": [4]},
        "call": {"twice": False},
    }
    assert nodes["scale_again"] == {"reuse": "scale", "from": "scale", "call": {"twice": True}}
    compare_trusted(model, found, MODULE)


def test_several_tensors_in_and_out() -> None:
    x, y = keras.Input((4,), name="x"), keras.Input((4,), name="y")
    total, product = Twice(name="both")([x, y])
    model = keras.Model([x, y], layers.Dense(2, name="score")(layers.Add(name="sum")([total, product])))
    found = import_model(model, flat=True)
    assert nodes_of(found)["both"]["gives"] == [{"shape": [4]}, {"shape": [4]}]
    assert nodes_of(found)["sum"]["from"] == ["both.0", "both.1"]
    compare_trusted(model, found, MODULE)


def test_layers_of_keras_that_the_catalog_lacks_are_custom_layers_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    # A layer that Keras will have is not in the catalog; the file of such a Keras names it as this one.
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.Activation("relu", name="future")(x))
    saved = json.loads(model.to_json())
    (layer,) = (each for each in saved["config"]["layers"] if each["class_name"] == "Activation")
    layer["class_name"] = "FutureActivation"
    found = imported(described3(saved), "model.json", flat=True)
    assert nodes_of(found)["future"]["layer"] == "keras.layers:FutureActivation"
    monkeypatch.setattr(layers, "FutureActivation", layers.Activation, raising=False)
    compare_trusted(model, found, "keras.layers")


def test_it_is_not_imported_unless_it_is_trusted() -> None:
    x = keras.Input((4,), name="x")
    found = import_model(keras.Model(x, Scale()(x)))
    with pytest.raises(BlueprintError, match=r"GB503 .* is code that is not trusted"):
        compile(parse(found.text))


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (None, "GB853 scale: the file does not say which module the class Scale comes from"),
        ("os; import os", "GB853 scale: os; import os:Scale names no class"),
    ],
)
def test_a_class_that_nobody_can_find_is_refused(module: str | None, told: str) -> None:
    saved = saved_with({})
    saved["config"]["layers"][1]["module"] = module
    with pytest.raises(BlueprintError, match=told):
        imported(described3(saved), "model.json")


def saved_with(arguments: dict[str, Any]) -> dict[str, Any]:
    """A file of a model with one custom layer."""
    x = keras.Input((4,), name="x")
    saved: dict[str, Any] = json.loads(keras.Model(x, Scale(name="scale")(x)).to_json())
    saved["config"]["layers"][1]["config"].update(arguments)
    return saved


def test_a_dollar_sign_stays_one() -> None:
    found = imported(described3(saved_with({"start": "$5"})), "model.json", flat=True)
    (layer,) = lower(parse(found.text)).layers.values()
    assert isinstance(layer.entry, CustomLayer)
    assert layer.entry.arguments == {"start": "$5"}


def test_what_no_blueprint_can_say_is_refused() -> None:
    with pytest.raises(BlueprintError, match="GB208 scale: it holds a string with a dollar sign"):
        imported(described3(saved_with({"start": "$" * 10_000})), "model.json")


def test_tensors_by_position_are_refused() -> None:
    class Pair(layers.Layer):  # type: ignore[misc]  # Keras has no types
        def call(self, x: Any, y: Any) -> Any:
            return x + y

    x = keras.Input((4,), name="x")
    with pytest.raises(BlueprintError, match="GB853 pair: a custom layer is called with 2 arguments by position"):
        import_model(keras.Model(x, Pair(name="pair")(x, x)))
