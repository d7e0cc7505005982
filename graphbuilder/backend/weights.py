"""Weights carried by name between models of one blueprint, also from one Keras to the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphbuilder.errors import BlueprintError, Diagnostic

__all__ = ["Copied", "copy_weights", "matched", "weights_by_name"]

# What tf_keras's layers keep as weights and Keras 3 does not: the number of samples an adapted Normalization has seen.
_ONLY_LEGACY = {"count"}


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied.

    Arguments:
        layers: how many layers own a weight that was copied.
        weights: how many weights.
        parameters: how many numbers.
    """

    layers: int
    weights: int
    parameters: int


def weights_by_name(model: Any) -> dict[str, dict[str, Any]]:
    """Every weight of a model, by its layer's name and then by its path below the layer.

    The path is made alike for both Kerases: what tf_keras puts around it, its scopes and `:0`, is left out.

    Arguments:
        model: a functional model of either Keras.
    """
    found: dict[str, dict[str, Any]] = {}
    for layer in model.layers:
        named: dict[str, Any] = {}
        for weight in layer.weights:
            path = _path_below(weight, layer)
            # Two weights of one layer can have the same path in tf_keras (stacked cells); their order tells them apart.
            unique = path
            number = 1
            while unique in named:
                number += 1
                unique = f"{path}#{number}"
            named[unique] = weight
        if named:
            found[layer.name] = named
    return found


def _path_below(weight: Any, layer: Any) -> str:
    """The path of a weight below its layer: `kernel`, `lstm_cell/kernel`."""
    path = getattr(weight, "path", None) or weight.name
    steps = path.split(":")[0].split("/")
    if layer.name in steps:
        steps = steps[len(steps) - steps[::-1].index(layer.name) :]
    return "/".join(steps) or steps[-1]


def copy_weights(source: Any, target: Any) -> Copied:
    """Copies weights by name; either all or none.

    Arguments:
        source: the model whose weights are read.
        target: the model whose weights are set.

    Raises:
        BlueprintError: a layer or weight is missing on one side, or shapes differ.
    """
    given, wanted = weights_by_name(source), weights_by_name(target)
    pairs: list[tuple[Any, Any]] = []
    problems = [
        Diagnostic("GB505", f"the target has no layer {name} with weights", node=name)
        for name in given.keys() - wanted.keys()
    ]
    layers = 0
    for name, weights in wanted.items():
        if name not in given:
            problems.append(Diagnostic("GB505", f"the source has no layer {name} with weights", node=name))
            continue
        layers += 1
        for path, mine, theirs in matched(weights, given[name]):
            if mine is None or theirs is None:
                side = "source" if theirs is None else "target"
                problems.append(Diagnostic("GB505", f"the {side} has no weight {path}", node=name))
            elif tuple(mine.shape) != tuple(theirs.shape):
                message = f"{path} is {list(theirs.shape)} in the source and {list(mine.shape)} in the target"
                problems.append(Diagnostic("GB505", message, node=name))
            else:
                pairs.append((mine, theirs))
    if problems:
        raise BlueprintError(sorted(problems, key=lambda problem: (problem.node or "", problem.message)))
    for mine, theirs in pairs:
        mine.assign(theirs.numpy())
    return Copied(layers, len(pairs), sum(int(mine.numpy().size) for mine, _ in pairs))


def matched(mine: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The weights of one layer in pairs: by path, or by their order where the Kerases name scopes differently."""
    mine = {
        path: weight for path, weight in mine.items() if path.rpartition("/")[2] not in _ONLY_LEGACY or path in theirs
    }
    theirs = {
        path: weight for path, weight in theirs.items() if path.rpartition("/")[2] not in _ONLY_LEGACY or path in mine
    }
    if mine.keys() == theirs.keys():
        for path, weight in mine.items():
            yield path, weight, theirs[path]
        return
    ends = [path.rpartition("/")[2].partition("#")[0] for path in mine]
    if ends == [path.rpartition("/")[2].partition("#")[0] for path in theirs]:
        yield from zip(mine, mine.values(), theirs.values(), strict=True)
        return
    if [tuple(weight.shape) for weight in mine.values()] == [tuple(weight.shape) for weight in theirs.values()]:
        # tf_keras calls the kernel of a depthwise convolution otherwise; both keep their weights in the same order.
        yield from zip(mine, mine.values(), theirs.values(), strict=True)
        return
    for path in dict.fromkeys([*mine, *theirs]):
        yield path, mine.get(path), theirs.get(path)
