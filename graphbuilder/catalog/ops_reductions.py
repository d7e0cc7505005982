"""Ops that reduce axes to one number each, and running sums along an axis."""

from __future__ import annotations

from math import inf
from typing import ClassVar, Literal

from pydantic import model_validator

from graphbuilder.catalog.arguments import Axes, PositiveInt, argument, as_written, conflict
from graphbuilder.catalog.broadcasting import axes_of, axis_of, without_axes
from graphbuilder.catalog.entry import Example, Outputs
from graphbuilder.catalog.ops_common import (
    BOOL,
    COMPLEX,
    FLOATS,
    REALS,
    DTypeName,
    Gives,
    Number,
    TensorOp,
    require,
    whole_bound,
)
from graphbuilder.catalog.ports import Inputs, Misfit
from graphbuilder.catalog.tensor import BATCH, TensorType, elements, shape_text

__all__ = [
    "All",
    "Any",
    "Argmax",
    "Argmin",
    "Cumprod",
    "Cumsum",
    "Logsumexp",
    "Max",
    "Mean",
    "Min",
    "Norm",
    "Normalize",
    "Prod",
    "Std",
    "Sum",
    "Var",
]

_SEQUENCE = TensorType((BATCH, 10, 64))
_IMAGE = TensorType((BATCH, 8, 8, 32))
_FEATURES = TensorType((BATCH, 64))


class _Reduction(TensorOp):
    """What reductions share. Without an axis they reduce all, the batch axis too."""

    family = "reductions"
    examples: ClassVar[tuple[Example, ...]] = (
        Example({"axis": 1}, (_SEQUENCE,)),
        Example({"axis": [1, 2], "keepdims": True}, (_IMAGE,)),
    )

    axis: Axes | None = argument("the axes to reduce, the batch being 0; null for all of them", None)
    keepdims: bool = argument("whether reduced axes stay, with size 1", False)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        axes = axes_of(self.axis, given.rank)
        return TensorType(without_axes(given.shape, axes, self.keepdims), self.gives.dtype(given.dtype))

    def pooled_axes(self, tensor: TensorType) -> tuple[int, ...]:
        return () if self.keepdims else tuple(axes_of(self.axis, tensor.rank))


class Mean(_Reduction):
    """The mean. Of integers it is a float32."""

    gives = Gives.FLOAT_OR_COMPLEX


class Var(_Reduction):
    """The variance: the mean of squared distances from the mean."""

    gives = Gives.FLOAT


class Std(_Reduction):
    """The standard deviation: the square root of the variance."""

    gives = Gives.FLOAT_OR_COMPLEX


class Sum(_Reduction):
    """The sum."""

    gives = Gives.SUM


