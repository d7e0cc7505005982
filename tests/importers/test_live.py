"""`graphbuilder.from_keras`: models in memory, of both Kerases."""

from __future__ import annotations

import keras
import pytest
from keras import layers

import graphbuilder
from graphbuilder.errors import BlueprintError, CommandError
from tests.importers.test_models import CASES, sharing_across_depth
from tests.support.custom_layers import Scale
from tests.support.importing import compare, import_model


@pytest.mark.parametrize("name", ["models_inside_models", "inputs_and_outputs_by_name", "a_frozen_base"])
def test_a_model_in_memory_is_imported_as_its_file(name: str) -> None:
    model = CASES[name]()
    assert graphbuilder.from_keras(model) == import_model(model, flat=False)
    assert graphbuilder.from_keras(model, flat=True) == import_model(model, flat=True)


def test_layers_shared_across_depth_are_found() -> None:
    model = sharing_across_depth()
    compare(model, graphbuilder.from_keras(model))


def test_strict_makes_losses_errors() -> None:
    x = keras.Input((4,), name="x")
    model = keras.Model(x, Scale(name="scale")(x), name="net")
    assert [told.code for told in graphbuilder.from_keras(model).lost] == ["GB854"]
    with pytest.raises(BlueprintError, match=r"^net: GB854 scale: "):
        graphbuilder.from_keras(model, strict=True)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(CommandError, match=r"GB851 a dict is no model of Keras; expected a keras\.Model"):
        graphbuilder.from_keras({})


def test_a_model_that_was_never_built_is_refused() -> None:
    with pytest.raises(BlueprintError, match="the sequential model net was never built"):
        graphbuilder.from_keras(keras.Sequential([layers.Dense(3)], name="net"))


def test_a_model_of_ones_own_class_is_refused() -> None:
    class Mine(keras.Model):  # type: ignore[misc]  # Keras has no types
        def __init__(self, size: object) -> None:
            super().__init__(name="mine")

    with pytest.raises(CommandError, match="GB851 mine cannot say what it is made of"):
        graphbuilder.from_keras(Mine(object()))
