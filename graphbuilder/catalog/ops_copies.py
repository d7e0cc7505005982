"""Ops that enlarge a tensor by copies of its elements or by padding."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from graphbuilder.catalog.arguments import argument, conflict, refuse
from graphbuilder.catalog.broadcasting import axis_of
from graphbuilder.catalog.entry import Example, Outputs
from graphbuilder.catalog.ops_common import ANYTHING, Number, as_tuple, whole_bound
from graphbuilder.catalog.ops_shapes import Rearrangement, grown
from graphbuilder.catalog.ports import Inputs, Misfit
from graphbuilder.catalog.tensor import BATCH, Dim, TensorType, elements, shape_text

__all__ = ["Pad", "Repeat", "Tile"]

_SEQUENCE = TensorType((BATCH, 10, 64))
_IMAGE = TensorType((BATCH, 8, 8, 32))


def _counts(value: Any) -> Any:
    found = value if isinstance(value, (list, tuple)) else (value,)
    if not found or any(not isinstance(item, int) or isinstance(item, bool) or item < 0 for item in found):
        raise refuse("a number of repetitions, or a list of them")
    if not any(found):
        raise refuse("repetitions that leave at least one element")
    return tuple(found) if found is value else value


_COUNT = {"type": "integer", "minimum": 0}
_Counts = Annotated[
    int | tuple[int, ...],
    BeforeValidator(_counts),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "array", "items": _COUNT, "minItems": 1}]}),
]


class Repeat(Rearrangement):
    """Repeats each element along an axis, one after the other."""

    examples = (Example({"repeats": 2, "axis": 1}, (_SEQUENCE,)),)

    repeats: _Counts = argument("how often; or a list with a number for each element of the axis")
    axis: int | None = argument("the axis; null lays all elements out in one row first", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        counts = as_tuple(self.repeats)
        if self.axis is None:
            return given.with_shape([self._length(elements(given.shape), counts)])
        axis = axis_of(self.axis, given.rank)
        shape = list(given.shape)
        shape[axis] = self._length(shape[axis], counts)
        return given.with_shape(shape)

    def _length(self, size: Dim, counts: tuple[int, ...]) -> Dim:
        if not isinstance(size, int):
            return size if counts == (1,) else None
        if len(counts) == 1:
            return size * counts[0]
        if len(counts) != size:
            raise Misfit(
                f"repeats has {len(counts)} numbers for {size} elements",
                expected=f"one number, or {size}",
                code="GB203",
                argument="repeats",
            )
        return sum(counts)


def _tiles(value: Any) -> Any:
    found = value if isinstance(value, (list, tuple)) else (value,)
    if any(not isinstance(item, int) or isinstance(item, bool) or item < 1 for item in found):
        raise refuse("a positive integer, or a list of them")
    return tuple(found) if found is value else value


_TILE = {"type": "integer", "minimum": 1}
_Tiles = Annotated[
    int | tuple[int, ...],
    BeforeValidator(_tiles),
    WithJsonSchema({"anyOf": [_TILE, {"type": "array", "items": _TILE}]}),
]


class Tile(Rearrangement):
    """Lays copies of the whole tensor side by side."""

    # TensorFlow has no kernel for it.
    takes = ANYTHING - {"uint16"}
    examples = (Example({"repeats": [1, 2, 1]}, (_SEQUENCE,)),)

    repeats: _Tiles = argument("how many copies along each axis; fewer numbers than axes are for the last ones")

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        counts = as_tuple(self.repeats)
        rank = max(given.rank, len(counts))
        shape = (1,) * (rank - given.rank) + given.shape
        counts = (1,) * (rank - len(counts)) + counts
        return given.with_shape([grown(size, count) for size, count in zip(shape, counts, strict=True)])


def _pad_width(value: Any) -> Any:
    """Pairs of paddings, one for each axis; [[1], [2]] means one number for both sides."""
    expected = "a list with a pair of paddings for each axis, the batch first, such as [[0, 0], [1, 1]]"
    if isinstance(value, int) and not isinstance(value, bool):
        value = [[value]]
    if not isinstance(value, (list, tuple)) or not value:
        raise refuse(expected)
    if isinstance(value[0], int):
        value = [value]
        if len(value[0]) != 2:
            raise refuse(expected)
    pairs = []
    for pair in value:
        if not isinstance(pair, (list, tuple)) or len(pair) not in (1, 2) or len(pair) != len(value[0]):
            raise refuse(expected)
        if any(not isinstance(item, int) or isinstance(item, bool) or item < 0 for item in pair):
            raise refuse("paddings of 0 or more")
        pairs.append((pair[0], pair[-1]))
    return tuple(pairs)


_PAIR = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 2, "maxItems": 2}
_PadWidth = Annotated[
    tuple[tuple[int, int], ...],
    BeforeValidator(_pad_width),
    WithJsonSchema({"type": "array", "items": _PAIR, "minItems": 1}),
]


class Pad(Rearrangement):
    """Adds elements at the ends of axes."""

    examples = (
        Example({"pad_width": [[0, 0], [1, 1], [1, 1], [0, 0]]}, (_IMAGE,)),
        Example({"pad_width": [[0, 0], [2, 2], [0, 0]], "mode": "reflect"}, (_SEQUENCE,)),
    )

    pad_width: _PadWidth = argument("a pair (before, after) for each axis, the batch first")
    mode: Literal["constant", "reflect", "symmetric"] = argument(
        "constant: one value; reflect: mirrored without the edge; symmetric: with the edge", "constant"
    )
    constant_values: Number | None = argument("the value to pad with; null means 0", None)

    @model_validator(mode="after")
    def _constant(self) -> Pad:
        if self.constant_values is not None and self.mode != "constant":
            raise conflict(
                "constant_values",
                f"constant_values stands beside mode {self.mode}",
                "null",
                "leave constant_values out",
            )
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        if len(self.pad_width) != given.rank:
            raise Misfit(
                f"pad_width has {len(self.pad_width)} pair{'' if len(self.pad_width) == 1 else 's'}, and the tensor "
                f"{shape_text(given.shape)} has {given.rank} axes",
                expected=f"{given.rank} pairs, the batch first",
                hint="write [0, 0] for an axis that stays as it is",
                code="GB203",
                argument="pad_width",
            )
        if self.constant_values is not None:
            whole_bound(given, self.constant_values, "constant_values")
            if given.dtype in ("bool", "string"):
                raise Misfit(
                    f"constant_values is {self.constant_values}, and x is {given.dtype}",
                    expected="null, which pads with false or with empty strings",
                    code="GB203",
                    argument="constant_values",
                )
        return given.with_shape(
            [
                self._padded(size, pair, axis)
                for axis, (size, pair) in enumerate(zip(given.shape, self.pad_width, strict=True))
            ]
        )

    def _padded(self, size: Dim, pair: tuple[int, int], axis: int) -> Dim:
        if not isinstance(size, int):
            return size if pair == (0, 0) else None
        most = {"constant": max(pair), "reflect": size - 1, "symmetric": size}[self.mode]
        if max(pair) > most:
            raise Misfit(
                f"axis {axis} of size {size} is padded by {max(pair)}, more than {self.mode} can mirror",
                found=str(max(pair)),
                expected=f"at most {most}",
                code="GB203",
                argument="pad_width",
            )
        return size + sum(pair)
