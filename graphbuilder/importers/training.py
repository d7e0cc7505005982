"""What a model was compiled with, as a blueprint's `training`."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import ValidationError

from graphbuilder.blueprint.training_names import OPTIMIZERS
from graphbuilder.importers.described import DescribedModel
from graphbuilder.importers.levels import Level
from graphbuilder.importers.objects import is_saved_object
from graphbuilder.importers.problems import NotCarried, Problems

__all__ = ["written_training"]

# What every optimizer has when nothing is said.
_EVERY_OPTIMIZER = {"use_ema": False, "ema_momentum": 0.99}
_ADAM = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
_OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adadelta": {"learning_rate": 0.001, "rho": 0.95, "epsilon": 1e-7},
    "adagrad": {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "adam": {**_ADAM, "amsgrad": False},
    "adamax": _ADAM,
    "adamw": {**_ADAM, "amsgrad": False, "weight_decay": 0.004},
    "nadam": _ADAM,
    "rmsprop": {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    "sgd": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
}
# What losses and metrics have when nothing is said.
_MEASURES = {
    "reduction": "sum_over_batch_size",
    "dtype": "float32",
    "from_logits": False,
    "label_smoothing": 0.0,
    "axis": -1,
}
# What `compile` takes beside, with what it is when nothing is said.
_BESIDE = {"weighted_metrics": None, "run_eagerly": False, "steps_per_execution": 1}


def written_training(model: DescribedModel, level: Level, problems: Problems) -> dict[str, Any]:
    """As under `training`; empty where the model was not compiled.

    Arguments:
        model: the model.
        level: its layers.
        problems: told of what cannot be said.
    """
    saved = model.training
    if not saved or "optimizer" not in saved:
        return {}
    found: dict[str, Any] = {}
    renamed = {} if isinstance(model.outputs, dict) else level.shared.names
    parts: dict[str, Callable[[], Any]] = {
        "optimizer": partial(_optimizer, saved["optimizer"], problems),
        **{key: partial(_measures, saved.get(key), renamed) for key in ("loss", "loss_weights", "metrics")},
    }
    for key, write in parts.items():
        try:
            written = write()
            _check(key, written)
        except NotCarried as problem:
            problems.lose(None, f"the {key.replace('_', ' ')} it was compiled with is not carried: {problem.message}")
            continue
        if written is not None:
            found[key] = written
    for key, usual in _BESIDE.items():
        if saved.get(key, usual) != usual:
            problems.lose(None, f"{key} of compile is not carried", "hand it to compile in Python")
    # Without a loss nothing can be trained.
    return found if found.get("loss") is not None else {}


def _check(key: str, written: Any) -> None:
    """Holds a part against what the format takes.

    Raises:
        NotCarried: it does not take it.
    """
    from graphbuilder.blueprint.schema import Training

    try:
        Training.model_validate({key: written})
    except ValidationError as error:
        raise NotCarried(error.errors()[0]["msg"]) from None


def _optimizer(saved: Any, problems: Problems) -> Any:
    if isinstance(saved, str) or saved is None:
        return saved
    if not is_saved_object(saved):
        raise NotCarried("it is saved in a form that is not known")
    name = str(saved["class_name"]).lower()
    if name not in OPTIMIZERS:
        raise NotCarried(f"{saved['class_name']} is no optimizer of Keras")
    options = {key: _number(value) for key, value in saved["config"].items()}
    rate = options.get("learning_rate")
    if isinstance(rate, Mapping) and is_saved_object(rate):
        told = f"the learning rate follows {rate['class_name']}, of which only the first is carried"
        problems.lose(None, told, "give the schedule to compile in Python")
        options["learning_rate"] = rate["config"].get("initial_learning_rate", 0.001)
    known = {**_EVERY_OPTIMIZER, **_OPTIMIZERS.get(name, {})}
    kept = {
        key: value
        for key, value in options.items()
        if value is not None and key in OPTIMIZERS[name] and not (key in known and known[key] == value)
    }
    return {name: kept} if kept else name


def _number(value: Any) -> Any:
    """A number that was kept in 32 bits as it was written: 0.009999999776 is 0.01."""
    if not isinstance(value, float) or value != _in_32_bits(value):
        return value
    return next(short for digits in range(1, 18) if _in_32_bits(short := float(f"{value:.{digits}g}")) == value)


def _in_32_bits(value: float) -> float | None:
    try:
        found: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return None
    return found


def _measures(saved: Any, renamed: Mapping[str, str]) -> Any:
    """Losses, their weights or metrics: one, a list, or such for each output."""
    if is_saved_object(saved):
        return _measure(saved)
    if isinstance(saved, Mapping):
        return {renamed.get(key, key): _measures(value, renamed) for key, value in saved.items()}
    if isinstance(saved, list):
        return [_measures(item, renamed) for item in saved]
    return saved


def _measure(saved: Mapping[str, Any]) -> Any:
    name, config = str(saved["class_name"]), saved["config"]
    # Functions are saved as their names.
    if isinstance(config, str):
        return config
    if not isinstance(config, Mapping):
        raise NotCarried(f"{name} is saved in a form that is not known")
    inner = config.get("fn")
    if inner is not None:
        # Keras wraps a function that was given for a loss or metric.
        return _measure(inner) if is_saved_object(inner) else inner
    options = {
        key: _number(value)
        for key, value in config.items()
        if value is not None and key != "name" and not (key in _MEASURES and _MEASURES[key] == value)
    }
    return {name: options} if options else name
