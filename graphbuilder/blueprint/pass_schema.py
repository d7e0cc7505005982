"""The JSON Schema of compression passes: which options stand beside a pass."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from graphbuilder.blueprint.entry_schema import written
from graphbuilder.blueprint.node_schema import open_to_expressions

__all__ = ["pass_definitions"]


def pass_definitions(passes: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """The definitions that describe passes, `pass` among them, to stand under `$defs`.

    Arguments:
        passes: the passes' options by name.
    """
    named = [{"const": name, "description": _one_line(kind)} for name, kind in passes.items()]
    return {
        "pass": {
            "type": "object",
            "properties": {"pass": {"description": "prune, cluster, quantize, low_rank, …", "anyOf": named}},
            "required": ["pass"],
            "allOf": [
                {
                    "if": {"properties": {"pass": {"const": name}}, "required": ["pass"]},
                    "then": {"$ref": f"#/$defs/pass.{name}"},
                }
                for name in passes
            ],
        },
        **{f"pass.{name}": _options(kind) for name, kind in passes.items()},
    }


def _one_line(kind: type[BaseModel]) -> str:
    return (inspect.getdoc(kind) or "").split("\n")[0].rstrip(".")


def _ranges(kind: type[BaseModel]) -> dict[str, Any]:
    """What `search` takes beside a pass: a list of numbers for each option that can be varied."""
    numbers = {"type": "array", "items": open_to_expressions({"type": "number"}), "minItems": 1}
    options: tuple[str, ...] = getattr(kind, "searched", ())
    return {"type": "object", "properties": dict.fromkeys(options, numbers), "additionalProperties": False}


def _options(kind: type[BaseModel]) -> dict[str, Any]:
    """One pass with its options, and no others."""
    properties: dict[str, Any] = {"pass": {}}
    schemas = kind.model_json_schema()["properties"]
    for name, info in kind.model_fields.items():
        plain = {key: value for key, value in schemas[name].items() if key not in ("title", "default", "description")}
        if name == "search":
            plain = _ranges(kind)
        properties[name] = {"description": info.description, **open_to_expressions(plain)}
        default = written(info.default)
        if isinstance(default, (bool, int, float, str)):
            properties[name]["default"] = default
    return {"description": _one_line(kind), "type": "object", "properties": properties, "additionalProperties": False}
