"""Compiles a model for training as its blueprint says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.backend.frameworks import Framework
from graphbuilder.blueprint.training_names import CHOSEN_BY_OUTPUTS, class_of_measure
from graphbuilder.errors import BlueprintError, Diagnostic

__all__ = ["compile_model"]


def compile_model(model: Any, training: Mapping[str, Any], framework: Framework) -> None:
    """Compiles a model with the optimizer, loss and metrics of its blueprint; without a loss it stays uncompiled.

    Arguments:
        model: a functional model of `framework`.
        training: the blueprint's `training:`, its expressions resolved.
        framework: the Keras that the model is of.

    Raises:
        BlueprintError: Keras knows no such optimizer, loss or metric.
    """
    if training.get("loss") is None:
        return
    keras = framework.keras
    try:
        model.compile(
            optimizer=_optimizer(keras.optimizers, training.get("optimizer", "rmsprop")),
            loss=_nested(keras.losses, training["loss"], list(model.output_names)),
            loss_weights=training.get("loss_weights"),
            metrics=_nested(keras.metrics, training.get("metrics"), list(model.output_names)),
        )
    except (ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:400]
        raise BlueprintError(
            Diagnostic("GB501", f"Keras refuses the training: {reason}", hint="see `training:` in the blueprint")
        ) from error


def _optimizer(module: Any, written: Any) -> Any:
    """The optimizer of a name, or of `{name: {options}}`."""
    return _configured(module, written) if isinstance(written, dict) else module.get(written)


def _configured(module: Any, written: Any) -> Any:
    """The Keras object of `{name: {options}}`."""
    name, options = next(iter(written.items()))
    made = getattr(module, name, None)
    if isinstance(made, type):
        return made(**(options or {}))
    return module.deserialize({"class_name": name, "config": dict(options or {})})


def _nested(module: Any, written: Any, outputs: list[str]) -> Any:
    """Losses or metrics: one, a list, or a mapping from output to such."""
    if isinstance(written, str):
        return _by_name(module, written)
    if isinstance(written, list):
        return [_nested(module, item, outputs) for item in written]
    if isinstance(written, dict):
        single = len(written) == 1 and next(iter(written)) not in outputs
        if single and isinstance(next(iter(written.values())), (dict, type(None))):
            return _configured(module, written)
        return {name: _nested(module, item, outputs) for name, item in written.items()}
    return written


def _by_name(module: Any, name: str) -> Any:
    """The object that a name stands for, where Keras has it as a class too.

    Keras takes `mse` for the function, and then cannot load the `.h5` file that it saved. What it chooses only when it
    knows the outputs (`accuracy`) stays a name.
    """
    if name.lower() in CHOSEN_BY_OUTPUTS:
        return name
    found = module.get(name)
    if isinstance(found, (str, type(None))) or not hasattr(found, "__name__"):
        return found
    made = getattr(module, class_of_measure(name) or "", None)
    if not isinstance(made, type):
        return name
    return made(name=name) if module.__name__.endswith("metrics") else made()
