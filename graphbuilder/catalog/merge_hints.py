"""How to make tensors fit that are to be merged, for messages."""

from __future__ import annotations

from graphbuilder.catalog.tensor import TensorType

__all__ = ["concatenating_hint", "elementwise_hint", "nth"]

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def nth(position: int) -> str:
    """A position that counts from 0, as people count."""
    return _ORDINALS[position] if position < len(_ORDINALS) else f"{position + 1}th"


def elementwise_hint(first: TensorType, second: TensorType, place: int) -> str:
    """How to bring two inputs to one size.

    Arguments:
        first: one input.
        second: the other.
        place: the axis in which they differ, counted from the last, which is 1.
    """
    if first.rank != second.rank:
        return "their last axes are aligned; bring them to one number of axes first, with Reshape or global pooling"
    if place == 1:
        return f"{_projected(first, 'second')}, or use Concatenate"
    return f"bring them to one size with {_resized(first)}"


def concatenating_hint(first: TensorType, second: TensorType, axis: int, along: int) -> str:
    """How to make two inputs fit to be laid one after the other.

    Arguments:
        first: one input.
        second: the other.
        axis: where they differ and may not.
        along: the axis along which they are laid.
    """
    differing = [
        place
        for place, (one, other) in enumerate(zip(first.shape, second.shape, strict=True))
        if isinstance(one, int) and isinstance(other, int) and one != other
    ]
    if differing == [axis] and axis > 0:
        return f"write axis: {axis} to lay them along the axis in which they differ"
    if axis == first.rank - 1:
        return _projected(first, "second")
    if axis == 0:
        return "both must come from one batch"
    return f"bring them to one size with {_resized(first)}"


def _projected(tensor: TensorType, which: str) -> str:
    size = tensor.shape[-1]
    if tensor.rank == 4:
        return f"bring the {which} to {size} channels with a Conv2D (filters: {size}, kernel_size: 1)"
    return f"bring the {which} to {size} features with a Dense (units: {size})"


def _resized(tensor: TensorType) -> str:
    if tensor.rank in (3, 4, 5):
        rank = tensor.rank - 2
        return f"strides, a pooling layer, Cropping{rank}D or UpSampling{rank}D"
    return "a Reshape, or a layer that shrinks the larger one"
