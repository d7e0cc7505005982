"""Gives the node of an op, in a functional model of either Keras, the name that it has in the blueprint."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

__all__ = ["name_keras_op", "name_legacy_op"]


# Marks the layers that have a name of the blueprint, or one made from it.
_NAMED = "_named_by_graphbuilder"


def name_keras_op(outputs: Any, name: str) -> None:
    """Names the operation that gave tensors of Keras 3.

    It must be done before the model is made, which asks that names are unique; the name is saved with the model.

    Arguments:
        outputs: what a function of keras.ops gave: one tensor, or several of one operation.
        name: the name, without "/".
    """
    _first(outputs)._keras_history.operation.name = name


def name_legacy_op(outputs: Any, name: str) -> None:
    """Names the layers that stand for an op in tf_keras.

    An op may be built of several layers. The one that gives the result bears the name; those before it bear it with
    what they compute (`scores.cast`), and those that give further results with the result's number (`spectrum.1`).

    It must be done before the next op is called on the tensors, whose own layers would otherwise be taken for unnamed.

    Arguments:
        outputs: one tensor, or several.
        name: the name.
    """
    several = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    taken: set[str] = set()
    named: set[int] = set()
    results = [tensor._keras_history.layer for tensor in several]
    for number, layer in enumerate(results):
        if id(layer) not in named:
            _rename(layer, name if not named else f"{name}.{number}", taken)
            named.add(id(layer))
    waiting = list(results)
    while waiting:
        for tensor in _inputs(waiting.pop()):
            layer = tensor._keras_history.layer
            if id(layer) not in named and _is_unnamed(layer):
                # tf_keras numbers its names through the whole process.
                kind = re.sub(r"_\d+$", "", layer.name.split(".")[-1])
                _rename(layer, f"{name}.{kind}", taken)
                named.add(id(layer))
                waiting.append(layer)


def _first(outputs: Any) -> Any:
    return outputs[0] if isinstance(outputs, (list, tuple)) else outputs


def _inputs(layer: Any) -> Sequence[Any]:
    """The tensors that a layer is called with."""
    inputs: Sequence[Any] = layer._inbound_nodes[0].keras_inputs
    return inputs


def _is_unnamed(layer: Any) -> bool:
    """Whether a layer stands for a function of TensorFlow and bears the name that it was made with."""
    return type(layer).__name__ in ("TFOpLambda", "SlicingOpLambda") and not getattr(layer, _NAMED, False)


def _rename(layer: Any, name: str, taken: set[str]) -> None:
    """Names a layer, with a number behind the name when another layer of the op has it."""
    unique = name
    number = 2
    while unique in taken:
        unique = f"{name}_{number}"
        number += 1
    taken.add(unique)
    layer._name = unique
    setattr(layer, _NAMED, True)
