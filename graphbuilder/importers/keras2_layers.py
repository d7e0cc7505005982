"""Layers as Keras 2 saves them, brought to the names and defaults of Keras 3."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from graphbuilder.catalog import layers
from graphbuilder.importers.problems import NotCarried

__all__ = ["modern_config", "modern_kind"]

# What classes were called before TensorFlow 2.
_KINDS = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution3D": "Conv3D",
    "Deconvolution2D": "Conv2DTranspose",
    "GRUV1": "GRU",
    "GRUV2": "GRU",
    "LSTMV1": "LSTM",
    "LSTMV2": "LSTM",
    "SeparableConvolution2D": "SeparableConv2D",
    "UnifiedGRU": "GRU",
    "UnifiedLSTM": "LSTM",
}
# What a file that lacks the argument means, because it is older than the argument.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {"GRU": {"reset_after": False}}
# Arguments that Keras 3 no longer has and that change nothing of what is computed.
_WITHOUT_EFFECT = {
    "": ("batch_input_shape",),
    "Embedding": ("input_length",),
    "GRU": ("implementation",),
    "LSTM": ("implementation",),
    "MultiHeadAttention": ("key_shape", "query_shape", "value_shape"),
    "SeparableConv1D": ("kernel_constraint", "kernel_initializer", "kernel_regularizer"),
    "SeparableConv2D": ("kernel_constraint", "kernel_initializer", "kernel_regularizer"),
    "SimpleRNN": ("implementation",),
}
# Saved also for layers that never had it.
_ONE_GROUP = "groups"
# What stood for a function of TensorFlow before TFOpLambda: a node of a graph.
_GRAPH_OP = "TensorFlowOpLayer"
# Another function in Keras 2: clip(0.2 · x + 0.5, 0, 1), in place of relu6(x + 3) / 6.
_OTHER_FUNCTION = "hard_sigmoid"
_FLOAT_DIGITS = 9


def modern_kind(kind: str) -> str:
    """The name that Keras 3 has for a class.

    Example:
        >>> modern_kind("Convolution2D")
        'Conv2D'
    """
    return _KINDS.get(kind, kind)


def modern_config(kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a layer was made with, by the arguments of Keras 3.

    Arguments:
        kind: its class, as `modern_kind` has it.
        config: as Keras 2 saved it.

    Raises:
        NotCarried: it has an argument that means something else in Keras 3.

    Example:
        >>> modern_config("LeakyReLU", {"name": "leaky", "alpha": 0.30000001192092896})
        {'name': 'leaky', 'negative_slope': 0.3}
    """
    if kind == "InputLayer":
        return _input(config)
    if kind == _GRAPH_OP:
        raise NotCarried(
            "it is a function of TensorFlow in a form that was given up in TensorFlow 2.4",
            "build the model again with tf_keras, and save that",
        )
    entry = layers.get(kind)
    if entry is None:
        return dict(config)
    legacy = entry.legacy
    ours = {theirs: ours for ours, theirs in legacy.renamed.items()}
    dropped = (*_WITHOUT_EFFECT[""], *_WITHOUT_EFFECT.get(kind, ()))
    found = {}
    for name, value in {**legacy.defaults, **_DEFAULTS.get(kind, {}), **config}.items():
        if name in dropped or (name == _ONE_GROUP and value == 1 and name not in entry.model_fields):
            continue
        found[ours.get(name, name)] = _value(kind, name, value)
    return found


def _value(kind: str, name: str, value: Any) -> Any:
    if (
        isinstance(value, Mapping)
        and modern_kind(str(value.get("class_name"))) in layers
        and isinstance(value.get("config"), Mapping)
    ):
        # What a wrapper wraps, or a layer that stands in the place of an activation.
        inner = modern_kind(str(value["class_name"]))
        return {**value, "class_name": inner, "config": modern_config(inner, value["config"])}
    if name.endswith("activation") and value == _OTHER_FUNCTION:
        raise NotCarried(
            f"{name} is hard_sigmoid, which is another function in Keras 3",
            "give the layer another activation; as ops, that of Keras 2 is clip(0.2 · x + 0.5, 0, 1)",
        )
    # Saved as a list since TensorFlow 2, and always of one axis.
    if kind == "BatchNormalization" and name == "axis" and isinstance(value, list) and len(value) == 1:
        return value[0]
    return _shortened(value)


def _input(config: Mapping[str, Any]) -> dict[str, Any]:
    for form in ("sparse", "ragged"):
        if config.get(form):
            raise NotCarried(f"the input is {form}", "blueprints have dense inputs only")
    found = {name: value for name, value in config.items() if name != "batch_input_shape"}
    if "batch_input_shape" in config:
        found["batch_shape"] = config["batch_input_shape"]
    return found


def _shortened(value: Any) -> Any:
    """A number that Keras 2 had made a 32-bit float, as somebody wrote it; in lists and mappings too."""
    if isinstance(value, Mapping):
        return {key: _shortened(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shortened(each) for each in value]
    if not isinstance(value, float) or len(repr(value)) <= _FLOAT_DIGITS + 2 or _single(value) != value:
        return value
    shorter = (float(f"{value:.{digits}g}") for digits in range(1, _FLOAT_DIGITS + 1))
    return next(each for each in shorter if _single(each) == value)


def _single(value: float) -> float | None:
    """The nearest 32-bit float."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return None
