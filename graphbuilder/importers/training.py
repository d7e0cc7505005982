"""What a model was compiled with, as a blueprint's `training`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import ValidationError

from graphbuilder.blueprint.training_meaning import without_defaults
from graphbuilder.blueprint.training_names import CHOSEN_BY_OUTPUTS, OPTIMIZERS, class_of_measure
from graphbuilder.importers.described import DescribedModel, flattened
from graphbuilder.importers.levels import Level
from graphbuilder.importers.objects import is_saved_object
from graphbuilder.importers.problems import NotCarried, Problems

__all__ = ["written_training"]

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
        **{key: partial(_measures, saved.get(key), renamed) for key in ("loss", "loss_weights")},
        "metrics": partial(_measures, _of_one_output(saved.get("metrics"), model), renamed),
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
    options = dict(saved["config"])
    rate = options.get("learning_rate")
    if isinstance(rate, Mapping) and is_saved_object(rate):
        told = f"the learning rate follows {rate['class_name']}, of which only the first is carried"
        problems.lose(None, told, "give the schedule to compile in Python")
        options["learning_rate"] = rate["config"].get("initial_learning_rate", 0.001)
    kept = without_defaults(name, {key: value for key, value in options.items() if key in OPTIMIZERS[name]})
    return {name: kept} if kept else name


def _of_one_output(metrics: Any, model: DescribedModel) -> Any:
    """Metrics without the list around them that Keras 2 has for the outputs, where there is one output."""
    nested = isinstance(metrics, list) and len(metrics) == 1 and isinstance(metrics[0], list)
    return metrics[0] if nested and len(flattened(model.outputs)) == 1 else metrics


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
    inner, called = config.get("fn"), config.get("name")
    if name == "MeanMetricWrapper" and called in CHOSEN_BY_OUTPUTS:
        # Keras 2 saves what it has chosen, which need not be what the author's labels ask for.
        return called
    if inner is not None:
        # Keras wraps a function that was given for a loss or metric.
        return _measure(inner) if is_saved_object(inner) else inner
    options = without_defaults(name, {key: value for key, value in config.items() if key != "name"})
    if not options and isinstance(called, str) and class_of_measure(called) == name:
        return called
    # As a name alone, this one would be chosen by the outputs.
    return {name: options} if options or name.lower() in CHOSEN_BY_OUTPUTS else name
