"""How good a model is: which metric judges which output, and the samples that it is judged by. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graphbuilder.backend.runtime_metrics import Metric, measure
from graphbuilder.data import Data, Part, wants_of
from graphbuilder.data.wants import Values, losses_of
from graphbuilder.graph import Graph

if TYPE_CHECKING:
    import numpy as np

__all__ = ["JUDGED_MOST", "Judge", "judged", "judged_part", "judges_of", "samples_of"]

# More samples than these tell accuracies apart no better than training noise does, and take their time to run.
JUDGED_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Judge:
    """How one output is judged.

    Arguments:
        output: its name.
        metric: how.
        from_logits: whether it gives logits where the metric takes probabilities.
    """

    output: str
    metric: Metric
    from_logits: bool = False


def judges_of(graph: Graph) -> tuple[Judge, ...]:
    """How the outputs of a graph are judged, by their losses: classes by accuracy, numbers by their mean error.

    Outputs without a loss, and those whose targets have a shape of their own, are not judged.

    Arguments:
        graph: the graph, whose `training:` has the losses.
    """
    found = []
    losses = losses_of(graph)
    for wanted in wants_of(graph).outputs:
        loss = losses.get(wanted.name)
        if loss is None or wanted.shape is None:
            continue
        name, options = loss
        logits = bool(options.get("from_logits", False))
        if wanted.rule.values in (Values.CLASSES, Values.ONE_HOT):
            found.append(Judge(wanted.name, "accuracy"))
        elif wanted.rule.values is Values.UNIT:
            found.append(Judge(wanted.name, "binary_accuracy", logits))
        elif "absolute" in name.lower() or name.lower() == "mae":
            found.append(Judge(wanted.name, "mean_absolute_error"))
        else:
            found.append(Judge(wanted.name, "mean_squared_error"))
    return tuple(found)


def judged(
    judges: tuple[Judge, ...], predictions: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """How good predictions are, by output.

    Arguments:
        judges: how each output is judged.
        predictions: what the model gives, by output.
        targets: what is right, by output.
    """
    return {
        judge.output: measure(
            judge.metric, predictions[judge.output], targets[judge.output], from_logits=judge.from_logits
        )
        for judge in judges
    }


def judged_part(data: Data) -> tuple[str, Part]:
    """The samples that tell how good a model is, and what they are: those that it was not trained on, if there are."""
    if data.test is not None:
        return "test", data.test
    return ("validation", data.validation) if data.validation is not None else ("training", data.train)


def samples_of(part: Part, batch_size: int, most: int = JUDGED_MOST) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and targets of a part, the first of them where there are many.

    Arguments:
        part: the samples.
        batch_size: how many are read at a time.
        most: how many at most.
    """
    import numpy

    inputs: dict[str, list[Any]] = {}
    targets: dict[str, list[Any]] = {}
    count = 0
    for given, right in part.batches(batch_size):
        for held, arrays in ((inputs, given), (targets, right)):
            for name, array in arrays.items():
                held.setdefault(name, []).append(array)
        count += len(next(iter(given.values())))
        if count >= most:
            break
    return (
        {name: numpy.concatenate(arrays)[:most] for name, arrays in inputs.items()},
        {name: numpy.concatenate(arrays)[:most] for name, arrays in targets.items()},
    )
