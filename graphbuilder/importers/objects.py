"""Initializers, regularizers, constraints and activations, as Keras saves them and as a blueprint writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphbuilder.catalog.objects import KINDS

__all__ = ["is_saved_object", "written_object"]

# What Keras saves although nobody wrote it: its own defaults.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "Constant": {"value": 0.0},
    "Identity": {"gain": 1.0},
    "L1": {"l1": 0.01},
    "L1L2": {"l1": 0.0, "l2": 0.0},
    "L2": {"l2": 0.01},
    "MaxNorm": {"max_value": 2, "axis": 0},
    "MinMaxNorm": {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0},
    "Orthogonal": {"gain": 1.0},
    "OrthogonalRegularizer": {"factor": 0.01, "mode": "rows"},
    "RandomNormal": {"mean": 0.0, "stddev": 0.05},
    "RandomUniform": {"minval": -0.05, "maxval": 0.05},
    "STFT": {"side": "real", "window": "hann", "scaling": "density", "periodic": False},
    "TruncatedNormal": {"mean": 0.0, "stddev": 0.05},
    "UnitNorm": {"axis": 0},
    "VarianceScaling": {"scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal"},
    "elu": {"alpha": 1.0},
    "leaky_relu": {"negative_slope": 0.3},
    "relu": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
    "softmax": {"axis": -1},
}
# Layers that stand where an activation does.
_ACTIVATION_LAYERS = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Softmax": "softmax"}
# What every layer has and an activation has no use for.
_OF_LAYERS = ("name", "trainable", "dtype")


def is_saved_object(value: Any) -> bool:
    """Whether a value is how Keras saves an object: its class and what it was made with."""
    return isinstance(value, Mapping) and "class_name" in value and "config" in value


def written_object(kind: str, saved: Any) -> Any:
    """An initializer, regularizer, constraint or activation as a blueprint writes it, without what is the default.

    Arguments:
        kind: a key of `graphbuilder.catalog.objects.KINDS`.
        saved: as Keras saves it, or its name.

    Example:
        >>> written_object("initializer", {"class_name": "HeNormal", "config": {"seed": None}})
        'he_normal'
        >>> written_object("initializer", {"class_name": "TruncatedNormal", "config": {"mean": 0.0, "stddev": 0.02}})
        {'truncated_normal': {'stddev': 0.02}}
    """
    if not is_saved_object(saved):
        return saved
    # Functions are saved as their names.
    name, config = str(saved["class_name"]), saved["config"]
    if name == "function" and isinstance(config, str):
        return config
    name = _ACTIVATION_LAYERS.get(name, name)
    known = _DEFAULTS.get(name, {})
    options = {
        key: value
        for key, value in (config or {}).items()
        if value is not None and key not in _OF_LAYERS and not (key in known and known[key] == value)
    }
    if kind == "constraint" and name in _DEFAULTS and isinstance(options.get("axis"), list):
        options["axis"] = list(options["axis"])
    short = next((alias for alias, full in KINDS[kind].aliases.items() if full == name), name)
    return {short: options} if options else short
