"""What a layer or op does along each axis: slide a window, leave positions where they are, or mix them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from graphbuilder.catalog import LayerEntry, OpEntry, TensorType
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.graph import Call, Layer

__all__ = ["Along", "along_axes"]


@dataclass(frozen=True, slots=True)
class Along:
    """A window along an axis: the output at i takes the positions from `first + i * stride` on, `more + 1` of them.

    Arguments:
        first: where the first window begins; below 0 in the padding.
        stride: by how much it moves.
        more: how many positions beside one it spans.
        exact: whether its first and last positions count at every place.
        slides: whether it is a window, and not a position that stays or is moved.
    """

    first: Fraction = Fraction(0)
    stride: Fraction = Fraction(1)
    more: Fraction = Fraction(0)
    exact: bool = True
    slides: bool = False


_STAYS = Along()

# By the axis, counted from the last; an axis that is mixed has None.
_Steps: TypeAlias = dict[int, Along | None]


def along_axes(call: Call, given: TensorType) -> Mapping[int, Along | None] | None:
    """What a call does along each axis; None where that is not known.

    Arguments:
        call: the call.
        given: what its output is.

    Returns:
        By the axis, counted from the last as -1: a window, or None where all positions count for all.
    """
    layer = isinstance(call.target, Layer)
    entry: Any = call.target.entry if isinstance(call.target, Layer) else call.target
    taken = next(call.inputs()).type if any(True for _ in call.inputs()) else None
    if taken is None or not isinstance(entry, LayerEntry | OpEntry):
        return None
    rule = _rule(entry, layer)
    return None if rule is None else rule(entry, taken, given)


def _rule(entry: Any, layer: bool) -> Callable[[Any, TensorType, TensorType], _Steps | None] | None:
    name = type(entry).__name__
    if layer and name in _LAYERS:
        return _LAYERS[name]
    if layer and entry.family == "convolution":
        return _transposed if name.endswith("Transpose") else _convolved
    if layer and entry.family == "pooling":
        return _pooled if hasattr(entry, "pool_size") else _pooled_whole
    if not layer and name in _OPS:
        return _OPS[name]
    by_places = entry.keeping is Keeping.PLACES or entry.family in _BY_PLACES
    return _elementwise if by_places else None


def _elementwise(entry: Any, taken: TensorType, given: TensorType) -> _Steps:
    """Each number for itself; shapes that differ are aligned at their last axes."""
    return {-axis: _STAYS for axis in range(1, given.rank)}


def _mixed(entry: Any, taken: TensorType, given: TensorType) -> _Steps | None:
    """Each number for itself, but for the axes that the layer names."""
    axes = entry.axis if isinstance(entry.axis, (tuple, list)) else (entry.axis,)
    if any(axis is None for axis in axes):
        return dict.fromkeys((-axis for axis in range(1, given.rank)), None)
    mixed = {axis if axis < 0 else axis - given.rank for axis in axes}
    return {axis: None if axis in mixed else step for axis, step in _elementwise(entry, taken, given).items()}


def _grouped(entry: Any, taken: TensorType, given: TensorType) -> _Steps:
    """All numbers of a group of channels count for each of them."""
    return dict.fromkeys((-axis for axis in range(1, given.rank)), None)


def _last(entry: Any, taken: TensorType, given: TensorType) -> _Steps:
    return {**_elementwise(entry, taken, given), -1: None}


def _joined(entry: Any, taken: TensorType, given: TensorType) -> _Steps | None:
    """Joined along one axis, along which positions move by what stands before them."""
    return None if entry.axis % given.rank == 0 else _mixed(entry, taken, given)


def _spatial(entry: Any, taken: TensorType) -> list[tuple[int, Any]]:
    """The spatial axes, counted from the last, with their sizes."""
    first = 2 if getattr(entry, "data_format", None) == "channels_first" else 1
    return [(axis - taken.rank, taken.shape[axis]) for axis in range(first, first + taken.rank - 2)]


def _slid(
    entry: Any, taken: TensorType, window: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...]
) -> _Steps:
    """A window slides along the spatial axes; what stands in the channels is mixed."""
    found: _Steps = {}
    for (axis, size), extent, stride, spread in zip(_spatial(entry, taken), window, strides, dilation, strict=True):
        span = spread * (extent - 1) + 1
        found[axis] = Along(
            Fraction(-_in_front(size, span, stride, entry.padding)), Fraction(stride), Fraction(span - 1), slides=True
        )
    return found


def _in_front(size: Any, span: int, stride: int, padding: str) -> int:
    """How many positions of padding stand in front of an axis.

    For "same" TensorFlow adds as many as the last window lacks, half of them in front and the odd one behind:
    https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
    """
    if padding == "valid":
        return 0
    if padding == "causal":
        return span - 1
    steps = size if isinstance(size, int) else stride
    return max((-(-steps // stride) - 1) * stride + span - steps, 0) // 2


def _convolved(entry: Any, taken: TensorType, given: TensorType) -> _Steps:
    return _slid(entry, taken, entry.kernel_size, entry.strides, entry.dilation_rate)


def _pooled(entry: Any, taken: TensorType, given: TensorType) -> _Steps:
    return _slid(entry, taken, entry.pool_size, entry.strides or entry.pool_size, (1,) * entry.rank)


def _pooled_whole(entry: Any, taken: TensorType, given: TensorType) -> _Steps:
    return {}


def _transposed(entry: Any, taken: TensorType, given: TensorType) -> _Steps:
    """The output at o takes the input at i where o = i * stride + tap * dilation - cut, for each tap of the kernel."""
    found: _Steps = {}
    extra = entry.output_padding or (None,) * entry.rank
    parts = zip(_spatial(entry, taken), entry.kernel_size, entry.strides, entry.dilation_rate, extra, strict=True)
    for (axis, _), extent, stride, spread, added in parts:
        span = spread * (extent - 1) + 1
        cut = 0 if entry.padding == "valid" else _cut(span, stride, added)
        one = Fraction(1, stride)
        found[axis] = Along((cut - span + 1) * one, one, (span - 1) * one, exact=stride == 1, slides=True)
    return found


def _cut(span: int, stride: int, added: int | None) -> int:
    """How much padding "same" cuts off the front of the image that a transposed convolution makes."""
    return max(span - stride, 0) // 2 if added is None else (span - 1) // 2


def _resized(entry: Any, taken: TensorType, given: TensorType) -> _Steps | None:
    """Each position stands `factor` times in the output, or is mixed with the nearer of its neighbours."""
    how = getattr(entry, "interpolation", "nearest")
    if how not in ("nearest", "bilinear"):
        return None
    factors = entry.size if isinstance(entry.size, tuple) else (entry.size,)
    found: _Steps = dict(_elementwise(entry, taken, given))
    for (axis, _), factor in zip(_spatial(entry, taken), factors, strict=True):
        one = Fraction(1, factor)
        if factor == 1:
            continue
        if how == "nearest":
            found[axis] = Along((1 - factor) * one, one, (factor - 1) * one, exact=False)
        else:
            # Centres of pixels are aligned: o stands at (o + 1/2) / factor - 1/2, between two positions.
            beside = 1 - one / 2
            found[axis] = Along((one - 1) / 2 - beside, one, 2 * beside, exact=False)
    return found


def _padded(entry: Any, taken: TensorType, given: TensorType) -> _Steps:
    return _shifted(entry, taken, given, entry.padding, -1)


def _cropped(entry: Any, taken: TensorType, given: TensorType) -> _Steps:
    return _shifted(entry, taken, given, entry.cropping, 1)


def _shifted(entry: Any, taken: TensorType, given: TensorType, edges: Any, direction: int) -> _Steps:
    found: _Steps = dict(_elementwise(entry, taken, given))
    pairs = edges if isinstance(edges[0], tuple) else (edges,)
    for (axis, _), (before, _) in zip(_spatial(entry, taken), pairs, strict=True):
        found[axis] = Along(Fraction(direction * before))
    return found


_Rule: TypeAlias = Callable[[Any, TensorType, TensorType], "_Steps | None"]

# Families of ops and layers that compute each number by itself, or with the number at the same place of the others.
_BY_PLACES = ("activations", "arithmetic", "comparison", "functions")

_LAYERS: Mapping[str, _Rule] = {
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Identity"), _elementwise),
    **dict.fromkeys(("Softmax", "LayerNormalization", "RMSNormalization", "UnitNormalization"), _mixed),
    **dict.fromkeys(("UpSampling1D", "UpSampling2D", "UpSampling3D"), _resized),
    **dict.fromkeys(("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"), _padded),
    **dict.fromkeys(("Cropping1D", "Cropping2D", "Cropping3D"), _cropped),
    "GroupNormalization": _grouped,
    "Concatenate": _joined,
    "Dense": _last,
}
_OPS: Mapping[str, _Rule] = {
    **dict.fromkeys(("Softmax", "LogSoftmax"), _mixed),
    "Concatenate": _joined,
    "Cast": _elementwise,
}
