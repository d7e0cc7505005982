"""How layers are quantized that tensorflow-model-optimization has no configuration for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import default_8bit_quantizers

from graphbuilder.backend.compressing.toolkit import tfmot
from graphbuilder.catalog import LayerEntry
from graphbuilder.graph import CustomLayer

__all__ = ["CONFIGS", "SAME_SCALE", "PathsConfig", "config_for", "output_config"]

_quantizers = tfmot.quantization.keras.quantizers

# The attributes of a layer that hold kernels. Those of convolutions along one or three axes get one scale each:
# tensorflow-model-optimization computes a scale for each channel only of kernels of two or four axes.
_KERNELS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D"), ("kernel",)),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), ("kernel",)),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), ("depthwise_kernel",)),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), ("depthwise_kernel", "pointwise_kernel")),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), ("cell.kernel", "cell.recurrent_kernel")),
    **dict.fromkeys(("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), ("cell.kernel", "cell.recurrent_kernel")),
    "Embedding": ("embeddings",),
    "MultiHeadAttention": (
        "_query_dense.kernel",
        "_key_dense.kernel",
        "_value_dense.kernel",
        "_output_dense.kernel",
    ),
}
# The attributes that hold the functions whose results are quantized. Layers without any have their output quantized.
_ACTIVATIONS: Mapping[str, tuple[str, ...]] = {
    **{
        kind: ("activation",)
        for kind, kernels in _KERNELS.items()
        if "cell.kernel" not in kernels and kind not in ("Embedding", "MultiHeadAttention")
    },
    "MultiHeadAttention": (
        "_query_dense.activation",
        "_key_dense.activation",
        "_value_dense.activation",
        "_output_dense.activation",
    ),
}
# One scale for each output channel, as TensorFlow Lite has it for these: their kernels' last axis is the channels.
_PER_CHANNEL = frozenset({"Conv2D", "DepthwiseConv2D"})

# TFLite computes these at the scale of what they are given. Told of the narrower range of an average, its converter
# cuts off what is averaged, which is off by a tenth of the scale on noise; along two axes it does not.
SAME_SCALE = frozenset({"AveragePooling1D"})


def _owner(layer: Any, path: str) -> tuple[Any, str]:
    """The object below a layer that has an attribute, and the attribute's name."""
    *steps, name = path.split(".")
    for step in steps:
        layer = getattr(layer, step)
    return layer, name


class PathsConfig(tfmot.quantization.keras.QuantizeConfig):  # type: ignore[misc]  # it has no types
    """Quantizes the weights at some attributes below a layer, activations likewise, and the output."""

    def __init__(
        self,
        weights: Sequence[str] = (),
        activations: Sequence[str] = (),
        output: bool = False,
        per_channel: bool = False,
    ) -> None:
        """Says what is quantized.

        Arguments:
            weights: attributes such as `kernel` or `cell.recurrent_kernel`.
            activations: attributes that hold activation functions.
            output: whether what the layer gives is quantized.
            per_channel: whether the weights have a scale for each index of their last axis.
        """
        self.weights = list(weights)
        self.activations = list(activations)
        self.output = output
        self.per_channel = per_channel

    def _weight_quantizer(self) -> Any:
        if self.per_channel:
            return default_8bit_quantizers.Default8BitConvWeightsQuantizer()
        return _quantizers.LastValueQuantizer(num_bits=8, per_axis=False, symmetric=True, narrow_range=True)

    def _activation_quantizer(self) -> Any:
        return _quantizers.MovingAverageQuantizer(num_bits=8, per_axis=False, symmetric=False, narrow_range=False)

    def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        """The weights, each with what quantizes it."""
        return [(getattr(*_owner(layer, path)), self._weight_quantizer()) for path in self.weights]

    def get_activations_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        """The activations, each with what quantizes what it gives."""
        return [(getattr(*_owner(layer, path)), self._activation_quantizer()) for path in self.activations]

    def set_quantize_weights(self, layer: Any, quantize_weights: Sequence[Any]) -> None:
        """Puts the quantized weights in the place of the others."""
        for path, weight in zip(self.weights, quantize_weights, strict=True):
            setattr(*_owner(layer, path), weight)

    def set_quantize_activations(self, layer: Any, quantize_activations: Sequence[Any]) -> None:
        """Puts the quantized activations in the place of the others."""
        for path, activation in zip(self.activations, quantize_activations, strict=True):
            setattr(*_owner(layer, path), activation)

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        """What quantizes what the layer gives."""
        return [self._activation_quantizer()] if self.output else []

    def get_config(self) -> dict[str, Any]:
        """The arguments to make it again."""
        return {
            "weights": self.weights,
            "activations": self.activations,
            "output": self.output,
            "per_channel": self.per_channel,
        }


CONFIGS = {"PathsConfig": PathsConfig}


def config_for(entry: LayerEntry, *, several: bool) -> PathsConfig:
    """How a layer is quantized that tensorflow-model-optimization refuses or would quantize otherwise.

    Arguments:
        entry: the layer.
        several: whether it gives several tensors, of which none can be quantized then.
    """
    held = _held(entry)
    weights = [f"{prefix}{path}" for prefix, each in held for path in _KERNELS.get(type(each).name(), ())]
    activations = [f"{prefix}{path}" for prefix, each in held for path in _ACTIVATIONS.get(type(each).name(), ())]
    per_channel = all(type(each).name() in _PER_CHANNEL for _, each in held)
    output = not (several or activations or any(type(each).name() in SAME_SCALE for _, each in held))
    return PathsConfig(weights, activations, output=output, per_channel=per_channel)


def output_config(entry: LayerEntry | CustomLayer) -> PathsConfig:
    """How only that is quantized which a layer gives."""
    if isinstance(entry, LayerEntry) and type(entry).name() == "MultiHeadAttention":
        # What it gives is what its last projection gives; tensorflow-model-optimization cannot tell its shape.
        return PathsConfig(activations=_ACTIVATIONS["MultiHeadAttention"][-1:])
    return PathsConfig(output=True)


def _held(entry: LayerEntry) -> list[tuple[str, LayerEntry]]:
    """The layers that compute within a layer, each with the way to it: the layer itself, or what it wraps."""
    inner = getattr(entry, "layer", None)
    if not isinstance(inner, LayerEntry):
        return [("", entry)]
    if type(entry).name() == "Bidirectional":
        backward = getattr(entry, "backward_layer", None) or inner
        return [("forward_layer.", inner), ("backward_layer.", backward)]
    return [(f"layer.{prefix}", held) for prefix, held in _held(inner)]
