"""Layers that ship inside keras.applications, as layers of the catalog that compute the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from graphbuilder.importers.described import (
    DescribedCall,
    DescribedLayer,
    DescribedModel,
    tensors_in,
)

__all__ = ["substituted"]

# What these layers are given where the file does not say: maps of an image.
_RANK = 4


def substituted(model: DescribedModel) -> DescribedModel:
    """The model, and those inside it, with layers of the catalog in the place of those of keras.applications.

    Arguments:
        model: the model.

    Example:
        >>> image = DescribedTensor("image", shape=(None, 8, 8, 3))
        >>> layer = DescribedLayer(
        ...     "scale", "LayerScale", "", {"init_values": 1e-6, "projection_dim": 3}, (DescribedCall((image,)),)
        ... )
        >>> substituted(DescribedModel("m", (layer,), image, DescribedTensor("scale"))).layers[0].kind
        'EinsumDense'
    """
    layers: list[DescribedLayer] = []
    for layer in model.layers:
        if layer.model is not None:
            layers.append(replace(layer, model=substituted(layer.model)))
            continue
        change = _CHANGES.get(layer.kind) if _ships_with_applications(layer) else None
        layers += change(layer) if change is not None else [layer]
    return replace(model, layers=tuple(layers))


def _ships_with_applications(layer: DescribedLayer) -> bool:
    # Keras 2 names the package of such a class at most, not its module; somebody else may have a class of that name.
    if ".applications" not in layer.module and layer.module not in ("", "Custom"):
        return False
    if not all(key in layer.config for key in _ARGUMENTS.get(layer.kind, ())):
        return False
    pairs = (call.arguments and len(list(tensors_in(call.arguments[0]))) == 2 for call in layer.calls)
    return layer.kind != "CustomScaleLayer" or all(pairs)


def _layer_scale(layer: DescribedLayer) -> list[DescribedLayer]:
    """A learned factor for each feature."""
    width = layer.config["projection_dim"]
    config = {
        **_common(layer),
        "equation": "...x,x->...x",
        "output_shape": [width],
        "kernel_initializer": {"class_name": "Constant", "config": {"value": layer.config["init_values"]}},
    }
    return [replace(layer, kind="EinsumDense", module="keras.layers", config=config)]


def _stochastic_depth(layer: DescribedLayer) -> list[DescribedLayer]:
    """Drops whole samples, and scales up the others."""
    given = next(tensors_in([list(call.arguments) for call in layer.calls]), None)
    rank = len(given.shape) if given is not None and given.shape is not None else _RANK
    config = {
        **_common(layer),
        "rate": layer.config["drop_path_rate"],
        "noise_shape": [None, *[1] * (rank - 1)],
    }
    return [replace(layer, kind="Dropout", module="keras.layers", config=config)]


def _custom_scale(layer: DescribedLayer) -> list[DescribedLayer]:
    """The first of two tensors plus the second times a number."""
    scaled = f"{layer.name}_scaled"
    branches: list[DescribedCall] = []
    sums: list[DescribedCall] = []
    for number, call in enumerate(layer.calls):
        first, second = tensors_in(call.arguments[0])
        branches.append(DescribedCall((second,)))
        sums.append(DescribedCall(([first, replace(second, layer=scaled, call=number, index=0)],)))
    scaling = {**_common(layer), "name": scaled, "scale": layer.config["scale"]}
    return [
        DescribedLayer(scaled, "Rescaling", "keras.layers", scaling, tuple(branches)),
        replace(layer, kind="Add", module="keras.layers", config=_common(layer), calls=tuple(sums)),
    ]


def _common(layer: DescribedLayer) -> Mapping[str, Any]:
    return {key: value for key, value in layer.config.items() if key in ("name", "trainable", "dtype")}


# What they are made with.
_ARGUMENTS = {
    "CustomScaleLayer": ("scale",),
    "LayerScale": ("init_values", "projection_dim"),
    "StochasticDepth": ("drop_path_rate",),
}
_CHANGES: dict[str, Callable[[DescribedLayer], list[DescribedLayer]]] = {
    "CustomScaleLayer": _custom_scale,
    "LayerScale": _layer_scale,
    "StochasticDepth": _stochastic_depth,
}
