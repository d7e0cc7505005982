"""The 8-bit scheme of tensorflow-model-optimization, with names that weights can be found by."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
    default_8bit_quantize_layout_transform,
    default_8bit_quantize_registry,
    default_8bit_quantize_scheme,
    default_8bit_transforms,
)
from tensorflow_model_optimization.python.core.quantization.keras.graph_transformations import model_transformer

from graphbuilder.backend.compressing.toolkit import tf

__all__ = ["Scheme", "depthwise_name"]


def depthwise_name(separable: str) -> str:
    """The name of the first of the two layers that a separable convolution is split into; the second keeps its name."""
    return f"{separable}.depthwise"


class _SplitSeparable(default_8bit_transforms.SeparableConvQuantize):  # type: ignore[misc]  # it has no types
    """Splits a separable convolution into two layers that bear its name, rather than numbers of the process."""

    def replacement(self, match_layer: Any) -> Any:
        name = match_layer.layer["config"]["name"]
        pointwise = super().replacement(match_layer)
        if pointwise is match_layer:
            return pointwise
        (depthwise,) = pointwise.input_layers
        for node, chosen in ((depthwise, depthwise_name(name)), (pointwise, name)):
            node.layer["name"] = node.layer["config"]["name"] = chosen
        return pointwise


class _Transform(default_8bit_quantize_layout_transform.Default8BitQuantizeLayoutTransform):  # type: ignore[misc]
    """The default transformations, but for separable convolutions and inputs of integers."""

    def apply(self, model: Any, layer_quantize_map: dict[str, Any]) -> Any:
        for given in model._input_layers:
            # An input among the layers to quantize is quantized itself, which only floats can be.
            if not tf.as_dtype(given.dtype).is_floating:
                layer_quantize_map.pop(given.name, None)
        first = [_SplitSeparable()]
        model, layer_quantize_map = model_transformer.ModelTransformer(
            model, first, set(layer_quantize_map), layer_quantize_map
        ).transform()
        return super().apply(model, layer_quantize_map)


class _Registry(default_8bit_quantize_registry.Default8BitQuantizeRegistry):  # type: ignore[misc]  # it has no types
    """The default configurations, for chosen layers only.

    tensorflow-model-optimization also quantizes what a layer gives that stands before a chosen one, if it knows it, and
    refuses the model where that has an activation which cannot be quantized.
    """

    def __init__(self, chosen: Collection[str]) -> None:
        super().__init__()
        self._chosen = frozenset(chosen) | {depthwise_name(name) for name in chosen}

    def supports(self, layer: Any) -> bool:
        return layer.name in self._chosen and bool(super().supports(layer))


class Scheme(default_8bit_quantize_scheme.Default8BitQuantizeScheme):  # type: ignore[misc]  # it has no types
    """The default scheme with these transformations, for chosen layers only."""

    def __init__(self, chosen: Collection[str]) -> None:
        """Says which layers are quantized, by their names.

        Arguments:
            chosen: the names.
        """
        super().__init__()
        self._chosen = chosen

    def get_layout_transformer(self) -> Any:
        return _Transform()

    def get_quantize_registry(self) -> Any:
        return _Registry(self._chosen)
