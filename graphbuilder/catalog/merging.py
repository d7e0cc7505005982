"""Merging: layers that make one tensor of several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, WithJsonSchema

from graphbuilder.catalog.arguments import Axis, argument, refuse
from graphbuilder.catalog.broadcasting import axes_of
from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Masking, MaskOps, Outputs, Tensor
from graphbuilder.catalog.meaning import Keeping, Reading
from graphbuilder.catalog.merge_hints import concatenating_hint, elementwise_hint, nth
from graphbuilder.catalog.ports import Inputs, Misfit, Port
from graphbuilder.catalog.tensor import BATCH, Dim, TensorType, elements, shape_text

__all__ = ["Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"]


class _Merge(LayerEntry):
    """What merging layers share."""

    family = "merging"
    masking = Masking.PASSES
    ports = (Port("inputs", many=True),)
    # How many tensors there must be, where not any number of them.
    count: ClassVar[int | None] = None

    def _tensors(self, inputs: Inputs) -> tuple[TensorType, ...]:
        found = inputs.many("inputs")
        if self.count is not None and len(found) != self.count:
            raise Misfit(
                f"{self.name()} is given {len(found)} tensors",
                found=str(len(found)),
                expected=f"exactly {self.count}",
                code="GB303",
            )
        for position, tensor in enumerate(found):
            if not tensor.rank:
                raise Misfit(
                    f"the {nth(position)} input is a single number",
                    expected="tensors with a batch axis",
                    hint="use an op to compute with a number, such as {op: add, from: [x, 2.0]}",
                    code="GB303",
                )
        return found


class _Elementwise(_Merge):
    """What merging position by position shares.

    Behind the batch, shapes are aligned at their last axes; an axis of size 1, or one that is missing, is spread over
    the others' size. An unknown axis beside a known one gives an unknown one.
    """

    all_masked = True
    takes: ClassVar[Takes] = Takes.NUMBERS
    examples: ClassVar[tuple[Example, ...]] = (
        Example({}, ((TensorType((BATCH, 8, 8, 64)), TensorType((BATCH, 8, 8, 64))),)),
        Example({}, ((TensorType((BATCH, "steps", 32)), TensorType((BATCH, 32)), TensorType((BATCH, 1, 32))),)),
    )

    def outputs(self, inputs: Inputs) -> Outputs:
        tensors = self._tensors(inputs)
        self._check_dtypes(tensors)
        shape = (_merged_batch(tensors), *_merged_axes(tensors))
        return TensorType(shape, self.compute_dtype)

    def mask_of_output(
        self, ops: MaskOps[Tensor], given: Sequence[Tensor], masks: Sequence[Tensor | None]
    ) -> Tensor | None:
        found = [mask for mask in masks if mask is not None]
        if len(found) < len(masks):
            return None
        return reduce(lambda one, two: ops.apply("logical_or", {"x1": one, "x2": two}), found)

    def _check_dtypes(self, tensors: Sequence[TensorType]) -> None:
        if len(tensors) == 1:
            # One tensor alone is passed on.
            return
        for tensor in tensors:
            require_dtype(tensor, self.takes, self.name())
        # Keras merges them one after the other, and its backend has no arithmetic for two tensors of bool.
        if tensors[0].dtype == tensors[1].dtype == "bool":
            raise Misfit(
                f"{self.name()} cannot compute with bool and bool",
                found="bool",
                expected="numbers",
                hint="use {op: logical_or} or {op: logical_and}, or cast them first with {op: cast, dtype: int32}",
                code="GB305",
            )


def _merged_batch(tensors: Sequence[TensorType]) -> Dim:
    batches = [tensor.shape[0] for tensor in tensors]
    known = [size for size in batches if isinstance(size, int)]
    for size in known:
        if size != known[0]:
            raise Misfit(
                f"the batches of the inputs have {known[0]} and {size} samples",
                found=str(size),
                expected="the same batch in all inputs",
            )
    if known:
        return known[0]
    return batches[0] if batches.count(batches[0]) == len(batches) else None


def _merged_axes(tensors: Sequence[TensorType]) -> tuple[Dim, ...]:
    """The axes behind the batch."""
    merged: list[Dim] = []
    givers: list[int] = []
    for position, tensor in enumerate(tensors):
        axes = tensor.shape[1:]
        missing = len(axes) - len(merged)
        merged = [*axes[:missing], *merged] if missing > 0 else merged
        givers = [*[position] * missing, *givers] if missing > 0 else givers
        for place in range(1, len(axes) - max(missing, 0) + 1):
            had, new = merged[-place], axes[-place]
            if isinstance(had, int) and isinstance(new, int) and had != new and 1 not in (had, new):
                raise _unequal(tensors, givers[-place], position, place)
            if had == 1:
                merged[-place], givers[-place] = new, position
            elif new not in (1, had):
                merged[-place] = None
    return tuple(merged)


def _unequal(tensors: Sequence[TensorType], one: int, other: int, place: int) -> Misfit:
    """The misfit of two inputs that differ in an axis, counted from the last, which is 1."""
    first, second = tensors[one], tensors[other]
    return Misfit(
        f"axis {_axis_text(place, first, second)} is {first.shape[-place]} in the {nth(one)} input, "
        f"{shape_text(first.shape)}, and {second.shape[-place]} in the {nth(other)}, {shape_text(second.shape)}",
        found=shape_text(second.shape),
        expected="the same size, or 1, in every axis behind the batch",
        hint=elementwise_hint(first, second, place),
    )


def _axis_text(place: int, first: TensorType, second: TensorType) -> str:
    return str(first.rank - place) if first.rank == second.rank else f"-{place}"


class Add(_Elementwise):
    """Adds tensors, position by position."""

    def _check_dtypes(self, tensors: Sequence[TensorType]) -> None:
        if any(tensor.dtype != "string" for tensor in tensors):
            super()._check_dtypes(tensors)


class Subtract(_Elementwise):
    """Subtracts the second tensor from the first."""

    ports = (Port("inputs", many=True, least=2),)
    count = 2
    examples = (Example({}, ((TensorType((BATCH, 32)), TensorType((BATCH, 32))),)),)


class Multiply(_Elementwise):
    """Multiplies tensors, position by position."""


class Average(_Elementwise):
    """Takes the mean of tensors, position by position."""

    def _check_dtypes(self, tensors: Sequence[TensorType]) -> None:
        # Even one tensor alone is divided by their number.
        super()._check_dtypes((*tensors, *tensors))


class Maximum(_Elementwise):
    """Takes the largest of the tensors' values, position by position."""

    takes = Takes.REAL


