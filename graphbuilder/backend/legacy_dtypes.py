"""Brings operands of tf_keras's ops to the dtypes in which Keras 3 computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from graphbuilder.catalog.broadcasting import result_type

__all__ = ["cast", "counted", "dtype_of", "fractional", "rank", "reals", "truth"]


def dtype_of(value: Any) -> str:
    """The dtype of a tensor or array; the weak one of a plain number."""
    if isinstance(value, (bool, int, float)):
        return type(value).__name__
    return str(tf.as_dtype(value.dtype).name)


def cast(value: Any, dtype: str) -> Any:
    """A tensor or constant of that dtype; the same one where it has it already."""
    if isinstance(value, (bool, int, float)):
        kind: Callable[[Any], Any] = bool if dtype == "bool" else int if "int" in dtype else float
        return complex(value) if dtype.startswith("complex") else kind(value)
    if isinstance(value, np.ndarray):
        return value.astype(tf.as_dtype(dtype).as_numpy_dtype)
    return value if dtype_of(value) == dtype else tf.cast(value, dtype)


def fractional(value: Any) -> Any:
    """The operand of a function whose values are fractions, as a float."""
    return cast(value, result_type(dtype_of(value), "float"))


def reals(value: Any) -> Any:
    """As `fractional`, but double precision complex numbers stay."""
    return value if dtype_of(value).startswith("complex") else fractional(value)


def rank(value: Any) -> int:
    """The number of axes."""
    return len(value.shape)


def truth(value: Any) -> Any:
    """Whether elements are other than 0."""
    return cast(value, "bool")


def counted(x: Any) -> Any:
    """The operand of a function that counts true as 1."""
    return cast(x, "int32") if dtype_of(x) == "bool" else x
