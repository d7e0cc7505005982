"""Ops that pick elements by position, and that turn positions into vectors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import EllipsisType
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from graphbuilder.catalog.arguments import PositiveInt, argument, refuse
from graphbuilder.catalog.broadcasting import axis_of
from graphbuilder.catalog.entry import Example, OpEntry, Outputs
from graphbuilder.catalog.meaning import Keeping, Reading
from graphbuilder.catalog.ops_common import ANYTHING, REALS, DTypeName, TensorOp, a_tensor, require
from graphbuilder.catalog.ports import Inputs, Misfit, Port
from graphbuilder.catalog.tensor import BATCH, Dim, TensorType, shape_text

__all__ = ["GetItem", "OneHot", "Take", "TopK", "parse_key"]

_SEQUENCE = TensorType((BATCH, 10, 64))

# One part of an index between brackets: an integer, a slice, a new axis, or the axes that are not named.
Part: TypeAlias = int | slice | EllipsisType | None

_INTEGER = r"[+-]?\d{1,18}"
_SLICE = re.compile(rf"({_INTEGER})?\s*:\s*({_INTEGER})?\s*(?::\s*({_INTEGER})?)?")


@cache
def parse_key(text: str) -> tuple[Part, ...]:
    """The parts of an index in Python's syntax, such as `..., 0` or `:, 1:, ::2`.

    Raises:
        ValueError: it is of another form; the message says what stands there.

    Example:
        >>> parse_key("..., 0"), parse_key(":, -1")
        ((Ellipsis, 0), (slice(None, None, None), -1))
    """
    inside = text.strip()
    if inside.startswith("[") and inside.endswith("]"):
        inside = inside[1:-1]
    pieces = [piece.strip() for piece in inside.split(",")]
    if len(pieces) > 1 and not pieces[-1]:
        pieces.pop()
    parts = tuple(_part(piece) for piece in pieces)
    if sum(part is Ellipsis for part in parts) > 1:
        raise ValueError("'...' stands there twice")
    return parts


def _part(text: str) -> Part:
    if text == "...":
        return Ellipsis
    if text in ("None", "newaxis"):
        return None
    if re.fullmatch(_INTEGER, text):
        return int(text)
    found = _SLICE.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no index")
    if found[3] is not None and int(found[3]) == 0:
        raise ValueError("a slice has step 0")
    return slice(*(None if bound is None else int(bound) for bound in found.groups()))


def _key(value: Any) -> Any:
    """An index as text; YAML reads `[..., 0]` as a list, and `0` as an integer."""
    expected = "an index as in Python, such as '..., 0' or ':, 1:, ::2'"
    listed = value if isinstance(value, (list, tuple)) else [value]
    if not listed or any(not isinstance(item, (int, str)) or isinstance(item, bool) for item in listed):
        raise refuse(expected)
    text = ", ".join(str(item) for item in listed)
    try:
        parse_key(text)
    except ValueError as error:
        raise refuse(expected, str(error)) from None
    return text


_KEY_SCHEMA = {
    "anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "array", "items": {"type": ["string", "integer"]}}]
}
_Key = Annotated[str, BeforeValidator(_key), WithJsonSchema(_KEY_SCHEMA)]


class GetItem(TensorOp):
    """Picks elements by index, as Python does between square brackets. The first axis is the batch."""

    family = "indexing"
    keeping = Keeping.NUMBERS
    takes = ANYTHING
    examples = (
        Example({"key": "..., 0"}, (_SEQUENCE,)),
        Example({"key": ":, 1:, ::2"}, (_SEQUENCE,)),
    )

    key: _Key = argument("the index, such as '..., 0', ':, -1' or ':, 2:5'; None inserts an axis")

    def keras_call(self, arguments: Mapping[str, Any], call: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        return [arguments["x"], parse_key(self.key)], {}

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        key = parse_key(self.key)
        named = sum(part is not None and part is not Ellipsis for part in key)
        if named > given.rank:
            raise self._misfit(
                f"the key has {named} indices, and the tensor {shape_text(given.shape)} has {given.rank} axes",
                f"at most {given.rank} indices",
            )
        if Ellipsis not in key:
            key = (*key, Ellipsis)
        shape: list[Dim] = []
        axis = 0
        for part in key:
            if part is None:
                shape.append(1)
            elif part is Ellipsis:
                skipped = given.rank - named
                shape += given.shape[axis : axis + skipped]
                axis += skipped
            else:
                if isinstance(part, slice):
                    shape.append(self._sliced(given, axis, part))
                else:
                    self._check_index(given, axis, part)
                axis += 1
        return given.with_shape(shape)

    def _sliced(self, given: TensorType, axis: int, part: slice) -> Dim:
        size = given.shape[axis]
        if not isinstance(size, int):
            if _always_empty(part):
                raise self._misfit(
                    f"the slice of axis {axis} holds no element, whatever its size", "at least one element"
                )
            whole = part.start is None and part.stop is None and part.step in (None, 1, -1)
            return size if whole else None
        length = len(range(*part.indices(size)))
        if length == 0:
            raise self._misfit(f"the slice of axis {axis}, of size {size}, holds no element", "at least one element")
        return length

    def _check_index(self, given: TensorType, axis: int, index: int) -> None:
        size = given.shape[axis]
        if isinstance(size, int) and not -size <= index < size:
            raise self._misfit(f"axis {axis} has no element {index}; its size is {size}", f"from {-size} to {size - 1}")

    def _misfit(self, message: str, expected: str) -> Misfit:
        hint = "the first index is for the batch; write ':' or '...' to keep it"
        return Misfit(message, found=self.key, expected=expected, hint=hint, code="GB203", argument="key")


def _always_empty(part: slice) -> bool:
    """Whether a slice holds nothing of an axis of any size."""
    if part.start is not None and part.stop is not None and (part.start < 0) != (part.stop < 0):
        return False
    # Bounds that are counted from one end keep their distance whatever the size, so one that is long stands for all.
    start, stop, step = part.indices(10**20)
    return start >= stop if step > 0 else start <= stop


# TensorFlow picks by no others.
_POSITIONS = frozenset({"int16", "int32", "int64"})


class Take(OpEntry):
    """Picks elements along an axis by a tensor of positions, negative ones counted from the end."""

    family = "indexing"
    keeping = Keeping.NUMBERS
    ports = (Port("x"), Port("indices", about="the positions, of dtype int16, int32 or int64"))
    examples = (
        Example({"axis": 1}, (_SEQUENCE, TensorType((3,), "int32"))),
        Example({"axis": 1}, (_SEQUENCE, TensorType((), "int"))),
    )

    axis: int | None = argument("the axis to pick along; null lays all elements out in one row first", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = a_tensor(inputs.one("x"), "take")
        indices = inputs.one("indices")
        require(indices.dtype, _POSITIONS, "take", "indices", "cast it first, with {op: cast, dtype: int32}")
        if self.axis is None:
            return given.with_shape(indices.shape)
        axis = axis_of(self.axis, given.rank)
        return given.with_shape((*given.shape[:axis], *indices.shape, *given.shape[axis + 1 :]))


class OneHot(TensorOp):
    """Turns each whole number into a vector with a one at its place."""

    family = "indexing"
    reading = Reading.NAMES
    examples = (Example({"num_classes": 10}, (TensorType((BATCH, 12), "int32"),)),)

    num_classes: PositiveInt = argument("the length of the vectors")
    axis: int = argument("where their axis stands in the output; -1 means last", -1)
    dtype: DTypeName | None = argument("the dtype of the output; null means float32", None)
    # A sparse tensor is a type of its own, which few layers take.
    sparse: Literal[False] = argument("whether the output is a sparse tensor; only false is supported", False)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        if self.dtype == "string":
            raise Misfit("dtype is 'string'", expected="a dtype of numbers", code="GB203", argument="dtype")
        if self.axis == -1:
            axis = given.rank
        elif 0 <= self.axis < given.rank:
            axis = self.axis
        else:
            raise Misfit(
                f"axis is {self.axis}, and the tensor has {given.rank} axes",
                found=str(self.axis),
                expected="-1" if given.rank == 0 else f"-1, or from 0 to {given.rank - 1}",
                code="GB203",
                argument="axis",
            )
        return TensorType((*given.shape[:axis], self.num_classes, *given.shape[axis:]), self.dtype or "float32")


class TopK(TensorOp):
    """The largest elements along the last axis, and their positions: two outputs."""

    family = "indexing"
    takes = REALS
    examples = (Example({"k": 3}, (TensorType((BATCH, 10)),)),)

    k: PositiveInt = argument("how many")
    sorted: bool = argument("whether the largest comes first", True)

    def output_count(self, call: Mapping[str, Any]) -> int | None:
        return 2

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        size = given.shape[axis_of(-1, given.rank)]
        if isinstance(size, int) and self.k > size:
            raise Misfit(
                f"k is {self.k}, and the last axis has size {size}",
                found=str(self.k),
                expected=f"at most {size}",
                code="GB203",
                argument="k",
            )
        shape = (*given.shape[:-1], self.k)
        return TensorType(shape, given.dtype), TensorType(shape, "int32")
