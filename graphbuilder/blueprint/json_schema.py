"""The JSON Schema of blueprints, for completion, hover and checking in an editor.

It is made from the pydantic models of the format and from the catalog: a condition per layer, op, fusion and standard
block says which arguments stand beside it. Where a number, a truth value or a word may stand, an expression may too.
An editor finds it by a comment on the first line of a blueprint::

    # yaml-language-server: $schema=https://…/blueprint.schema.json
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic.json_schema import DefsRef, GenerateJsonSchema, JsonRef, JsonSchemaMode, JsonSchemaValue

from graphbuilder.blueprint import node_schema
from graphbuilder.blueprint.forms import ParamName
from graphbuilder.blueprint.schema import Blueprint, Param
from graphbuilder.blueprint.sharing import shared
from graphbuilder.catalog import Entry
from graphbuilder.text import to_json

__all__ = ["json_schema", "schema_text"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = "^[A-Za-z_][A-Za-z0-9_-]*$"
_PARAM_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"

# The mappings whose keys are names, by the model and the field that holds them.
_NAMED = {
    "Blueprint": {"params": _PARAM_NAME, "imports": _PARAM_NAME, "inputs": _NAME, "blocks": _NAME, "nodes": _NAME},
    "Block": {"params": _PARAM_NAME, "inputs": _NAME, "nodes": _NAME},
}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, which knows the long form of a param that the short one's schema refers to."""

    def generate(self, schema: Any, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        reference = DefsRef("Param")
        self.json_to_defs_refs[JsonRef("#/$defs/Param")] = reference
        self.definitions[reference] = Param.model_json_schema()
        return super().generate(schema, mode)


def json_schema(fusions: Mapping[str, type[Entry]] | None = None) -> dict[str, Any]:
    """The JSON Schema (Draft 2020-12) of blueprints.

    Arguments:
        fusions: the ways to merge branches by name; without them the arguments of `fuse:` nodes are not described.

    Example:
        >>> json_schema()["$defs"]["layer.Dense"]["required"]
        ['layer', 'units']
    """
    document: dict[str, Any] = _tidied(Blueprint.model_json_schema(schema_generator=_Generator))
    definitions = document.pop("$defs")
    parts = {"Blueprint": document, **{name: definitions[name] for name in ("Block", *_plain_parts(definitions))}}
    for name, part in parts.items():
        for key, pattern in _NAMED.get(name, {}).items():
            part["properties"][key]["propertyNames"] = {"pattern": pattern}
        if "nodes" in part["properties"]:
            part["properties"]["nodes"]["additionalProperties"] = {"$ref": "#/$defs/node"}
    _allow_short_forms(parts)
    parts.pop("Blueprint")
    made = {**parts, **node_schema.definitions(fusions or {})}
    return {
        "$schema": _DIALECT,
        "title": "graphbuilder blueprint, format 1",
        **document,
        "$defs": shared(made),
    }


def schema_text(fusions: Mapping[str, type[Entry]] | None = None) -> str:
    """The JSON Schema as text, the same for the same catalog."""
    return to_json(json_schema(fusions))


def _plain_parts(definitions: Mapping[str, Any]) -> Iterable[str]:
    """The definitions that are no nodes: those are described with the catalog."""
    return [name for name in definitions if not name.endswith("Node") and name != "Block"]


def _allow_short_forms(parts: Mapping[str, dict[str, Any]]) -> None:
    """What a validator turns into the long form: `description`, ports as a list, and a port without a description."""
    top = parts["Blueprint"]["properties"]
    top["description"] = {**top["about"], "description": "what it is, for people; the same as about"}
    block = parts["Block"]["properties"]
    about = block["inputs"].pop("description")
    ports = {**block["inputs"], "additionalProperties": {"anyOf": [{"$ref": "#/$defs/PortSpec"}, {"type": "null"}]}}
    names = {"type": "array", "items": {"type": "string", "pattern": _NAME}, "uniqueItems": True}
    block["inputs"] = {"description": about, "anyOf": [names, ports]}


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
