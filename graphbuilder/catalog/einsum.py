"""EinsumDense: a projection whose axes an einsum equation names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from graphbuilder.catalog.arguments import (
    GLOROT_UNIFORM,
    ZEROS,
    Activation,
    Constraint,
    Initializer,
    NonNegativeInt,
    Regularizer,
    argument,
    conflict,
    refuse,
)
from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.entry import Example, LayerEntry, Legacy, Outputs, Weight
from graphbuilder.catalog.lora import adapted, lora_conflict
from graphbuilder.catalog.meaning import Reading
from graphbuilder.catalog.ports import CallArgument, Inputs, Misfit, wrong_rank
from graphbuilder.catalog.tensor import BATCH, Dim, TensorType, shape_text

__all__ = ["EinsumDense"]

_FORM = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")
_FORMS = "X,Y->Z, ...X,Y->...Z or X...,Y->Z..., where X, Y and Z are letters"


@dataclass(frozen=True, slots=True)
class _Equation:
    """An einsum equation of an input and a kernel.

    Arguments:
        given: the letters of the input's axes.
        kernel: those of the kernel's.
        result: those of the output's.
        ellipsis: where further axes stand that pass unchanged.
    """

    given: str
    kernel: str
    result: str
    ellipsis: Literal["none", "left", "right"]


def _parsed(text: str) -> _Equation | None:
    """The equation that a text states, or None when it is of no form that Keras takes."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    left, given, right, kernel, left_after, result, right_after = found.groups()
    if (left, right) != (left_after, right_after) or (left and right):
        return None
    if right and len(given) < 2:
        return None
    return _Equation(given, kernel, result, "left" if left else "right" if right else "none")


def _sizes(value: Any) -> Any:
    """One size, or several of which some may be null, as a tuple."""
    found = value if isinstance(value, (list, tuple)) else (value,)
    for item in found:
        open_size = item is None and found is value
        if not open_size and (not isinstance(item, int) or isinstance(item, bool) or item < 1):
            raise refuse("a positive integer, or a list of positive integers and null")
    return tuple(found)


_SIZE = {"type": "integer", "minimum": 1}
_Sizes = Annotated[
    tuple[int | None, ...],
    BeforeValidator(_sizes),
    WithJsonSchema({"anyOf": [_SIZE, {"type": "array", "items": {"anyOf": [_SIZE, {"type": "null"}]}}]}),
]


