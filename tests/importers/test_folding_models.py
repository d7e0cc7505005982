"""The models of keras.applications, folded: they fit a page, and compile to the same models."""

from __future__ import annotations

import json
from typing import Any

import keras
import pytest

from tests.support.importing import compare, import_model

# The most lines, where there is a bound on them.
MODELS = {
    "DenseNet121": 60,
    "EfficientNetB0": 150,
    "InceptionV3": 150,
    "MobileNetV2": 90,
    "ResNet50": 80,
    "VGG16": 40,
}


def model_of(name: str, **arguments: Any) -> Any:
    keras.utils.set_random_seed(3)
    return getattr(keras.applications, name)(weights=None, **arguments)


def lines_of(text: str) -> int:
    return len(text.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_folded_model_is_short_and_computes_the_same(name: str) -> None:
    model = model_of(name)
    found = import_model(model)
    assert found.lost == ()
    assert lines_of(found.text) <= MODELS[name]
    described = json.dumps(json.loads(model.to_json()), indent=1)
    assert lines_of(described) >= 20 * lines_of(found.text)
    # Layers in Keras's order, parameters, and outputs for the same weights.
    compare(model, found, batch=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ResNet50", "MobileNetV2", "DenseNet121"])
def test_a_folded_model_without_its_head_computes_the_same(name: str) -> None:
    model = model_of(name, include_top=False, input_shape=(96, 96, 3))
    found = import_model(model)
    assert found.text.splitlines()[-1].startswith("outputs: ")
    compare(model, found, batch=1)


@pytest.mark.slow
def test_a_deep_model_fits_200_lines() -> None:
    assert lines_of(import_model(model_of("EfficientNetB7")).text) <= 200
