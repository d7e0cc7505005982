"""Layers that turn numbers and strings into classes: counted, hashed, or cut at boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from graphbuilder.catalog.arguments import NonNegativeInt, PositiveInt, argument, as_written, conflict, refuse
from graphbuilder.catalog.broadcasting import may_equal
from graphbuilder.catalog.checks import Takes, require_dtype
from graphbuilder.catalog.entry import DTypePolicy, Example, LayerEntry, Masking, Outputs
from graphbuilder.catalog.meaning import Reading
from graphbuilder.catalog.ports import Inputs, Misfit, Port, wrong_rank
from graphbuilder.catalog.tensor import BATCH, Shape, TensorType, shape_text

__all__ = [
    "CategoryEncoding",
    "Dense",
    "Discretization",
    "HashedCrossing",
    "Hashing",
    "Salt",
    "encoded",
]


def _dense(value: Any) -> Any:
    if value is not False:
        raise refuse("false", "the tensors of a graph are dense")
    return value


Dense = Annotated[Literal[False], BeforeValidator(_dense), WithJsonSchema({"type": "boolean", "const": False})]

# TensorFlow keeps the keys of hashes in 64 bits.
_INTEGER: dict[str, Any] = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}


def _salt(value: Any) -> Any:
    items = value if isinstance(value, (list, tuple)) else (value,)
    fits = all(isinstance(item, int) and not isinstance(item, bool) and -(2**63) <= item < 2**63 for item in items)
    if not fits or (isinstance(value, (list, tuple)) and len(value) != 2):
        raise refuse("an integer of 64 bits, or a list of two")
    return tuple(value) if isinstance(value, list) else value


Salt = Annotated[
    int | tuple[int, int],
    BeforeValidator(_salt),
    WithJsonSchema({"anyOf": [_INTEGER, {"type": "array", "items": _INTEGER, "minItems": 2, "maxItems": 2}]}),
]
_IntegerPolicy: TypeAlias = Literal["int32", "int64"]
_SPARSE = "whether the output is a sparse tensor; those of a graph are dense"


def encoded(shape: Shape, mode: str, depth: int) -> Shape:
    """The shape of classes that are given as numbers, one by one, or by counting those of the last axis.

    Arguments:
        shape: of the classes.
        mode: int, one_hot, or one that counts.
        depth: how many classes there are.

    Example:
        >>> encoded(("batch", 1), "one_hot", 5), encoded(("batch", 3), "one_hot", 5), encoded(("batch", 3), "count", 5)
        (('batch', 5), ('batch', 3, 5), ('batch', 5))
    """
    if mode == "int":
        return shape
    if mode == "one_hot" and not (len(shape) > 1 and shape[-1] == 1):
        return (*shape, depth)
    return (*shape[:-1], depth)


class _Classes(LayerEntry):
    """What layers that give classes share."""

    family = "categorical"
    masking = Masking.LOSES

    def columns(self, given: TensorType, mode: str) -> str:
        """The dtype of columns.

        Raises:
            Misfit: TensorFlow cannot count in it.
        """
        if mode in ("multi_hot", "count") and given.rank < 3 and self.compute_dtype in ("float16", "bfloat16"):
            raise Misfit(
                f"TensorFlow counts no classes in {self.compute_dtype}",
                found=self.compute_dtype,
                expected="float32",
                hint="write dtype: float32 here, and cast what comes of it",
                code="GB203",
                argument="dtype",
            )
        return self.compute_dtype


class CategoryEncoding(_Classes):
    """Turns classes, given as integers, into columns: one for each class."""

    reading = Reading.NAMES
    ports = (
        Port("inputs"),
        Port("count_weights", optional=True, about="how much each counts, with output_mode: count"),
    )
    examples = (
        Example({"num_tokens": 10, "output_mode": "one_hot"}, (TensorType((BATCH, 1), "int32"),)),
        Example({"num_tokens": 10}, (TensorType((BATCH, 5), "int32"),)),
        Example(
            {"num_tokens": 10, "output_mode": "count"},
            (TensorType((BATCH, 5), "int32"), TensorType((BATCH, 5))),
        ),
    )

    # Keras's own default is refused by Keras.
    num_tokens: PositiveInt | None = argument("how many classes there are; one more than the largest integer", None)
    output_mode: Literal["multi_hot", "one_hot", "count"] = argument(
        "multi_hot marks the classes of a row, count counts them, one_hot encodes each for itself", "multi_hot"
    )
    sparse: Dense = argument(_SPARSE, False)

    @model_validator(mode="after")
    def _has_classes(self) -> CategoryEncoding:
        if self.num_tokens is None:
            raise conflict("num_tokens", "num_tokens is missing", "a positive integer", "how many classes there are")
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.one("inputs")
        require_dtype(given, Takes.NUMBERS, "CategoryEncoding")
        weights = inputs.get("count_weights")
        if weights is not None:
            self._require_weights(given, weights)
        assert self.num_tokens is not None
        shape = encoded(given.shape, self.output_mode, self.num_tokens)
        return TensorType(shape, self.columns(given, self.output_mode))

    def _require_weights(self, given: TensorType, weights: TensorType) -> None:
        """Refuses weights where nothing is counted, or of another shape.

        Raises:
            Misfit: they are such.
        """
        if self.output_mode != "count":
            raise Misfit(
                f"count_weights is connected, and output_mode is {self.output_mode}, which counts nothing",
                expected="output_mode: count",
                code="GB303",
            )
        if weights.rank != given.rank or not all(map(may_equal, weights.shape, given.shape)):
            raise Misfit(
                f"count_weights has the shape {shape_text(weights.shape)} beside {shape_text(given.shape)}",
                found=shape_text(weights.shape),
                expected="the shape of inputs",
            )


def _boundaries(value: Any) -> Any:
    if not isinstance(value, (list, tuple)) or any(
        not isinstance(item, (int, float)) or isinstance(item, bool) for item in value
    ):
        raise refuse("a list of numbers, each larger than the one before")
    if any(one >= two for one, two in pairwise(value)):
        raise refuse("a list of numbers, each larger than the one before", "sort them")
    return tuple(map(float, value))


_Boundaries = Annotated[
    tuple[float, ...],
    BeforeValidator(_boundaries),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "examples": [[0.5], [0.0, 1.0], [-1.0, 0.0, 2.5]]}),
]


class Discretization(_Classes):
    """Turns numbers into classes, by the boundaries between which they lie."""

    takes_trainable = False
    reading = Reading.QUANTITIES
    examples = (
        Example({"bin_boundaries": [0.0, 10.0, 100.0]}, (TensorType((BATCH, 4)),)),
        Example({"bin_boundaries": [0.5, 1.5], "output_mode": "one_hot"}, (TensorType((BATCH, 1)),)),
    )

    bin_boundaries: _Boundaries | None = argument("where one class ends and the next begins, in order", None)
    num_bins: NonNegativeInt | None = argument(
        "how many classes to learn from data; write bin_boundaries instead", None
    )
    epsilon: float = argument("how exactly they would be learnt", 0.01)
    output_mode: Literal["int", "one_hot", "multi_hot", "count"] = argument("how classes are given", "int")
    sparse: Dense = argument(_SPARSE, False)

    @classmethod
    def saved(cls, config: Mapping[str, Any]) -> Mapping[str, Any]:
        if config.get("bin_boundaries") is None:
            return config
        # A layer that has learnt its boundaries still says how many there were to be.
        return {name: value for name, value in config.items() if name != "num_bins"}

    @model_validator(mode="after")
    def _has_boundaries(self) -> Discretization:
        if self.bin_boundaries is not None and self.num_bins is not None:
            raise conflict("num_bins", "num_bins stands beside bin_boundaries", "one of the two", "leave num_bins out")
        if self.bin_boundaries is None:
            told = (
                "bin_boundaries is missing" if self.num_bins is None else "num_bins leaves the boundaries to be learnt"
            )
            raise conflict(
                "bin_boundaries" if self.num_bins is None else "num_bins",
                told,
                "bin_boundaries: a list of numbers",
                "a model without boundaries fails when it runs; for as many in each class, write quantiles of the data",
            )
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        require_dtype(given, Takes.NUMBERS, "Discretization")
        assert self.bin_boundaries is not None
        depth = len(self.bin_boundaries) + 1
        if self.output_mode == "int":
            return TensorType(given.shape, "int32")
        if self.output_mode == "one_hot":
            return TensorType(encoded(given.shape, "one_hot", depth), self.compute_dtype)
        kept = (given.shape[0], *given.shape[2:]) if given.rank > 1 else ()
        return TensorType((*kept, depth), self.columns(given, self.output_mode))


class _Hashed(_Classes):
    """What hashing layers share: integers, or in other modes columns of floats."""

    reading = Reading.NAMES

    # Wider than that of other layers, which have no policy of integers.
    dtype: DTypePolicy | _IntegerPolicy | None = argument(  # type: ignore[assignment]
        "what the output is given in: int64 or int32 for numbers, a float dtype for columns", None
    )
    num_bins: PositiveInt = argument("how many classes there are")
    output_mode: str

    @property
    def compute_dtype(self) -> str:
        """The dtype of the output."""
        if self.dtype is None:
            return "int64" if self.output_mode == "int" else "float32"
        return self.dtype.removeprefix("mixed_")


class Hashing(_Hashed):
    """Turns strings or integers into one of a number of classes, the same one each time; some share one by chance."""

    examples = (
        Example({"num_bins": 100}, (TensorType((BATCH, 1), "string"),)),
        Example({"num_bins": 8, "output_mode": "multi_hot", "salt": 17}, (TensorType((BATCH, 5), "int64"),)),
        Example({"num_bins": 8, "mask_value": "", "output_mode": "one_hot"}, (TensorType((BATCH, 1), "string"),)),
    )

    num_bins: PositiveInt = argument("how many classes there are")
    mask_value: int | str | None = argument("the value that is given class 0, for itself", None)
    salt: Salt | None = argument("a number, or two, that other hashes are made with; null for the plain ones", None)
    output_mode: Literal["int", "one_hot", "multi_hot", "count"] = argument("how classes are given", "int")
    sparse: Dense = argument(_SPARSE, False)

    @model_validator(mode="after")
    def _numbers_are_integers(self) -> Hashing:
        if self.output_mode == "int" and self.compute_dtype not in ("int32", "int64"):
            raise conflict("dtype", f"dtype is {self.dtype} beside output_mode: int", "int32 or int64")
        return self

    def outputs(self, inputs: Inputs) -> Outputs:
        given = inputs.first
        if given.dtype != "string":
            require_dtype(given, Takes.REAL, "Hashing")
        if (given.dtype == "string") is not isinstance(self.mask_value, str) and self.mask_value is not None:
            raise Misfit(
                f"mask_value is {as_written(self.mask_value)} for an input of {given.dtype}",
                found=as_written(self.mask_value),
                expected="a string" if given.dtype == "string" else "an integer",
                code="GB203",
                argument="mask_value",
            )
        if self.output_mode == "one_hot" and not (given.rank > 1 and given.shape[-1] == 1):
            raise Misfit(
                f"one_hot of {shape_text(given.shape)} has another shape than Keras announces",
                found=shape_text(given.shape),
                expected="a last axis of 1",
                hint="use output_mode: int and a CategoryEncoding with one_hot behind it",
            )
        mode = "count" if self.output_mode == "one_hot" else self.output_mode
        return TensorType(encoded(given.shape, mode, self.num_bins), self.columns(given, self.output_mode))


class HashedCrossing(_Hashed):
    """Turns pairs of two features into one of a number of classes, the same one each time."""

    ports = (Port("inputs", many=True, least=2, about="two features, (batch,) or (batch, 1)"),)
    examples = (
        Example({"num_bins": 50}, ((TensorType((BATCH, 1), "string"), TensorType((BATCH, 1), "int64")),)),
        Example(
            {"num_bins": 5, "output_mode": "one_hot"},
            ((TensorType((BATCH, 1), "string"), TensorType((BATCH, 1), "string")),),
        ),
    )

    num_bins: PositiveInt = argument("how many classes there are")
    output_mode: Literal["int", "one_hot"] = argument("how classes are given", "int")
    sparse: Dense = argument(_SPARSE, False)

    def outputs(self, inputs: Inputs) -> Outputs:
        tensors = inputs.many("inputs")
        if len(tensors) != 2:
            raise Misfit(
                f"HashedCrossing crosses two features, and {len(tensors)} are connected",
                found=str(len(tensors)),
                expected="two",
                hint="cross two first, and what comes of it with the next" if len(tensors) > 2 else None,
                code="GB303",
            )
        for tensor in tensors:
            if tensor.rank > 2 or (tensor.rank == 2 and not may_equal(tensor.shape[1], 1)):
                raise wrong_rank(tensor, "(batch,) or (batch, 1)")
            if tensor.dtype != "string" and "int" not in tensor.dtype:
                raise Misfit(
                    f"HashedCrossing cannot cross {tensor.dtype}",
                    found=tensor.dtype,
                    expected="strings or integers",
                    hint="make classes of numbers first, with a Discretization",
                    code="GB305",
                )
        first, second = tensors
        # Keras compares the last axes as they are known, and crosses no known one with an unknown one.
        last = [tensor.shape[-1] if isinstance(tensor.shape[-1], int) else None for tensor in tensors]
        if first.rank != second.rank or not may_equal(first.shape[0], second.shape[0]) or last[0] != last[1]:
            raise Misfit(
                f"the features have the shapes {shape_text(first.shape)} and {shape_text(second.shape)}",
                found=shape_text(second.shape),
                expected=shape_text(first.shape),
            )
        return TensorType(encoded(first.shape, self.output_mode, self.num_bins), self.compute_dtype)
