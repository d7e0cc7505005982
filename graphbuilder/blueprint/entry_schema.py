"""What the arguments of layers, ops, fusions and blocks take, as JSON Schema and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from graphbuilder.blueprint.schema import Param
from graphbuilder.catalog import CallArgument, Entry
from graphbuilder.catalog.arguments import Activation, Constraint, Initializer, Regularizer, as_written
from graphbuilder.catalog.nested import LayerSpec
from graphbuilder.catalog.objects import ObjectSpec

__all__ = ["argument_schemas", "blueprint_key", "call_schema", "in_words", "named_type", "param_schema", "written"]

_NULL = {"type": "null"}

# What is said of a value, in the order in which a schema has several alternatives.
_TYPES = {
    "boolean": "true or false",
    "integer": "integer",
    "number": "number",
    "string": "string",
    "array": "list",
    "object": "mapping",
    "null": "null",
}

_PYTHON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_PARAM_TYPES = {
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "str": "string",
    "list": "array",
    "mapping": "object",
}

# Beyond what a 64-bit integer holds a limit says nothing to people, and JavaScript cannot read it.
_LARGEST = 2**53


def argument_schemas(entry: type[Entry]) -> dict[str, dict[str, Any]]:
    """The JSON Schema of each argument by the name that a blueprint uses, without its description and default.

    Arguments:
        entry: a layer, an op or a fusion. What a wrapper wraps is called `wraps`, as in a blueprint.

    Example:
        >>> from graphbuilder.catalog import layers
        >>> argument_schemas(layers.get("Dense"))["units"]
        {'type': 'integer', 'minimum': 1}
    """
    properties = entry.model_json_schema(by_alias=False)["properties"]
    return {blueprint_key(entry, name): _bare(schema) for name, schema in properties.items()}


def blueprint_key(entry: type[Entry], name: str) -> str:
    """What a blueprint calls an argument: `wraps` for the layer that a wrapper holds, else the argument's own name."""
    return "wraps" if name == "layer" and "layer" in entry.model_fields else name


def written(value: Any) -> Any:
    """An argument's value as a blueprint writes it.

    Example:
        >>> written((1, 1)), written(ObjectSpec("initializer", "zeros"))
        ([1, 1], 'zeros')
    """
    if isinstance(value, ObjectSpec):
        return {value.name: written(value.options)} if value.options else value.name
    if isinstance(value, Mapping):
        return {key: written(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(item) for item in value]
    return value


def call_schema(argument: CallArgument) -> dict[str, Any]:
    """The JSON Schema of a call argument that is not a tensor."""
    return {"anyOf": [{"type": _PYTHON_TYPES.get(argument.kind, "string")}, _NULL]}


def param_schema(param: Param) -> dict[str, Any]:
    """The JSON Schema of what a param takes."""
    nullable = not param.required and param.default is None
    if param.choices is not None:
        return {"enum": [*param.choices, *([None] if nullable else [])]}
    if param.type == "any":
        return {}
    kind = _PARAM_TYPES.get(param.type or "") or _type_of_default(param)
    if kind is None:
        return {}
    schema: dict[str, Any] = {"type": kind}
    least, most = {
        "array": ("minItems", "maxItems"),
        "string": ("minLength", "maxLength"),
        "object": ("minProperties", "maxProperties"),
    }.get(kind, ("minimum", "maximum"))
    for key, limit in ((least, param.min), (most, param.max)):
        if limit is not None:
            schema[key] = int(limit) if limit == int(limit) else limit
    return {"anyOf": [schema, _NULL]} if nullable else schema


def _type_of_default(param: Param) -> str | None:
    default = param.default
    if default is None or (isinstance(default, str) and "$" in default):
        return None
    return _PYTHON_TYPES.get(type(default))


def _bare(schema: Any) -> Any:
    """A schema without what pydantic adds for itself: titles, descriptions, defaults, limits of 64 bits."""
    if isinstance(schema, list):
        return [_bare(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key in ("title", "description", "default") and not isinstance(value, dict):
            continue
        if isinstance(value, (int, float)) and abs(value) > _LARGEST:
            continue
        kept[key] = _properties(value) if key == "properties" else _bare(value)
    kept.pop("default", None)
    if "enum" in kept or "const" in kept:
        kept.pop("type", None)
    return kept


def _properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _bare(schema) for name, schema in properties.items()}


@cache
def _named_types() -> tuple[tuple[str, dict[str, Any]], ...]:
    """The kinds of Keras objects, and layers as arguments, each with its schema."""
    kinds: dict[str, Any] = {
        "initializer": Initializer,
        "regularizer": Regularizer,
        "constraint": Constraint,
        "activation": Activation,
        "layer": LayerSpec,
    }
    return tuple((name, _bare(TypeAdapter(kind).json_schema())) for name, kind in kinds.items())


def named_type(schema: Mapping[str, Any]) -> str | None:
    """Which kind of object a schema is of: initializer, regularizer, constraint, activation, layer; None of none."""
    return next((name for name, known in _named_types() if known == schema), None)


def in_words(schema: Mapping[str, Any]) -> str:
    """What a schema accepts, for people.

    Example:
        >>> in_words({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]})
        'integer of at least 1 or null'
        >>> in_words({"enum": ["valid", "same"]})
        'valid or same'
    """
    named = named_type(schema)
    if named is not None:
        return named
    if "anyOf" in schema:
        return _alternatives(schema["anyOf"])
    if "enum" in schema:
        return _either([_word(item) for item in schema["enum"]])
    if "const" in schema:
        return _word(schema["const"])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _either([_TYPES[each] for each in kind])
    if kind == "array":
        return _list_in_words(schema)
    return f"{_TYPES.get(kind or '', 'anything')}{_limits(schema)}"


def _word(value: Any) -> str:
    return value if isinstance(value, str) else as_written(value)


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _alternatives(branches: Sequence[Mapping[str, Any]]) -> str:
    words: list[str] = []
    for index, branch in enumerate(branches):
        # "integer of at least 1 or list of 2" need not say again what is in the list.
        if branch.get("type") == "array" and index and branch.get("items") == branches[index - 1]:
            words.append(_list_in_words({**branch, "items": {}}))
        elif "enum" in branch:
            words += map(_word, branch["enum"])
        else:
            words.append(in_words(branch))
    return _either(words)


def _list_in_words(schema: Mapping[str, Any]) -> str:
    least, most, items = schema.get("minItems"), schema.get("maxItems"), schema.get("items")
    count = f"{least}" if least is not None and least == most else ""
    several = f", at least {least}" if least and least > 1 and not count else ""
    if items and items.get("type") in ("integer", "number", "string"):
        what = f"{items['type']}s{_limits(items)}"
        return f"list of {count} {what}" if count else f"list of {what}{several}"
    each = f", each {in_words(items)}" if items else ""
    return (f"list of {count}" if count else "list") + several + each


def _limits(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    below, above = schema.get("exclusiveMaximum"), schema.get("exclusiveMinimum")
    parts = []
    if least is not None and most is not None:
        parts.append(f"from {least:g} to {most:g}")
    elif least is not None:
        parts.append(f"of at least {least:g}")
    elif most is not None:
        parts.append(f"of at most {most:g}")
    if above is not None:
        parts.append(f"above {above:g}")
    if below is not None:
        parts.append(f"below {below:g}")
    return "".join(f" {part}" for part in parts)
