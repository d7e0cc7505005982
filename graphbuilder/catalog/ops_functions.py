"""Ops that are functions of each element by itself, and that change the dtype."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from graphbuilder.catalog.arguments import argument, conflict
from graphbuilder.catalog.entry import Example, Outputs
from graphbuilder.catalog.meaning import Keeping
from graphbuilder.catalog.ops_common import (
    ANYTHING,
    BOOL,
    COMPLEX,
    FLOATS,
    NUMBERS,
    REALS,
    UNSIGNED,
    DTypeName,
    Gives,
    Number,
    TensorOp,
    require,
    whole_bound,
)
from graphbuilder.catalog.ports import Inputs, Misfit, Port
from graphbuilder.catalog.tensor import BATCH, TensorType

__all__ = [
    "Abs",
    "Absolute",
    "Cast",
    "Ceil",
    "Clip",
    "Cos",
    "Exp",
    "Expm1",
    "Floor",
    "Log",
    "Log1p",
    "Log2",
    "Log10",
    "Negative",
    "OnesLike",
    "Reciprocal",
    "Round",
    "Rsqrt",
    "Sign",
    "Sin",
    "Sqrt",
    "Square",
    "StopGradient",
    "ZerosLike",
]

_FEATURES = TensorType((BATCH, 64))
_SINGLE = Example({}, (_FEATURES,))


class _Function(TensorOp):
    """What functions of one number share."""

    family = "functions"
    examples = (_SINGLE,)


class _Fractional(_Function):
    """A function whose values are fractions also for integers."""

    gives = Gives.FLOAT


class Exp(_Fractional):
    """e to the power of x."""

    gives = Gives.FLOAT_OR_COMPLEX


class Expm1(_Fractional):
    """exp(x) − 1, exact near 0."""

    gives = Gives.FLOAT_OR_COMPLEX


class Log(_Fractional):
    """The natural logarithm."""


class Log1p(_Fractional):
    """log(1 + x), exact near 0."""


class Log2(_Fractional):
    """The logarithm to base 2."""


class Log10(_Fractional):
    """The logarithm to base 10."""


class Sqrt(_Fractional):
    """The square root."""


class Sin(_Fractional):
    """The sine of an angle in radians."""


class Cos(_Fractional):
    """The cosine of an angle in radians."""


class Floor(_Fractional):
    """The nearest whole number below, as a float."""

    takes = REALS | BOOL


class Ceil(_Fractional):
    """The nearest whole number above, as a float."""

    takes = REALS | BOOL


class Rsqrt(_Function):
    """1 / √x."""

    takes = FLOATS | COMPLEX


class Reciprocal(_Function):
    """1 / x."""

    # Keras announces float32 for floats of every width, and keeps the width.
    takes = FLOATS | COMPLEX


class Square(_Function):
    """x · x."""

    gives = Gives.NUMBER


class Absolute(_Function):
    """The magnitude. That of complex numbers is a float, though Keras announces another complex number."""

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        return TensorType(given.shape, {"complex64": "float32", "complex128": "float64"}.get(given.dtype, given.dtype))


class Abs(Absolute):
    """The magnitude, as `absolute`."""

    saved_as = "absolute"


class Negative(_Function):
    """−x."""

    takes = (REALS | COMPLEX) - UNSIGNED


class Sign(_Function):
    """−1, 0 or 1."""

    takes = (REALS | COMPLEX) - {"uint64"}


class Round(_Function):
    """Rounds to a number of decimals, halves to the even neighbour."""

    takes = REALS
    examples = (Example({"decimals": 2}, (_FEATURES,)),)

    decimals: int = argument("decimals that stay; negative ones round to tens, hundreds…", 0)


class StopGradient(_Function):
    """Passes values on, and no gradient back."""

    keeping = Keeping.NUMBERS

    takes = ANYTHING
    ports = (Port("variable"),)


class Clip(_Function):
    """Moves values outside a range to its ends."""

    keeping = Keeping.PLACES

    takes = REALS | BOOL
    gives = Gives.NUMBER
    examples = (Example({"x_min": 0.0, "x_max": 1.0}, (_FEATURES,)),)

    x_min: Number = argument("the smallest value that stays")
    x_max: Number = argument("the largest value that stays")

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        for name in ("x_min", "x_max"):
            whole_bound(given, getattr(self, name), name)
        return super().outputs(inputs)


class Cast(TensorOp):
    """Turns values into another dtype."""

    family = "dtypes"
    keeping = Keeping.NUMBERS
    takes = ANYTHING
    examples = (Example({"dtype": "float32"}, (TensorType((BATCH, 224, 224, 3), "uint8"),)),)

    dtype: DTypeName | None = argument("the dtype of the output; null means float32")

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        wanted = self.dtype or "float32"
        if wanted != given.dtype:
            require(given.dtype, NUMBERS, "cast")
            if wanted == "string":
                raise Misfit(
                    f"{given.dtype} cannot be cast to string",
                    expected="a dtype of numbers",
                    code="GB203",
                    argument="dtype",
                )
        return TensorType(given.shape, wanted)


class _Filled(TensorOp):
    """What ops share that keep a tensor's shape and forget its values."""

    family = "dtypes"
    takes = ANYTHING
    examples = (_SINGLE, Example({"dtype": "int32"}, (_FEATURES,)))

    dtype: DTypeName | None = argument("the dtype of the output; null means the input's", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        return TensorType(given.shape, self.dtype or given.dtype)


class OnesLike(_Filled):
    """Ones in the shape of a tensor."""

    def outputs(self, inputs: Inputs) -> Outputs:
        if self.dtype is None:
            require(inputs.first.dtype, NUMBERS, "ones_like")
        return super().outputs(inputs)

    @model_validator(mode="before")
    @classmethod
    def _no_strings(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("dtype") == "string":
            raise conflict("dtype", "dtype is 'string'", "a dtype of numbers")
        return data


class ZerosLike(_Filled):
    """Zeros in the shape of a tensor; empty strings for strings."""
