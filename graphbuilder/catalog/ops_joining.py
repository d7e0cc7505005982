"""Ops that join tensors into one, or part one into several."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from graphbuilder.catalog.arguments import argument, refuse
from graphbuilder.catalog.broadcasting import axis_of, result_type, same_but_for
from graphbuilder.catalog.entry import Example, OpEntry, Outputs
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.catalog.ops_common import ANYTHING, MOST_PARTS, Parts, TensorOp, a_tensor
from graphbuilder.catalog.ports import Inputs, Misfit, Port
from graphbuilder.catalog.tensor import BATCH, Dim, TensorType, shape_text

__all__ = ["Concatenate", "Split", "Stack", "Unstack"]

_FEATURES = TensorType((BATCH, 64))


class _Join(OpEntry):
    """What the two ways to join share."""

    family = "joining"
    keeping = Keeping.NUMBERS

    axis: int = argument("the axis along which they are joined, the batch being 0", 0)

    def _tensors(self, inputs: Inputs) -> tuple[tuple[TensorType, ...], str]:
        """The tensors, and the dtype that they are brought to."""
        port = self.ports[0].name
        found = tuple(a_tensor(tensor, self.name(), f"a tensor of {port}") for tensor in inputs.many(port))
        return found, result_type(*(tensor.dtype for tensor in found))


class Concatenate(_Join):
    """Joins tensors along an axis that they have."""

    ports = (Port("xs", many=True),)
    examples = (Example({"axis": -1}, ((_FEATURES, TensorType((BATCH, 32))),)),)

    def outputs(self, inputs: Inputs) -> Outputs:
        tensors, dtype = self._tensors(inputs)
        first = tensors[0]
        axis = axis_of(self.axis, first.rank)
        same_but_for(tensors, axis)
        shape = list(first.shape)
        if len(tensors) > 1:
            sizes = [tensor.shape[axis] for tensor in tensors]
            known = [size for size in sizes if isinstance(size, int)]
            shape[axis] = sum(known) if len(known) == len(sizes) else None
        return TensorType(tuple(shape), dtype)


class Stack(_Join):
    """Joins tensors of one shape along a new axis."""

    ports = (Port("x", many=True),)
    examples = (Example({"axis": 1}, ((_FEATURES, _FEATURES),)),)

    def outputs(self, inputs: Inputs) -> Outputs:
        tensors, dtype = self._tensors(inputs)
        first = tensors[0]
        axis = axis_of(self.axis, first.rank + 1)
        same_but_for(tensors, None)
        return TensorType((*first.shape[:axis], len(tensors), *first.shape[axis:]), dtype)


def _cuts(value: Any) -> Any:
    """A number of parts, or the places of the cuts."""
    expected = "a number of equal parts, or a list of rising places to cut at"
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= MOST_PARTS:
            raise refuse(f"from 1 to {MOST_PARTS} parts")
        return value
    if not isinstance(value, (list, tuple)) or not value:
        raise refuse(expected)
    last = 0
    for cut in value:
        if not isinstance(cut, int) or isinstance(cut, bool) or cut <= last:
            raise refuse(expected)
        last = cut
    return tuple(value)


_CUT = {"type": "integer", "minimum": 1}
_Cuts = Annotated[
    int | tuple[int, ...],
    BeforeValidator(_cuts),
    WithJsonSchema({"anyOf": [_CUT, {"type": "array", "items": _CUT, "minItems": 1}]}),
]


class Split(TensorOp):
    """Parts a tensor along an axis, into equal parts or at given places."""

    family = "joining"
    keeping = Keeping.NUMBERS
    takes = ANYTHING
    examples = (
        Example({"indices_or_sections": 2, "axis": -1}, (_FEATURES,)),
        Example({"indices_or_sections": [16, 48], "axis": 1}, (_FEATURES,)),
    )

    indices_or_sections: _Cuts = argument(
        "the number of equal parts; or the places of the cuts, as [2, 5] for 0–1, 2–4, 5–"
    )
    axis: int = argument("the axis that is cut, the batch being 0", 0)

    def output_count(self, call: Mapping[str, Any]) -> int | None:
        cuts = self.indices_or_sections
        return cuts if isinstance(cuts, int) else len(cuts) + 1

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        axis = axis_of(self.axis, given.rank)
        sizes = self._sizes(given, axis)
        return tuple(given.with_shape((*given.shape[:axis], size, *given.shape[axis + 1 :])) for size in sizes)

    def _sizes(self, given: TensorType, axis: int) -> list[Dim]:
        size = given.shape[axis]
        cuts = self.indices_or_sections
        if isinstance(cuts, int):
            if not isinstance(size, int):
                return [size if cuts == 1 else None] * cuts
            if size % cuts:
                raise self._misfit(
                    f"axis {axis} of {size} cannot be cut into {cuts} equal parts", f"a divisor of {size}"
                )
            return [size // cuts] * cuts
        if not isinstance(size, int):
            # Keras announces the parts, and cannot cut them when the model is run on more than one batch size.
            raise self._misfit(
                f"axis {axis} of {shape_text(given.shape)} is unknown", "a known size, or a number of equal parts"
            )
        if cuts[-1] >= size:
            raise self._misfit(f"the last cut is at {cuts[-1]}, and axis {axis} has size {size}", f"cuts before {size}")
        ends = (*cuts, size)
        return [end - start for start, end in zip((0, *cuts), ends, strict=True)]

    @staticmethod
    def _misfit(message: str, expected: str) -> Misfit:
        return Misfit(message, expected=expected, code="GB203", argument="indices_or_sections")


class Unstack(TensorOp):
    """Parts a tensor along an axis into its elements, which lack that axis."""

    family = "joining"
    keeping = Keeping.NUMBERS
    takes = ANYTHING
    examples = (Example({"num": 3, "axis": 1}, (TensorType((BATCH, 3, 64)),)),)

    # Keras can read it off the shape; here the number of outputs must be known where the shape is not.
    num: Parts = argument("the size of the axis, so that the number of outputs is known")
    axis: int = argument("the axis that is parted, the batch being 0", 0)

    def output_count(self, call: Mapping[str, Any]) -> int | None:
        return self.num

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        axis = axis_of(self.axis, given.rank)
        size = given.shape[axis]
        if isinstance(size, int) and size != self.num:
            raise Misfit(
                f"num is {self.num}, and axis {axis} of {shape_text(given.shape)} has size {size}",
                found=str(self.num),
                expected=str(size),
                code="GB203",
                argument="num",
            )
        part = given.with_shape((*given.shape[:axis], *given.shape[axis + 1 :]))
        return (part,) * self.num
