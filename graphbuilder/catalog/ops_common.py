"""What the ops of every family share: the dtypes that they compute with, and the forms of their arguments."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from graphbuilder.catalog.arguments import refuse
from graphbuilder.catalog.broadcasting import broadcast, result_type
from graphbuilder.catalog.entry import OpEntry, Outputs
from graphbuilder.catalog.ports import Inputs, Misfit, Port
from graphbuilder.catalog.tensor import DTYPES, TensorType, is_float
from graphbuilder.errors import suggestion

__all__ = [
    "ANYTHING",
    "BOOL",
    "COMPLEX",
    "FLOATS",
    "INTEGERS",
    "MOST_PARTS",
    "NUMBERS",
    "REALS",
    "STRING",
    "UNSIGNED",
    "BinaryOp",
    "DTypeName",
    "Gives",
    "Integers",
    "Number",
    "Parts",
    "TensorOp",
    "a_tensor",
    "as_tuple",
    "kinds_text",
    "require",
    "whole_bound",
]

Kinds: TypeAlias = frozenset[str]

BOOL: Kinds = frozenset({"bool"})
UNSIGNED: Kinds = frozenset(dtype for dtype in DTYPES if dtype.startswith("uint"))
INTEGERS: Kinds = frozenset(dtype for dtype in DTYPES if "int" in dtype)
FLOATS: Kinds = frozenset(dtype for dtype in DTYPES if is_float(dtype))
COMPLEX: Kinds = frozenset({"complex64", "complex128"})
STRING: Kinds = frozenset({"string"})
REALS: Kinds = INTEGERS | FLOATS
NUMBERS: Kinds = BOOL | REALS | COMPLEX
ANYTHING: Kinds = NUMBERS | STRING

_WORDS: tuple[tuple[Kinds, str], ...] = (
    (ANYTHING, "any dtype"),
    (NUMBERS, "numbers or bool"),
    (REALS, "floats or integers"),
    (FLOATS, "floats"),
    (INTEGERS - UNSIGNED, "signed integers"),
    (INTEGERS, "integers"),
    (COMPLEX, "complex numbers"),
    (BOOL, "bool"),
    (STRING, "strings"),
)


def kinds_text(kinds: Kinds) -> str:
    """A set of dtypes in words."""
    words: list[str] = []
    left = set(kinds)
    for known, word in _WORDS:
        if known <= kinds and known & left:
            words.append(word)
            left -= known
    words += [dtype for dtype in DTYPES if dtype in left]
    return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0]


def require(dtype: str, kinds: Kinds, op: str, port: str = "x", hint: str | None = None) -> None:
    """Sees that an op can compute with a dtype.

    Arguments:
        dtype: of a tensor; for a plain number "int" or "float".
        kinds: what it takes.
        op: its name.
        port: the tensor, in words.
        hint: how to mend it, when casting is not the way.

    Raises:
        Misfit: it cannot.
    """
    if dtype in kinds or {"int": "int32", "float": "float32"}.get(dtype) in kinds:
        return
    if hint is None and dtype == "string":
        hint = "look words up first, with StringLookup or TextVectorization"
    raise Misfit(
        f"{op} does not compute with {dtype}, and {port} is {dtype}",
        found=dtype,
        expected=kinds_text(kinds),
        hint=hint or "cast it first, with {op: cast, dtype: float32}",
        code="GB305",
    )


def a_tensor(found: TensorType, op: str, port: str = "x") -> TensorType:
    """The type at a port that takes no plain number.

    Raises:
        Misfit: it is one.
    """
    if found.dtype in ("int", "float"):
        raise Misfit(
            f"{port} of {op} is a plain number",
            expected="a tensor",
            hint="give it a node, an input, or {constant: [...]}",
            code="GB303",
        )
    return found


class Gives(StrEnum):
    """How the dtype of an op's output follows from that of its operands."""

    SAME = "same"
    NUMBER = "number"  # true counts as 1, in int32
    FLOAT = "float"  # floats stay, all else becomes float32
    FLOAT_OR_COMPLEX = "float or complex"  # as FLOAT, but complex numbers of double precision stay too
    SUM = "sum"  # small integers grow to 32 bits, and the widest shrink as in promotion
    PRODUCT = "product"  # small integers grow to 32 bits
    BOOL = "bool"

    def dtype(self, operand: str) -> str:
        """The dtype of the output.

        Arguments:
            operand: the dtype of the operand, or that which several are brought to.
        """
        match self:
            case Gives.NUMBER:
                return "int32" if operand == "bool" else operand
            case Gives.FLOAT:
                return result_type(operand, "float")
            case Gives.FLOAT_OR_COMPLEX:
                return operand if operand in COMPLEX else result_type(operand, "float")
            case Gives.SUM:
                return result_type(_GROWN.get(operand, operand))
            case Gives.PRODUCT:
                return _GROWN.get(operand, operand)
            case Gives.BOOL:
                return "bool"
        return operand


