"""The JSON Schema of blueprints, for completion, hover and checking in an editor.

It is made from the pydantic models of the format and from the catalog: a condition per layer, op, fusion and standard
block says which arguments stand beside it. Where a number, a truth value or a word may stand, an expression may too.
An editor finds it by a comment on the first line of a blueprint::

    # yaml-language-server: $schema=https://…/blueprint.schema.json
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, create_model

from graphbuilder.blueprint import node_schema
from graphbuilder.blueprint.pass_schema import pass_definitions
from graphbuilder.blueprint.schema import Block, Blueprint, InputSpec, Param, PortSpec
from graphbuilder.blueprint.sharing import shared
from graphbuilder.catalog import Entry

__all__ = ["json_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = "^[A-Za-z_][A-Za-z0-9_-]*$"
_PARAM_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"

# The fields that are mappings by name: what a name looks like, and what stands behind it.
_NAMED = {
    "params": (_PARAM_NAME, "#/$defs/param"),
    "imports": (_PARAM_NAME, "#/$defs/file"),
    "inputs": (_NAME, "#/$defs/InputSpec"),
    "blocks": (_NAME, "#/$defs/Block"),
    "nodes": (_NAME, "#/$defs/node"),
}

# What a validator turns into the long form: the default alone for a param, names alone for a block's ports.
_SHORT_PARAM = {"type": ["number", "string", "boolean", "null", "array"], "description": "the default"}
_PORTS = {
    "anyOf": [
        {"type": "array", "items": {"type": "string", "pattern": _NAME}, "uniqueItems": True},
        {
            "type": "object",
            "propertyNames": {"pattern": _NAME},
            "additionalProperties": {"anyOf": [{"$ref": "#/$defs/PortSpec"}, {"type": "null"}]},
        },
    ]
}
_FILE = {"type": "string", "description": "a path relative to this file, within its folder"}


def json_schema(
    fusions: Mapping[str, type[Entry]] | None = None, passes: Mapping[str, type[BaseModel]] | None = None
) -> dict[str, Any]:
    """The JSON Schema (Draft 2020-12) of blueprints.

    Arguments:
        fusions: the ways to merge branches by name; without them the arguments of `fuse:` nodes are not described.
        passes: the compression passes by name; without them their options are not described.

    Example:
        >>> json_schema()["$defs"]["layer.Dense"]["required"]
        ['layer', 'units']
    """
    document, block = _part(Blueprint), _part(Block)
    parts = {**document.pop("$defs"), **block.pop("$defs")}
    properties = document["properties"]
    about = {**properties["about"], "description": "what it is, for people; the same as about"}
    document["properties"] = {**properties, "description": about}
    if passes:
        listed = {"description": properties["compression"]["description"], "type": "array"}
        document["properties"]["compression"] = {**listed, "items": {"$ref": "#/$defs/pass"}}
        parts.pop("PassSpec", None)
    made = {
        "Block": block,
        "Param": _plain(Param),
        "param": {"anyOf": [{"$ref": "#/$defs/Param"}, _SHORT_PARAM]},
        "ports": _PORTS,
        "file": _FILE,
        **parts,
        **node_schema.definitions(fusions or {}),
        **(pass_definitions(passes) if passes else {}),
    }
    return {"$schema": _DIALECT, "title": "graphbuilder blueprint, format 1", **document, "$defs": shared(made)}


def _part(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a model whose mappings by name are described here and in `node_schema`."""
    named = {name: kind for name, kind in _NAMED.items() if name in model.model_fields}
    fields: dict[str, Any] = {name: (dict[str, Any], model.model_fields[name]) for name in named}
    schema = _plain(create_model(model.__name__, __base__=model, **fields))
    schema.setdefault("$defs", {})
    for name, (pattern, definition) in named.items():
        about = schema["properties"][name].get("description")
        holds = {"type": "object", "propertyNames": {"pattern": pattern}, "additionalProperties": {"$ref": definition}}
        schema["properties"][name] = {"description": about, **holds}
    if model is Block:
        ports = schema["properties"]["inputs"]
        schema["properties"]["inputs"] = {"description": ports["description"], "$ref": "#/$defs/ports"}
        schema["$defs"]["PortSpec"] = _plain(PortSpec)
    else:
        schema["$defs"]["InputSpec"] = _plain(InputSpec)
    return schema


def _plain(model: type[BaseModel]) -> dict[str, Any]:
    tidied: dict[str, Any] = _tidied(model.model_json_schema())
    return tidied


def _tidied(schema: Any) -> Any:
    """A schema without titles, and without defaults that say nothing."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if (key == "title" and isinstance(value, str)) or (key == "default" and value in (None, {}, [])):
            continue
        if key in ("properties", "$defs"):
            kept[key] = {name: _tidied(part) for name, part in value.items()}
        else:
            kept[key] = _tidied(value)
    return kept
