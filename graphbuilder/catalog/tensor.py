"""The type of a tensor as the check knows it: a shape whose axes may be unknown, and a dtype."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

__all__ = ["BATCH", "DTYPES", "Dim", "Shape", "TensorType", "elements", "is_float", "promote", "shape_text"]

# A size known exactly, the name of an unknown size that is the same wherever the name stands, or plain unknown.
Dim: TypeAlias = int | str | None
Shape: TypeAlias = tuple[Dim, ...]

# The batch axis is a named unknown axis like any other; its name is reserved.
BATCH = "batch"

_FLOATS = ("bfloat16", "float16", "float32", "float64")
DTYPES = (
    "bool",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    *_FLOATS,
    "complex64",
    "complex128",
    "string",
)


@dataclass(frozen=True, slots=True)
class TensorType:
    """What is known of a tensor before any number is computed.

    Arguments:
        shape: every axis, the batch axis first where there is one.
        dtype: a name of `DTYPES`; for a plain Python number the weak types "int", "float" and "bool", which take on
            the dtype of the tensors they meet.

    Example:
        >>> TensorType((BATCH, 64, 64, 3))
        TensorType(shape=('batch', 64, 64, 3), dtype='float32')
    """

    shape: Shape
    dtype: str = "float32"

    @property
    def rank(self) -> int:
        """The number of axes, the batch axis included."""
        return len(self.shape)

    def with_shape(self, shape: Iterable[Dim]) -> TensorType:
        """The same dtype in another shape."""
        return TensorType(tuple(shape), self.dtype)

    def __str__(self) -> str:
        suffix = "" if self.dtype == "float32" else f" {self.dtype}"
        return shape_text(self.shape) + suffix


def shape_text(shape: Iterable[Dim]) -> str:
    """A shape as people write it.

    Example:
        >>> shape_text(("batch", None, 64))
        '(batch, ?, 64)'
    """
    axes = ["?" if dim is None else str(dim) for dim in shape]
    return f"({axes[0]},)" if len(axes) == 1 else f"({', '.join(axes)})"


def elements(shape: Iterable[Dim]) -> int | None:
    """The number of elements, or None when an axis is unknown.

    Example:
        >>> elements((3, 3, 64)), elements((3, None))
        (576, None)
    """
    sizes = tuple(shape)
    known = [dim for dim in sizes if isinstance(dim, int)]
    return prod(known) if len(known) == len(sizes) else None


def is_float(dtype: str) -> bool:
    """Whether a dtype is one of the floating kinds that Keras casts between."""
    return dtype in _FLOATS or dtype == "float"


# The promotion lattice of JAX, which Keras follows: each dtype with the dtypes directly above it.
# Source: https://docs.jax.dev/en/latest/type_promotion.html
_ABOVE: dict[str, tuple[str, ...]] = {
    "bool": ("int",),
    "int": ("uint8", "int8"),
    "int8": ("int16",),
    "uint8": ("int16", "uint16"),
    "int16": ("int32",),
    "uint16": ("int32", "uint32"),
    "int32": ("int64",),
    "uint32": ("int64", "uint64"),
    "int64": ("float",),
    "uint64": ("float",),
    "float": ("bfloat16", "float16"),
    "bfloat16": ("float32",),
    "float16": ("float32",),
    "float32": ("float64",),
    "float64": (),
}


def _reachable(dtype: str) -> set[str]:
    seen = {dtype}
    waiting = [dtype]
    while waiting:
        for above in _ABOVE[waiting.pop()]:
            if above not in seen:
                seen.add(above)
                waiting.append(above)
    return seen


def promote(*dtypes: str) -> str:
    """The dtype of an elementwise result, by the rule of `keras.backend.result_type`.

    Arguments:
        dtypes: the operands' dtypes; "int", "float" and "bool" stand for plain Python numbers.

    Raises:
        ValueError: the dtypes have no common type (a string and a number, say).

    Example:
        >>> promote("int32", "float"), promote("float16", "float32"), promote("uint8", "int8")
        ('float32', 'float32', 'int16')
    """
    distinct = set(dtypes)
    if len(distinct) == 1:
        found = distinct.pop()
    else:
        unknown = distinct - _ABOVE.keys()
        if unknown:
            raise ValueError(f"{' and '.join(sorted(distinct))} have no common dtype")
        common = set.intersection(*(_reachable(dtype) for dtype in distinct))
        found = next(dtype for dtype in _ABOVE if dtype in common and common <= _reachable(dtype))
    # Keras gives a plain number its default width, and has no 64-bit unsigned results.
    return {"int": "int32", "float": "float32", "uint64": "uint32"}.get(found, found)
