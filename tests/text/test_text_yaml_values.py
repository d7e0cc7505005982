"""What YAML means: the core schema of YAML 1.2, tags, keys, aliases."""

from __future__ import annotations

import math
from typing import Any

import pytest

from graphbuilder.text import TextLimits, parse
from graphbuilder.text.tree import Alias, Mapping, Scalar, ScalarStyle, Sequence, walk
from tests.text.support import YamlData

CORE_SCHEMA = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "nULL": "nULL", "none": "none",
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False, "tRUE": "tRUE",
    "yes": "yes", "no": "no", "on": "on", "off": "off", "y": "y", "N": "N", "On": "On", "NO": "NO",
    "0": 0, "7": 7, "-19": -19, "+3": 3, "007": 7, "0o17": 15, "0x1F": 31, "0xbeef": 48879,
    "0b101": "0b101", "1_000": "1_000", "12:30": "12:30", "-0o7": "-0o7", "0xg": "0xg", "0o8": "0o8",
    "1e-3": 0.001, "1e3": 1000.0, "1E+3": 1000.0, "-1.5": -1.5, "+.5": 0.5, ".5": 0.5, "1.": 1.0, "-0.0": -0.0,
    "12e03": 12000.0, "1_0.5": "1_0.5", "1.5.2": "1.5.2", ".": ".", "-": "-", "+": "+", "e3": "e3", "1e": "1e",
    ".inf": math.inf, "-.Inf": -math.inf, "+.INF": math.inf, ".iNF": ".iNF", "inf": "inf", "+.nan": "+.nan",
    "2024-01-01": "2024-01-01", "2001-12-14t21:59:43.10-05:00": "2001-12-14t21:59:43.10-05:00", "=": "=",
    "$x": "$x", "$(a + b)": "$(a + b)", "$(min(a, b))": "$(min(a, b))", "$(x[0])": "$(x[0])", "$$5": "$$5",
    "\u0663": "\u0663",
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), CORE_SCHEMA.items())
def test_a_plain_scalar_is_read_by_the_core_schema(yaml_data: YamlData, text: str, value: Any) -> None:
    if text == "-":
        text = '"-"'
    read = yaml_data(f"key: {text}")["key"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_nan(yaml_data: YamlData, text: str) -> None:
    assert math.isnan(yaml_data(f"a: {text}")["a"])


@pytest.mark.parametrize("text", [text for text in CORE_SCHEMA if text])
def test_quoted_and_block_scalars_are_strings(yaml_data: YamlData, text: str) -> None:
    data = yaml_data(f"a: \"{text}\"\nb: '{text}'\nc: |-\n  {text}\nd: >-\n  {text}\n")
    assert data == dict.fromkeys("abcd", text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!str 3", "3"), ("!!str", ""), ("! 3", "3"), ("!!int '3'", 3), ("!!int 0x10", 16), ("!!float 3", 3.0),
        ("!!float .inf", math.inf), ("!!bool 'true'", True), ("!!null ''", None), ("!!map {a: 1}", {"a": 1}),
        ("!!seq [1]", [1]), ("!<tag:yaml.org,2002:str> 3", "3"), ("! {a: 1}", {"a": 1}),
    ],
)  # fmt: skip
def test_core_tags_are_applied(yaml_data: YamlData, text: str, value: Any) -> None:
    read = yaml_data(f"a: {text}")["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: b\tc", {"a": "b\tc"}), ("a:\tb\t# c", {"a": "b"}),
        ("{a: is it on?, b: '?'}", {"a": "is it on?", "b": "?"}),
        ("[a?b, c?]", ["a?b", "c?"]), ("[a: 1, b]", [{"a": 1}, "b"]), ("a: b\n  c\n\n  d", {"a": "b c\nd"}),
        ('{"a":1}', {"a": 1}), ("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}), ("a: &x\nb: *x", {"a": None, "b": None}),
        ("{a, b: }", {"a": None, "b": None}), ("a:\n- 1\n-\n  - 2", {"a": [1, [2]]}), ("? a\n: 1", {"a": 1}),
        ("- a\n- b:\n    c\n", ["a", {"b": "c"}]), ("layer: my.module:Class", {"layer": "my.module:Class"}),
        ("{layer: my.module:Class}", {"layer": "my.module:Class"}), ("a: 'it''s'", {"a": "it's"}),
    ],
)  # fmt: skip
def test_both_parsers_read_the_same(yaml_data: YamlData, text: str, value: Any) -> None:
    assert yaml_data(text) == value


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029", "\ufeff"])
def test_characters_that_broke_lines_in_yaml_1_1_are_text(yaml_data: YamlData, character: str) -> None:
    text = f"# a comment{character}b: 1\na: x{character}y\nc: 'x{character}y'\nd: |\n  x{character}y\n"
    value = f"x{character}y"
    assert yaml_data(text) == {"a": value, "c": value, "d": value + "\n"}


def test_an_alias_is_the_same_node_and_a_copy_of_the_data() -> None:
    source = parse("a: &x {b: [1]}\nc: *x\nd: &x 2\ne: *x\n")
    assert isinstance(source.root, Mapping)
    (_, first), (_, alias), _, (_, later) = source.root.entries
    assert isinstance(alias, Alias)
    assert alias.name == "x"
    assert alias.target is first
    assert source.text[alias.start : alias.end] == "*x"
    assert isinstance(later, Alias)
    assert source.data == {"a": {"b": [1]}, "c": {"b": [1]}, "d": 2, "e": 2}
    source.data["a"]["b"].append(2)
    assert source.data["c"] == {"b": [1]}


def test_an_anchor_inside_that_takes_the_name_over_is_the_one_that_holds(yaml_data: YamlData) -> None:
    assert yaml_data("a: &x [&x 1, 2]\nb: *x\n&k key: 3\nc: *k") == {"a": [1, 2], "b": 1, "key": 3, "c": "key"}


def test_the_tree_knows_its_styles() -> None:
    source = parse("a: x\nb: 'x'\nc: \"x\"\nd: |\n  x\ne: >\n  x\nf: [x]\ng:\n  - x\n")
    assert isinstance(source.root, Mapping)
    assert not source.root.flow
    nodes = [value for _, value in source.root.entries]
    assert [node.style for node in nodes[:5] if isinstance(node, Scalar)] == list(ScalarStyle)
    assert [node.flow for node in nodes[5:] if isinstance(node, Sequence)] == [True, False]
    assert len(list(walk(source.root))) == 1 + 7 + 7 + 2


def test_keys_keep_their_order_and_equal_keys_are_one_object() -> None:
    source = parse("b: {units: 1}\na: {units: 2}\n")
    assert list(source.data) == ["b", "a"]
    assert next(iter(source.data["b"])) is next(iter(source.data["a"]))


def test_limits_can_be_raised() -> None:
    digits = "1" * 2000
    assert parse(f"a: {digits}", limits=TextLimits(digits=3000)).data == {"a": int(digits)}
    nested = "[" * 300 + "]" * 300
    assert parse(nested, limits=TextLimits(depth=300)).root.end == 600
