"""What layers ask of their inputs: axes that exist, sizes that weights need, dtypes with which they can compute.

Keras states the output of most layers without looking at the input's dtype, and fails when the model runs; what would
fail then is refused here.
"""

from __future__ import annotations

from collections.abc import Set
from enum import Enum

from graphbuilder.catalog.ports import Misfit
from graphbuilder.catalog.tensor import DTYPES, TensorType, is_float, shape_text

__all__ = ["Takes", "known_axis", "require_dtype"]

_FLOATS = frozenset(dtype for dtype in (*DTYPES, "float") if is_float(dtype))
_INTEGERS = frozenset(dtype for dtype in (*DTYPES, "int") if dtype.startswith(("int", "uint")))
_COMPLEX = frozenset(dtype for dtype in DTYPES if dtype.startswith("complex"))
_BOOL = frozenset({"bool"})


class Takes(Enum):
    """The dtypes with which something can be computed, and how a message calls them.

    Arguments:
        dtypes: their names.
        text: as it reads after "expected".
    """

    ANYTHING = (frozenset({*DTYPES, "int", "float"}), "any dtype")
    NUMBERS = (_FLOATS | _INTEGERS | _COMPLEX | _BOOL, "numbers")
    REAL = (_FLOATS | _INTEGERS | _BOOL, "real numbers")
    FLOATS_OR_BOOL = (_FLOATS | _BOOL, "a float dtype or bool")
    FLOATS_OR_COMPLEX = (_FLOATS | _COMPLEX, "a float or complex dtype")
    FLOATS_OR_INTEGERS = (_FLOATS | _INTEGERS, "a float or integer dtype")
    FLOATS_OR_WIDE_INTEGERS = (
        _FLOATS | {"int32", "int64", "uint32", "uint64", "int"},
        "a float dtype, or integers of 32 or 64 bits",
    )
    FLOATS = (_FLOATS, "a float dtype")

    def __init__(self, dtypes: Set[str], text: str) -> None:
        self.dtypes = dtypes
        self.text = text


def require_dtype(tensor: TensorType, takes: Takes, who: str) -> None:
    """Refuses a tensor with which Keras would fail when the model runs.

    Arguments:
        tensor: the input.
        takes: what can be computed with.
        who: what computes, as it begins a sentence.

    Raises:
        Misfit: the dtype is another one.
    """
    if tensor.dtype in takes.dtypes:
        return
    hint = "cast it first, with {op: cast, dtype: float32}"
    if tensor.dtype == "string":
        hint = "turn strings into numbers first, with a StringLookup, Hashing or TextVectorization layer"
    elif tensor.dtype in _COMPLEX:
        hint = "take its magnitude first, with {op: abs}"
    raise Misfit(
        f"{who} cannot compute with {tensor.dtype}", found=tensor.dtype, expected=takes.text, hint=hint, code="GB305"
    )


def known_axis(tensor: TensorType, axis: int, why: str) -> int:
    """The size of an axis that a weight needs.

    Arguments:
        tensor: the input.
        axis: counted from the end when negative.
        why: what needs it, as it reads after "and".

    Raises:
        Misfit: the size is unknown.
    """
    size = tensor.shape[axis]
    if not isinstance(size, int):
        name = "the last axis" if axis in (-1, tensor.rank - 1) else f"axis {axis % tensor.rank}"
        first = axis % tensor.rank == 0
        raise Misfit(
            f"{name} of the input {shape_text(tensor.shape)} is unknown, and {why}",
            found=shape_text(tensor.shape),
            expected="another axis than the batch" if first else "a known size there",
            hint=None if first else "give the size where the shape comes from, in `inputs:`",
        )
    return size