class Minimum(_Elementwise):
    """Takes the smallest of the tensors' values, position by position."""

    takes = Takes.REAL


class Concatenate(_Merge):
    """Lays tensors one after the other along an axis."""

    keeping = Keeping.NUMBERS

    examples = (
        Example({}, ((TensorType((BATCH, 64)), TensorType((BATCH, 32))),)),
        Example({"axis": 1}, ((TensorType((BATCH, "steps", 32)), TensorType((BATCH, 1, 32))),)),
    )

    axis: Axis = argument("the axis along which they are laid", -1)

    def outputs(self, inputs: Inputs) -> Outputs:
        tensors = self._tensors(inputs)
        if any(tensor.dtype == "string" for tensor in tensors):
            for tensor in tensors:
                if tensor.dtype != "string":
                    raise Misfit(
                        f"strings and {tensor.dtype} have no common dtype",
                        found=tensor.dtype,
                        expected="strings only, or numbers only",
                        hint="turn the strings into numbers first, with a StringLookup layer",
                        code="GB305",
                    )
        first = tensors[0]
        for position, tensor in enumerate(tensors):
            if tensor.rank != first.rank:
                raise Misfit(
                    f"the first input has {first.rank} axes, {shape_text(first.shape)}, and the {nth(position)} has "
                    f"{tensor.rank}, {shape_text(tensor.shape)}",
                    found=shape_text(tensor.shape),
                    expected="the same number of axes",
                    hint="bring them to one number of axes first, with Flatten, Reshape or global pooling",
                )
        (along,) = axes_of(self.axis, first.rank)
        for axis in range(first.rank):
            if axis != along:
                self._check_equal(tensors, axis, along)
        sizes = [tensor.shape[along] for tensor in tensors]
        known = [size for size in sizes if isinstance(size, int)]
        shape = list(first.shape)
        if len(sizes) > 1:
            shape[along] = sum(known) if len(known) == len(sizes) else None
        return TensorType(tuple(shape), self.compute_dtype)

    def mask_of_output(
        self, ops: MaskOps[Tensor], given: Sequence[Tensor], masks: Sequence[Tensor | None]
    ) -> Tensor | None:
        if all(mask is None for mask in masks):
            return None
        spread = [_spread_mask(ops, *each) for each in zip(given, masks, strict=True)]
        return ops.apply("any", {"x": ops.apply("concatenate", {"xs": spread}, axis=self.axis)}, axis=-1)

    def _check_equal(self, tensors: Sequence[TensorType], axis: int, along: int) -> None:
        known = [position for position, tensor in enumerate(tensors) if isinstance(tensor.shape[axis], int)]
        for position in known:
            first, other = tensors[known[0]], tensors[position]
            if other.shape[axis] != first.shape[axis]:
                raise Misfit(
                    f"axis {axis} is {first.shape[axis]} in the {nth(known[0])} input, {shape_text(first.shape)}, and "
                    f"{other.shape[axis]} in the {nth(position)}, {shape_text(other.shape)}",
                    found=shape_text(other.shape),
                    expected=f"equal sizes in every axis but axis {along}, along which they are laid",
                    hint=concatenating_hint(first, other, axis, along),
                )


