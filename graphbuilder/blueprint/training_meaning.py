"""What `training:` means: one form for what can be written in several ways, and what is meant where nothing is said."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from graphbuilder.blueprint.training_names import CHOSEN_BY_OUTPUTS, LOSSES, METRICS, OPTIMIZERS, class_of_measure

__all__ = ["meant_training", "short_number", "without_defaults"]

# What every optimizer has when nothing is said; what is not here is nothing.
_EVERY_OPTIMIZER: dict[str, Any] = {"learning_rate": 0.001, "use_ema": False, "ema_momentum": 0.99}
_MOMENTS: dict[str, Any] = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
# What each has beside, or otherwise.
_OPTIMIZERS: dict[str, dict[str, Any]] = {
    "adadelta": {"rho": 0.95, "epsilon": 1e-7},
    "adafactor": {
        "beta_2_decay": -0.8,
        "epsilon_1": 1e-30,
        "epsilon_2": 0.001,
        "clip_threshold": 1.0,
        "relative_step": True,
    },
    "adagrad": {"initial_accumulator_value": 0.1, "epsilon": 1e-7},
    "adam": {**_MOMENTS, "amsgrad": False},
    "adamax": _MOMENTS,
    "adamw": {**_MOMENTS, "amsgrad": False, "weight_decay": 0.004},
    "ftrl": {
        "learning_rate_power": -0.5,
        "initial_accumulator_value": 0.1,
        "l1_regularization_strength": 0.0,
        "l2_regularization_strength": 0.0,
        "l2_shrinkage_regularization_strength": 0.0,
        "beta": 0.0,
    },
    "lion": {"beta_1": 0.9, "beta_2": 0.99},
    "muon": {
        "weight_decay": 0.004,
        "adam_beta_1": 0.9,
        "adam_beta_2": 0.999,
        "adam_weight_decay": 0.004,
        "adam_lr_ratio": 1,
        "epsilon": 1e-7,
        "exclude_layers": [],
        "exclude_embeddings": True,
        "muon_a": 3.4445,
        "muon_b": -4.775,
        "muon_c": 2.0315,
        "momentum": 0.95,
        "nesterov": True,
        "ns_steps": 5,
        "rms_rate": 0.2,
    },
    "nadam": _MOMENTS,
    "rmsprop": {"rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    "schedulefreeadamw": {**_MOMENTS, "learning_rate": 0.0025, "epsilon": 1e-8, "warmup_steps": 0},
    "sgd": {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False},
}
# What losses and metrics have when nothing is said, and what some have beside, or otherwise.
_EVERY_MEASURE: dict[str, Any] = {"reduction": "sum_over_batch_size", "dtype": "float32"}
_LOGITS: dict[str, Any] = {"from_logits": False}
_SMOOTHED: dict[str, Any] = {**_LOGITS, "label_smoothing": 0.0, "axis": -1}
_FOCAL: dict[str, Any] = {**_SMOOTHED, "alpha": 0.25, "gamma": 2.0}
_MEASURES: dict[str, dict[str, Any]] = {
    "AUC": {
        **_LOGITS,
        "num_thresholds": 200,
        "curve": "ROC",
        "summation_method": "interpolation",
        "multi_label": False,
    },
    "BinaryAccuracy": {"threshold": 0.5},
    "BinaryCrossentropy": _SMOOTHED,
    "BinaryFocalCrossentropy": {**_FOCAL, "apply_class_balancing": False},
    "BinaryIoU": {"target_class_ids": [0, 1], "threshold": 0.5, "dtype": "int64"},
    "CategoricalCrossentropy": _SMOOTHED,
    "CategoricalFocalCrossentropy": _FOCAL,
    "Circle": {"gamma": 80.0, "margin": 0.4, "remove_diagonal": True},
    "ConcordanceCorrelation": {"axis": -1},
    "FBetaScore": {"beta": 1.0},
    "PearsonCorrelation": {"axis": -1},
    "R2Score": {"class_aggregation": "uniform_average", "num_regressors": 0},
    "SparseCategoricalCrossentropy": {**_LOGITS, "axis": -1},
    "SparseTopKCategoricalAccuracy": {"k": 5},
    "TopKCategoricalAccuracy": {"k": 5},
    "Tversky": {"alpha": 0.5, "beta": 0.5},
}


def without_defaults(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options without those that say what is meant anyway.

    Arguments:
        kind: the optimizer in small letters, or the class of the loss or metric.
        options: as a blueprint or Keras writes them.

    Example:
        >>> without_defaults("sgd", {"learning_rate": 0.01, "momentum": 0.9, "clipnorm": None})
        {'momentum': 0.9}
    """
    if kind in OPTIMIZERS:
        usual = {**_EVERY_OPTIMIZER, **_OPTIMIZERS.get(kind, {})}
    else:
        usual = {**_EVERY_MEASURE, **_MEASURES.get(kind, {})}
    numbers = {key: short_number(value) for key, value in options.items()}
    return {
        key: value for key, value in numbers.items() if value is not None and not (key in usual and usual[key] == value)
    }


