"""Ops on two operands, element by element: arithmetic, comparison, logic and choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from graphbuilder.catalog.broadcasting import broadcast, result_type
from graphbuilder.catalog.entry import Example, OpEntry, Outputs
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.catalog.ops_common import (
    ANYTHING,
    BOOL,
    COMPLEX,
    NUMBERS,
    REALS,
    STRING,
    BinaryOp,
    Gives,
    TensorOp,
    require,
)
from graphbuilder.catalog.ports import Inputs, Port
from graphbuilder.catalog.tensor import BATCH, TensorType

__all__ = [
    "Add",
    "Divide",
    "Equal",
    "FloorDivide",
    "Greater",
    "GreaterEqual",
    "Less",
    "LessEqual",
    "Logaddexp",
    "LogicalAnd",
    "LogicalNot",
    "LogicalOr",
    "LogicalXor",
    "Maximum",
    "Minimum",
    "Mod",
    "Multiply",
    "NotEqual",
    "Power",
    "Subtract",
    "TrueDivide",
    "Where",
]

_IMAGE = TensorType((BATCH, 32, 32, 3))
_FEATURES = TensorType((BATCH, 64))
_PAIR = Example({}, (_FEATURES, _FEATURES))


class _Arithmetic(BinaryOp):
    """What arithmetic on two operands shares. Two bools have no arithmetic in TensorFlow."""

    family = "arithmetic"
    keeping = Keeping.PLACES
    takes = REALS | COMPLEX
    examples: ClassVar[tuple[Example, ...]] = (_PAIR,)


class Add(_Arithmetic):
    """Adds: x1 + x2. Strings are joined."""

    takes = REALS | COMPLEX | STRING
    examples = (_PAIR, Example({}, (TensorType((BATCH, 10, 64)), TensorType((10, 64)))))

    def keras_call(self, arguments: Mapping[str, Any], call: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """As every op, but that an operand which Keras would misread as a bias comes first.

        Keras (3.15, on TensorFlow) adds an x2 with a single axis other than 1 as a bias along the last or the second
        axis of x1, whichever has that size, also where broadcasting means another one: (3, 3) + (3, 1) comes out wrong.
        """
        left, right = arguments["x1"], arguments["x2"]
        wide = len(_extents(left)) > 1 >= len(_extents(right))
        if wide and _extents(right) != [-1] and str(getattr(left, "dtype", "")) != "string":
            left, right = right, left
        return [left], {"x2": right}


def _extents(tensor: Any) -> list[int]:
    """The axes, counted from the end, that are not 1; an unknown first axis is the batch, which may be 1."""
    shape = list(getattr(tensor, "shape", ()))
    return [axis - len(shape) for axis, size in enumerate(shape) if size != 1 and not (axis == 0 and size is None)]


class Subtract(_Arithmetic):
    """Subtracts: x1 − x2."""


class Multiply(_Arithmetic):
    """Multiplies: x1 · x2."""

    examples = (Example({}, (_IMAGE, TensorType((BATCH, 1, 1, 3)))), Example({}, (_FEATURES, TensorType((), "float"))))


class Divide(_Arithmetic):
    """Divides: x1 / x2. The result is a fraction also for integers."""

    takes = NUMBERS
    gives = Gives.FLOAT


class TrueDivide(Divide):
    """Divides: x1 / x2, as `divide`."""


class FloorDivide(_Arithmetic):
    """Divides and rounds down: ⌊x1 / x2⌋."""

    takes = REALS


class Mod(_Arithmetic):
    """The remainder of a division, with the sign of the divisor."""

    takes = REALS | BOOL
    gives = Gives.NUMBER


class Power(_Arithmetic):
    """Raises x1 to the power of x2."""

    examples = (Example({}, (_FEATURES, TensorType((), "int"))),)


class Maximum(_Arithmetic):
    """The larger of two elements."""

    takes = REALS


class Minimum(_Arithmetic):
    """The smaller of two elements."""

    takes = REALS


class Logaddexp(_Arithmetic):
    """log(exp(x1) + exp(x2)), without overflow."""

    takes = REALS | BOOL
    gives = Gives.FLOAT


class _Comparison(BinaryOp):
    """What comparisons share: they give bool."""

    family = "comparison"
    takes = REALS
    gives = Gives.BOOL
    examples: ClassVar[tuple[Example, ...]] = (_PAIR, Example({}, (_FEATURES, TensorType((), "float"))))


class Equal(_Comparison):
    """Whether two elements are equal."""

    takes = ANYTHING
    examples: ClassVar[tuple[Example, ...]] = (Example({}, (TensorType((BATCH, 12), "int32"), TensorType((), "int"))),)


class NotEqual(Equal):
    """Whether two elements differ."""


class Greater(_Comparison):
    """Whether x1 is greater than x2."""


class GreaterEqual(_Comparison):
    """Whether x1 is greater than x2 or equal to it."""


class Less(_Comparison):
    """Whether x1 is less than x2."""


class LessEqual(_Comparison):
    """Whether x1 is less than x2 or equal to it."""


_TRUTHS = TensorType((BATCH, 12), "bool")


class LogicalAnd(_Comparison):
    """Whether both elements are true. Numbers other than 0 are true."""

    takes = NUMBERS
    examples: ClassVar[tuple[Example, ...]] = (Example({}, (_TRUTHS, _TRUTHS)),)


class LogicalOr(LogicalAnd):
    """Whether one element or both are true. Numbers other than 0 are true."""


class LogicalXor(LogicalAnd):
    """Whether exactly one of two elements is true. Numbers other than 0 are true."""


class LogicalNot(TensorOp):
    """Whether an element is false. Numbers other than 0 are true."""

    family = "comparison"
    gives = Gives.BOOL
    examples = (Example({}, (_TRUTHS,)),)


class Where(OpEntry):
    """Chooses between two tensors, element by element: x1 where the condition is true, else x2."""

    family = "comparison"
    ports = (
        Port("condition", about="true, or a number other than 0, where x1 is wanted"),
        Port("x1", about="the values where it holds"),
        Port("x2", about="the values where it does not"),
    )
    examples = (Example({}, (TensorType((BATCH, 64), "bool"), _FEATURES, TensorType((), "float"))),)

    def outputs(self, inputs: Inputs) -> Outputs:
        condition, left, right = (inputs.one(port.name) for port in self.ports)
        require(condition.dtype, NUMBERS, "where", "condition")
        dtype = result_type(left.dtype, right.dtype)
        return TensorType(broadcast(condition.shape, left.shape, right.shape), dtype)
