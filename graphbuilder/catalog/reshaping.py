"""Layers that rearrange values without computing any."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from graphbuilder.catalog.arguments import DataFormat, PositiveInt, argument, as_written, conflict, refuse
from graphbuilder.catalog.entry import Example, LayerEntry, Masking, Outputs
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.catalog.ports import Inputs, Misfit, wrong_rank
from graphbuilder.catalog.tensor import BATCH, Dim, Shape, TensorType, elements, shape_text

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


def _sizes(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        raise refuse("a list of sizes without the batch axis, one of which may be -1")
    for item in value:
        positive = isinstance(item, int) and not isinstance(item, bool) and (item >= 1 or item == -1)
        if item is not None and not positive:
            raise refuse("a list of positive integers, one of which may be -1")
    unknown = sum(item in (None, -1) for item in value)
    if unknown > 1:
        raise conflict((), f"{unknown} sizes of {as_written(value)} are left open", "at most one -1")
    return tuple(value)


_SIZE = {"anyOf": [{"type": "integer", "minimum": 1}, {"const": -1}, {"type": "null"}]}

_Sizes = Annotated[
    tuple[int | None, ...],
    BeforeValidator(_sizes),
    Field(strict=False),
    WithJsonSchema({"type": "array", "items": _SIZE}),
]


def _order(value: Any) -> Any:
    expected = "a list of the axes from 1 on, each once; the batch axis, 0, is left out"
    if not isinstance(value, (list, tuple)) or any(
        not isinstance(item, int) or isinstance(item, bool) for item in value
    ):
        raise refuse(expected)
    if sorted(value) != list(range(1, len(value) + 1)):
        raise refuse(expected)
    return tuple(value)


_Order = Annotated[
    tuple[int, ...],
    BeforeValidator(_order),
    Field(strict=False),
    WithJsonSchema({"type": "array", "items": {"type": "integer", "minimum": 1}, "uniqueItems": True}),
]


def _laid_out(shape: Shape) -> Dim:
    """The size of one axis that holds all elements; a name stays when nothing else is in it."""
    more = [dim for dim in shape if dim != 1]
    return more[0] if len(more) == 1 else elements(shape)


def _known(shape: tuple[Dim, ...]) -> int:
    """The product of the sizes that are known."""
    return elements(dim for dim in shape if isinstance(dim, int) and dim > 0) or 1


class Flatten(LayerEntry):
    """Lays all axes but the batch out in one."""

    family = "reshaping"
    masking = Masking.LOSES
    keeping = Keeping.NUMBERS
    examples = (Example({}, (TensorType((BATCH, 7, 7, 64)),)),)

    data_format: DataFormat | None = argument("where the channels stand; null means channels_last", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.rank < 1:
            raise wrong_rank(given, "a batch axis")
        return TensorType((given.shape[0], _laid_out(given.shape[1:])), self.cast(given.dtype))


class Reshape(LayerEntry):
    """Lays the values of every sample out in another shape; one size may be -1, and follows from the others."""

    family = "reshaping"
    masking = Masking.LOSES
    keeping = Keeping.NUMBERS
    examples = (
        Example({"target_shape": [7, 7, 64]}, (TensorType((BATCH, 3136)),)),
        Example({"target_shape": [-1, 4]}, (TensorType((BATCH, 10, 8)),)),
    )

    target_shape: _Sizes = argument("the sizes without the batch axis; -1 is what is left")

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.rank < 1:
            raise wrong_rank(given, "a batch axis")
        return TensorType((given.shape[0], *self._reshaped(given.shape[1:])), self.cast(given.dtype))

    def _reshaped(self, shape: Shape) -> Shape:
        total, wanted, target = elements(shape), _known(self.target_shape), self.target_shape
        is_open = -1 in target or None in target
        if total is None:
            if not is_open and wanted % _known(shape):
                raise self._misfit(shape, f"a multiple of {_known(shape)} elements")
            unknown = [dim for dim in shape if not isinstance(dim, int)]
            # What is left is the one axis whose size is unknown, if all others account for all sizes stated.
            left = unknown[0] if len(unknown) == 1 and _known(shape) == wanted else None
            return tuple(left if dim == -1 else dim for dim in target)
        if total % wanted if is_open else total != wanted:
            raise self._misfit(shape, f"sizes that divide {total}" if is_open else f"sizes whose product is {total}")
        # Keras infers the size for -1, and leaves the one for null unknown.
        return tuple(total // wanted if dim == -1 else dim for dim in target)

    def _misfit(self, shape: Shape, expected: str) -> Misfit:
        total = elements(shape)
        return Misfit(
            f"{'the' if total is None else f'the {total}'} elements of {shape_text(shape)} do not fit into "
            f"{as_written(self.target_shape)}",
            found=as_written(self.target_shape),
            expected=expected,
            hint="the batch axis is not part of target_shape",
            argument="target_shape",
        )


class Permute(LayerEntry):
    """Puts the axes behind the batch in another order."""

    family = "reshaping"
    masking = Masking.LOSES
    keeping = Keeping.NUMBERS
    examples = (Example({"dims": [2, 1]}, (TensorType((BATCH, 10, 64)),)),)

    dims: _Order = argument("for each axis of the output, which axis of the input it is, counted from 1")

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.rank != len(self.dims) + 1:
            behind = max(given.rank - 1, 0)
            raise Misfit(
                f"dims is {as_written(self.dims)} for the {behind} axes behind the batch of {shape_text(given.shape)}",
                found=as_written(self.dims),
                expected="each of these axes once, counted from 1",
                argument="dims",
            )
        return TensorType((given.shape[0], *(given.shape[axis] for axis in self.dims)), self.cast(given.dtype))


class RepeatVector(LayerEntry):
    """Makes a sequence of a vector by repeating it: (batch, features) becomes (batch, n, features)."""

    family = "reshaping"
    masking = Masking.LOSES
    keeping = Keeping.NUMBERS
    examples = (Example({"n": 10}, (TensorType((BATCH, 64)),)),)

    n: PositiveInt = argument("how often it is repeated; the steps of the output")

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.rank != 2:
            raise wrong_rank(given, "(batch, features)", "flatten the input first" if given.rank > 2 else None)
        return TensorType((given.shape[0], self.n, given.shape[1]), self.cast(given.dtype))