class EinsumDense(LayerEntry):
    """Multiplies the input by a kernel as an einsum equation says, and adds a bias along chosen axes."""

    family = "core"
    reading = Reading.QUANTITIES
    call_arguments: ClassVar[Mapping[str, CallArgument]] = {
        "training": CallArgument(bool, None, "whether the model is being trained; changes nothing here")
    }
    legacy = Legacy(lacking=("lora_rank", "lora_alpha"))
    examples = (
        Example(
            {"equation": "abc,cd->abd", "output_shape": [None, 64], "bias_axes": "d"},
            (TensorType((BATCH, 32, 128)),),
        ),
        Example(
            {"equation": "...x,xy->...y", "output_shape": 64, "bias_axes": "y", "activation": "relu"},
            (TensorType((BATCH, "steps", 128)),),
        ),
        Example(
            {"equation": "abc,cde->abde", "output_shape": [None, 8, 16], "bias_axes": "de"},
            (TensorType((BATCH, "steps", 128)),),
        ),
    )

    equation: str = argument("letters of the axes: input,kernel->output, with … for axes that pass unchanged")
    output_shape: _Sizes = argument(
        "the output's sizes without the batch and without what … stands for; null stays open"
    )
    activation: Activation = argument("applied to the result", None)
    bias_axes: str | None = argument("letters of the output's axes along which a bias is added; null adds none", None)
    kernel_initializer: Initializer = argument("how the kernel starts", GLOROT_UNIFORM)
    bias_initializer: Initializer = argument("how the bias starts", ZEROS)
    kernel_regularizer: Regularizer = argument("penalty on the kernel", None)
    bias_regularizer: Regularizer = argument("penalty on the bias", None)
    kernel_constraint: Constraint = argument("constraint on the kernel", None)
    bias_constraint: Constraint = argument("constraint on the bias", None)
    lora_rank: NonNegativeInt | None = argument(
        "adapt a frozen kernel by a product of this rank; null trains it all", None
    )
    lora_alpha: float | None = argument("weight of that product, over lora_rank; null means lora_rank", None)

    @model_validator(mode="after")
    def _equation_is_whole(self) -> EinsumDense:
        parts = _parsed(self.equation)
        if parts is None:
            hint = "write it without spaces" if " " in self.equation else None
            raise conflict("equation", f"equation is '{self.equation}'", _FORMS, hint)
        for letter in parts.result:
            if letter not in parts.given and letter not in parts.kernel:
                raise conflict(
                    "equation",
                    f"the output '{parts.result}' has an axis {letter} that neither the input nor the kernel has",
                    f"letters of the input '{parts.given}' or the kernel '{parts.kernel}'",
                )
            if parts.result.count(letter) > 1:
                raise conflict(
                    "equation", f"the output '{parts.result}' has an axis {letter} twice", "each letter once"
                )
        for letter in parts.kernel:
            if letter not in parts.given and letter not in parts.result:
                raise conflict(
                    "equation",
                    f"the kernel '{parts.kernel}' has an axis {letter} of no known size",
                    "each letter of the kernel in the input or the output",
                )
        self._check_sizes(parts)
        error = lora_conflict(self.lora_rank, self.kernel_constraint, "kernel_constraint")
        if error is not None:
            raise error
        return self

    def _check_sizes(self, parts: _Equation) -> None:
        """Refuses an output_shape or bias_axes that the equation proves wrong."""
        axes = len(parts.result)
        wanted = {axes, axes - 1} if parts.ellipsis == "left" else {axes - 1}
        if len(self.output_shape) not in wanted:
            batch = "its first is the batch" if parts.ellipsis != "left" else "the batch is in the ellipsis"
            raise conflict(
                "output_shape",
                f"output_shape has {len(self.output_shape)} sizes, and the output '{parts.result}' has {axes} axes",
                f"{axes if parts.ellipsis == 'left' else axes - 1} sizes",
                f"{batch}; axes that stay as they are, or are not known, are written null",
            )
        if self.bias_axes is not None and (not self.bias_axes or set(self.bias_axes) - set(parts.result)):
            raise conflict("bias_axes", f"bias_axes is '{self.bias_axes}'", f"letters of the output '{parts.result}'")

    def outputs(self, inputs: Inputs) -> Outputs:
        require_dtype(inputs.first, Takes.NUMBERS, "EinsumDense")
        return TensorType(tuple(self._shape(inputs.first)), self.compute_dtype)

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        parts = self._parts
        given = inputs.first
        shape = self._shape(given)
        elided = given.rank - len(parts.given)
        first = elided if parts.ellipsis == "left" else 0
        sizes = {
            **dict(zip(parts.given, given.shape[first:], strict=False)),
            **dict(zip(parts.result, shape[first:], strict=False)),
        }
        kernel = Weight("kernel", tuple(self._known(sizes, letter, given, "kernel") for letter in parts.kernel))
        if self.bias_axes is None:
            return adapted(kernel, self.lora_rank)
        # A bias spans the axes from the first of its own on; those between that it does not vary along have size 1.
        start = min(parts.result.index(letter) for letter in self.bias_axes)
        spanned = [
            self._known(sizes, letter, given, "bias") if letter in self.bias_axes else 1
            for letter in parts.result[start:]
        ]
        trailing = elided if parts.ellipsis == "right" else 0
        return adapted(kernel, self.lora_rank, Weight("bias", (*spanned, *[1] * trailing)))

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """The product of the sizes of all distinct axes but the batch."""
        parts = self._parts
        given = inputs.first
        elided = given.rank - len(parts.given)
        passing = given.shape[:elided] if parts.ellipsis == "left" else given.shape[len(parts.given) :]
        first = elided if parts.ellipsis == "left" else 0
        sizes: dict[str, Dim] = dict(zip(parts.given, given.shape[first:], strict=False))
        sizes.update(zip(parts.kernel, self.weights(inputs)[0].shape, strict=True))
        if first == 0:
            sizes[parts.given[0]] = 1
        else:
            passing = passing[1:]
        involved = [*sizes.values(), *passing]
        known = [size for size in involved if isinstance(size, int)]
        return prod(known) if len(known) == len(involved) else None

    @property
    def _parts(self) -> _Equation:
        parts = _parsed(self.equation)
        assert parts is not None
        return parts

    def _shape(self, given: TensorType) -> list[Dim]:
        """The output's axes, as far as Keras states them: a null of output_shape stays unknown."""
        parts = self._parts
        elided = given.rank - len(parts.given)
        if elided < 0 or (elided > 0 and parts.ellipsis == "none"):
            least = "at least " if parts.ellipsis != "none" else ""
            hint = "begin the equation's input and output with ... to let further axes pass" if elided > 0 else None
            raise wrong_rank(given, f"{least}{len(parts.given)} axes, one for each letter of '{parts.given}'", hint)
        passing_left = given.shape[1:elided] if parts.ellipsis == "left" else ()
        # Keras states them in reverse order, and computes them in theirs.
        stated = [size if isinstance(size, int) else None for size in passing_left]
        if stated != stated[::-1]:
            raise Misfit(
                f"... stands for several axes of the input {shape_text(given.shape)}, which Keras confuses",
                found=shape_text(given.shape),
                expected="at most one axis besides the batch, or axes of one size",
                hint="write a letter for each axis in place of ..., and null for it in output_shape",
            )
        passing_right = given.shape[len(parts.given) :] if parts.ellipsis == "right" else ()
        shape: list[Dim] = [given.shape[0], *passing_left, *self.output_shape, *passing_right]
        if len(shape) != len(parts.result) + elided:
            raise Misfit(
                f"output_shape has {len(self.output_shape)} sizes, and the output '{parts.result}' of the input "
                f"{shape_text(given.shape)} has another number",
                expected=f"{len(parts.result) if elided else len(parts.result) - 1} sizes",
                code="GB203",
                argument="output_shape",
            )
        first = elided if parts.ellipsis == "left" else 0
        seen: dict[str, Dim] = {}
        for letter, size in zip(parts.given, given.shape[first:], strict=False):
            if isinstance(size, int) and isinstance(seen.get(letter), int) and seen[letter] != size:
                raise Misfit(
                    f"axis {letter} is {seen[letter]} and {size} in the input {shape_text(given.shape)}",
                    expected="one size for a letter",
                )
            seen[letter] = size
            if letter not in parts.result:
                continue
            place = first + parts.result.index(letter)
            wanted = shape[place]
            if isinstance(wanted, int) and wanted != size:
                raise self._other_size(letter, wanted, size, given)
            if wanted is None and isinstance(size, str):
                shape[place] = size
        return shape

    def _other_size(self, letter: str, stated: int, size: Dim, given: TensorType) -> Misfit:
        found = f"{size} in" if isinstance(size, int) else "unknown in"
        return Misfit(
            f"axis {letter} is {stated} in output_shape and {found} the input {shape_text(given.shape)}",
            found=str(stated),
            expected="the input's size, or null",
            hint="write null for an axis that the input has",
            argument="output_shape",
        )

    def _known(self, sizes: dict[str, Dim], letter: str, given: TensorType, weight: str) -> int:
        """The size of an axis that a weight needs."""
        size = sizes[letter]
        if isinstance(size, int):
            return size
        parts = self._parts
        batch = parts.ellipsis != "left" and parts.given[0] == letter
        hint = "give the size where the shape comes from, in `inputs:`"
        if batch:
            hint = "no weight can vary along the batch"
        elif letter in parts.result:
            hint = "write its size in output_shape; a null there leaves it unknown"
        raise Misfit(
            f"axis {letter} is unknown for the input {shape_text(given.shape)}, and the {weight}'s size depends on it",
            found=shape_text(given.shape),
            expected="a known size",
            hint=hint,
        )