_GROWN = {"bool": "int32", "int8": "int32", "int16": "int32", "uint8": "uint32", "uint16": "uint32"}


class TensorOp(OpEntry):
    """An op on one tensor, whose output has its shape unless the op says otherwise."""

    ports = (Port("x"),)
    takes: ClassVar[Kinds] = NUMBERS
    gives: ClassVar[Gives] = Gives.SAME

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        return TensorType(given.shape, self.gives.dtype(given.dtype))

    def taken(self, inputs: Inputs) -> TensorType:
        """The input, if the op can compute with it.

        Raises:
            Misfit: it cannot.
        """
        given = a_tensor(inputs.first, type(self).name(), self.ports[0].name)
        require(given.dtype, self.takes, type(self).name(), self.ports[0].name)
        return given


class BinaryOp(OpEntry):
    """An op on two operands of broadcast shapes, of which one may be a plain number."""

    ports = (Port("x1", about="the left operand"), Port("x2", about="the right operand"))
    takes: ClassVar[Kinds] = NUMBERS
    gives: ClassVar[Gives] = Gives.SAME

    def outputs(self, inputs: Inputs) -> Outputs:
        left, right = inputs.one("x1"), inputs.one("x2")
        if left.dtype in ("int", "float") and right.dtype in ("int", "float"):
            a_tensor(left, type(self).name(), "x1")
        common = result_type(left.dtype, right.dtype)
        require(common, self.takes, type(self).name(), "x1 with x2")
        return TensorType(broadcast(left.shape, right.shape), self.gives.dtype(common))


def _known_dtype(value: str) -> str:
    if value not in DTYPES:
        raise refuse("a dtype", suggestion(value, DTYPES, listing=f"one of: {', '.join(DTYPES)}"))
    return value


DTypeName = Annotated[str, AfterValidator(_known_dtype), WithJsonSchema({"enum": list(DTYPES)})]

# Strict: true and false are neither.
Number: TypeAlias = int | float


def _integers(value: Any) -> Any:
    found = value if isinstance(value, (list, tuple)) else (value,)
    if not found or any(not isinstance(item, int) or isinstance(item, bool) for item in found):
        raise refuse("an integer, or a list of integers")
    return tuple(found) if found is value else value


_INTEGERS_SCHEMA = {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}, "minItems": 1}]}
Integers = Annotated[int | tuple[int, ...], BeforeValidator(_integers), WithJsonSchema(_INTEGERS_SCHEMA)]

# More outputs than a model has use for would only exhaust memory.
MOST_PARTS = 4096
Parts = Annotated[int, Field(ge=1, le=MOST_PARTS)]


def as_tuple(value: int | Iterable[int]) -> tuple[int, ...]:
    """One integer or several, as several."""
    return (value,) if isinstance(value, int) else tuple(value)


def whole_bound(tensor: TensorType, bound: Number | None, name: str) -> None:
    """Sees that a number can stand beside the elements of a tensor.

    Raises:
        Misfit: the tensor holds integers, and the number is written as a fraction.
    """
    if isinstance(bound, float) and tensor.dtype in INTEGERS | BOOL:
        raise Misfit(
            f"{name} is {bound}, and x is {tensor.dtype}",
            found=str(bound),
            expected="an integer",
            hint=f"write {int(bound)}, or cast x to a float dtype first"
            if bound.is_integer()
            else "cast x to a float dtype first",
            code="GB203",
            argument=name,
        )
