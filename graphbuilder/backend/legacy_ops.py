"""The functions of keras.ops for tf_keras, built of plain functions of TensorFlow.

Called on symbolic tensors of tf_keras each of these becomes layers that tf_keras can save and load. They take the
arguments of keras.ops and compute what it computes: dtypes are promoted by its rules, and constants of the blueprint
are brought to the common dtype before TensorFlow sees them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from graphbuilder.backend.legacy_dtypes import cast, counted, dtype_of, fractional, rank, reals, truth
from graphbuilder.backend.legacy_einsum import einsum
from graphbuilder.backend.legacy_shapes import REDUCTIONS, SHAPES
from graphbuilder.catalog.broadcasting import axis_of, result_type
from graphbuilder.catalog.tensor import is_float

__all__ = ["LEGACY_OPS"]


def unary(function: Callable[[Any], Any], prepare: Callable[[Any], Any] | None = None) -> Callable[[Any], Any]:
    """An op that is one function, after its operand is brought to a dtype."""

    def op(x: Any) -> Any:
        return function(x if prepare is None else prepare(x))

    return op


def binary(
    function: Callable[[Any, Any], Any], dtype: Callable[[str], str] = lambda common: common
) -> Callable[[Any, Any], Any]:
    """An op on two operands, after both are brought to their common dtype.

    Arguments:
        function: of TensorFlow.
        dtype: the dtype to compute in, by the common one.
    """

    def op(x1: Any, x2: Any) -> Any:
        common = dtype(result_type(dtype_of(x1), dtype_of(x2)))
        left, right = cast(x1, common), cast(x2, common)
        if not tf.is_tensor(left) and common not in ("float32", "int32", "bool", "string"):
            # A saved model keeps a constant without its dtype, and TensorFlow takes that of the first operand for both.
            left = tf.add(tf.zeros_like(right), left)
        return function(left, right)

    return op


def to_float(common: str) -> str:
    """The dtype of a quotient."""
    return result_type(common, "float")


def power(x1: Any, x2: Any) -> Any:
    """TensorFlow raises no unsigned integers to a power."""
    common = result_type(dtype_of(x1), dtype_of(x2))
    if not common.startswith("uint"):
        return binary(tf.pow)(x1, x2)
    return tf.cast(tf.pow(cast(x1, "int32"), cast(x2, "int32")), common)


def logical(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """An op on two truth values."""

    def op(x1: Any, x2: Any) -> Any:
        return function(truth(x1), truth(x2))

    return op


def where(condition: Any, x1: Any, x2: Any) -> Any:
    condition = truth(condition)
    common = result_type(dtype_of(x1), dtype_of(x2))
    left, right = cast(x1, common), cast(x2, common)
    if not tf.is_tensor(left) and tf.is_tensor(right):
        return tf.where(
            tf.logical_not(condition) if tf.is_tensor(condition) else np.logical_not(condition), right, left
        )
    return tf.where(condition, left, right)


def logaddexp(x1: Any, x2: Any) -> Any:
    common = to_float(result_type(dtype_of(x1), dtype_of(x2)))
    left, right = cast(x1, common), cast(x2, common)
    if not tf.is_tensor(left):
        left, right = right, left
    distance = tf.subtract(left, right)
    grown = tf.math.log1p(tf.exp(tf.negative(tf.abs(distance))))
    return tf.where(tf.math.is_nan(distance), tf.add(left, right), tf.add(tf.maximum(left, right), grown))


def absolute(x: Any) -> Any:
    dtype = dtype_of(x)
    return tf.identity(x) if dtype == "bool" or dtype.startswith("uint") else tf.abs(x)


def sign(x: Any) -> Any:
    dtype = dtype_of(x)
    return tf.cast(tf.sign(tf.cast(x, "int32")), dtype) if dtype.startswith("uint") else tf.sign(x)


def rounded(x: Any, decimals: int = 0) -> Any:
    if decimals == 0:
        return tf.round(x)
    dtype = dtype_of(x)
    if not is_float(dtype) and decimals > 0:
        return tf.identity(x)
    scaled = tf.multiply(cast(x, dtype if is_float(dtype) else "float32"), math.pow(10, decimals))
    return cast(tf.divide(tf.round(scaled), math.pow(10, decimals)), dtype)


def logarithm(base: float) -> Callable[[Any], Any]:
    """A logarithm to another base."""

    def op(x: Any) -> Any:
        return tf.divide(tf.math.log(fractional(x)), math.log(base))

    return op


def clip(x: Any, x_min: float, x_max: float) -> Any:
    return tf.clip_by_value(counted(x), x_min, x_max)


def converted(x: Any, dtype: str | None) -> Any:
    return tf.cast(x, dtype or "float32")


def filled(function: Callable[..., Any]) -> Callable[..., Any]:
    """An op that keeps only the shape of its operand."""

    def op(x: Any, dtype: str | None = None) -> Any:
        return function(x, dtype=dtype or dtype_of(x))

    return op


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    return tf.nn.leaky_relu(x, alpha=negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    found = tf.nn.elu(x)
    return found if alpha == 1 else tf.where(tf.greater(x, 0.0), found, tf.multiply(found, alpha))


def hard_sigmoid(x: Any) -> Any:
    return tf.divide(tf.nn.relu6(tf.add(x, 3.0)), 6.0)


def gelu(x: Any, approximate: bool = True) -> Any:
    return tf.nn.gelu(x, approximate=approximate)


def softened(function: Callable[..., Any]) -> Callable[..., Any]:
    """Softmax, or its logarithm, along an axis or over all elements."""

    def op(x: Any, axis: int | None = -1) -> Any:
        if axis is not None:
            return function(x, axis=axis)
        return tf.reshape(function(tf.reshape(x, [-1]), axis=-1), tf.shape(x))

    return op


def matmul(x1: Any, x2: Any) -> Any:
    result, compute = _product_dtypes(x1, x2)
    left, right = cast(x1, compute), cast(x2, compute)
    if rank(left) == 1 and rank(right) == 1:
        return cast(tf.tensordot(left, right, axes=[[0], [0]]), result)
    if rank(right) == 1:
        return cast(tf.tensordot(left, right, axes=[[-1], [0]]), result)
    if rank(left) == 1:
        return cast(tf.tensordot(left, right, axes=[[0], [-2]]), result)
    return cast(tf.matmul(left, right), result)


def _product_dtypes(*operands: Any) -> tuple[str, str]:
    """The dtype of a product of matrices, and the one to compute in, since TensorFlow multiplies floats best."""
    dtypes = {"int": "int32", "float": "float32"}
    found = [dtypes.get(dtype, dtype) for dtype in map(dtype_of, operands)]
    result = "int32" if set(found) == {"int8"} else result_type(*found)
    return result, result_type(result, "float")


def dot(x1: Any, x2: Any) -> Any:
    result = result_type(dtype_of(x1), dtype_of(x2))
    compute = result_type(result, "float")
    left, right = cast(x1, compute), cast(x2, compute)
    if any(not hasattr(value, "shape") or rank(value) == 0 for value in (left, right)):
        return cast(binary(tf.multiply)(left, right), result)
    return cast(tf.tensordot(left, right, axes=[[-1], [-1 if rank(right) == 1 else -2]]), result)


def named_product(subscripts: str, *operands: Any) -> Any:
    result, compute = _product_dtypes(*operands)
    arrays = [value if hasattr(value, "shape") else np.array(value) for value in operands]
    return cast(einsum(subscripts, [cast(value, compute) for value in arrays]), result)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    common = result_type(*(dtype_of(x) for x in xs))
    return tf.concat([cast(x, common) for x in xs], axis=axis)


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    common = result_type(*(dtype_of(item) for item in x))
    return tf.stack([cast(item, common) for item in x], axis=axis)


def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> Any:
    if isinstance(indices_or_sections, int):
        return tf.split(x, indices_or_sections, axis=axis)
    ends = [*indices_or_sections, int(x.shape[axis])]
    sizes = [end - start for start, end in zip([0, *indices_or_sections], ends, strict=True)]
    return tf.split(x, sizes, axis=axis)


def unstack(x: Any, num: int, axis: int = 0) -> Any:
    return tf.unstack(x, num=num, axis=axis)


def get_item(x: Any, key: tuple[Any, ...]) -> Any:
    # One of the forms in which tf_keras saves a model has no word for an ellipsis.
    named = sum(part is not None and part is not Ellipsis for part in key)
    full: list[Any] = []
    for part in key:
        full += [slice(None)] * (rank(x) - named) if part is Ellipsis else [part]
    return x[tuple(full)]


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    if axis is None:
        x, axis = tf.reshape(x, [-1]), 0
    axis = axis_of(axis, rank(x))
    size = x.shape[axis] if x.shape[axis] is not None else tf.shape(x)[axis]
    if tf.is_tensor(indices) or not isinstance(size, int):
        size = cast(size, dtype_of(indices)) if tf.is_tensor(indices) else size
        if tf.is_tensor(indices):
            indices = tf.where(tf.less(indices, 0), tf.add(indices, size), indices)
        elif np.any(np.asarray(indices) < 0):
            indices = tf.add(
                tf.multiply(size, np.asarray(indices < 0, dtype="int32")), np.asarray(indices, dtype="int32")
            )
    else:
        indices = np.where(np.asarray(indices) < 0, np.asarray(indices) + size, indices)
    return tf.gather(x, indices, axis=axis)


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: str | None = None) -> Any:
    marks = {"on_value": True, "off_value": False} if dtype == "bool" else {}
    return tf.one_hot(cast(x, "int64"), num_classes, axis=axis, dtype=dtype or "float32", **marks)


def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    return tuple(tf.math.top_k(x, k=k, sorted=sorted))


def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: str | Sequence[float] | None = "hann",
    center: bool = True,
) -> Any:
    if center:
        half = fft_length // 2
        x = tf.pad(x, [[0, 0]] * (rank(x) - 1) + [[half, half]], "REFLECT")
    frames = tf.signal.frame(x, fft_length, sequence_stride)
    if window is not None:
        made = {"hann": tf.signal.hann_window, "hamming": tf.signal.hamming_window}
        weights = made[window](sequence_length, periodic=True) if isinstance(window, str) else window
        before = (fft_length - sequence_length) // 2
        padding = (before, fft_length - sequence_length - before)
        frames = tf.multiply(frames, np.pad(np.asarray(weights, dtype=dtype_of(x)), padding))
    # A window function could not be saved, so each frame is weighted first and then transformed by itself.
    spectrum = tf.squeeze(tf.signal.stft(frames, fft_length, fft_length, fft_length, window_fn=None), axis=[-2])
    return tf.math.real(spectrum), tf.math.imag(spectrum)


LEGACY_OPS: dict[str, Callable[..., Any]] = {
    "add": binary(tf.add),
    "subtract": binary(tf.subtract),
    "multiply": binary(tf.multiply),
    "divide": binary(tf.divide, to_float),
    "true_divide": binary(tf.divide, to_float),
    "floor_divide": binary(tf.math.floordiv),
    "mod": binary(tf.math.mod, lambda common: "int32" if common == "bool" else common),
    "power": power,
    "maximum": binary(tf.maximum),
    "minimum": binary(tf.minimum),
    "logaddexp": logaddexp,
    "equal": binary(tf.equal),
    "not_equal": binary(tf.not_equal),
    "greater": binary(tf.greater),
    "greater_equal": binary(tf.greater_equal),
    "less": binary(tf.less),
    "less_equal": binary(tf.less_equal),
    "logical_and": logical(tf.logical_and),
    "logical_or": logical(tf.logical_or),
    "logical_xor": logical(tf.math.logical_xor),
    "logical_not": unary(tf.logical_not, truth),
    "where": where,
    "exp": unary(tf.exp, reals),
    "expm1": unary(tf.math.expm1, reals),
    "log": unary(tf.math.log, fractional),
    "log1p": unary(tf.math.log1p, fractional),
    "log2": logarithm(2),
    "log10": logarithm(10),
    "sqrt": unary(tf.sqrt, fractional),
    "rsqrt": unary(tf.math.rsqrt),
    "reciprocal": unary(tf.math.reciprocal),
    "square": unary(tf.square, counted),
    "absolute": absolute,
    "abs": absolute,
    "negative": unary(tf.negative),
    "sign": sign,
    "sin": unary(tf.sin, fractional),
    "cos": unary(tf.cos, fractional),
    "round": rounded,
    "floor": unary(tf.floor, fractional),
    "ceil": unary(tf.math.ceil, fractional),
    "clip": clip,
    "stop_gradient": unary(tf.stop_gradient),
    "cast": converted,
    "ones_like": filled(tf.ones_like),
    "zeros_like": filled(tf.zeros_like),
    "relu": unary(tf.nn.relu),
    "relu6": unary(tf.nn.relu6),
    "leaky_relu": leaky_relu,
    "elu": elu,
    "selu": unary(tf.nn.selu),
    "gelu": gelu,
    "silu": unary(tf.nn.silu),
    "sigmoid": unary(tf.sigmoid),
    "hard_sigmoid": hard_sigmoid,
    "tanh": unary(tf.tanh, fractional),
    "softplus": unary(tf.math.softplus),
    "softsign": unary(tf.nn.softsign),
    "erf": unary(tf.math.erf),
    "softmax": softened(tf.nn.softmax),
    "log_softmax": softened(tf.nn.log_softmax),
    "concatenate": concatenate,
    "stack": stack,
    "split": split,
    "unstack": unstack,
    "get_item": get_item,
    "take": take,
    "one_hot": one_hot,
    "top_k": top_k,
    "matmul": matmul,
    "dot": dot,
    "einsum": named_product,
    "stft": stft,
    **REDUCTIONS,
    **SHAPES,
}
