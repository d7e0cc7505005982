"""The small forms that the parts of a blueprint are made of: names, references, expressions, shapes."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from graphbuilder.catalog import BATCH, DTYPES
from graphbuilder.catalog.arguments import as_written, conflict, refuse
from graphbuilder.errors import Hint, nearest, suggestion

__all__ = [
    "EXPRESSION_SCHEMA",
    "AxisList",
    "BlockName",
    "DtypeName",
    "ExpressionText",
    "FileReference",
    "FromField",
    "Name",
    "NodeKind",
    "ObjectOrName",
    "OutputsField",
    "ParamName",
    "Reference",
    "has_expression",
    "node_kind",
]

# The keys that say what kind of node a node is.
KINDS = ("layer", "op", "fuse", "block", "reuse")
# The keys that every node may have.
NODE_KEYS = ("from", "when", "about", "call", "wraps", "repeat", "args", "gives", "trainable", "pretrained")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PARAM = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
EXPRESSION_SCHEMA = {"type": "string", "pattern": r"^\$", "description": "an expression over params"}


def has_expression(value: Any) -> bool:
    """Whether a value is a string with an expression in it."""
    return isinstance(value, str) and "$" in value


def _illegal(value: str, expected: str) -> PydanticCustomError:
    return conflict((), f"{value} is not a legal name", expected, code="GB206", on_key=True)


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise _illegal(value, "a letter or _, then letters, digits, _ or -")
    return value


# What a param cannot be named: the number of a copy, and the keys of the node that would set it.
_RESERVED = {"index", "block", "repeat", "from", "when", "about", "call"}


def _param_name(value: str) -> str:
    if value in _RESERVED:
        what = "the number of a block's copy" if value == "index" else "a key of the node that uses the block"
        raise conflict((), f"a param cannot be named {value}, which is {what}", code="GB206", on_key=True)
    if not _PARAM.fullmatch(value):
        raise _illegal(value, "a letter or _, then letters, digits or _")
    return value


Name = Annotated[str, AfterValidator(_name), Field(json_schema_extra={"pattern": f"^{_NAME.pattern}$"})]
ParamName = Annotated[str, AfterValidator(_param_name), Field(json_schema_extra={"pattern": f"^{_PARAM.pattern}$"})]
Reference = Annotated[str, Field(description="the name of a node or input, with a path for what lies inside")]
BlockName = Annotated[str, Field(description="the name of a block")]
FileReference = Annotated[str, Field(description="a path relative to this file, within its folder")]


def _must_be_expression(value: str) -> str:
    if "$" not in value:
        raise refuse("an expression such as $(depth > 2)")
    return value


ExpressionText = Annotated[str, AfterValidator(_must_be_expression), WithJsonSchema(EXPRESSION_SCHEMA)]


def _dtype(value: Any) -> Any:
    if isinstance(value, str) and not has_expression(value) and value not in DTYPES:
        raise refuse("a dtype such as float32, int32, string or bool", suggestion(value, DTYPES))
    return value


DtypeName = Annotated[
    str, BeforeValidator(_dtype), WithJsonSchema({"anyOf": [{"enum": list(DTYPES)}, EXPRESSION_SCHEMA]})
]


def _axes(value: Any) -> Any:
    if has_expression(value):
        return value
    if not isinstance(value, list):
        single = isinstance(value, int) and not isinstance(value, bool)
        hint = Hint(f"write [{as_written(value)}]", f"[{as_written(value)}]") if single else None
        raise refuse("a list of sizes without the batch axis", hint)
    return value


_NULL = Hint("write null", "null")


def _axis(value: Any) -> Any:
    if value is None or has_expression(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    if isinstance(value, str) and _NAME.fullmatch(value):
        if value in ("None", "none", "nil", "NaN"):
            raise refuse("a positive integer, null for unknown, or a word that names an unknown axis", _NULL)
        if value == BATCH:
            raise refuse(f"another name; {BATCH} is the batch axis, which shapes leave out")
        return value
    raise refuse("a positive integer, null for unknown, or a word that names an unknown axis")


_AXIS_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "null", "description": "unknown"},
        {"type": "string", "description": "a name for an unknown axis, or an expression"},
    ]
}
AxisList = Annotated[
    list[Annotated[Any, BeforeValidator(_axis)]] | ExpressionText,
    BeforeValidator(_axes),
    WithJsonSchema({"anyOf": [{"type": "array", "items": _AXIS_SCHEMA}, EXPRESSION_SCHEMA]}),
]

FromField = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "description": "a node or input"},
                {"type": ["number", "boolean"], "description": "a constant"},
                {"type": "array", "description": "several, in the order of the ports"},
                {"type": "object", "description": "by the names of the call's arguments"},
            ]
        }
    ),
]

OutputsField = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "description": "a node"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
                {"type": "object", "minProperties": 1},
            ]
        }
    ),
]

ObjectOrName = Annotated[
    str | dict[str, Any],
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "minProperties": 1, "maxProperties": 1}]}),
]


def node_kind(value: Any) -> str | None:
    """The tag of the node's kind: which of layer, op, fuse, block or reuse it has."""
    if not isinstance(value, dict):
        return None
    kinds = [kind for kind in KINDS if kind in value]
    return f"{kinds[0]}-node" if len(kinds) == 1 else None


def _check_kind(value: Any) -> Any:
    if not isinstance(value, dict):
        kind, _, name = value.partition(" ") if isinstance(value, str) else ("", "", "")
        written = f"{{{kind}: {name}}}"
        hint = Hint(f"write {written}", written) if kind in KINDS and name else None
        raise refuse("a mapping such as {layer: Dense, units: 10}", hint)
    kinds = [kind for kind in KINDS if kind in value]
    if len(kinds) == 1:
        return value
    expected = "exactly one of layer, op, fuse, block and reuse"
    if kinds:
        raise conflict((), f"the node has {' and '.join(kinds)}", expected, code="GB209", on_key=True)
    message = "the node does not say what it is"
    for key in value:
        close = nearest(key, KINDS) if key not in NODE_KEYS and isinstance(value[key], str) else None
        if close is not None:
            raise conflict((key,), message, expected, f"did you mean {close}?", code="GB209", on_key=True, fix=close)
    such = "say what the node is, such as {layer: Dense, units: 10}"
    raise conflict((), message, expected, such, code="GB209", on_key=True)


NodeKind = BeforeValidator(_check_kind)
