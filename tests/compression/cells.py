"""One small model around every kind of layer, and a run of every pass on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from graphbuilder.api import lower, parse
from graphbuilder.graph import Graph

__all__ = ["NODES", "WRAPPABLE", "graph_of", "samples", "wrapped_graph"]

_IMAGE = "x: {shape: [6, 6, 4]}"
_PHOTO = "x: {shape: [6, 6, 3]}"
_SEQUENCE = "x: {shape: [5, 4]}"
_VECTOR = "x: {shape: [8]}"
_VOLUME = "x: {shape: [4, 4, 4, 4]}"

# By kind: the input and the node `it`; a Dense of four units stands in front, so that a pass has weights to train.
NODES: Mapping[str, tuple[str, str]] = {
    "Dense": (_VECTOR, "units: 8, activation: relu"),
    "Embedding": ("x: {shape: [5], dtype: int32}", "input_dim: 8, output_dim: 4"),
    "Activation": (_VECTOR, "activation: relu"),
    "Masking": (_SEQUENCE, "mask_value: 0.0"),
    "Identity": (_VECTOR, ""),
    "EinsumDense": (_SEQUENCE, "equation: 'abc,cd->abd', output_shape: [5, 8], bias_axes: d"),
    "BatchNormalization": (_IMAGE, ""),
    "LayerNormalization": (_SEQUENCE, ""),
    "GroupNormalization": (_IMAGE, "groups: 2"),
    "RMSNormalization": (_SEQUENCE, ""),
    "UnitNormalization": (_VECTOR, ""),
    "Dropout": (_VECTOR, "rate: 0.1"),
    "SpatialDropout1D": (_SEQUENCE, "rate: 0.1"),
    "SpatialDropout2D": (_IMAGE, "rate: 0.1"),
    "SpatialDropout3D": (_VOLUME, "rate: 0.1"),
    "AlphaDropout": (_VECTOR, "rate: 0.1"),
    "GaussianDropout": (_VECTOR, "rate: 0.1"),
    "GaussianNoise": (_VECTOR, "stddev: 0.1"),
    "ActivityRegularization": (_VECTOR, "l1: 0.01"),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"),
                    (_VECTOR, "from: [before, beside]")),
    "Dot": (_VECTOR, "from: [before, beside], axes: 1"),
    "ReLU": (_VECTOR, ""),
    "LeakyReLU": (_VECTOR, ""),
    "PReLU": (_VECTOR, ""),
    "ELU": (_VECTOR, ""),
    "Softmax": (_VECTOR, ""),
    "Conv1D": (_SEQUENCE, "filters: 8, kernel_size: 3"),
    "Conv2D": (_IMAGE, "filters: 8, kernel_size: 3"),
    "Conv3D": (_VOLUME, "filters: 8, kernel_size: 2"),
    "DepthwiseConv1D": (_SEQUENCE, "kernel_size: 3"),
    "DepthwiseConv2D": (_IMAGE, "kernel_size: 3"),
    "SeparableConv1D": (_SEQUENCE, "filters: 8, kernel_size: 3"),
    "SeparableConv2D": (_IMAGE, "filters: 8, kernel_size: 3"),
    "Conv1DTranspose": (_SEQUENCE, "filters: 8, kernel_size: 3"),
    "Conv2DTranspose": (_IMAGE, "filters: 8, kernel_size: 3"),
    "Conv3DTranspose": (_VOLUME, "filters: 8, kernel_size: 2"),
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), (_SEQUENCE, "pool_size: 2")),
    **dict.fromkeys(("MaxPooling2D", "AveragePooling2D"), (_IMAGE, "pool_size: 2")),
    **dict.fromkeys(("MaxPooling3D", "AveragePooling3D"), (_VOLUME, "pool_size: 2")),
    **dict.fromkeys(("GlobalMaxPooling1D", "GlobalAveragePooling1D"), (_SEQUENCE, "")),
    **dict.fromkeys(("GlobalMaxPooling2D", "GlobalAveragePooling2D"), (_IMAGE, "")),
    **dict.fromkeys(("GlobalMaxPooling3D", "GlobalAveragePooling3D"), (_VOLUME, "")),
    "Flatten": (_IMAGE, ""),
    "Permute": (_SEQUENCE, "dims: [2, 1]"),
    "RepeatVector": (_VECTOR, "n: 3"),
    "Reshape": (_VECTOR, "target_shape: [2, 2]"),
    "Cropping1D": (_SEQUENCE, "cropping: 1"),
    "Cropping2D": (_IMAGE, "cropping: 1"),
    "Cropping3D": (_VOLUME, "cropping: 1"),
    "ZeroPadding1D": (_SEQUENCE, "padding: 1"),
    "ZeroPadding2D": (_IMAGE, "padding: 1"),
    "ZeroPadding3D": (_VOLUME, "padding: 1"),
    "UpSampling1D": (_SEQUENCE, "size: 2"),
    "UpSampling2D": (_IMAGE, "size: 2"),
    "UpSampling3D": (_VOLUME, "size: 2"),
    "CenterCrop": (_IMAGE, "height: 4, width: 4"),
    "Normalization": (_VECTOR, "mean: 0.0, variance: 1.0"),
    "Rescaling": (_VECTOR, "scale: 0.5"),
    "Resizing": (_IMAGE, "height: 4, width: 4"),
    "LSTM": (_SEQUENCE, "units: 8"),
    "GRU": (_SEQUENCE, "units: 8"),
    "SimpleRNN": (_SEQUENCE, "units: 8"),
    "ConvLSTM1D": ("x: {shape: [3, 5, 4]}", "filters: 4, kernel_size: 3"),
    "ConvLSTM2D": ("x: {shape: [3, 4, 4, 4]}", "filters: 4, kernel_size: 3"),
    "ConvLSTM3D": ("x: {shape: [2, 3, 3, 3, 4]}", "filters: 4, kernel_size: 2"),
    "Bidirectional": (_SEQUENCE, "wraps: {layer: LSTM, units: 4}"),
    "TimeDistributed": (_SEQUENCE, "wraps: {layer: Dense, units: 8}"),
    **dict.fromkeys(("Attention", "AdditiveAttention"), (_SEQUENCE, "from: {query: before, value: beside}")),
    "MultiHeadAttention": (_SEQUENCE, "from: {query: before, value: beside}, num_heads: 2, key_dim: 4"),
    "GroupQueryAttention": (
        _SEQUENCE,
        "from: {query: before, value: beside}, head_dim: 4, num_query_heads: 2, num_key_value_heads: 1",
    ),
    "RandomFlip": (_PHOTO, "from: x"),
    "RandomRotation": (_PHOTO, "from: x, factor: 0.1"),
    "RandomTranslation": (_PHOTO, "from: x, height_factor: 0.1, width_factor: 0.1"),
    "RandomBrightness": (_PHOTO, "from: x, factor: 0.1"),
    "RandomContrast": (_PHOTO, "from: x, factor: 0.1"),
    "RandomCrop": (_IMAGE, "height: 4, width: 4"),
    "RandomShear": (_PHOTO, "from: x, x_factor: 0.1"),
    "RandomPerspective": (_PHOTO, "from: x"),
    "RandomElasticTransform": (_PHOTO, "from: x"),
    "RandomSaturation": (_PHOTO, "from: x, factor: 0.4"),
    "RandomHue": (_PHOTO, "from: x, factor: 0.1"),
    "RandomColorJitter": (_PHOTO, "from: x, hue_factor: 0.1"),
    "RandomColorDegeneration": (_PHOTO, "from: x, factor: 0.5"),
    "RandomGrayscale": (_PHOTO, "from: x"),
    "RandomInvert": (_PHOTO, "from: x"),
    "RandomPosterization": (_PHOTO, "from: x, factor: 4"),
    "RandomSharpness": (_PHOTO, "from: x, factor: 0.5"),
    "RandomGaussianBlur": (_PHOTO, "from: x"),
    "AutoContrast": (_PHOTO, "from: x"),
    "ContrastLimitedAdaptiveHistogramEqualization": (_PHOTO, "from: x, tile_grid_size: [2, 2]"),
    "Solarization": (_PHOTO, "from: x"),
    "MixUp": (_PHOTO, "from: x"),
    "CutMix": (_PHOTO, "from: x"),
    "RandomErasing": (_PHOTO, "from: x"),
    "RandAugment": (_PHOTO, "from: x"),
    "AugMix": (_PHOTO, "from: x"),
    "AdaptiveMaxPooling1D": (_SEQUENCE, "output_size: 2"),
    "AdaptiveAveragePooling1D": (_SEQUENCE, "output_size: 2"),
    "AdaptiveMaxPooling2D": (_IMAGE, "output_size: 3"),
    "AdaptiveAveragePooling2D": (_IMAGE, "output_size: 3"),
    "AdaptiveMaxPooling3D": (_VOLUME, "output_size: 2"),
    "AdaptiveAveragePooling3D": (_VOLUME, "output_size: 2"),
    "MelSpectrogram": ("x: {shape: [400]}", "from: x, fft_length: 64, sequence_stride: 30, num_mel_bins: 8"),
    "STFTSpectrogram": ("x: {shape: [40, 2]}", "from: x, frame_length: 8"),
    "ReversibleEmbedding": ("x: {shape: [5], dtype: int32}", "from: x, input_dim: 8, output_dim: 4"),
    "SpectralNormalization": (_VECTOR, "wraps: {layer: Dense, units: 4}"),
}  # fmt: skip


# What TimeDistributed can apply to each step: layers that take one input of numbers.
WRAPPABLE = tuple(
    kind for kind, (_, node) in NODES.items() if "from:" not in node and "wraps:" not in node and kind != "Embedding"
)


def wrapped_graph(wrapper: str, kind: str, more: str = "") -> Graph:
    """The model around a wrapped layer of a kind.

    Arguments:
        wrapper: TimeDistributed or Bidirectional.
        kind: the kind of what it wraps.
        more: further arguments of that, as in flow style.
    """
    given, arguments = NODES[kind]
    if wrapper == "TimeDistributed":
        given = given.replace("shape: [", "shape: [3, ")
    inner = ", ".join(part for part in (f"layer: {kind}", arguments, more) if part)
    text = f"blueprint: 1\nname: cell\ninputs:\n  {given}\nnodes:\n  before: {{layer: Dense, from: x, units: 4}}\n"
    text += f"  it: {{layer: {wrapper}, wraps: {{{inner}}}}}\n"
    text += "  flat: {layer: Flatten}\n  after: {layer: Dense, units: 2}\noutputs: after\n"
    return lower(parse(text))


def graph_of(kind: str, more: str = "") -> Graph:
    """The model around a layer of a kind: `before` and `beside` feed it where it takes numbers, `after` follows.

    Arguments:
        kind: the layer's kind.
        more: further arguments of the layer, as in flow style.
    """
    given, arguments = NODES[kind]
    if ":" in more:
        # What is given stands in the place of what the cell has.
        arguments = re.sub(rf"(, )?\b{more.partition(':')[0]}: [^,]+", "", arguments).removeprefix(", ")
    arguments = ", ".join(part for part in (arguments, more) if part)
    text = f"blueprint: 1\nname: cell\ninputs:\n  {given}\nnodes:\n"
    if kind == "Embedding":
        text += f"  it: {{layer: Embedding, from: x, {arguments}}}\n"
    else:
        text += "  before: {layer: Dense, from: x, units: 4}\n"
        if "beside" in arguments:
            text += "  beside: {layer: Dense, from: x, units: 4}\n"
        source = "" if "from:" in arguments else "from: before, "
        text += f"  it: {{layer: {kind}, {source}{arguments}}}\n".replace(", }", "}")
    text += "  flat: {layer: Flatten, from: it}\n  after: {layer: Dense, units: 2}\noutputs: after\n"
    return lower(parse(text))


def samples(graph: Graph, count: int = 8) -> tuple[Any, Any]:
    """Random inputs and targets of a cell."""
    random = np.random.default_rng(0)
    (given,) = graph.inputs.values()
    kind = given.value.type
    assert kind is not None
    shape = (count, *(int(str(axis)) for axis in kind.shape[1:]))
    x = random.integers(0, 8, shape) if kind.dtype == "int32" else random.normal(size=shape)
    return x.astype(kind.dtype), random.normal(size=(count, 2)).astype("float32")
