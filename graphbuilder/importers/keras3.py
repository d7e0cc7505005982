"""The configuration of a Keras 3 model, as `.keras` files and `to_json` hold it, in neutral form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from graphbuilder.importers.described import (
    DescribedArray,
    DescribedCall,
    DescribedLayer,
    DescribedModel,
    DescribedTensor,
    Given,
)
from graphbuilder.importers.problems import NotCarried

__all__ = ["MODELS", "described3"]

# The classes that are models by themselves.
MODELS = ("Functional", "Model", "Sequential")


def described3(saved: Mapping[str, Any]) -> DescribedModel:
    """The model that a configuration of Keras 3 describes.

    Arguments:
        saved: what `model.to_json()` gives, read.

    Raises:
        NotCarried: it is no functional or sequential model.
    """
    kind, config = str(saved.get("class_name")), saved.get("config")
    if not _is_model(saved) or not isinstance(config, Mapping):
        raise NotCarried(
            f"it is a {kind}, which says in code, not in its configuration, what it computes",
            "functional and sequential models can be imported",
            code="GB851",
        )
    model = _functional(config) if "input_layers" in config else _sequential(config)
    return replace(model, kind=kind, training=saved.get("compile_config") or None)


def _is_model(saved: Mapping[str, Any]) -> bool:
    """Whether a configuration has layers of its own; a class derived from Functional has them too."""
    config = saved.get("config")
    if not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
        return False
    return saved.get("class_name") in MODELS or "input_layers" in config


def _functional(config: Mapping[str, Any]) -> DescribedModel:
    layers = tuple(_layer(each) for each in config["layers"])
    # At the ends, and only there, Keras counts the calls of a functional model from 1: its own making is call 0.
    from_one = {layer.name for layer in layers if layer.model is not None and layer.model.kind != "Sequential"}
    inputs, outputs = (_ends(config[end], from_one) for end in ("input_layers", "output_layers"))
    return DescribedModel(str(config.get("name")), layers, inputs, outputs)


def _layer(saved: Mapping[str, Any]) -> DescribedLayer:
    config = saved.get("config") or {}
    found = DescribedLayer(
        str(saved.get("name") or config.get("name")),
        # An .h5 file has the package of a class that was registered in front of its name.
        str(saved.get("class_name")).rpartition(">")[2],
        _module(saved),
        config,
        _calls(saved),
        shared=saved.get("shared_object_id"),
    )
    return replace(found, config={}, model=described3(saved)) if _is_model(saved) else found


def _module(saved: Mapping[str, Any]) -> str:
    module, registered = saved.get("module"), saved.get("registered_name")
    if module:
        return str(module)
    # A class that was registered is known by its package alone.
    return str(registered or saved.get("class_name")).rpartition(">")[0]


def _calls(saved: Mapping[str, Any]) -> tuple[DescribedCall, ...]:
    return tuple(
        DescribedCall(
            tuple(_given(each) for each in node.get("args", ())),
            {key: _given(value) for key, value in node.get("kwargs", {}).items()},
        )
        for node in saved.get("inbound_nodes", ())
    )


def _given(saved: Any) -> Given:
    if isinstance(saved, Mapping):
        kind, config = saved.get("class_name"), saved.get("config")
        if kind is None or not isinstance(config, Mapping):
            return {str(key): _given(value) for key, value in saved.items()}
        return _object(str(kind), config, saved)
    if isinstance(saved, Sequence) and not isinstance(saved, str):
        return [_given(each) for each in saved]
    return saved  # type: ignore[no-any-return]


def _object(kind: str, config: Mapping[str, Any], saved: Mapping[str, Any]) -> Given:
    """A value that JSON has no form for, as Keras marks it."""
    match kind:
        case "__keras_tensor__":
            layer, call, index = config["keras_history"]
            shape = config.get("shape")
            known = None if shape is None else tuple(shape)
            return DescribedTensor(str(layer), int(call), int(index), known, config.get("dtype"))
        case "__numpy__" | "__tensor__":
            return DescribedArray(config["value"], str(config["dtype"]))
        case "__slice__":
            return slice(config.get("start"), config.get("stop"), config.get("step"))
        case "__ellipsis__":
            return ...
        case "__tuple__":
            return [_given(each) for each in config.get("value", ())]
    # An object with a configuration of its own, such as a dtype policy, which is plain data here.
    return {str(key): value for key, value in saved.items()}


def _ends(saved: Any, from_one: Collection[str]) -> Given:
    """The inputs or outputs of a model: `[layer, call, index]`, or lists and mappings of such."""
    if isinstance(saved, Mapping):
        return {str(key): _ends(value, from_one) for key, value in saved.items()}
    if isinstance(saved, Sequence) and len(saved) == 3 and isinstance(saved[0], str):
        layer, call, index = saved
        return DescribedTensor(layer, int(call) - (layer in from_one), int(index))
    return [_ends(each, from_one) for each in saved]


def _sequential(config: Mapping[str, Any]) -> DescribedModel:
    """A sequential model, whose layers are called one after the other."""
    name = str(config.get("name"))
    layers = [_layer(each) for each in config["layers"]]
    if not layers:
        raise NotCarried(f"the sequential model {name} has no layers", "add a layer, or leave the model out")
    if layers[0].kind != "InputLayer":
        layers.insert(0, _implied_input(config, {layer.name for layer in layers}))
    called = [
        replace(layer, calls=(DescribedCall((DescribedTensor(above.name),)),)) for above, layer in pairwise(layers)
    ]
    ends = DescribedTensor(layers[0].name), DescribedTensor(layers[-1].name)
    return DescribedModel(name, (layers[0], *called), *ends)


def _implied_input(config: Mapping[str, Any], taken: set[str]) -> DescribedLayer:
    """The input of a sequential model that was given none, as it was built."""
    first = config["layers"][0]
    shape = config.get("build_input_shape") or (first.get("build_config") or {}).get("input_shape")
    if shape is None:
        name = config.get("name")
        raise NotCarried(
            f"the sequential model {name} was never built, so nobody knows what it is given",
            "call it on data before it is saved, or give it an Input",
        )
    name = next(name for name in ("input", "input_layer", "model_input") if name not in taken)
    return DescribedLayer(name, "InputLayer", "keras.layers", {"batch_shape": shape, "dtype": "float32"})
