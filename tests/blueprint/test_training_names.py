"""The names that `training:` may use are those that Keras has."""

from __future__ import annotations

import inspect

import keras
import pytest
from keras.src.losses import ALL_OBJECTS_DICT as KERAS_LOSSES
from keras.src.metrics import ALL_OBJECTS_DICT as KERAS_METRICS
from keras.src.optimizers import ALL_OBJECTS_DICT as KERAS_OPTIMIZERS

from graphbuilder.api import check
from graphbuilder.blueprint import parse_blueprint
from graphbuilder.blueprint.training_names import LOSSES, METRICS, OPTIMIZERS

# Base classes, and wrappers that hold another optimizer or a function, which a blueprint cannot write.
NO_OPTIMIZERS = {"optimizer", "lossscaleoptimizer", "multioptimizer", "optimizermap"}
NO_LOSSES = {"Loss", "LossFunctionWrapper"}
NO_METRICS = {"Metric", "metric", "MeanMetricWrapper", "mean_metric_wrapper"}
ONLY_IN_COMPILE = {"acc", "crossentropy", "ce"}


def test_optimizers_and_their_options_are_keras() -> None:
    assert OPTIMIZERS.keys() == KERAS_OPTIMIZERS.keys() - NO_OPTIMIZERS
    for name, options in OPTIMIZERS.items():
        taken = inspect.signature(KERAS_OPTIMIZERS[name].__init__).parameters.keys()
        assert set(options) == taken - {"self", "name", "kwargs"}, name


def test_losses_are_keras() -> None:
    assert set(LOSSES) == KERAS_LOSSES.keys() - NO_LOSSES
    for name in LOSSES:
        keras.losses.get(name)


def test_metrics_are_keras() -> None:
    assert set(METRICS) - ONLY_IN_COMPILE == KERAS_METRICS.keys() - NO_METRICS


@pytest.mark.parametrize(
    "training",
    [
        "{optimizer: Adam, loss: mse}",
        "{optimizer: {sgd: {learning_rate: 0.1, momentum: 0.9}}, loss: {Huber: {delta: 2.0}}, metrics: [{AUC: {}}]}",
        "{optimizer: adam, loss: {a: mse, b: {Huber: {}}}, metrics: {a: [mae], b: acc}}",
        "{loss: $loss}",
    ],
)
def test_what_is_right_is_taken(training: str) -> None:
    text = (
        "blueprint: 1\nparams: {loss: mse}\ninputs:\n  x: {shape: [4]}\nnodes:\n  a: {layer: Dense, units: 2}\n"
        f"  b: {{layer: Dense, from: x, units: 3}}\noutputs: {{a: a, b: b}}\ntraining: {training}\n"
    )
    assert not check(parse_blueprint(text)).errors
