"""The optimizers, losses and metrics that `training:` may name, as Keras names them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from graphbuilder.catalog.arguments import conflict, refuse
from graphbuilder.errors import suggestion

__all__ = [
    "CHOSEN_BY_OUTPUTS",
    "LOSSES",
    "METRICS",
    "OPTIMIZERS",
    "check_loss",
    "check_metrics",
    "check_optimizer",
    "class_of_measure",
]

# What every optimizer takes beside its own options.
_COMMON = (
    "learning_rate weight_decay clipnorm clipvalue global_clipnorm use_ema ema_momentum ema_overwrite_frequency "
    "loss_scale_factor gradient_accumulation_steps"
)
# Each optimizer with its own options. Keras takes the names in any case.
_OWN_OPTIONS = {
    "adadelta": "rho epsilon",
    "adafactor": "beta_2_decay epsilon_1 epsilon_2 clip_threshold relative_step",
    "adagrad": "initial_accumulator_value epsilon",
    "adam": "beta_1 beta_2 epsilon amsgrad",
    "adamax": "beta_1 beta_2 epsilon",
    "adamw": "beta_1 beta_2 epsilon amsgrad",
    "ftrl": (
        "learning_rate_power initial_accumulator_value l1_regularization_strength l2_regularization_strength "
        "l2_shrinkage_regularization_strength beta"
    ),
    "lion": "beta_1 beta_2",
    "muon": (
        "adam_beta_1 adam_beta_2 adam_weight_decay epsilon exclude_layers exclude_embeddings muon_a muon_b muon_c "
        "adam_lr_ratio momentum ns_steps nesterov rms_rate"
    ),
    "nadam": "beta_1 beta_2 epsilon",
    "rmsprop": "rho momentum epsilon centered",
    "schedulefreeadamw": "beta_1 beta_2 epsilon warmup_steps",
    "sgd": "momentum nesterov",
}
OPTIMIZERS = {name: (*_COMMON.split(), *own.split()) for name, own in _OWN_OPTIONS.items()}

_CLASSES_OF_LOSSES = (
    "BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy CategoricalFocalCrossentropy "
    "CategoricalHinge Circle CosineSimilarity Dice Hinge Huber KLDivergence LogCosh MeanAbsoluteError "
    "MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson SparseCategoricalCrossentropy "
    "SquaredHinge Tversky"
).split()
_CLASSES_OF_METRICS = (
    "AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy CategoricalCrossentropy "
    "CategoricalHinge ConcordanceCorrelation CosineSimilarity F1Score FBetaScore FalseNegatives FalsePositives Hinge "
    "IoU KLDivergence LogCoshError Mean MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanSquaredError "
    "MeanSquaredLogarithmicError OneHotIoU OneHotMeanIoU PearsonCorrelation Poisson Precision PrecisionAtRecall "
    "R2Score Recall RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity SparseCategoricalAccuracy "
    "SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy SpecificityAtSensitivity SquaredHinge Sum "
    "TopKCategoricalAccuracy TrueNegatives TruePositives"
).split()
_SHORT = {
    "bce": "BinaryCrossentropy",
    "mse": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
}


def _snake(name: str) -> str:
    """The name of the function that stands for a class, as Keras makes it.

    Example:
        >>> _snake("MeanIoU"), _snake("KLDivergence")
        ('mean_io_u', 'kl_divergence')
    """
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


def _names(classes: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*map(_snake, classes), *classes, *more]))


_BOTH_CASES = [*_SHORT, *map(str.upper, _SHORT)]
LOSSES = _names(_CLASSES_OF_LOSSES, [*_BOTH_CASES, "kld", "KLD"])
# These are understood by `compile` alone, in any case, which chooses by the outputs.
CHOSEN_BY_OUTPUTS = ("accuracy", "acc", "crossentropy", "ce")
METRICS = _names(_CLASSES_OF_METRICS, [*_BOTH_CASES, *CHOSEN_BY_OUTPUTS])
_CLASS_OF = {
    **{_snake(name): name for name in (*_CLASSES_OF_LOSSES, *_CLASSES_OF_METRICS)},
    **_SHORT,
    "kld": "KLDivergence",
}


def class_of_measure(name: str) -> str | None:
    """The class of a loss or metric, whichever of its names is given; None for what `compile` chooses by the outputs.

    Example:
        >>> class_of_measure("mse"), class_of_measure("kl_divergence"), class_of_measure("accuracy")
        ('MeanSquaredError', 'KLDivergence', None)
    """
    if name.lower() in CHOSEN_BY_OUTPUTS:
        return None
    classes = (*_CLASSES_OF_LOSSES, *_CLASSES_OF_METRICS)
    return name if name in classes else _CLASS_OF.get(name, _CLASS_OF.get(name.lower()))


def check_optimizer(value: Any) -> Any:
    """Refuses what is no optimizer: a name, or `{name: {options}}`."""
    name, options = value, None
    if isinstance(value, dict) and len(value) == 1:
        name, options = next(iter(value.items()))
    if not isinstance(name, str) or not isinstance(options, (dict, type(None))):
        raise refuse("the name of an optimizer, or {name: {options}}")
    if "$" in name:
        return value
    known = OPTIMIZERS.get(name.lower())
    if known is None:
        raise refuse("the name of an optimizer, or {name: {options}}", suggestion(name, list(OPTIMIZERS)))
    for option in options or ():
        if option not in known:
            hint = suggestion(option, known, listing=f"{name} takes {', '.join(known)}")
            raise conflict((name, option), f"{name} has no option {option}", hint=hint, code="GB201", on_key=True)
    return value


def check_loss(value: Any) -> Any:
    """Refuses what is no loss: a name, `{name: {options}}`, or such for each output."""
    _check(value, LOSSES, "a loss", ())
    return value


def check_metrics(value: Any) -> Any:
    """Refuses what are no metrics: a list of names or `{name: {options}}`, or such a list for each output."""
    _check(value, METRICS, "a metric", ())
    return value


def _check(value: Any, known: tuple[str, ...], what: str, path: tuple[str | int, ...]) -> None:
    if value is None or (isinstance(value, str) and ("$" in value or value in known)):
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, known, what, (*path, index))
        return
    if isinstance(value, dict) and value:
        if (
            len(value) == 1
            and next(iter(value)) in known
            and isinstance(next(iter(value.values())), (dict, type(None)))
        ):
            return
        for output, item in value.items():
            _check(item, known, what, (*path, output))
        return
    if isinstance(value, str):
        hint = suggestion(value, known)
        raise conflict(
            path, f"{value} is not {what}", f"the name of {what}, or {{name: {{options}}}}", hint, code="GB205"
        )
    raise refuse(f"the name of {what}, or {{name: {{options}}}}")
