"""What tensors take in memory, as far as their sizes are known."""

from __future__ import annotations

from graphbuilder.catalog import TensorType
from graphbuilder.catalog.tensor import elements

__all__ = ["item_bytes", "sample_bytes"]

# What one number takes in bytes. A string is only pointed to, so that what it takes is not known.
_BYTES = {
    "bool": 1,
    "uint8": 1,
    "int8": 1,
    "uint16": 2,
    "int16": 2,
    "float16": 2,
    "bfloat16": 2,
    "uint32": 4,
    "int32": 4,
    "float32": 4,
    "uint64": 8,
    "int64": 8,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
}


def item_bytes(dtype: str) -> int | None:
    """What one number of a dtype takes, in bytes; None where that is not one size.

    Example:
        >>> item_bytes("float16"), item_bytes("string")
        (2, None)
    """
    return _BYTES.get(dtype)


def sample_bytes(tensor: TensorType | None) -> int | None:
    """What a tensor takes for one sample, in bytes; None where an axis is unknown or the dtype has no one size.

    Arguments:
        tensor: the tensor. An axis of the name `batch` counts as one, wherever it stands.

    Example:
        >>> sample_bytes(TensorType(("batch", 62, 62, 32))), sample_bytes(TensorType(("batch", "steps", 40)))
        (492032, None)
    """
    if tensor is None:
        return None
    count = elements(tuple(axis for axis in tensor.shape if axis != "batch"))
    size = item_bytes(tensor.dtype)
    return None if count is None or size is None else count * size
