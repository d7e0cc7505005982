"""A described model as a blueprint's data: its layers as nodes, shared ones as `reuse`, models inside it as blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphbuilder.importers.described import DescribedModel, Given, flattened, tensors_in
from graphbuilder.importers.levels import Level, Shared
from graphbuilder.importers.problems import NotCarried, Problems
from graphbuilder.importers.training import written_training
from graphbuilder.lowering.resolved_names import legal_name

__all__ = ["Assembled", "assembled"]


@dataclass(frozen=True, slots=True)
class Assembled:
    """A blueprint's data, and what became of the layers.

    Arguments:
        data: as a blueprint writes it, every `from` written out.
        names: the node or input that makes each layer, by the layer's name in the model; the layers of a model inside
            it are named below it on both sides, `encoder/dense` and `encoder.dense`.
    """

    data: dict[str, Any]
    names: Mapping[str, str]


def assembled(model: DescribedModel, problems: Problems) -> Assembled:
    """The blueprint of a model, flat but for the models inside it.

    Arguments:
        model: the model.
        problems: where what cannot be carried is noted.

    Example:
        >>> from graphbuilder.importers.described import DescribedCall, DescribedLayer, DescribedTensor
        >>> x = DescribedLayer("x", "InputLayer", "keras.layers", {"batch_shape": [None, 4]})
        >>> call = DescribedCall((DescribedTensor("x"),))
        >>> dense = DescribedLayer("y", "Dense", "keras.layers", {"units": 2}, (call,))
        >>> model = DescribedModel("small", (x, dense), DescribedTensor("x"), DescribedTensor("y"))
        >>> assembled(model, Problems("small.keras")).data["nodes"]
        {'y': {'layer': 'Dense', 'from': 'x', 'units': 2}}
    """
    _tell_form(model, problems)
    shared = Shared(problems)
    level = Level(model, shared)
    data: dict[str, Any] = {"blueprint": 1, "name": legal_name(model.name)}
    data["inputs"] = level.inputs()
    inputs_as = _inputs_as(model)
    if inputs_as is not None:
        data["inputs_as"] = inputs_as
    nodes = level.nodes()
    if shared.blocks:
        data["blocks"] = shared.blocks
    data["nodes"] = nodes
    try:
        data["outputs"] = _outputs(model.outputs, level)
    except NotCarried as problem:
        problems.refuse(None, problem)
    training = written_training(model, level, problems)
    if training:
        data["training"] = training
    return Assembled(data, shared.names)


def _inputs_as(model: DescribedModel) -> str | None:
    """How the model is called, where it is not as the format has it when nothing is said."""
    several = len(list(tensors_in(model.inputs))) > 1
    if isinstance(model.inputs, list) or _is_nested(model.inputs):
        return "list"
    if isinstance(model.inputs, dict):
        return None if several else "mapping"
    return None


def _outputs(outputs: Given, level: Level) -> Any:
    """As under `outputs`: a name, or one list or mapping of names."""
    if _is_nested(outputs):
        return level.given(flattened(outputs))
    found = level.given(outputs)
    if not isinstance(found, dict):
        return found
    named: dict[str, str] = {}
    for key, name in found.items():
        legal = legal_name(key)
        while legal in named:
            legal += "_"
        named[legal] = name
    return named


def _is_nested(given: Given) -> bool:
    items = given if isinstance(given, list) else list(given.values()) if isinstance(given, dict) else []
    return any(isinstance(item, (list, dict)) for item in items)


def _tell_form(model: DescribedModel, problems: Problems) -> None:
    """Tells where a model is called, or gives what it gives, in a form that a blueprint has no words for."""
    for what, given in (("inputs", model.inputs), ("outputs", model.outputs)):
        if _is_nested(given):
            told = f"the {what} are nested, and a blueprint has them in one list"
            problems.lose(None, told, f"hand the {what} over one by one")
        for key in given if isinstance(given, dict) else ():
            if legal_name(key) != key:
                problems.lose(
                    None, f"of the {what}, {key} becomes {legal_name(key)}: no name of a blueprint has such signs"
                )