def meant_training(training: Mapping[str, Any]) -> dict[str, Any]:
    """What a blueprint's `training:` says, with one name for what has several and without what is meant anyway.

    Arguments:
        training: as the blueprint has it, its expressions resolved.

    Example:
        >>> meant_training({"optimizer": {"Adam": {"learning_rate": 0.001}}, "loss": "mse", "epochs": 1})
        {'optimizer': 'adam', 'loss': 'MeanSquaredError'}
    """
    from graphbuilder.blueprint.schema import Training

    fields = Training.model_fields
    found = {
        key: value
        for key, value in training.items()
        if key != "about" and value is not None and not _usual(fields, key, value)
    }
    found["optimizer"] = _optimizer(training.get("optimizer", fields["optimizer"].default))
    for key, known in (("loss", LOSSES), ("metrics", METRICS)):
        if key in found:
            found[key] = _measures(found[key], known)
    return {key: found[key] for key in fields if key in found}


def _usual(fields: Mapping[str, Any], key: str, value: Any) -> bool:
    return key in fields and type(fields[key].default) is type(value) and bool(fields[key].default == value)


def _optimizer(written: Any) -> Any:
    name, options = _parts(written)
    return _with_options(name.lower(), options) if isinstance(name, str) else written


def _with_options(kind: str, options: Mapping[str, Any]) -> Any:
    kept = without_defaults(kind, options)
    return {kind: kept} if kept else kind


def _measures(written: Any, known: tuple[str, ...]) -> Any:
    """One loss or metric, a list, or a mapping from output to such."""
    if isinstance(written, list):
        return [_measures(item, known) for item in written]
    name, options = _parts(written)
    if isinstance(written, str) and written.lower() in CHOSEN_BY_OUTPUTS:
        return written.lower()
    if isinstance(name, str) and name in known:
        return _with_options(class_of_measure(name) or name, options)
    if isinstance(written, Mapping):
        return {output: _measures(item, known) for output, item in written.items()}
    return written


def _parts(written: Any) -> tuple[Any, Mapping[str, Any]]:
    """The name and the options of a name, or of `{name: {options}}`; no name where it is neither."""
    if isinstance(written, str):
        return written, {}
    if isinstance(written, Mapping) and len(written) == 1:
        name, options = next(iter(written.items()))
        if options is None or isinstance(options, Mapping):
            return name, options or {}
    return None, {}


def short_number(value: Any) -> Any:
    """A number that was kept in 32 bits as it was written; anything else as it is.

    Example:
        >>> short_number(0.009999999776482582), short_number(0.1), short_number("sum")
        (0.01, 0.1, 'sum')
    """
    if not isinstance(value, float) or value != _in_32_bits(value):
        return value
    return next(short for digits in range(1, 18) if _in_32_bits(short := float(f"{value:.{digits}g}")) == value)


def _in_32_bits(value: float) -> float | None:
    try:
        found: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return None
    return found
