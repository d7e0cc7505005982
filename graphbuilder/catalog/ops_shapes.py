"""Ops that rearrange elements: new axes, other orders, repetitions and padding."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from graphbuilder.catalog.arguments import Axes, DataFormat, argument, as_written, conflict, refuse
from graphbuilder.catalog.broadcasting import axes_of, axis_of, without_axes
from graphbuilder.catalog.entry import Example, Outputs
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.catalog.ops_common import ANYTHING, Integers, TensorOp, as_tuple
from graphbuilder.catalog.ports import Inputs, Misfit, wrong_rank
from graphbuilder.catalog.tensor import BATCH, Dim, Shape, TensorType, elements, shape_text

__all__ = [
    "DepthToSpace",
    "ExpandDims",
    "Flip",
    "Moveaxis",
    "Rearrangement",
    "Reshape",
    "Roll",
    "SpaceToDepth",
    "Squeeze",
    "Swapaxes",
    "Transpose",
    "grown",
]

_SEQUENCE = TensorType((BATCH, 10, 64))
_IMAGE = TensorType((BATCH, 8, 8, 32))


class Rearrangement(TensorOp):
    """What ops share that compute nothing."""

    family = "shapes"
    keeping = Keeping.NUMBERS
    takes = ANYTHING


class ExpandDims(Rearrangement):
    """Inserts axes of size 1."""

    examples = (Example({"axis": -1}, (_SEQUENCE,)), Example({"axis": [1, 2]}, (TensorType((BATCH, 64)),)))

    axis: Axes = argument("where they stand in the output, the batch being 0")

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        new = as_tuple(self.axis)
        rank = given.rank + len(new)
        inserted = set(axes_of(new, rank))
        rest = iter(given.shape)
        return given.with_shape([1 if axis in inserted else next(rest) for axis in range(rank)])


class Squeeze(Rearrangement):
    """Drops axes of size 1."""

    examples = (Example({"axis": -1}, (TensorType((BATCH, 10, 1)),)),)

    axis: Integers | None = argument("the axes to drop; null for all that are known to be 1", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        if self.axis is None:
            return given.with_shape([size for size in given.shape if size != 1])
        axes = axes_of(self.axis, given.rank)
        for axis in axes:
            if given.shape[axis] != 1:
                size = given.shape[axis] if isinstance(given.shape[axis], int) else "unknown"
                raise Misfit(
                    f"axis {axis} of {shape_text(given.shape)} is {size}",
                    found=str(size),
                    expected="an axis of size 1",
                    hint="to reduce it, use an op such as mean or max; to pick one element, get_item",
                )
        return given.with_shape(without_axes(given.shape, axes))


def _new_shape(value: Any) -> Any:
    sizes = value if isinstance(value, (list, tuple)) else (value,)
    if any(not isinstance(item, int) or isinstance(item, bool) or (item < 1 and item != -1) for item in sizes):
        raise refuse("a list of sizes, the batch first; -1 for one that follows from the others")
    if list(sizes).count(-1) > 1:
        raise refuse("at most one -1")
    return tuple(sizes)


_SIZE = {"anyOf": [{"type": "integer", "minimum": 1}, {"const": -1}]}
_NewShape = Annotated[
    tuple[int, ...],
    BeforeValidator(_new_shape),
    WithJsonSchema({"anyOf": [_SIZE, {"type": "array", "items": _SIZE}]}),
]


class Reshape(Rearrangement):
    """Lays the elements out in another shape, in the same order. The batch axis is part of the shape."""

    examples = (Example({"newshape": [-1, 8, 80]}, (_SEQUENCE,)),)

    newshape: _NewShape = argument("the sizes, the batch first; -1 for one that follows from the others")

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        known = prod(size for size in self.newshape if size != -1)
        count = elements(given.shape)
        if count is None:
            least = prod(size for size in given.shape if isinstance(size, int))
            if -1 not in self.newshape and known % least:
                message = f"{shape_text(self.newshape)} has {known} elements, not those of {shape_text(given.shape)}"
                raise self._misfit(message, f"a product that {least} divides")
            rest = self._open_size(given.shape, known)
            return given.with_shape([rest if size == -1 else size for size in self.newshape])
        filled = f"{shape_text(given.shape)} has {count} elements, which do not fill {shape_text(self.newshape)}"
        if -1 not in self.newshape:
            if count != known:
                raise self._misfit(filled, f"{count} elements")
            return given.with_shape(self.newshape)
        if count % known:
            raise self._misfit(filled, f"sizes whose product divides {count}")
        return given.with_shape([count // known if size == -1 else size for size in self.newshape])

    @staticmethod
    def _open_size(shape: Shape, known: int) -> Dim:
        """The size that -1 stands for: an unknown axis of the input, when all others take the others' place."""
        unknown = [size for size in shape if not isinstance(size, int)]
        rest = prod(size for size in shape if isinstance(size, int))
        return unknown[0] if len(unknown) == 1 and rest == known else None

    @staticmethod
    def _misfit(message: str, expected: str) -> Misfit:
        hint = "the first size is the batch; write -1 for it"
        return Misfit(message, expected=expected, hint=hint, code="GB203", argument="newshape")


