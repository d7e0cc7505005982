"""Arithmetic of shapes and dtypes that all operations on several tensors share: broadcasting, axes, promotion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphbuilder.catalog.ports import Misfit
from graphbuilder.catalog.tensor import Dim, Shape, TensorType, promote, shape_text

__all__ = ["axes_of", "axis_of", "broadcast", "may_equal", "result_type", "same_but_for", "without_axes"]


def may_equal(first: Dim, second: Dim) -> bool:
    """Whether two axes can have the same size: only two different known sizes cannot."""
    return first == second or not (isinstance(first, int) and isinstance(second, int))


def broadcast(*shapes: Shape) -> Shape:
    """The shape of an elementwise result.

    Shapes are aligned at their last axes. An axis of 1 takes on the other's size; an unknown axis beside a known size
    other than 1 is taken to be that size, as Keras does. An axis keeps its name where all have the name or 1.

    Raises:
        Misfit: two axes differ, and neither is 1.

    Example:
        >>> broadcast(("batch", 1, 64), ("batch", 10, 1), (64,))
        ('batch', 10, 64)
        >>> broadcast(("batch", None), ("batch", 8))
        ('batch', 8)
    """
    result: Shape = ()
    for shape in shapes:
        rank = max(len(result), len(shape))
        left = (1,) * (rank - len(result)) + result
        right = (1,) * (rank - len(shape)) + shape
        axes = list(zip(left, right, strict=True))
        for index, (first, second) in enumerate(axes):
            if not may_equal(first, second) and 1 not in (first, second):
                raise _not_broadcast(result, shape, index - rank)
        result = tuple(_one(first, second) for first, second in axes)
    return result


def _one(first: Dim, second: Dim) -> Dim:
    """The size of an axis of the result, given that the two agree."""
    if first == second or second == 1:
        return first
    if first == 1:
        return second
    return next((size for size in (first, second) if isinstance(size, int)), None)


def _not_broadcast(first: Shape, second: Shape, axis: int) -> Misfit:
    ones = shape_text(first), shape_text(second)
    hint = "reshape one of them, or insert axes of 1 with expand_dims"
    if len(first) != len(second):
        hint = "axes are matched from the last; insert axes of 1 with expand_dims where they should stand"
    return Misfit(
        f"shapes {ones[0]} and {ones[1]} do not go together: axis {axis} is {first[axis]} in one and {second[axis]} in "
        "the other",
        found=" and ".join(ones),
        expected="equal sizes, or 1 in one of them",
        hint=hint,
    )


def same_but_for(tensors: Sequence[TensorType], axis: int | None) -> None:
    """Sees that tensors agree in all axes but one.

    Arguments:
        tensors: at least one.
        axis: the axis that may differ, not negative; None when none may.

    Raises:
        Misfit: their numbers of axes, or their sizes, differ.
    """
    first = tensors[0]
    but = "" if axis is None else f" but axis {axis}"
    known = dict(enumerate(first.shape))
    for number, other in enumerate(tensors[1:], 2):
        told = f"tensor {number} is {shape_text(other.shape)} and tensor 1 is {shape_text(first.shape)}"
        if other.rank != first.rank:
            raise Misfit(
                f"tensor {number} has {other.rank} axes, and tensor 1 has {first.rank}",
                found=told,
                expected="the same number of axes in all",
                hint="add or remove axes with expand_dims, squeeze or reshape",
            )
        for index, size in enumerate(other.shape):
            if index != axis and not may_equal(known[index], size):
                raise Misfit(
                    f"axis {index} is {size} in tensor {number}, and {known[index]} in one before it",
                    found=told,
                    expected=f"the same size in every axis{but}",
                    hint="bring them to one shape first, or choose another axis",
                )
            known[index] = size if isinstance(size, int) else known[index]


def axis_of(axis: int, rank: int, argument: str = "axis") -> int:
    """An axis counted from the front.

    Arguments:
        axis: counted from the end when negative.
        rank: how many axes there are.
        argument: the argument that it was written in.

    Raises:
        Misfit: there is no such axis.

    Example:
        >>> axis_of(-1, 3)
        2
    """
    if -rank <= axis < rank:
        return axis % rank
    has = "has no axes" if rank == 0 else f"has {rank} {'axis' if rank == 1 else 'axes'}, the batch axis included"
    raise Misfit(
        f"{argument} is {axis}, and the tensor {has}",
        found=str(axis),
        expected=None if rank == 0 else f"from {-rank} to {rank - 1}",
        hint="axis 0 is the batch, and -1 is the last axis",
        code="GB203",
        argument=argument,
    )


def axes_of(axes: int | Iterable[int] | None, rank: int, argument: str = "axis") -> tuple[int, ...]:
    """Axes counted from the front, in the order given; all of them for None.

    Raises:
        Misfit: there is no such axis, or one is named twice.

    Example:
        >>> axes_of((-1, 1), 4), axes_of(None, 2)
        ((3, 1), (0, 1))
    """
    if axes is None:
        return tuple(range(rank))
    found = tuple(axis_of(axis, rank, argument) for axis in ((axes,) if isinstance(axes, int) else axes))
    for index, axis in enumerate(found):
        if axis in found[:index]:
            raise Misfit(
                f"{argument} names axis {axis} twice",
                expected="each axis once",
                hint="negative axes are counted from the end",
                code="GB203",
                argument=argument,
            )
    return found


def without_axes(shape: Shape, axes: Iterable[int], keepdims: bool = False) -> Shape:
    """The shape that is left when axes are reduced.

    Arguments:
        shape: of the tensor.
        axes: the reduced ones, not negative.
        keepdims: whether they stay, with size 1.

    Example:
        >>> without_axes(("batch", 8, 8, 3), (1, 2)), without_axes(("batch", 8), (1,), keepdims=True)
        (('batch', 3), ('batch', 1))
    """
    gone = set(axes)
    if keepdims:
        return tuple(1 if axis in gone else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in gone)


def result_type(*dtypes: str) -> str:
    """The dtype that operands of these dtypes are brought to, complex numbers included.

    Raises:
        Misfit: they have no common dtype, because one is a string.

    Example:
        >>> result_type("int32", "float"), result_type("float16", "complex128")
        ('float32', 'complex64')
    """
    if "string" in dtypes and set(dtypes) != {"string"}:
        others = ", ".join(dict.fromkeys(dtype for dtype in dtypes if dtype != "string"))
        raise Misfit(
            f"a string meets {others}",
            found=" and ".join(dict.fromkeys(dtypes)),
            expected="strings only, or numbers only",
            hint="look words up first, with StringLookup or TextVectorization",
            code="GB305",
        )
    # Keras has no complex results of double precision, as it has no unsigned ones of 64 bits.
    return "complex64" if any(dtype.startswith("complex") for dtype in dtypes) else promote(*dtypes)