def _spread_mask(ops: MaskOps[Tensor], given: Tensor, mask: Tensor | None) -> Tensor:
    """A mask with the axes of the tensor that it is of."""
    if mask is None:
        return ops.apply("ones_like", {"x": given}, dtype="bool")
    mine, theirs = ops.rank(mask), ops.rank(given)
    if mine is not None and mine == theirs:
        return mask
    nothing = ops.apply("zeros_like", {"x": given}, dtype="bool")
    return ops.apply("logical_or", {"x1": ops.apply("expand_dims", {"x": mask}, axis=-1), "x2": nothing})


def _two_axes(value: object) -> object:
    """One axis for both tensors, or one for each, as a tuple."""
    items = value if isinstance(value, (list, tuple)) else (value,)
    if not all(isinstance(item, int) and not isinstance(item, bool) for item in items):
        raise refuse("an integer or a list of two integers")
    if items is value and len(items) != 2:
        raise refuse("an integer or a list of two integers")
    return tuple(items) if items is value else value


_INTEGER = {"type": "integer"}
_TwoAxes = Annotated[
    int | tuple[int, int],
    BeforeValidator(_two_axes),
    WithJsonSchema({"anyOf": [_INTEGER, {"type": "array", "items": _INTEGER, "minItems": 2, "maxItems": 2}]}),
]


class Dot(_Merge):
    """Multiplies two tensors along one axis of each and sums there, sample by sample."""

    # The output has no mask, and Keras says nothing of it.
    masking = Masking.CONSUMES
    reading = Reading.QUANTITIES
    ports = (Port("inputs", many=True, least=2),)
    count = 2
    examples = (
        Example({"axes": 1, "normalize": True}, ((TensorType((BATCH, 64)), TensorType((BATCH, 64))),)),
        Example({"axes": [2, 2]}, ((TensorType((BATCH, 10, 64)), TensorType((BATCH, "keys", 64))),)),
    )

    axes: _TwoAxes = argument("the axis to sum over, or one for each tensor")
    normalize: bool = argument(
        "whether vectors are scaled to length 1 first, which gives the cosine of their angle", False
    )

    def outputs(self, inputs: Inputs) -> Outputs:
        first, second = self._tensors(inputs)
        for position, tensor in enumerate((first, second)):
            require_dtype(tensor, Takes.FLOATS if self.normalize else Takes.NUMBERS, "Dot")
            if tensor.rank < 2:
                raise Misfit(
                    f"the {nth(position)} input has no axis behind the batch, {shape_text(tensor.shape)}",
                    found=shape_text(tensor.shape),
                    expected="(batch, …, features)",
                )
        axes = self._axes(first, second)
        if 0 in axes:
            raise Misfit("axes has that of the batch", found="0", expected="axes behind the batch", argument="axes")
        _merged_batch((first, second))
        one, other = first.shape[axes[0]], second.shape[axes[1]]
        # Keras compares them where only one is known, too.
        if one != other and (isinstance(one, int) or isinstance(other, int)):
            raise Misfit(
                f"axis {axes[0]} of the first input, {shape_text(first.shape)}, and axis {axes[1]} of the second, "
                f"{shape_text(second.shape)}, differ",
                found=shape_text(second.shape),
                expected="axes of one size"
                if isinstance(one, int) and isinstance(other, int)
                else "both known, or neither",
                hint="sum over other axes, or bring them to one size with a Dense",
                argument="axes",
            )
        shape = [dim for axis, dim in enumerate(first.shape) if axis != axes[0]]
        shape += [dim for axis, dim in enumerate(second.shape) if axis not in (0, axes[1])]
        return TensorType((*shape, 1) if len(shape) == 1 else tuple(shape), self.compute_dtype)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        assert isinstance(outputs, TensorType)
        first, second = inputs.many("inputs")
        produced = elements(outputs.shape[1:])
        summed = first.shape[self._axes(first, second)[0]]
        return produced * summed if produced is not None and isinstance(summed, int) else None

    def _axes(self, first: TensorType, second: TensorType) -> tuple[int, int]:
        one, other = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        return axes_of(one, first.rank, "axes")[0], axes_of(other, second.rank, "axes")[0]