class Transpose(Rearrangement):
    """Puts the axes into another order."""

    examples = (Example({"axes": [0, 2, 1]}, (_SEQUENCE,)),)

    axes: Integers | None = argument("the axes of the input in their new order; null reverses them", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        if self.axes is None:
            return given.with_shape(given.shape[::-1])
        axes = axes_of(self.axes, given.rank, "axes")
        if len(axes) != given.rank:
            raise Misfit(
                f"axes names {len(axes)} axes, and the tensor has {given.rank}, the batch axis included",
                found=str(list(as_tuple(self.axes))),
                expected=f"each of 0 to {given.rank - 1} once",
                code="GB203",
                argument="axes",
            )
        return given.with_shape([given.shape[axis] for axis in axes])

    @model_validator(mode="before")
    @classmethod
    def _a_list(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("axes"), int):
            raise conflict("axes", f"axes is {data['axes']}", "a list of all axes")
        return data


class Swapaxes(Rearrangement):
    """Exchanges two axes."""

    examples = (Example({"axis1": 1, "axis2": 2}, (_SEQUENCE,)),)

    axis1: int = argument("one axis")
    axis2: int = argument("the other axis")

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        first, second = axis_of(self.axis1, given.rank, "axis1"), axis_of(self.axis2, given.rank, "axis2")
        shape = list(given.shape)
        shape[first], shape[second] = shape[second], shape[first]
        return given.with_shape(shape)


class Moveaxis(Rearrangement):
    """Moves axes to other places; the others keep their order."""

    examples = (Example({"source": -1, "destination": 1}, (_IMAGE,)),)

    source: Axes = argument("the axes to move")
    destination: Axes = argument("where each of them goes")

    @model_validator(mode="after")
    def _pairs(self) -> Moveaxis:
        if len(as_tuple(self.source)) != len(as_tuple(self.destination)):
            raise conflict(
                "destination",
                f"destination names {len(as_tuple(self.destination))} axes and source {len(as_tuple(self.source))}",
                "as many as source",
            )
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        source = axes_of(self.source, given.rank, "source")
        moved = dict(zip(axes_of(self.destination, given.rank, "destination"), source, strict=True))
        rest = iter(axis for axis in range(given.rank) if axis not in source)
        return given.with_shape(
            [given.shape[moved[axis] if axis in moved else next(rest)] for axis in range(given.rank)]
        )


class Flip(Rearrangement):
    """Reverses the order of the elements along axes."""

    examples = (Example({"axis": 1}, (_SEQUENCE,)),)

    axis: Axes | None = argument("the axes to reverse; null for all", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        axes_of(self.axis, given.rank)
        return given


class Roll(Rearrangement):
    """Shifts the elements along axes; what leaves at one end comes in at the other."""

    examples = (Example({"shift": 1, "axis": 1}, (_SEQUENCE,)),)

    shift: Integers = argument("by how many places, one number for each axis")
    axis: Integers | None = argument("the axes; null shifts all elements, laid out in one row", None)

    @model_validator(mode="after")
    def _pairs(self) -> Roll:
        axes = 0 if self.axis is None else self.axis
        if isinstance(self.shift, tuple) != isinstance(axes, tuple) or len(as_tuple(self.shift)) != len(as_tuple(axes)):
            expected = f"a list of {len(axes)}" if isinstance(axes, tuple) else "one integer"
            message = f"shift is {as_written(self.shift)}, and axis is {as_written(self.axis)}"
            raise conflict("shift", message, expected, "write one shift for each axis")
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        for axis in () if self.axis is None else as_tuple(self.axis):
            axis_of(axis, given.rank)
        return given


def grown(size: Dim, count: int) -> Dim:
    """An axis that is so many times as long."""
    if isinstance(size, int):
        return size * count
    return size if count == 1 else None


class _Blocks(Rearrangement):
    """What the moves between channels and the image's plane share."""

    block_size: Annotated[int, Field(ge=2)] = argument("height and width of a block")
    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", "channels_last")

    def _split(self, given: TensorType) -> tuple[Dim, Dim, Dim]:
        """Height, width and channels."""
        first = self.data_format == "channels_first"
        if given.rank != 4:
            axes = "(batch, channels, height, width)" if first else "(batch, height, width, channels)"
            raise wrong_rank(given, axes)
        if first:
            return given.shape[2], given.shape[3], given.shape[1]
        return given.shape[1], given.shape[2], given.shape[3]

    def _joined(self, given: TensorType, height: Dim, width: Dim, channels: Dim) -> TensorType:
        if self.data_format == "channels_first":
            return given.with_shape((given.shape[0], channels, height, width))
        return given.with_shape((given.shape[0], height, width, channels))


def _divided(size: Dim, by: int, what: str) -> Dim:
    if not isinstance(size, int):
        return None
    if size % by:
        raise Misfit(f"{what} {size} cannot be divided by {by}", found=str(size), expected=f"a multiple of {by}")
    return size // by


class DepthToSpace(_Blocks):
    """Lays the channels of each pixel out as a block of pixels: an image larger by block_size, with fewer channels."""

    examples = (Example({"block_size": 2}, (_IMAGE,)),)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        height, width, channels = self._split(given)
        fewer = _divided(channels, self.block_size**2, "the number of channels")
        return self._joined(given, grown(height, self.block_size), grown(width, self.block_size), fewer)


class SpaceToDepth(_Blocks):
    """Collects each block of pixels in the channels of one: an image smaller by block_size, with more channels."""

    examples = (Example({"block_size": 2}, (_IMAGE,)),)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        height, width, channels = self._split(given)
        less = _divided(height, self.block_size, "the height"), _divided(width, self.block_size, "the width")
        return self._joined(given, *less, grown(channels, self.block_size**2))
