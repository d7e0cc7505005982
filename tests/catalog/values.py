"""Values for an argument, right ones and wrong ones, read off its JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

from graphbuilder.catalog import Entry
from graphbuilder.catalog.objects import KINDS

__all__ = ["Schema", "alternatives", "arguments_of", "object_kind", "right_values", "within", "wrong_values"]

Schema: TypeAlias = Mapping[str, Any]

_WRONG_NAME = "bogus"
# An array without a stated length grows no longer than this.
_LONGEST = 4

_OBJECTS: Mapping[str, tuple[Any, ...]] = {
    "initializer": (
        "ones",
        "he_normal",
        None,
        {"RandomNormal": {"stddev": 0.1}},
        {"Constant": {"value": 0.5}},
        {"VarianceScaling": {"scale": 2.0, "mode": "fan_out"}},
    ),
    "regularizer": ("l2", {"l1": {"l1": 0.1}}, {"L1L2": {"l1": 0.1, "l2": 0.2}}),
    "constraint": ("non_neg", {"MaxNorm": {"max_value": 2.0}}),
    "activation": ("relu", "linear", "softmax", "sigmoid", "gelu", None, {"relu": {"max_value": 6.0}}),
}


@cache
def _schema(kind: type[Entry]) -> Schema:
    return kind.model_json_schema()


def alternatives(kind: type[Entry], schema: Schema) -> list[Schema]:
    """The plain schemas of which a value must meet one."""
    if "$ref" in schema:
        found: Any = _schema(kind)
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return alternatives(kind, found)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return [plain for item in schema[key] for plain in alternatives(kind, item)]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": name} for name in schema["type"]]
    return [schema]


def object_kind(schema: Schema) -> str | None:
    names = schema.get("anyOf", [{}])[0].get("enum")
    return next((name for name, kind in KINDS.items() if kind.names == names), None)


def right_values(kind: type[Entry], schema: Schema) -> list[Any]:
    """A handful of values that a schema takes, the plainest first."""
    found_kind = object_kind(schema)
    if found_kind is not None:
        return list(_OBJECTS[found_kind])
    found: list[Any] = []
    for plain in alternatives(kind, schema):
        found += _right(kind, plain)
    return _distinct(found)


def _right(kind: type[Entry], schema: Schema) -> list[Any]:
    if "examples" in schema:
        return list(schema["examples"])
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return list(schema["enum"])
    match schema.get("type"):
        case "null":
            return [None]
        case "boolean":
            return [True, False]
        case "integer":
            return [value for value in (1, 2, 3, 5, 8, 0, -1, -2, 4, 6) if within(value, schema)]
        case "number":
            return [value for value in (0.5, 0.1, 0.0, 1.0, 2.0, 1e-3, -0.5) if within(value, schema)]
        case "string":
            return []
        case "array":
            return _right_arrays(kind, schema)
    return []


def _right_arrays(kind: type[Entry], schema: Schema) -> list[Any]:
    prefix = schema.get("prefixItems")
    if isinstance(prefix, list):
        choices = [right_values(kind, item) for item in prefix]
        return [[options[min(pick, len(options) - 1)] for options in choices] for pick in range(3) if all(choices)]
    items = right_values(kind, schema.get("items", {}))
    least = schema.get("minItems", 0)
    most = min(schema.get("maxItems", max(_LONGEST, least)), max(_LONGEST, least))
    found: list[Any] = []
    for length in range(least, most + 1):
        for shift in range(3):
            row = [items[(shift + position * (shift + 1)) % len(items)] for position in range(length)] if items else []
            if len(row) == length:
                found.append(row)
    return _distinct(found)


def wrong_values(kind: type[Entry], schema: Schema) -> list[Any]:
    """Values of the right kind that a schema does not take: out of bounds, unknown names, lists of another length."""
    if object_kind(schema) is not None:
        return [_WRONG_NAME]
    found: list[Any] = []
    plain_schemas = alternatives(kind, schema)
    for plain in plain_schemas:
        match plain.get("type"):
            case "integer":
                found += [value for value in (0, -1, -2, 7) if not within(value, plain)]
            case "number":
                found += [value for value in (-0.5, 0.0, 1.0, 1.5) if not within(value, plain)]
            case "array" if "items" in plain or "prefixItems" in plain:
                found += _wrong_arrays(kind, plain)
        if "enum" in plain and all(isinstance(name, str) for name in plain["enum"]):
            found.append(_WRONG_NAME)
    # Of flags and numbers that it does not use just then, Keras takes null as it takes anything.
    lenient = ("null", "boolean", "number", "string")
    if not any(plain.get("type") in lenient and "enum" not in plain for plain in plain_schemas):
        found.append(None)
    return [value for value in _distinct(found) if not any(_takes(kind, plain, value) for plain in plain_schemas)]


def _wrong_arrays(kind: type[Entry], schema: Schema) -> list[Any]:
    right = _right_arrays(kind, schema)
    row = next((row for row in right if row), [1])
    found = [row[:-1], [*row, row[-1]]]
    if all(isinstance(item, int) and not isinstance(item, bool) for item in row):
        found += [[*row[:-1], 0], [*row[:-1], -1]]
    return found


def _takes(kind: type[Entry], schema: Schema, value: Any) -> bool:
    """Whether a value meets a plain schema, for the wrong values made above."""
    if isinstance(value, str):
        return bool(value in schema.get("enum", ()))
    if value is None:
        return schema.get("type") == "null"
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        numeric = schema.get("type") == "number" or (schema.get("type") == "integer" and isinstance(value, int))
        return numeric and within(value, schema)
    if isinstance(value, list) and schema.get("type") == "array":
        length = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        items = alternatives(kind, schema.get("items", {}))
        return length and all(any(_takes(kind, plain, item) for plain in items) for item in value)
    return False


def within(value: float, schema: Schema) -> bool:
    return (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and value > schema.get("exclusiveMinimum", value - 1)
        and value < schema.get("exclusiveMaximum", value + 1)
        and ("enum" not in schema or value in schema["enum"])
    )


def _distinct(values: list[Any]) -> list[Any]:
    seen: set[str] = set()
    return [value for value in values if not (repr(value) in seen or seen.add(repr(value)))]  # type: ignore[func-returns-value]


def arguments_of(kind: type[Entry]) -> dict[str, Schema]:
    """The arguments whose values are changed, each with its schema."""
    return dict(_schema(kind).get("properties", {}))
