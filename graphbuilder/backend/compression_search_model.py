"""Which of many settings promises most: what is known of sizes beforehand, and what trials have taught of accuracies.

A Gaussian process (Rasmussen and Williams 2006, http://gaussianprocess.org/gpml, algorithm 2.1) tells the drop of a
setting from those of its neighbours, and how uncertain that is; another corrects the predicted size. What promises most
is the gain in size times the probability that the drop is allowed (Gardner et al. 2014, Bayesian optimization with
inequality constraints, https://proceedings.mlr.press/v32/gardner14.html).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from graphbuilder.compression.search_report import TrialFacts
from graphbuilder.compression.search_space import Dimension, Space

if TYPE_CHECKING:
    import numpy as np

__all__ = ["GaussianProcess", "drawn", "most_promising"]

Values: TypeAlias = "dict[str, int | float]"
# Tells the bytes after gzip that are predicted of a setting.
Predicted: TypeAlias = Callable[[Mapping[str, "int | float"]], int]

# How far neighbours reach, in shares of a dimension's range; which of them fits is for the trials to say.
_LENGTHS = (0.3, 0.5, 0.8, 1.2)
# The share of what is seen that chance makes: another seed gives another accuracy.
_NOISE = 0.05
# The drop from which on differences count by their ratio, as a share of what is allowed.
_KNEE = 0.3
# Of settings that fail; what matters is that it is far more than is ever allowed.
_FAILED_DROP = 0.5


class GaussianProcess:
    """A function that is known at some points, with its uncertainty everywhere.

    Arguments:
        points: (number, dimensions), each coordinate from 0 to 1.
        values: (number,).
    """

    def __init__(self, points: np.ndarray, values: np.ndarray) -> None:
        import numpy

        self.points = points
        self.mean = float(values.mean())
        self.scale = float(values.std()) or 1.0
        normal = (values - self.mean) / self.scale
        best = -math.inf
        for length in _LENGTHS:
            # Points of many dimensions lie farther from each other.
            reach = length * math.sqrt(max(1, points.shape[1]) / 3)
            kernel = _kernel(points, points, reach) + _NOISE * numpy.eye(len(points))
            factor = numpy.linalg.cholesky(kernel)
            weights = numpy.linalg.solve(kernel, normal)
            likelihood = float(-0.5 * normal @ weights - numpy.log(numpy.diag(factor)).sum())
            if likelihood > best:
                best = likelihood
                self.reach, self.inverse, self.weights = reach, numpy.linalg.inv(kernel), weights

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mean and the standard deviation at each of some points."""
        import numpy

        near = _kernel(points, self.points, self.reach)
        variance = 1 - numpy.einsum("ij,jk,ik->i", near, self.inverse, near)
        return self.mean + self.scale * (near @ self.weights), self.scale * numpy.sqrt(numpy.maximum(variance, 1e-9))


def _kernel(one: np.ndarray, other: np.ndarray, reach: float) -> Any:
    import numpy

    squares = ((one[:, None] - other[None]) ** 2).sum(axis=-1)
    return numpy.exp(-0.5 * squares / reach**2)


def drawn(space: Space, count: int, seed: Sequence[int]) -> list[Values]:
    """Settings drawn evenly from a space, each dimension on its own scale.

    Arguments:
        space: what may vary.
        count: how many are drawn.
        seed: fixes them.
    """
    import numpy

    shares = numpy.random.default_rng(list(seed)).random((count, len(space.dimensions)))
    return [
        {one.name: one.value(_raw(one, float(share))) for one, share in zip(space.dimensions, row, strict=True)}
        for row in shares
    ]


def most_promising(
    candidates: Sequence[Values],
    trials: Sequence[TrialFacts],
    space: Space,
    predicted: Predicted,
    allowed: float | None,
) -> Values:
    """The candidate that promises most.

    Arguments:
        candidates: settings that were not tried, at least one.
        trials: those that ran, of which at least one is done.
        space: what may vary.
        predicted: tells the bytes after gzip that are predicted of a setting.
        allowed: the drop that may be; None to look for a smaller drop instead of a smaller file.
    """
    import numpy

    done = [trial for trial in trials if trial.status == "done"]
    points = numpy.array([_place(space, trial.values) for trial in trials])
    drops = numpy.array([trial.costs[1] if trial.status == "done" else _FAILED_DROP for trial in trials])
    knee = _KNEE * (allowed or float(numpy.abs([trial.costs[1] for trial in done]).mean()) or 0.01)
    places = numpy.array([_place(space, candidate) for candidate in candidates])
    drop_mean, drop_deviation = GaussianProcess(points, _bent(drops, knee)).at(places)
    # A search for the smallest drop is one for a drop below the smallest so far.
    goal = allowed if allowed is not None else min(trial.costs[1] for trial in done) - knee / 2
    chance = _normal((_bent(numpy.array(goal), knee) - drop_mean) / drop_deviation)
    if allowed is None:
        return candidates[int(chance.argmax())]
    found = numpy.array([math.log(trial.costs[0] / predicted(trial.values)) for trial in done])
    known = numpy.array([_place(space, trial.values) for trial in done])
    correction, _ = GaussianProcess(known, found).at(places)
    sizes = numpy.log([predicted(candidate) for candidate in candidates]) + correction
    held = [trial.costs[0] for trial in done if trial.held]
    gain = math.log(min(held) if held else max(trial.costs[0] for trial in done)) - sizes
    # Where nothing promises a gain, what is likeliest to be allowed comes next.
    worth = chance * numpy.maximum(gain, 0) if (gain > 0).any() else chance
    return candidates[int(worth.argmax())]


def _bent(drops: np.ndarray, knee: float) -> Any:
    """Drops on a scale on which a point from 1 to 2 is as far as one from 10 to 20, and those below 0 are near 0."""
    import numpy

    return numpy.arcsinh(drops / knee)


def _normal(deviations: np.ndarray) -> Any:
    """The standard normal distribution."""
    import numpy

    return numpy.array([0.5 * (1 + math.erf(value / math.sqrt(2))) for value in deviations])


def _place(space: Space, values: Mapping[str, int | float]) -> list[float]:
    """A setting as coordinates from 0 to 1, each on the scale of its dimension."""
    return [_share(one, values[one.name]) for one in space.dimensions]


def _share(dimension: Dimension, value: int | float) -> float:
    low, high = dimension.bounds
    raw = dimension.raw(value)
    if dimension.choices or dimension.scale == "value":
        return (raw - low) / (high - low)
    return math.log(raw / low) / math.log(high / low)


def _raw(dimension: Dimension, share: float) -> float:
    low, high = dimension.bounds
    if dimension.choices:
        return min(int(share * len(dimension.choices)), len(dimension.choices) - 1)
    if dimension.scale == "value":
        return low + share * (high - low)
    return float(low * (high / low) ** share)