class Prod(_Reduction):
    """The product."""

    gives = Gives.PRODUCT

    dtype: DTypeName | None = argument("null lets small integers grow to 32 bits; else the input's dtype stays", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        if self.dtype is None:
            return super().outputs(inputs)
        # Keras announces the dtype that is asked for, and TensorFlow then computes in the input's.
        given = inputs.first
        require(given.dtype, REALS | COMPLEX, "prod with a dtype")
        return TensorType(without_axes(given.shape, axes_of(self.axis, given.rank), self.keepdims), given.dtype)


class _Extreme(_Reduction):
    """What the largest and the smallest element share."""

    takes = REALS | BOOL

    initial: Number | None = argument("one more number that takes part", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        if given.dtype != "bool":
            whole_bound(given, self.initial, "initial")
        return super().outputs(inputs)


class Max(_Extreme):
    """The largest element."""


class Min(_Extreme):
    """The smallest element."""


class All(_Reduction):
    """Whether all elements are true. Numbers other than 0 are true."""

    gives = Gives.BOOL
    examples: ClassVar[tuple[Example, ...]] = (Example({"axis": -1}, (TensorType((BATCH, 12), "bool"),)),)


class Any(All):
    """Whether any element is true. Numbers other than 0 are true."""


class Logsumexp(_Reduction):
    """log(sum(exp(x))), without overflow."""

    # Keras announces float32 for floats of every width, and keeps the width.
    takes = FLOATS


class Argmax(TensorOp):
    """The position of the largest element along an axis, as int32."""

    family = "reductions"
    takes = REALS | BOOL
    examples = (Example({"axis": -1}, (TensorType((BATCH, 10)),)),)

    axis: int | None = argument("the axis to search; null for all elements, laid out in one row", None)
    keepdims: bool = argument("whether the searched axis stays, with size 1", False)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        axes = axes_of(self.axis, given.rank)
        return TensorType(without_axes(given.shape, axes, self.keepdims), "int32")


class Argmin(Argmax):
    """The position of the smallest element along an axis, as int32."""


class Cumsum(TensorOp):
    """The running sum along an axis."""

    family = "reductions"
    examples = (Example({"axis": 1}, (_SEQUENCE,)),)

    axis: int | None = argument("the axis to run along; null lays all elements out in one row first", None)
    dtype: DTypeName | None = argument("the dtype to sum in; null means the input's", None)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        if self.dtype == "string":
            raise Misfit("dtype is 'string'", expected="a dtype of numbers", code="GB203", argument="dtype")
        dtype = Gives.NUMBER.dtype(self.dtype or given.dtype)
        if self.axis is None:
            return TensorType((elements(given.shape),), dtype)
        axis_of(self.axis, given.rank)
        return TensorType(given.shape, dtype)


class Cumprod(Cumsum):
    """The running product along an axis."""

    dtype: DTypeName | None = argument("the dtype to multiply in; null means the input's", None)


_SINGULAR = ("nuc", 2, -2)
_MATRIX_ORDERS = (None, "fro", "nuc", inf, -inf, 1, -1, 2, -2)


def check_norm(given: TensorType, ord: Number | str | None, axes: tuple[int, ...], argument_name: str) -> None:
    """Sees that a norm of this order exists along these axes.

    Arguments:
        given: the tensor.
        ord: the order.
        axes: one for the norm of vectors, two for that of matrices.
        argument_name: the argument that the order was written in.

    Raises:
        Misfit: it does not.
    """
    if len(axes) not in (1, 2):
        raise Misfit(
            f"a norm is taken along {len(axes)} axes of {shape_text(given.shape)}",
            expected="one axis for vectors, or two for matrices",
            hint="write the axis, such as axis: -1",
            code="GB203",
            argument="axis",
        )
    if len(axes) == 1 and isinstance(ord, str):
        raise Misfit(
            f"{argument_name} is '{ord}', and one axis is reduced",
            expected="a number for the norm of vectors",
            hint="leave it out for the Euclidean norm, or name two axes",
            code="GB203",
            argument=argument_name,
        )
    if len(axes) == 2 and ord not in _MATRIX_ORDERS:
        raise Misfit(
            f"{argument_name} is {ord}, and two axes are reduced",
            expected="fro, nuc, 1, -1, 2, -2, .inf or -.inf for the norm of matrices",
            code="GB203",
            argument=argument_name,
        )
    singular = len(axes) == 2 and ord in _SINGULAR
    half = singular and given.dtype in ("float16", "bfloat16")
    powers = given.dtype in COMPLEX and len(axes) == 1 and ord not in (None, 2, 0, inf, -inf)
    if half or powers:
        raise Misfit(
            f"a norm with {argument_name} {ord} cannot be computed of {given.dtype}",
            found=given.dtype,
            expected="float32 or float64",
            hint="cast it first, with {op: cast, dtype: float32}",
            code="GB305",
        )


class Norm(TensorOp):
    """The norm of vectors along one axis, or of matrices along two."""

    family = "reductions"
    gives = Gives.FLOAT_OR_COMPLEX
    examples = (Example({"axis": -1}, (_FEATURES,)), Example({"ord": "fro", "axis": [1, 2]}, (_SEQUENCE,)))

    ord: Literal["fro", "nuc"] | Number | None = argument("the order; null for the root of the sum of squares", None)
    axis: Axes | None = argument("one axis for vectors, two for matrices; null for all, if there are no more", None)
    keepdims: bool = argument("whether reduced axes stay, with size 1", False)

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        axes = axes_of(self.axis, given.rank)
        check_norm(given, self.ord, axes, "ord")
        rising = tuple(sorted(axes))
        if self.keepdims and self.ord in _SINGULAR and len(axes) == 2 and self.axis not in (None, rising):
            # Keras puts the axes back at the places as they are written, one after the other.
            raise Misfit(
                f"axis is {as_written(self.axis)}, and keepdims asks Keras to put the axes back",
                expected=f"{list(rising)}",
                code="GB203",
                argument="axis",
            )
        return TensorType(without_axes(given.shape, axes, self.keepdims), self.gives.dtype(given.dtype))


class Normalize(TensorOp):
    """Divides by the norm along an axis."""

    family = "reductions"
    takes = REALS | BOOL
    examples = (Example({}, (_FEATURES,)),)

    axis: Axes | None = argument("the axes that a norm is taken along; null for all", -1)
    order: PositiveInt = argument("the order of the norm", 2)
    epsilon: float | None = argument("the least divisor; null means Keras's 1e-7", None)

    @model_validator(mode="after")
    def _divisor(self) -> Normalize:
        if self.epsilon == 0 and self.order == 2:
            raise conflict("epsilon", "epsilon is 0, and a norm of order 2 is divided by it", "another number")
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = self.taken(inputs)
        axes = axes_of(self.axis, given.rank)
        if self.order != 2:
            check_norm(given, self.order, axes, "order")
        elif given.dtype not in FLOATS:
            raise Misfit(
                f"normalize of order 2 does not compute with {given.dtype}",
                found=given.dtype,
                expected="floats",
                hint="cast it first, with {op: cast, dtype: float32}",
                code="GB305",
            )
        # Keras announces float32 for floats of every width, and keeps the width.
        return TensorType(given.shape, Gives.FLOAT.dtype(given.dtype))
