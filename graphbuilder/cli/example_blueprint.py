"""Blueprints that show how a layer, op, fusion or block is used, made from the examples in the catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from graphbuilder.blueprint.entry_schema import blueprint_key, written
from graphbuilder.catalog import BATCH, Entry, Example, TensorType
from graphbuilder.cli.shelves import Item
from graphbuilder.text import to_yaml

__all__ = ["block_example", "example_blueprint", "examples_of"]

# What the inputs of a list are called.
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

# A tensor without a batch axis is no input of a model; it is shown as a constant if it is no larger than this.
_LARGEST_CONSTANT = 64


def examples_of(key: str, entry: type[Entry]) -> list[str]:
    """A blueprint as YAML for each of an entry's examples that a blueprint can say.

    Arguments:
        key: what a node names it with: layer, op or fuse.
        entry: the catalog's entry.
    """
    examples = entry.examples or _made_up(entry)
    found = (example_blueprint(key, entry, example) for example in examples)
    return [to_yaml(data) for data in found if data is not None]


def _made_up(entry: type[Entry]) -> tuple[Example, ...]:
    """Two vectors for what merges a list of tensors and needs no argument, as fusions do."""
    needs = any(info.is_required() for info in entry.model_fields.values())
    if needs or not entry.ports or not entry.ports[0].many:
        return ()
    return (Example({}, ((TensorType((BATCH, 64)),) * max(2, entry.ports[0].least),)),)


def example_blueprint(key: str, entry: type[Entry], example: Example) -> dict[str, Any] | None:
    """A blueprint of one node; None where the example has a large tensor without a batch axis, and no batched one."""
    inputs: dict[str, dict[str, Any]] = {}
    source: dict[str, Any] = {}
    for port, given in zip(entry.ports, example.inputs, strict=False):
        many = isinstance(given, tuple)
        names = _LETTERS if many else [port.name if len(entry.ports) > 1 else "x"]
        parts: list[Any] = []
        for name, found in zip(names, given if isinstance(given, tuple) else (given,), strict=False):
            if found.shape[:1] == (BATCH,):
                inputs[name] = _input(found)
                parts.append(name)
            else:
                constant = _constant(found)
                if constant is None:
                    return None
                parts.append(constant)
        source[port.name] = parts if many else parts[0]
    if not inputs:
        return None
    arguments = {blueprint_key(entry, name): written(value) for name, value in example.arguments.items()}
    node = {key: entry.name(), **_from(source, inputs), **arguments}
    if example.call:
        node["call"] = written(example.call)
    name = _node_name(entry, inputs)
    blueprint: dict[str, Any] = {"blueprint": 1, "inputs": inputs, "nodes": {name: node}}
    count = entry.model_validate(dict(example.arguments)).output_count(example.call)
    if count is not None:
        blueprint["outputs"] = [f"{name}.{index}" for index in range(count)]
    return blueprint


def block_example(item: Item) -> str:
    """A node that uses a block, with values for its required params."""
    params = {argument.name: argument.sample for argument in item.arguments if argument.required}
    source = {"from": {port.name: port.name for port in item.ports}} if len(item.ports) > 1 else {}
    return to_yaml({"nodes": {item.name.partition(".")[2]: {"block": item.name, **source, **params}}})


def _input(found: TensorType) -> dict[str, Any]:
    shape = {"shape": list(found.shape[1:])}
    return shape if found.dtype == "float32" else {**shape, "dtype": found.dtype}


def _constant(found: TensorType) -> Any:
    """A number, or a constant in the long form; None for one that is too large to show."""
    sizes = [size for size in found.shape if isinstance(size, int)]
    number: int | float = 1 if "int" in found.dtype else 1.0
    value: Any = number
    count = 1
    for size in reversed(sizes):
        value = [value] * size
        count *= size
    if len(sizes) < found.rank or count > _LARGEST_CONSTANT:
        return None
    return value if not sizes else {"constant": value, "dtype": found.dtype}


def _from(source: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The `from` of the node; none where it is the only input."""
    values = list(source.values())
    if values == list(inputs) and len(values) == 1:
        return {}
    if len(values) == 1:
        return {"from": values[0]}
    return {"from": dict(source)}


def _node_name(entry: type[Entry], taken: Mapping[str, Any]) -> str:
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", entry.name())
    name = re.sub(r"(\d)_D\b", r"\1D", words).lower()
    return name if name not in taken else f"{name}_result"
