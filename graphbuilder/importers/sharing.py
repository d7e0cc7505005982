"""Layers that several models share, one of which lies inside the other.

A block sees nothing of what lies around it. So a model inside another that shares a layer with what lies around it is
put in the place of its calls, after which all calls of the layer stand side by side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from graphbuilder.catalog import layers as catalog_layers
from graphbuilder.importers.described import (
    DescribedCall,
    DescribedLayer,
    DescribedModel,
    DescribedTensor,
    Given,
    flattened,
    tensors_in,
)
from graphbuilder.importers.problems import NotCarried

__all__ = ["called_with", "refuse_beside_tensors", "shared_side_by_side"]

_Change = Callable[[DescribedTensor], DescribedTensor]


def shared_side_by_side(model: DescribedModel) -> DescribedModel:
    """The model without those models inside it that share a layer with what lies around them.

    Arguments:
        model: the model. What is inside such a model is named `model/layer` afterwards.

    Raises:
        NotCarried: a model inside it is called with something else than tensors for its inputs.
    """
    everywhere = Counter(_numbers(model))
    if all(count == 1 for count in everywhere.values()):
        return model
    return _merged(_opened(model, everywhere))


def _numbers(model: DescribedModel) -> Iterator[int]:
    for layer in model.layers:
        if layer.shared is not None:
            yield layer.shared
        if layer.model is not None:
            yield from _numbers(layer.model)


def _opened(model: DescribedModel, everywhere: Mapping[int, int]) -> DescribedModel:
    found: list[DescribedLayer] = []
    given: dict[tuple[str, int], list[DescribedTensor]] = {}
    for layer in model.layers:
        if layer.model is None:
            found.append(layer)
            continue
        inner = _opened(layer.model, everywhere)
        inside = Counter(_numbers(inner))
        if all(count == everywhere[number] for number, count in inside.items()):
            found.append(replace(layer, model=inner))
            continue
        found += _in_place(layer, inner, given)

    def changed(tensor: DescribedTensor) -> DescribedTensor:
        # What a model gives may be what another gives.
        while (tensor.layer, tensor.call) in given:
            tensor = given[tensor.layer, tensor.call][tensor.index]
        return tensor

    return _with_tensors(replace(model, layers=tuple(found)), changed)


def _in_place(
    layer: DescribedLayer, model: DescribedModel, given: dict[tuple[str, int], list[DescribedTensor]]
) -> Iterator[DescribedLayer]:
    """The layers of a model inside another, called as often as it is; what its calls give is added to `given`."""
    counts = {each.name: len(each.calls) for each in model.layers}
    for call in layer.calls:
        refuse_beside_tensors(call)
    bound = [
        dict(zip((tensor.layer for tensor in tensors_in(model.inputs)), called_with(model, call), strict=True))
        for call in layer.calls
    ]

    def outside(number: int) -> _Change:
        def change(tensor: DescribedTensor) -> DescribedTensor:
            port = bound[number].get(tensor.layer)
            if port is not None:
                return port
            place = number * counts[tensor.layer] + tensor.call
            return replace(tensor, layer=f"{layer.name}/{tensor.layer}", call=place)

        return change

    for number in range(len(layer.calls)):
        leaves = [leaf for leaf in flattened(model.outputs) if isinstance(leaf, DescribedTensor)]
        given[layer.name, number] = [outside(number)(leaf) for leaf in leaves]
    for each in model.layers:
        if each.kind == "InputLayer":
            continue
        calls = [
            _told_of_training(each, layer.calls[number], _with_tensors_of_call(call, outside(number)))
            for number in range(len(layer.calls))
            for call in each.calls
        ]
        yield replace(each, name=f"{layer.name}/{each.name}", calls=tuple(calls))


def called_with(model: DescribedModel, call: DescribedCall) -> list[DescribedTensor]:
    """What each input of a model is given by a call of it, in the order in which the file has the inputs.

    Raises:
        NotCarried: it is called with something else.
    """
    inputs = [leaf for leaf in flattened(model.inputs) if isinstance(leaf, DescribedTensor)]
    given = call.arguments[0] if len(call.arguments) == 1 else list(call.arguments)
    if isinstance(given, dict):
        keys = sorted(model.inputs) if isinstance(model.inputs, dict) else [tensor.layer for tensor in inputs]
        leaves = [given.get(key) for key in keys]
    else:
        leaves = flattened(given)
    tensors = [leaf for leaf in leaves if isinstance(leaf, DescribedTensor)]
    if len(leaves) != len(inputs) or len(tensors) != len(inputs):
        raise NotCarried(f"a model with {len(inputs)} inputs is called with something else than a tensor for each")
    ports = {tensor.layer: leaf for tensor, leaf in zip(inputs, tensors, strict=True)}
    return [ports[tensor.layer] for tensor in tensors_in(model.inputs)]


def refuse_beside_tensors(call: DescribedCall) -> None:
    """Refuses a call of a model inside another one that is given more than tensors for its inputs, and of training.

    Raises:
        NotCarried: it is.
    """
    for key, value in call.keywords.items():
        if key != "training" and any(leaf not in (None, False) for leaf in flattened(value)):
            raise NotCarried(f"a model inside it is called with {key}, which a block cannot be")


def _told_of_training(layer: DescribedLayer, around: DescribedCall, call: DescribedCall) -> DescribedCall:
    """A call that is told what the call of the model around it is told."""
    kind = catalog_layers.get(layer.kind)
    if around.keywords.get("training") is not True or kind is None or "training" not in kind.call_arguments:
        return call
    return replace(call, keywords={"training": True, **call.keywords})


def _merged(model: DescribedModel) -> DescribedModel:
    """The model with one layer for all those that are the same."""
    first: dict[int, DescribedLayer] = {}
    found: dict[str, DescribedLayer] = {}
    moved: dict[str, tuple[str, int]] = {}
    for layer in model.layers:
        if layer.model is not None:
            layer = replace(layer, model=_merged(layer.model))
        known = first.get(layer.shared) if layer.shared is not None else None
        if known is None:
            found[layer.name] = layer
            if layer.shared is not None:
                first[layer.shared] = layer
            continue
        kept = found[known.name]
        moved[layer.name] = (kept.name, len(kept.calls))
        found[kept.name] = replace(kept, calls=(*kept.calls, *layer.calls), also=(*kept.also, layer.name))

    def changed(tensor: DescribedTensor) -> DescribedTensor:
        name, before = moved.get(tensor.layer, (tensor.layer, 0))
        return replace(tensor, layer=name, call=before + tensor.call)

    return _with_tensors(replace(model, layers=tuple(found.values())), changed)


def _with_tensors(model: DescribedModel, change: _Change) -> DescribedModel:
    layers = [
        replace(layer, calls=tuple(_with_tensors_of_call(call, change) for call in layer.calls))
        for layer in model.layers
    ]
    return replace(model, layers=tuple(layers), outputs=_changed(model.outputs, change))


def _with_tensors_of_call(call: DescribedCall, change: _Change) -> DescribedCall:
    keywords = {name: _changed(value, change) for name, value in call.keywords.items()}
    return DescribedCall(tuple(_changed(value, change) for value in call.arguments), keywords)


def _changed(value: Given, change: _Change) -> Given:
    if isinstance(value, DescribedTensor):
        return change(value)
    if isinstance(value, list):
        return [_changed(item, change) for item in value]
    if isinstance(value, dict):
        return {key: _changed(item, change) for key, item in value.items()}
    return value
