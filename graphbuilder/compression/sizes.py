"""How large things are: bytes of files raw and compressed, what arrays hold, and what a graph will come to.

Deflate, which `gzip` is, stands for what a download or an app's package makes of a file: a .tflite file itself does not
shrink with zeros.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.compression.conversions import Outcome, Scheme, ruling_of_form
from graphbuilder.graph import Call, Graph, Layer

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "GZIP_LEVEL",
    "ArrayFacts",
    "FileSize",
    "PredictedSize",
    "array_facts",
    "file_size",
    "gzip_bytes",
    "least_dynamic",
    "predict_size",
    "predicted_bits",
]

# The level at which sizes are compared.
GZIP_LEVEL = 9


def gzip_bytes(content: bytes, level: int = GZIP_LEVEL) -> int:
    """How many bytes gzip makes of it, the same at every time of day.

    Example:
        >>> gzip_bytes(bytes(1_000_000)) < 1_100
        True
    """
    # The time stands in the header, and a file's name would too.
    return len(gzip.compress(content, compresslevel=level, mtime=0))


@dataclass(frozen=True, slots=True)
class FileSize:
    """The size of a file.

    Arguments:
        raw: its bytes.
        gzip: those that gzip makes of it.
        level: the level of gzip.
    """

    raw: int
    gzip: int
    level: int = GZIP_LEVEL

    @property
    def ratio(self) -> float:
        """How many times smaller gzip makes it."""
        return self.raw / self.gzip

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def file_size(file: bytes | Path, level: int = GZIP_LEVEL) -> FileSize:
    """The size of a file, given by its content or its path."""
    content = file if isinstance(file, bytes) else file.read_bytes()
    return FileSize(len(content), gzip_bytes(content, level), level)


@dataclass(frozen=True, slots=True)
class ArrayFacts:
    """What an array holds.

    Arguments:
        size: how many numbers.
        zeros: how many of them are 0.
        unique: how many different ones there are.
        unique_per_channel: the most that one channel (the last axis) holds, or None where there is one axis.
        entropy: the bits that one number would take if each different one were coded by how often it stands there.
    """

    size: int
    zeros: int
    unique: int
    unique_per_channel: int | None
    entropy: float

    @property
    def sparsity(self) -> float:
        """The share of zeros."""
        return self.zeros / self.size if self.size else 0.0


def array_facts(values: np.ndarray, channel_axis: int = -1) -> ArrayFacts:
    """What an array holds.

    Arguments:
        values: the numbers.
        channel_axis: the axis along which its channels lie; Keras has them last.
    """
    import numpy

    _, counts = numpy.unique(values, return_counts=True)
    shares = counts / max(1, values.size)
    entropy = float(-(shares * numpy.log2(shares)).sum()) if values.size else 0.0
    per_channel = None
    if values.ndim > 1 and values.size:
        channels = numpy.moveaxis(values, channel_axis, 0)
        per_channel = max(len(numpy.unique(channel)) for channel in channels)
    zeros = int(values.size - numpy.count_nonzero(values))
    return ArrayFacts(int(values.size), zeros, len(counts), per_channel, max(0.0, entropy))


@dataclass(frozen=True, slots=True)
class PredictedSize:
    """What a graph will come to as a .tflite file.

    Arguments:
        raw: bytes.
        gzip: bytes after gzip.
        weights: the bytes of weights among the raw ones.
        overhead: those of operators, names and scales.
        unknown: layers whose weights are unknown; they are in none of the sums.
        raw_error: the largest error of `raw` that was met in measuring, as a share.
        gzip_error: the same for `gzip`.
    """

    raw: int
    gzip: int
    weights: int
    overhead: int
    unknown: tuple[str, ...]
    raw_error: float
    gzip_error: float


# TFLite leaves smaller weights as floats under the scheme `dynamic`. It keeps the four gates of an LSTM apart, and
# quantizes all of them or none.
_DYNAMIC_LEAST = 1_024
_GATES = {"LSTM": 4}
# By scheme, the bytes of one number of a matrix or kernel, and of one of a bias or scale.
_BYTES: Mapping[Scheme, tuple[float, float]] = {
    "float32": (4, 4),
    "float16": (2, 2),
    "dynamic": (1, 4),
    "int8": (1, 4),
    "int16x8": (1, 8),
}
# Fitted to blueprints that were converted; `tests/compression/test_sizes.py` holds them to it.
_FILE_OVERHEAD = 1_800
_CALL_OVERHEAD: Mapping[Scheme, int] = {"float32": 300, "float16": 600, "dynamic": 380, "int8": 420, "int16x8": 420}
# A scale and a zero point for each channel of a quantized kernel.
_CHANNEL_OVERHEAD = 12
_RAW_ERROR = 0.1
_GZIP_ERROR = 0.15
# The bits of a number of a trained matrix: its entropy under 8 bits, and what deflate leaves of floats.
_INT8_BITS = 7.3
_FLOAT_SHARE = 0.93
# Deflate's codes are whole numbers of bits, and it does not know where one number ends.
_DEFLATE_FACTOR = 1.17
_DEFLATE_BITS = 0.16
# Normalizations that the converter folds into the layer before them.
_FOLDED_INTO = frozenset({"Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D",
                          "SeparableConv1D", "SeparableConv2D"})  # fmt: skip


def predicted_bits(scheme: Scheme, sparsity: float = 0.0, clusters: int | None = None) -> float:
    """The bits that one number of a kernel takes after gzip.

    Arguments:
        scheme: how it is stored.
        sparsity: the share of zeros.
        clusters: how many different values it has, or None where they are not limited.

    Example:
        >>> predicted_bits("int8") > predicted_bits("int8", 0.8) > predicted_bits("int8", 0.8, 16)
        True
    """
    stored = 8 * _BYTES[scheme][0]
    bits = _INT8_BITS if stored == 8 else stored * _FLOAT_SHARE
    if clusters is not None:
        bits = min(bits, math.log2(clusters))
    if 0 < sparsity < 1:
        choice = -sparsity * math.log2(sparsity) - (1 - sparsity) * math.log2(1 - sparsity)
        bits = choice + (1 - sparsity) * bits
        # A value that is met again after zeros is seldom part of a longer match; whole floats are coded byte by byte.
        coded = _DEFLATE_FACTOR * bits + _DEFLATE_BITS * stored / 8
    elif clusters is not None:
        coded = _DEFLATE_FACTOR * bits + _DEFLATE_BITS * stored / 8
    else:
        coded = bits
    return min(stored, coded)


def least_dynamic(kind: str) -> int:
    """How many numbers a kernel must have to be stored in 8 bits under the scheme `dynamic`.

    Arguments:
        kind: the kind of its layer.
    """
    return _DYNAMIC_LEAST * _GATES.get(kind, 1)


def predict_size(
    graph: Graph,
    scheme: Scheme,
    *,
    sparsity: Mapping[str, float] | None = None,
    clusters: Mapping[str, int] | None = None,
    floats: Collection[str] = (),
) -> PredictedSize:
    """What a graph will come to as a .tflite file, without making one.

    Arguments:
        graph: the model.
        scheme: what it is converted to.
        sparsity: the share of zeros in the kernels of pruned layers, by name.
        clusters: how many values the kernels of clustered layers share, by name.
        floats: the layers that stay float32 all the same, because training for 8 bits leaves them out.
    """
    folded = set(_folded(graph.calls.values()))
    weights = overhead = compressed = 0.0
    unknown = []
    for name, layer in graph.layers.items():
        if layer.weights is None:
            unknown.append(name)
            continue
        if name in folded:
            continue
        stored: Scheme = "float32" if name in floats else scheme
        bits = predicted_bits(stored, (sparsity or {}).get(name, 0.0), (clusters or {}).get(name))
        gates = _GATES.get(layer.kind, 1)
        least = min((weight.size // gates for weight in layer.weights if len(weight.shape) > 1), default=0)
        float_only = ruling_of_form(layer.kind, stored).outcome is Outcome.FLOAT
        for weight in layer.weights:
            small = stored == "dynamic" and (least if gates > 1 else weight.size) < _DYNAMIC_LEAST
            kernel = len(weight.shape) > 1 and not small and not float_only
            each = _BYTES[stored][0 if kernel else 1]
            # Normalizations keep two of their four vectors.
            size = weight.size / (2 if layer.kind == "BatchNormalization" else 1)
            weights += size * each
            compressed += size * (bits / 8 if kernel else each * _FLOAT_SHARE)
            # An LSTM's gates and an embedding have one scale each.
            if kernel and stored not in ("float32", "float16") and gates == 1 and layer.kind != "Embedding":
                overhead += weight.shape[-1] * _CHANNEL_OVERHEAD
    calls = sum(1 for call in graph.calls.values() if _name_of(call) not in folded)
    overhead += _FILE_OVERHEAD + calls * _CALL_OVERHEAD[scheme]
    return PredictedSize(
        raw=round(weights + overhead),
        gzip=round(compressed + overhead / 2),
        weights=round(weights),
        overhead=round(overhead),
        unknown=tuple(unknown),
        raw_error=_RAW_ERROR,
        gzip_error=_GZIP_ERROR,
    )


def _name_of(call: Call) -> str:
    return call.target.name if isinstance(call.target, Layer) else call.name


def _folded(calls: Iterable[Call]) -> Iterable[str]:
    """The normalizations that follow a layer which the converter folds them into."""
    makers: dict[str, Call] = {}
    for call in calls:
        target = call.target
        if isinstance(target, Layer) and call.kind == "BatchNormalization":
            before = next((makers.get(value.name) for value in call.inputs()), None)
            plain = before is not None and getattr(getattr(before.target, "entry", None), "activation", None) is None
            if before is not None and plain and before.kind in _FOLDED_INTO:
                yield target.name
        for value in call.outputs:
            makers[value.name] = call
