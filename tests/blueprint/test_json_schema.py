"""The JSON Schema takes what the check takes, and refuses wrong layers and arguments."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from graphbuilder.cli.example_blueprint import example_blueprint
from graphbuilder.cli.schema import schema_text
from graphbuilder.cli.shelves import TABLES
from graphbuilder.text import read

ROOT = Path(__file__).resolve().parents[2]
VALID = sorted(
    [*(ROOT / "blueprints").rglob("*.yaml"), *(ROOT / "tests" / "backend" / "hard").glob("*.yaml")],
    key=lambda path: path.name,
)


@cache
def validator() -> Draft202012Validator:
    schema = json.loads(schema_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def faults(data: Any) -> list[str]:
    return [error.message for error in validator().iter_errors(data)]


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_a_valid_blueprint_is_taken(path: Path) -> None:
    assert faults(read(path).data) == []


@pytest.mark.parametrize("key", TABLES)
def test_the_examples_of_the_catalog_are_taken(key: str) -> None:
    for name in TABLES[key].names():
        entry = TABLES[key].get(name)
        assert entry is not None
        for example in entry.examples:
            data = example_blueprint(key, entry, example)
            assert data is None or faults(data) == [], (name, data)


NODES: dict[str, Any] = {
    "conv": {"layer": "Conv2D", "from": "x", "filters": 8, "kernel_size": [3, 3], "padding": "same"},
    "sized": {"layer": "Conv2D", "filters": "$width", "kernel_size": "$(size + 1)", "use_bias": "$bias"},
    "scaled": {"layer": "Dense", "units": 4, "kernel_initializer": {"RandomNormal": {"stddev": "$spread"}}},
    "both": {"layer": "Bidirectional", "wraps": {"layer": "LSTM", "units": "$width"}},
    "mine": {"layer": "my.package:Layer", "args": {"size": 3}, "gives": {"shape": [3]}},
    "looked": {"layer": "MultiHeadAttention", "from": {"query": "a", "value": "b"}, "num_heads": 2, "key_dim": 4},
    "grown": {"op": "expand_dims", "axis": -1, "when": "$deep"},
    "merged": {"fuse": "concat", "from": ["a", 1.0, "b"]},
    "block": {"block": "std.residual_basic", "filters": 64, "repeat": "$(2 * n)"},
    "own": {"block": "mine.anything", "size": [1, 2], "about": "ours"},
    "again": {"reuse": "conv", "from": "y"},
}


@pytest.mark.parametrize("name", NODES)
def test_a_node_is_taken(name: str) -> None:
    assert faults({"blueprint": 1, "nodes": {name: NODES[name]}}) == []


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("conv", "filter", 3),  # no such argument
        ("conv", "padding", "some"),  # not one of the words
        ("conv", "filters", "8"),  # neither a number nor an expression
        ("conv", "filters", 0),
        ("conv", "kernel_size", [3, 3, 3]),
        ("conv", "layer", "Conv2d"),
        ("conv", "units", 3),  # an argument of another layer
        ("conv", "op", "add"),  # two kinds
        ("conv", "call", {"training": "yes"}),
        ("scaled", "kernel_initializer", {"RandomNormal": {"deviation": 1}}),
        ("scaled", "kernel_initializer", "normall"),
        ("both", "wraps", {"layer": "LSTM", "unit": 3}),
        ("both", "wraps", {"layer": "LSTM", "units": 3, "from": "x"}),
        ("both", "wraps", None),
        ("mine", "size", 3),  # belongs under args
        ("looked", "from", {"query": "a", "values": "b"}),
        ("grown", "axes", 1),
        ("merged", "axis", "last"),
        ("merged", "fuse", "concatenate"),
        ("block", "filters", 0),
        ("block", "depth", 3),
        ("block", "call", {}),
        ("again", "units", 3),
    ],
)
def test_a_wrong_node_is_refused(name: str, key: str, value: Any) -> None:
    node = copy.deepcopy(NODES[name])
    node[key] = value
    assert faults({"blueprint": 1, "nodes": {name: node}})


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"blueprint": 2},
        {"blueprint": 1, "node": {}},
        {"blueprint": 1, "nodes": {"a b": {"layer": "Flatten"}}},
        {"blueprint": 1, "nodes": {"a": {}}},
        {"blueprint": 1, "nodes": {"a": {"layer": "Dense"}}},  # units is missing
        {"blueprint": 1, "inputs": {"x": {"dtype": "int32"}}},
        {"blueprint": 1, "inputs": {"x": {"shape": [1], "dtype": "int31"}}},
        {"blueprint": 1, "params": {"a-b": 1}},
        {"blueprint": 1, "params": {"a": {"defaults": 1}}},
        {"blueprint": 1, "blocks": {"a": {"nodes": {}}}},
        {"blueprint": 1, "training": {"epoch": 3}},
    ],
)
def test_a_wrong_document_is_refused(data: Any) -> None:
    assert faults(data)


def test_an_editor_can_complete_and_explain() -> None:
    schema: Any = validator().schema
    definitions = schema["$defs"]
    names = {
        branch["const"]: branch for branch in definitions["node"]["properties"]["layer"]["anyOf"] if "const" in branch
    }
    assert names["Conv2D"]["description"] == "Slides kernels over an image (batch, height, width, channels)"
    conv = definitions["layer.Conv2D"]["properties"]
    padding = conv["padding"]
    if "$ref" in padding:
        padding = {**definitions[padding["$ref"].rpartition("/")[2]], **padding}
    assert padding["description"].startswith("valid: no padding")
    assert padding["default"] == "valid"
    assert definitions["block.std.residual_basic"]["required"] == ["block", "filters"]
    assert schema["properties"]["description"]["description"].endswith("the same as about")


def test_every_reference_leads_somewhere_and_every_definition_is_used() -> None:
    schema: Any = validator().schema
    text = json.dumps(schema)
    for name in schema["$defs"]:
        assert f'"#/$defs/{name}"' in text, name
    used = {part.partition('"')[0] for part in text.split('"$ref": "#/$defs/')[1:]}
    assert used == set(schema["$defs"])


def test_its_size_is_reasonable() -> None:
    assert len(schema_text()) < 600_000
