"""The JSON Schema of nodes: which keys stand beside a layer, an op, a fusion or a block."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphbuilder.blueprint.entry_schema import (
    argument_schemas,
    blueprint_key,
    call_schema,
    named_type,
    param_schema,
    written,
)
from graphbuilder.blueprint.loading import load_shipped
from graphbuilder.blueprint.schema import BlockNode, FuseNode, LayerNode, OpNode, ReuseNode
from graphbuilder.blueprint.shipped import NAMESPACES, blocks_in
from graphbuilder.catalog import DTYPES, Entry, LayerEntry, Port, layers, ops
from graphbuilder.registry import Registry

__all__ = ["definitions", "one_line", "open_to_expressions"]

_EXPRESSION = {"$ref": "#/$defs/expression"}
_CUSTOM = {"type": "string", "pattern": "^[\\w.]+:\\w+$"}
_KINDS = ("layer", "op", "fuse", "block", "reuse")


def definitions(fusions: Mapping[str, type[Entry]]) -> dict[str, Any]:
    """The definitions that describe nodes, `node` among them, to stand under `$defs`.

    Arguments:
        fusions: the ways to merge branches by name.
    """
    layer_table, op_table = _loaded(layers), _loaded(ops)
    return {
        "expression": {
            "type": "string",
            "pattern": "^\\$",
            "description": "an expression over params: $name, or $(…) with arithmetic and conditions",
        },
        "node": _node(layer_table, op_table, fusions),
        "layer-node": _layer_node(layer_table),
        "layer-arguments": {"allOf": [_when("layer", name, f"layer.{name}") for name in layer_table]},
        "custom-layer": _custom_layer(),
        "layer": _wrapped_layer(layer_table),
        "op-node": {"allOf": [_when("op", name, f"op.{name}") for name in op_table]},
        "fuse-node": {"allOf": [_when("fuse", name, f"fuse.{name}") for name in fusions]},
        "block-node": _block_node(),
        "reuse-node": _closed("reuse", {"reuse": _field(ReuseNode, "reuse"), "call": _field(ReuseNode, "call")}),
        **{f"layer.{name}": _entry("layer", kind) for name, kind in layer_table.items()},
        **{f"op.{name}": _entry("op", kind) for name, kind in op_table.items()},
        **{f"fuse.{name}": _entry("fuse", kind) for name, kind in fusions.items()},
        **_blocks(),
    }


def _loaded(table: Registry[Any]) -> dict[str, type[Entry]]:
    found = {name: table.get(name) for name in table.names()}
    return {name: entry for name, entry in found.items() if entry is not None}


def one_line(entry: type[Entry]) -> str:
    """The first line of an entry's documentation, without its full stop."""
    return (inspect.getdoc(entry) or "").split("\n")[0].rstrip(".")


def _node(
    layer_table: Mapping[str, type[Entry]], op_table: Mapping[str, type[Entry]], fusions: Mapping[str, type[Entry]]
) -> dict[str, Any]:
    """A node of any kind: first what kind it is, then what that kind takes."""
    custom = {**_CUSTOM, "description": "a layer of your own, package.module:Class"}
    return {
        "type": "object",
        "properties": {
            "layer": _choice(LayerNode, "layer", layer_table, custom),
            "op": _choice(OpNode, "op", op_table),
            "fuse": _choice_of("a way to merge", fusions.items()) if fusions else {"type": "string"},
            "block": {"$ref": "#/$defs/block-name"},
            "reuse": _field(ReuseNode, "reuse"),
            **_common(),
        },
        "allOf": [{"if": {"required": [kind]}, "then": {"$ref": f"#/$defs/{kind}-node"}} for kind in _KINDS],
        "oneOf": [{"required": [kind]} for kind in _KINDS],
    }


def _choice(node: Any, key: str, table: Mapping[str, type[Entry]], *more: dict[str, Any]) -> dict[str, Any]:
    return _choice_of(node.model_fields[key].description or "", table.items(), *more)


def _choice_of(about: str, entries: Iterable[tuple[str, type[Entry]]], *more: dict[str, Any]) -> dict[str, Any]:
    """One of several names, each with a line of its own, so that an editor can list them."""
    named = [{"const": name, "description": one_line(entry)} for name, entry in entries]
    return {"description": about, "anyOf": [*named, *more]}


def _when(key: str, name: str, definition: str) -> dict[str, Any]:
    """What a node takes when a key has a value."""
    return {
        "if": {"properties": {key: {"const": name}}, "required": [key]},
        "then": {"$ref": f"#/$defs/{definition}"},
    }


def _field(node: Any, name: str) -> dict[str, Any]:
    """The schema of one key of a node, from the model of the format."""
    schema = node.model_json_schema()
    found = dict(schema["properties"][name])
    found.pop("title", None)
    if found.get("default") in (None, {}):
        found.pop("default", None)
    return found


def _common() -> dict[str, Any]:
    """The keys of every node."""
    return {name: _field(OpNode, name) for name in ("from", "when", "about")}


def _closed(kind: str, properties: Mapping[str, Any], required: Iterable[str] = ()) -> dict[str, Any]:
    """A node that has these keys, those of every node, and no others."""
    return {
        "type": "object",
        "properties": {kind: {}, **properties, **{k: v for k, v in _common().items() if k not in properties}},
        "required": list(dict.fromkeys([kind, *required])),
        "additionalProperties": False,
    }


