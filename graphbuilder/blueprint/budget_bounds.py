"""The bounds that a budget may set, and what each of them takes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from graphbuilder.blueprint.forms import EXPRESSION_SCHEMA, has_expression
from graphbuilder.catalog.arguments import refuse
from graphbuilder.errors import Hint

__all__ = [
    "BOUNDS",
    "MODEL_BOUNDS",
    "Bound",
    "Bytes",
    "Count",
    "Drop",
    "Positive",
    "Room",
    "expected_amount",
    "expected_bound",
    "read_amount",
]


@dataclass(frozen=True, slots=True)
class Bound:
    """What a bound takes.

    Arguments:
        expected: in words.
        schema: as JSON Schema.
        accepts: whether it takes a number.
    """

    expected: str
    schema: Mapping[str, Any]
    accepts: Callable[[int | float], bool]


_DROP = Bound(
    "a number of at least 0, such as 0.01", {"type": "number", "minimum": 0}, lambda number: 0 <= number < math.inf
)
_POSITIVE = Bound("a number above 0", {"type": "number", "exclusiveMinimum": 0}, lambda number: 0 < number < math.inf)
_BYTES = Bound(
    "an integer of at least 1", {"type": "integer", "minimum": 1}, lambda number: isinstance(number, int) and number > 0
)

# A number and a unit, such as 5M and 1.5 GB; YAML reads them as words.
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]+)")
_COUNTS = {"K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12}
_ROOMS = {
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}


def _amounts(units: Mapping[str, int]) -> dict[str, Any]:
    """As JSON Schema: an integer, or a number with one of these units."""
    number = {"type": "integer", "minimum": 1}
    return {"anyOf": [number, {"type": "string", "pattern": rf"^[0-9]+(\.[0-9]+)? ?({'|'.join(units)})$"}]}


_COUNT = Bound(
    "an integer of at least 1, or a number with a unit, such as 5M or 1.2G", _amounts(_COUNTS), _BYTES.accepts
)
_ROOM = Bound("a number of bytes, or a size with a unit, such as 200MB or 1.5GiB", _amounts(_ROOMS), _BYTES.accepts)

# What the model itself may cost, as it is written: by name, each with its units, in the order in which they are judged.
MODEL_BOUNDS: Mapping[str, tuple[Bound, Mapping[str, int]]] = {
    "params": (_COUNT, _COUNTS),
    "macs": (_COUNT, _COUNTS),
    "memory": (_ROOM, _ROOMS),
    "size": (_ROOM, _ROOMS),
}

# What a compressed model may cost: by name, in the order in which they are judged.
BOUNDS: Mapping[str, Bound] = {
    "accuracy_drop": _DROP,
    "gzip_ratio": _POSITIVE,
    "raw_ratio": _POSITIVE,
    "gzip_bytes": _BYTES,
    "raw_bytes": _BYTES,
    "latency_ms": _POSITIVE,
}


def expected_bound(name: str, value: Any) -> str | None:
    """What a bound would take instead of a value; None where it takes the value. null sets no bound.

    Example:
        >>> expected_bound("gzip_bytes", 40_000), expected_bound("gzip_bytes", 0.5)
        (None, 'an integer of at least 1')
    """
    bound = BOUNDS[name]
    if value is None or (type(value) in (int, float) and bound.accepts(value)):
        return None
    return bound.expected


def read_amount(name: str, value: Any) -> int | None:
    """The number that a bound on the model itself sets; None where the value is not one that it takes.

    Arguments:
        name: a key of `MODEL_BOUNDS`.
        value: an integer, or a number with a unit.

    Example:
        >>> read_amount("params", "5M"), read_amount("size", "1.5 KiB"), read_amount("size", "5M")
        (5000000, 1536, None)
    """
    bound, units = MODEL_BOUNDS[name]
    if isinstance(value, str):
        found = _AMOUNT.fullmatch(value)
        if found is None or found[2] not in units:
            return None
        value = int(Decimal(found[1]) * units[found[2]])
    return value if type(value) is int and bound.accepts(value) else None


def expected_amount(name: str, value: Any) -> str | None:
    """What a bound on the model itself would take instead of a value; None where it takes the value.

    Example:
        >>> expected_amount("memory", "200MB"), expected_amount("params", 0.5)
        (None, 'an integer of at least 1, or a number with a unit, such as 5M or 1.2G')
    """
    return None if value is None or read_amount(name, value) is not None else MODEL_BOUNDS[name][0].expected


def _hint(value: Any) -> str | None:
    """How to write what was probably meant: YAML 1.2 reads 40_000 as a word."""
    digits = value.replace("_", "") if isinstance(value, str) else ""
    return Hint(f"write {digits}", digits) if digits.isdigit() else None


def _field(bound: Bound) -> tuple[BeforeValidator, WithJsonSchema]:
    """A validator that takes an expression too, and the JSON Schema of both."""

    def check(value: Any) -> Any:
        if value is None or has_expression(value) or (type(value) in (int, float) and bound.accepts(value)):
            return value
        raise refuse(bound.expected, _hint(value))

    either = [dict(bound.schema), EXPRESSION_SCHEMA, {"type": "null"}]
    return BeforeValidator(check), WithJsonSchema({"anyOf": either})


def _amount_field(name: str) -> tuple[BeforeValidator, WithJsonSchema]:
    """The same for a bound that takes units."""
    bound, _ = MODEL_BOUNDS[name]

    def check(value: Any) -> Any:
        if has_expression(value) or expected_amount(name, value) is None:
            return value
        raise refuse(bound.expected, _hint(value))

    either = [*bound.schema["anyOf"], EXPRESSION_SCHEMA, {"type": "null"}]
    return BeforeValidator(check), WithJsonSchema({"anyOf": either})


Drop: TypeAlias = Annotated[Any, *_field(_DROP)]
Positive: TypeAlias = Annotated[Any, *_field(_POSITIVE)]
Bytes: TypeAlias = Annotated[Any, *_field(_BYTES)]
Count: TypeAlias = Annotated[Any, *_amount_field("params")]
Room: TypeAlias = Annotated[Any, *_amount_field("memory")]
