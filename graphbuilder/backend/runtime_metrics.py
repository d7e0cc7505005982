"""How good predictions are, and how far a converted model's are from those of the model it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from graphbuilder.errors import BlueprintError, CommandError, Diagnostic

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ALLOWED_DIFFERENCE", "Agreement", "Metric", "agreement", "measure", "refuse_disagreement"]

Metric: TypeAlias = Literal["accuracy", "binary_accuracy", "mean_absolute_error", "mean_squared_error"]
# The share of an output's scale by which a converted model may typically be off before it counts as wrong.
ALLOWED_DIFFERENCE = 0.10


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far one output of a converted model is from the original's, over all samples.

    Arguments:
        output: its name.
        scale: the largest number, in size, that the original gives.
        largest: the largest difference.
        typical: the root of the mean squared difference, of the channel in which it is largest.
        samples: how many samples were compared.
    """

    output: str
    scale: float
    largest: float
    typical: float
    samples: int

    @property
    def share(self) -> float:
        """The typical difference as a share of the scale."""
        return self.typical / self.scale if self.scale else float(self.typical > 0)

    @property
    def largest_share(self) -> float:
        """The largest difference as a share of the scale."""
        return self.largest / self.scale if self.scale else float(self.largest > 0)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def agreement(expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]) -> tuple[Agreement, ...]:
    """How far a converted model is from the original, output by output.

    The largest difference alone would condemn a good model for one sample between two classes, and a mean over all
    channels would forgive one channel of nonsense.

    Arguments:
        expected: what the original gives, by output.
        found: what the converted model gives.

    Raises:
        BlueprintError: outputs are missing, or their shapes differ.
    """
    import numpy

    result = []
    for name, wanted in expected.items():
        if name not in found or found[name].shape != wanted.shape:
            shape = list(found[name].shape) if name in found else "nothing"
            message = f"the converted model gives {shape} for {name}"
            raise BlueprintError(Diagnostic("GB813", message, expected=str(list(wanted.shape))))
        mine = wanted.astype("float64")
        difference = numpy.abs(found[name].astype("float64") - mine)
        # What is not a number agrees with nothing, unless it is none in both.
        difference = numpy.where(numpy.isnan(difference) & ~numpy.isnan(mine), numpy.inf, difference)
        difference = numpy.where(numpy.isnan(mine), 0.0, difference)
        channels = difference.reshape(-1, difference.shape[-1]) if difference.ndim > 1 else difference.reshape(-1, 1)
        typical = float(numpy.sqrt((channels**2).mean(axis=0)).max(initial=0.0)) if len(channels) else 0.0
        scale = float(numpy.nanmax(numpy.abs(mine), initial=0.0))
        result.append(Agreement(name, scale, float(difference.max(initial=0.0)), typical, len(wanted)))
    return tuple(result)


def refuse_disagreement(found: tuple[Agreement, ...], scheme: str, allowed: float = ALLOWED_DIFFERENCE) -> None:
    """Refuses a converted model that computes something else.

    Raises:
        BlueprintError: with every output that is off by more than is allowed.
    """
    problems = [
        Diagnostic(
            "GB813",
            f"as {scheme} the output {item.output} is typically off by {item.share:.0%} of its scale"
            f" ({item.typical:.3g} of {item.scale:.3g}, {item.samples} samples)",
            expected=f"at most {allowed:.0%}",
            hint="choose another scheme, leave layers out under except:, or give more representative samples",
        )
        for item in found
        if not item.share <= allowed
    ]
    if problems:
        raise BlueprintError(problems)


def measure(metric: Metric, predictions: np.ndarray, targets: np.ndarray, *, from_logits: bool = False) -> float:
    """How good predictions are.

    Arguments:
        metric: accuracy takes classes as numbers or as one-hot rows, and a single output as the probability of yes;
            binary_accuracy takes every number as one.
        predictions: what the model gives, samples first.
        targets: what is right.
        from_logits: whether such a number is a logit rather than a probability.

    Raises:
        BlueprintError: the shapes do not fit.
        CommandError: the metric is not known.
    """
    import numpy

    given, right = numpy.asarray(predictions, "float64"), numpy.asarray(targets)
    if metric not in ("accuracy", "binary_accuracy"):
        powers = {"mean_absolute_error": 1, "mean_squared_error": 2}
        if metric not in powers:
            raise CommandError(Diagnostic("GB603", f"the metric {metric} is not known", expected="accuracy, …"))
        if right.shape != given.shape and right.size == given.size:
            right = right.reshape(given.shape)
        _need(right.shape == given.shape, given, right)
        return float((numpy.abs(given - right) ** powers[metric]).mean())
    if metric == "binary_accuracy" or given.shape[-1] == 1 or given.ndim == 1:
        _need(right.size == given.size, given, right)
        chosen = given.reshape(-1) > (0.0 if from_logits else 0.5)
        return float((chosen == (right.reshape(-1) > 0.5)).mean())
    chosen = given.argmax(axis=-1)
    if right.shape == given.shape and given.ndim > 1:
        right = right.argmax(axis=-1)
    elif right.shape == (*chosen.shape, 1):
        right = right[..., 0]
    _need(right.shape == chosen.shape, given, right)
    return float((chosen == right).mean())


def _need(fits: bool, given: np.ndarray, right: np.ndarray) -> None:
    if not fits:
        message = f"targets of shape {list(right.shape)} do not fit predictions of shape {list(given.shape)}"
        raise BlueprintError(Diagnostic("GB816", message))
