"""What a model was compiled with becomes `training`."""

from __future__ import annotations

import json
from typing import Any

import keras
import pytest
from keras import layers, losses, metrics, optimizers

from graphbuilder.api import compile, parse
from graphbuilder.importers import Imported
from tests.support.importing import import_model


def small(outputs: int = 1) -> Any:
    x = keras.Input((4,), name="x")
    made = [layers.Dense(3, name=f"y{number}")(x) for number in range(outputs)]
    return keras.Model(x, made[0] if outputs == 1 else made)


def training_of(found: Imported) -> Any:
    return parse(found.text).source.data.get("training")


def compiled(model: Any, **arguments: Any) -> Imported:
    model.compile(**arguments)
    return import_model(model)


OPTIMIZERS = [
    (optimizers.Adam(), "adam"),
    (
        optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        {"sgd": {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}},
    ),
    (optimizers.AdamW(3e-4, weight_decay=0.01, clipnorm=1.0), None),
    (optimizers.RMSprop(), "rmsprop"),
    (optimizers.Lion(), None),
    (optimizers.Adadelta(), "adadelta"),
    (optimizers.Adagrad(), "adagrad"),
    (optimizers.Adamax(), "adamax"),
    (optimizers.Nadam(0.002), {"nadam": {"learning_rate": 0.002}}),
    (optimizers.Ftrl(), None),
    (optimizers.Adafactor(), None),
]


@pytest.mark.parametrize(("optimizer", "written"), OPTIMIZERS, ids=lambda value: getattr(value, "name", ""))
def test_an_optimizer_comes_back(optimizer: Any, written: Any) -> None:
    model = small()
    found = compiled(model, optimizer=optimizer, loss="mse")
    assert found.lost == ()
    if written is not None:
        assert training_of(found)["optimizer"] == written
    again = compile(parse(found.text)).optimizer
    assert {**again.get_config(), "name": ""} == {**optimizer.get_config(), "name": ""}


def test_losses_and_metrics_come_back() -> None:
    model = small(2)
    found = compiled(
        model,
        loss={"y0": losses.SparseCategoricalCrossentropy(from_logits=True), "y1": losses.mean_squared_error},
        loss_weights={"y0": 1.0, "y1": 0.5},
        metrics={"y0": ["accuracy", metrics.SparseTopKCategoricalAccuracy(k=2)], "y1": ["mae"]},
    )
    assert found.lost == ()
    assert training_of(found) == {
        "optimizer": "rmsprop",
        "loss": {"y0": {"SparseCategoricalCrossentropy": {"from_logits": True}}, "y1": "mean_squared_error"},
        "loss_weights": {"y0": 1.0, "y1": 0.5},
        "metrics": {"y0": ["accuracy", {"SparseTopKCategoricalAccuracy": {"k": 2}}], "y1": ["mae"]},
    }
    mine = json.loads(compile(parse(found.text)).to_json())["compile_config"]
    theirs = json.loads(model.to_json())["compile_config"]
    assert mine["loss"]["y0"] == theirs["loss"]["y0"]
    assert mine["loss_weights"] == theirs["loss_weights"]


def test_what_cannot_be_said_is_told() -> None:
    schedule = optimizers.schedules.CosineDecay(0.1, 100)
    found = compiled(small(), optimizer=optimizers.SGD(schedule), loss="mse", weighted_metrics=["mae"])
    assert [told.message for told in found.lost] == [
        "the learning rate follows CosineDecay, of which only the first is carried",
        "weighted_metrics of compile is not carried",
    ]
    assert training_of(found) == {"optimizer": {"sgd": {"learning_rate": 0.1}}, "loss": "mse"}


def test_a_loss_of_ones_own_is_told() -> None:
    def mine(wanted: Any, given: Any) -> Any:
        return keras.ops.mean(wanted - given)

    found = compiled(small(), optimizer="adam", loss=mine)
    assert [told.code for told in found.lost] == ["GB854"]
    assert found.lost[0].message.startswith("the loss it was compiled with is not carried")
    assert training_of(found) is None


def test_a_model_that_was_not_compiled_has_no_training() -> None:
    assert training_of(import_model(small())) is None
