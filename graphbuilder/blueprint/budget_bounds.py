"""The bounds that a budget may set, and what each of them takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

from graphbuilder.blueprint.forms import EXPRESSION_SCHEMA, has_expression
from graphbuilder.catalog.arguments import refuse

__all__ = ["BOUNDS", "Bound", "Bytes", "Drop", "Positive", "expected_bound"]


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

# By name, in the order in which they are judged.
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


def _hint(value: Any) -> str | None:
    """How to write what was probably meant: YAML 1.2 reads 40_000 as a word."""
    digits = value.replace("_", "") if isinstance(value, str) else ""
    return f"write {digits}" if digits.isdigit() else None


def _field(bound: Bound) -> tuple[BeforeValidator, WithJsonSchema]:
    """A validator that takes an expression too, and the JSON Schema of both."""

    def check(value: Any) -> Any:
        if value is None or has_expression(value) or (type(value) in (int, float) and bound.accepts(value)):
            return value
        raise refuse(bound.expected, _hint(value))

    either = [dict(bound.schema), EXPRESSION_SCHEMA, {"type": "null"}]
    return BeforeValidator(check), WithJsonSchema({"anyOf": either})


Drop: TypeAlias = Annotated[Any, *_field(_DROP)]
Positive: TypeAlias = Annotated[Any, *_field(_POSITIVE)]
Bytes: TypeAlias = Annotated[Any, *_field(_BYTES)]
