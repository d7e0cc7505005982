"""The functions of keras.ops that reduce or rearrange axes, for tf_keras."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Any, TypeAlias

import tensorflow as tf

from graphbuilder.backend.legacy_dtypes import cast, counted, dtype_of, fractional, rank, reals, truth
from graphbuilder.catalog.broadcasting import axes_of, axis_of, result_type
from graphbuilder.catalog.tensor import is_float

__all__ = ["REDUCTIONS", "SHAPES"]

Axis: TypeAlias = int | Sequence[int] | None


def listed(axis: Axis) -> int | list[int] | None:
    """An axis as TensorFlow takes it, and as it comes back from a saved model."""
    return axis if axis is None or isinstance(axis, int) else list(axis)


def reduction(function: Callable[..., Any], prepare: Callable[[Any], Any]) -> Callable[..., Any]:
    """An op that is one function, after its operand is brought to a dtype."""

    def op(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        return function(prepare(x), axis=listed(axis), keepdims=keepdims)

    return op


def at_least_single(x: Any) -> Any:
    """The operand of a mean, in single precision at least, so that sums do not overflow."""
    return cast(x, result_type(dtype_of(x), "float32"))


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    dtype = dtype_of(x)
    found = tf.reduce_mean(at_least_single(x), axis=listed(axis), keepdims=keepdims)
    return cast(found, dtype) if is_float(dtype) or dtype.startswith("complex") else found


def variance(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    found = tf.math.reduce_variance(at_least_single(x), axis=listed(axis), keepdims=keepdims)
    return cast(found, result_type(dtype_of(x), "float"))


def wide(x: Any) -> Any:
    """The operand of a sum: small integers grow to 32 bits."""
    grown = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}
    return cast(x, grown.get(dtype_of(x), dtype_of(x)))


def product(x: Any, axis: Axis = None, keepdims: bool = False, dtype: str | None = None) -> Any:
    # Keras announces the dtype that is asked for, and computes in the input's.
    wanted = wide(x) if dtype is None else x
    return tf.reduce_prod(wanted, axis=listed(axis), keepdims=keepdims)


def extreme(
    reduce: Callable[..., Any], of_truths: Callable[..., Any], join: Callable[[Any, Any], Any]
) -> Callable[..., Any]:
    """The largest or smallest element, among which one more number may be."""

    def op(x: Any, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Any:
        truths = dtype_of(x) == "bool"
        found = (of_truths if truths else reduce)(x, axis=listed(axis), keepdims=keepdims)
        if initial is None:
            return found
        if truths:
            return tf.cast(join(tf.cast(found, "int32"), int(initial)), "bool")
        return join(found, initial)

    return op


def position(function: Callable[..., Any]) -> Callable[..., Any]:
    """The place of the largest or smallest element along an axis, or among all of them."""

    def op(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        axes = rank(x)
        searched = cast(x, "float32") if dtype_of(x) in ("float16", "bfloat16") else x
        if axis is not None:
            found = function(searched, axis=axis, output_type="int32")
            return tf.expand_dims(found, axis_of(axis, axes)) if keepdims else found
        found = function(tf.reshape(searched, [-1]), axis=0, output_type="int32")
        return tf.reshape(found, [1] * axes) if keepdims else found

    return op


def running(function: Callable[..., Any]) -> Callable[..., Any]:
    """The running sum or product along an axis, or of all elements in one row."""

    def op(x: Any, axis: int | None = None, dtype: str | None = None) -> Any:
        x = counted(x if dtype is None else cast(x, dtype))
        return function(tf.reshape(x, [-1]), axis=0) if axis is None else function(x, axis=axis)

    return op


def norm(x: Any, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Any:
    x = fractional(x)
    axes = list(axes_of(axis, rank(x)))
    if ord in (None, "fro") or (ord == 2 and len(axes) == 1):
        squared = tf.multiply(x, tf.math.conj(x)) if dtype_of(x).startswith("complex") else tf.square(x)
        return tf.sqrt(tf.reduce_sum(squared, axis=axes, keepdims=keepdims))
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    return _matrix_norm(x, ord, axes, keepdims)


def _vector_norm(x: Any, ord: Any, axis: int, keepdims: bool) -> Any:
    if ord in (inf, -inf):
        reduce = tf.reduce_max if ord == inf else tf.reduce_min
        return reduce(tf.abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return tf.reduce_sum(tf.cast(tf.not_equal(x, 0.0), dtype_of(x)), axis=axis, keepdims=keepdims)
    summed = tf.reduce_sum(tf.pow(tf.abs(x), float(ord)), axis=axis, keepdims=keepdims)
    return tf.pow(summed, 1.0 / ord)


def _matrix_norm(x: Any, ord: Any, axes: list[int], keepdims: bool) -> Any:
    if ord in ("nuc", 2, -2):
        rest = [axis for axis in range(rank(x)) if axis not in axes]
        values = tf.linalg.svd(tf.transpose(x, [*rest, *axes]), compute_uv=False)
        reduce = {"nuc": tf.reduce_sum, 2: tf.reduce_max, -2: tf.reduce_min}[ord]
        found = reduce(values, axis=-1)
        for axis in sorted(axes) if keepdims else ():
            found = tf.expand_dims(found, axis)
        return found
    rows, columns = axes if ord in (1, -1) else reversed(axes)
    summed = tf.reduce_sum(tf.abs(x), axis=rows, keepdims=True)
    reduce = tf.reduce_max if ord in (1, inf) else tf.reduce_min
    found = reduce(summed, axis=columns, keepdims=True)
    return found if keepdims else tf.squeeze(found, axis=sorted(axes))


def normalize(x: Any, axis: Axis = -1, order: int = 2, epsilon: float | None = None) -> Any:
    least = 1e-7 if epsilon is None else epsilon
    if order != 2:
        return tf.divide(fractional(x), tf.maximum(norm(x, order, axis, keepdims=True), least))
    inverse = tf.math.rsqrt(tf.reduce_sum(tf.square(x), axis=listed(axis), keepdims=True))
    return tf.multiply(x, tf.minimum(inverse, 1.0 / least))


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "mean": mean,
    "sum": reduction(tf.reduce_sum, wide),
    "prod": product,
    "max": extreme(tf.reduce_max, tf.reduce_any, tf.maximum),
    "min": extreme(tf.reduce_min, tf.reduce_all, tf.minimum),
    "var": variance,
    "std": reduction(tf.math.reduce_std, reals),
    "all": reduction(tf.reduce_all, truth),
    "any": reduction(tf.reduce_any, truth),
    "argmax": position(tf.argmax),
    "argmin": position(tf.argmin),
    "logsumexp": reduction(tf.reduce_logsumexp, reals),
    "cumsum": running(tf.math.cumsum),
    "cumprod": running(tf.math.cumprod),
    "norm": norm,
    "normalize": normalize,
}


def expand_dims(x: Any, axis: int | Sequence[int]) -> Any:
    axes = sorted(axes_of(axis, rank(x) + (1 if isinstance(axis, int) else len(axis))))
    if not axes:
        return tf.identity(x)
    for place in axes:
        x = tf.expand_dims(x, place)
    return x


def squeeze(x: Any, axis: Axis = None) -> Any:
    # Without an axis TensorFlow would also drop a batch axis that happens to be 1.
    axes = axes_of(axis, rank(x)) if axis is not None else [place for place, size in enumerate(x.shape) if size == 1]
    return tf.squeeze(x, axis=sorted(axes)) if axes else tf.identity(x)


def reshape(x: Any, newshape: Sequence[int]) -> Any:
    return tf.reshape(x, list(newshape))


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    order = reversed(range(rank(x))) if axes is None else axes_of(axes, rank(x))
    return tf.transpose(x, list(order))


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    order = list(range(rank(x)))
    first, second = axis_of(axis1, len(order)), axis_of(axis2, len(order))
    order[first], order[second] = second, first
    return tf.transpose(x, order)


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    axes = rank(x)
    moved = dict(zip(axes_of(destination, axes), axes_of(source, axes), strict=True))
    rest = iter(axis for axis in range(axes) if axis not in moved.values())
    return tf.transpose(x, [moved[axis] if axis in moved else next(rest) for axis in range(axes)])


def flip(x: Any, axis: Axis = None) -> Any:
    axes = list(axes_of(axis, rank(x)))
    return tf.reverse(x, axis=axes) if axes else tf.identity(x)


def roll(x: Any, shift: int | Sequence[int], axis: Axis = None) -> Any:
    if axis is not None:
        return tf.roll(x, shift=listed(shift), axis=listed(axis))
    return tf.reshape(tf.roll(tf.reshape(x, [-1]), shift=shift, axis=0), tf.shape(x))


def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Any:
    if dtype_of(x) == "uint16":
        return tf.cast(repeat(tf.cast(x, "uint32"), repeats, axis), "uint16")
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    return tf.repeat(x, listed(repeats), axis=axis)


def tile(x: Any, repeats: int | Sequence[int]) -> Any:
    counts = [repeats] if isinstance(repeats, int) else list(repeats)
    for _ in range(len(counts) - rank(x)):
        x = tf.expand_dims(x, 0)
    return tf.tile(x, [1] * (rank(x) - len(counts)) + counts)


def pad(
    x: Any, pad_width: Sequence[Sequence[int]], mode: str = "constant", constant_values: float | None = None
) -> Any:
    value = {} if constant_values is None else {"constant_values": constant_values}
    return tf.pad(x, [list(pair) for pair in pad_width], mode.upper(), **value)


def blocks(function: Callable[..., Any]) -> Callable[..., Any]:
    """A move between channels and the image's plane. TensorFlow's CPU kernels have the channels last."""

    def op(x: Any, block_size: int, data_format: str | None = "channels_last") -> Any:
        if data_format != "channels_first":
            return function(x, block_size)
        return tf.transpose(function(tf.transpose(x, [0, 2, 3, 1]), block_size), [0, 3, 1, 2])

    return op


SHAPES: dict[str, Callable[..., Any]] = {
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "reshape": reshape,
    "transpose": transpose,
    "swapaxes": swapaxes,
    "moveaxis": moveaxis,
    "flip": flip,
    "roll": roll,
    "repeat": repeat,
    "tile": tile,
    "pad": pad,
    "depth_to_space": blocks(tf.nn.depth_to_space),
    "space_to_depth": blocks(tf.nn.space_to_depth),
}
