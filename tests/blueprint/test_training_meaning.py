"""What is meant of `training` where nothing is said is what Keras means."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from graphbuilder.blueprint.training_meaning import meant_training, without_defaults
from graphbuilder.blueprint.training_names import LOSSES, METRICS, OPTIMIZERS, class_of_measure


def options_of(made: Any) -> dict[str, Any]:
    return {key: value for key, value in made.get_config().items() if key != "name"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_that_is_told_nothing_has_the_defaults(name: str) -> None:
    options = options_of(keras.optimizers.get(name))
    assert without_defaults(name, options) == {}
    for option, value in options.items():
        if isinstance(value, float):
            assert without_defaults(name, {option: value + 0.5}), f"another {option} is no default"


def classes(module: Any, names: tuple[str, ...]) -> list[Any]:
    """The classes of losses or metrics that need no arguments."""
    found = []
    for name in names:
        made = getattr(module, name, None)
        try:
            found += [made()] if isinstance(made, type) else []
        except TypeError:
            # It cannot be made without arguments, so nothing of it is a default.
            continue
    return found


MEASURES = [*classes(keras.losses, LOSSES), *classes(keras.metrics, METRICS)]


@pytest.mark.parametrize("made", MEASURES, ids=lambda made: f"{made.__module__.split('.')[2]}.{type(made).__name__}")
def test_a_measure_that_is_told_nothing_has_the_defaults(made: Any) -> None:
    assert without_defaults(type(made).__name__, options_of(made)) == {}


@pytest.mark.parametrize(
    ("module", "known"), [(keras.losses, LOSSES), (keras.metrics, METRICS)], ids=["loss", "metric"]
)
def test_every_name_of_a_measure_leads_to_the_class_that_keras_finds(module: Any, known: tuple[str, ...]) -> None:
    chosen_by_outputs = {"accuracy", "acc", "crossentropy", "ce"}
    for name in known:
        found = class_of_measure(name)
        assert (found is None) == (name.lower() in chosen_by_outputs), name
        if found is None:
            continue
        assert isinstance(getattr(module, found), type)
        try:
            theirs = module.get(name)
        except TypeError:
            # Keras makes the class at once, and this one needs arguments.
            continue
        ours = getattr(module, found)
        # For some names Keras has the function that the class wraps.
        wrapped = None if isinstance(theirs, ours) else getattr(ours(), "fn", None) or getattr(ours(), "_fn", None)
        assert isinstance(theirs, ours) or wrapped is theirs, name


def test_outputs_and_lists_are_kept_apart() -> None:
    training = {
        "loss": {"a": "mse", "b": {"SparseCategoricalCrossentropy": {"from_logits": True}}},
        "metrics": {"a": ["mae"], "b": [{"top_k_categorical_accuracy": {"k": 5}}]},
        "batch_size": 32,
        "epochs": 3,
    }
    assert meant_training(training) == {
        "optimizer": "rmsprop",
        "loss": {"a": "MeanSquaredError", "b": {"SparseCategoricalCrossentropy": {"from_logits": True}}},
        "metrics": {"a": ["MeanAbsoluteError"], "b": ["TopKCategoricalAccuracy"]},
        "epochs": 3,
    }
