"""Ops of linear algebra: products of matrices and sums over named axes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator

from graphbuilder.catalog.arguments import argument, refuse
from graphbuilder.catalog.broadcasting import broadcast, may_equal, result_type
from graphbuilder.catalog.entry import Example, OpEntry, Outputs
from graphbuilder.catalog.meaning import Reading
from graphbuilder.catalog.ops_common import COMPLEX, NUMBERS, REALS, BinaryOp, a_tensor, require
from graphbuilder.catalog.ports import Inputs, Misfit, Port
from graphbuilder.catalog.tensor import BATCH, Dim, Shape, TensorType, elements, shape_text
from graphbuilder.errors import Hint

__all__ = ["Dot", "Einsum", "Matmul"]

_HEADS = TensorType((BATCH, 8, "steps", 64))


def _work(sizes: Iterable[Dim]) -> int | None:
    """The product of sizes without the batch axis, or None when one of them is unknown."""
    found = list(sizes)
    if BATCH in found:
        found.remove(BATCH)
    return elements(found)


def _not_matched(left: Shape, right: Shape, first: Dim, second: Dim, places: tuple[str, str]) -> Misfit:
    return Misfit(
        f"{places[0]} of x1 {shape_text(left)} is {first}, and {places[1]} of x2 {shape_text(right)} is {second}",
        found=f"{shape_text(left)} and {shape_text(right)}",
        expected="the same size",
        hint="transpose one of them, or bring it to that size with a Dense",
    )


class Matmul(BinaryOp):
    """Multiplies matrices: the last axis of x1 with the last but one of x2. Axes before them are broadcast."""

    family = "linear algebra"
    reading = Reading.QUANTITIES
    examples = (
        Example({}, (_HEADS, TensorType((BATCH, 8, 64, "steps")))),
        Example({}, (TensorType((BATCH, 32)), TensorType((32, 16)))),
    )

    def outputs(self, inputs: Inputs) -> Outputs:
        left, right = inputs.one("x1"), inputs.one("x2")
        for port, found in (("x1", left), ("x2", right)):
            if found.rank == 0:
                raise Misfit(
                    f"{port} of matmul has no axes",
                    expected="a vector or matrices",
                    hint="multiply by a number with multiply",
                )
        common = result_type(left.dtype, right.dtype)
        require(common, NUMBERS, "matmul", "x1 with x2")
        rows = left.shape if left.rank > 1 else (1, *left.shape)
        columns = right.shape if right.rank > 1 else (*right.shape, 1)
        if not may_equal(rows[-1], columns[-2]):
            places = ("the last axis", "the last axis but one" if right.rank > 1 else "the axis")
            raise _not_matched(left.shape, right.shape, rows[-1], columns[-2], places)
        shape = [*broadcast(rows[:-2], columns[:-2]), rows[-2], columns[-1]]
        if left.rank == 1:
            del shape[-2]
        if right.rank == 1:
            del shape[-1]
        narrow = left.dtype == right.dtype == "int8"
        return TensorType(tuple(shape), "int32" if narrow else common)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """The elements of the output times the size of the axis that is summed over."""
        assert isinstance(outputs, TensorType)
        left, right = inputs.one("x1"), inputs.one("x2")
        return _work((*outputs.shape, _summed(left.shape[-1], right.shape[-2 if right.rank > 1 else -1])))


def _summed(first: Dim, second: Dim) -> Dim:
    """The size of an axis that two operands share, as the one that knows it has it."""
    return first if isinstance(first, int) or second is None else second


class Dot(BinaryOp):
    """Sums over the last axis of x1 and the last but one of x2, for every pair of the other axes."""

    family = "linear algebra"
    reading = Reading.QUANTITIES
    examples = (
        Example({}, (TensorType((BATCH, 10, 32)), TensorType((32, 16)))),
        Example({}, (TensorType((BATCH, 32)), TensorType((32,)))),
    )

    def outputs(self, inputs: Inputs) -> Outputs:
        left, right = inputs.one("x1"), inputs.one("x2")
        if left.rank == 0 or right.rank == 0:
            return super().outputs(inputs)
        common = result_type(left.dtype, right.dtype)
        require(common, NUMBERS, "dot", "x1 with x2")
        place = -2 if right.rank > 1 else -1
        first, second = left.shape[-1], right.shape[place]
        # With a vector, Keras asks for sizes that are both known or both unknown.
        strict = right.rank == 1 and left.rank > 1
        if not may_equal(first, second) or (strict and isinstance(first, int) != isinstance(second, int)):
            places = ("the last axis", "the last axis but one" if right.rank > 1 else "the axis")
            known = [size if isinstance(size, int) else "unknown" for size in (first, second)]
            raise _not_matched(left.shape, right.shape, known[0], known[1], places)
        rest = right.shape[:-2] + right.shape[-1:] if right.rank > 1 else ()
        return TensorType((*left.shape[:-1], *rest), common)

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """The elements of the output times the size of the axis that is summed over; none when scaling by a number."""
        assert isinstance(outputs, TensorType)
        left, right = inputs.one("x1"), inputs.one("x2")
        if left.rank == 0 or right.rank == 0:
            return 0
        return _work((*outputs.shape, _summed(left.shape[-1], right.shape[-2 if right.rank > 1 else -1])))


_OPERAND = r"[a-z]*(?:\.\.\.)?[a-z]*"
_EQUATION = re.compile(rf"{_OPERAND}(?:,{_OPERAND})*(?:->{_OPERAND})?")


def _equation(value: str) -> str:
    if " " in value:
        written = value.replace(" ", "")
        raise refuse("letters without spaces", Hint(f"write {written}", written))
    if not _EQUATION.fullmatch(value):
        raise refuse("lower-case letters, such as 'abc,cd->abd', with '...' for axes that have no letter")
    given, arrow, wanted = value.partition("->")
    single = [letter for letter in given if letter.isalpha() and given.count(letter) == 1]
    if not arrow and (single != sorted(single) or given.count("...") > 1):
        # Keras announces the letters of an output that is left out by alphabet and computes them as they come, and
        # fails where two operands have an ellipsis.
        raise refuse("an output", f"write it, such as {value}->{'...' * ('...' in given)}{''.join(single)}")
    if arrow:
        for letter in wanted.replace("...", ""):
            if letter not in given:
                raise refuse(f"an output of letters that the operands have; {letter} is in none")
            if wanted.count(letter) > 1:
                raise refuse(f"each letter of the output once; {letter} stands there twice")
        if "..." in wanted and "..." not in given and given.count(",") > 1:
            raise refuse("an output without '...', as no operand has it")
    return value


class Einsum(OpEntry):
    """Multiplies tensors whose axes are named by letters, and sums over the letters that the output lacks."""

    family = "linear algebra"
    reading = Reading.QUANTITIES
    ports = (Port("operands", many=True),)
    examples = (
        Example(
            {"subscripts": "bqhd,bkhd->bhqk"},
            ((TensorType((BATCH, 10, 8, 64)), TensorType((BATCH, 12, 8, 64))),),
        ),
        Example({"subscripts": "...i,ij->...j"}, ((TensorType((BATCH, "steps", 32)), TensorType((32, 16))),)),
    )

    subscripts: Annotated[str, AfterValidator(_equation)] = argument(
        "letters of each operand's axes, and of the output's"
    )

    def keras_call(self, arguments: Mapping[str, Any], call: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        return [self.subscripts, *arguments["operands"]], {}

    def outputs(self, inputs: Inputs) -> Outputs:
        operands = inputs.many("operands")
        if all(operand.dtype in ("int", "float") for operand in operands):
            a_tensor(operands[0], "einsum", "each operand")
        specs = self._specs(operands)
        self._check_letters(operands, specs)
        wanted = self._wanted()
        shapes = []
        for operand, spec in zip(operands, specs, strict=True):
            letters, between = _axes(operand.shape, spec)
            if between and "..." not in wanted:
                raise self._misfit(
                    f"'...' stands for {shape_text(between)}, which the output lacks", "'...' in the output"
                )
            shape: list[Dim] = []
            for part in wanted:
                shape += between if part == "..." else [letters.get(part, 1)]
            shapes.append(tuple(shape))
        return TensorType(broadcast(*shapes), self._dtype(operands))

    def _dtype(self, operands: tuple[TensorType, ...]) -> str:
        # Unlike in other ops, a plain number has the dtype of an array here.
        dtypes = [{"int": "int32", "float": "float32"}.get(operand.dtype, operand.dtype) for operand in operands]
        if set(dtypes) == {"int8"}:
            return "int32"
        common = result_type(*dtypes)
        require(common, REALS | COMPLEX, "einsum", "what the operands are brought to")
        return common

    def macs(self, inputs: Inputs, outputs: Outputs) -> int | None:
        """The product of the sizes of all distinct axes, for each operand after the first."""
        operands = inputs.many("operands")
        sizes: dict[str, Dim] = {}
        widest: Shape = ()
        for operand, spec in zip(operands, self._specs(operands), strict=True):
            letters, between = _axes(operand.shape, spec)
            widest = broadcast(widest, tuple(between))
            for letter, size in letters.items():
                sizes[letter] = _summed(sizes.get(letter), size)
        work = _work((*sizes.values(), *widest))
        return None if work is None else work * (len(operands) - 1)

    def _specs(self, operands: tuple[TensorType, ...]) -> list[str]:
        """The letters of each operand.

        Raises:
            Misfit: there are more or fewer operands, or one has another number of axes.
        """
        specs = self.subscripts.partition("->")[0].split(",")
        if len(specs) != len(operands):
            raise self._misfit(
                f"subscripts names {len(specs)} operands, and {len(operands)} are given", f"{len(operands)}"
            )
        for number, (operand, spec) in enumerate(zip(operands, specs, strict=True), 1):
            letters = len(spec.replace("...", ""))
            if operand.rank < letters or (operand.rank > letters and "..." not in spec):
                raise self._misfit(
                    f"'{spec}' names {letters} axes, and operand {number} is {shape_text(operand.shape)}",
                    "a letter for each axis",
                )
        return specs

    def _check_letters(self, operands: tuple[TensorType, ...], specs: list[str]) -> None:
        sizes: dict[str, int] = {}
        for operand, spec in zip(operands, specs, strict=True):
            before, _, after = spec.partition("...")
            axes = [*zip(before, operand.shape, strict=False)]
            axes += zip(after, operand.shape[operand.rank - len(after) :], strict=True)
            for letter, size in axes:
                if isinstance(size, int) and sizes.setdefault(letter, size) != size:
                    raise Misfit(
                        f"axis {letter} of '{self.subscripts}' is {sizes[letter]} and {size}",
                        found=" and ".join(shape_text(operand.shape) for operand in operands),
                        expected="one size for each letter",
                        code="GB304",
                    )

    def _wanted(self) -> list[str]:
        """The letters of the output, and '...', in order; without an arrow, the letters that stand there once."""
        given, arrow, wanted = self.subscripts.partition("->")
        if not arrow:
            letters = given.replace("...", "").replace(",", "")
            wanted = "..." + "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
        before, dots, after = wanted.partition("...")
        return [*before, *([dots] if dots else []), *after]

    @staticmethod
    def _misfit(message: str, expected: str) -> Misfit:
        return Misfit(message, expected=expected, code="GB203", argument="subscripts")


def _axes(shape: Shape, spec: str) -> tuple[dict[str, Dim], Shape]:
    """The size of each letter of an operand, and the axes that its '...' stands for."""
    before, dots, after = spec.partition("...")
    end = len(shape) - len(after)
    letters: dict[str, Dim] = {}
    for letter, size in (*zip(before, shape, strict=False), *zip(after, shape[end:], strict=True)):
        letters.setdefault(letter, size)
    return letters, shape[len(before) : end] if dots else ()