def _entry(kind: str, entry: type[Entry]) -> dict[str, Any]:
    """A node of one layer, op or fusion, with its arguments."""
    arguments, required = {}, []
    fields = {blueprint_key(entry, name): info for name, info in entry.model_fields.items()}
    for name, schema in argument_schemas(entry).items():
        info = fields[name]
        arguments[name] = {"description": info.description, **open_to_expressions(schema)}
        if info.is_required():
            required.append(name)
        elif info.default is not None:
            arguments[name]["default"] = written(info.default)
    if issubclass(entry, LayerEntry):
        arguments["call"] = _call(entry)
    if len(entry.ports) > 1:
        arguments["from"] = _ports(entry.ports)
    if kind == "fuse":
        arguments["trainable"] = _field(FuseNode, "trainable")
    return {"description": one_line(entry), **_closed(kind, arguments, required)}


def _call(entry: type[LayerEntry]) -> dict[str, Any]:
    """The call arguments of a layer that are not tensors."""
    return {
        "description": _field(LayerNode, "call")["description"],
        "type": "object",
        "properties": {
            name: {"description": argument.about, **open_to_expressions(call_schema(argument))}
            for name, argument in entry.call_arguments.items()
        },
        "additionalProperties": False,
    }


def _ports(ports: Iterable[Port]) -> dict[str, Any]:
    """What a call of several ports is called with."""
    whole = _field(OpNode, "from")
    by_name = {
        "type": "object",
        "description": "by the names of the call's arguments",
        "properties": {
            **{port.name: {"description": port.about} if port.about else {} for port in ports},
            "constant": {"description": "a number, or nested lists of numbers"},
            "dtype": {"description": "the constant's dtype", "enum": list(DTYPES)},
        },
        "additionalProperties": False,
    }
    others = [branch for branch in whole["anyOf"] if branch.get("type") != "object"]
    return {"description": whole["description"], "anyOf": [*others, by_name]}


def _layer_node(layer_table: Mapping[str, type[Entry]]) -> dict[str, Any]:
    custom = {"if": {"properties": {"layer": _CUSTOM}, "required": ["layer"]}, "then": {"$ref": "#/$defs/custom-layer"}}
    return {"allOf": [{"$ref": "#/$defs/layer-arguments"}, custom]}


def _custom_layer() -> dict[str, Any]:
    keys = ("call", "args", "gives")
    return _closed("layer", {key: _field(LayerNode, key) for key in keys})


def _wrapped_layer(layer_table: Mapping[str, type[Entry]]) -> dict[str, Any]:
    """A layer inside another one: its arguments, and nothing of a node."""
    return {
        "type": "object",
        "properties": {
            "layer": _choice(LayerNode, "layer", layer_table),
            **dict.fromkeys(("from", "when", "about", "call"), False),
        },
        "required": ["layer"],
        "allOf": [{"$ref": "#/$defs/layer-arguments"}],
    }


def _block_node() -> dict[str, Any]:
    names = [f"{space}.{block}" for space in NAMESPACES for block in blocks_in(space)]
    return {
        "properties": {"block": {"$ref": "#/$defs/block-name"}, **_block_keys()},
        "not": {"anyOf": [{"required": [key]} for key in ("call", "wraps", "args", "gives")]},
        "allOf": [_when("block", name, f"block.{name}") for name in names],
    }


def _block_keys() -> dict[str, Any]:
    """The keys of every block node, beside those of every node."""
    return {key: _field(BlockNode, key) for key in ("repeat", "trainable", "pretrained")}


def _blocks() -> dict[str, Any]:
    """The names of blocks, and for each standard block its params."""
    described, found = [], {}
    for space in NAMESPACES:
        for name in blocks_in(space):
            place = load_shipped(f"{space}.{name}")
            if place is None:
                continue
            params, required = {}, []
            for key, param in place.definition.params.items():
                params[key] = {"description": param.about or key, **open_to_expressions(param_schema(param))}
                if param.required:
                    required.append(key)
                elif param.default is not None:
                    params[key]["default"] = param.default
            about = (place.definition.about or "").strip().rstrip(".")
            described.append({"const": f"{space}.{name}", "description": about})
            keys = {**params, **_block_keys()}
            found[f"block.{space}.{name}"] = {"description": about, **_closed("block", keys, required)}
    own = {"type": "string", "description": "a block of this file or of an import"}
    names = {"description": BlockNode.model_fields["block"].description, "anyOf": [*described, own]}
    return {"block-name": names, **found}


def open_to_expressions(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema that takes expressions too, at every depth where a value may stand."""
    named = named_type(schema)
    if named == "layer":
        return {"$ref": "#/$defs/layer"}
    inner = _deeper(schema)
    if not inner or inner == {"type": "string"}:
        return dict(inner)
    branches = list(inner["anyOf"]) if set(inner) == {"anyOf"} else [inner]
    return {"anyOf": [*branches, _EXPRESSION]}


def _deeper(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with what its lists and mappings hold opened to expressions."""
    changed = dict(schema)
    opened: dict[str, Callable[[Any], Any]] = {
        "anyOf": lambda branches: [
            {"$ref": "#/$defs/layer"} if named_type(branch) == "layer" else _deeper(branch) for branch in branches
        ],
        "items": open_to_expressions,
        "properties": lambda properties: {
            name: _deeper(part) if part.get("type") == ["object", "null"] else open_to_expressions(part)
            for name, part in properties.items()
        },
        "additionalProperties": lambda part: open_to_expressions(part) if isinstance(part, dict) else part,
    }
    for key, change in opened.items():
        if key in changed:
            changed[key] = change(changed[key])
    return changed
