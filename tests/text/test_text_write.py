"""What is written is readable, and reads back as what it was."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.text import TextLimits, parse, to_json, to_yaml
from graphbuilder.text.tree import to_data
from graphbuilder.text.yaml_events import PythonParser
from graphbuilder.text.yaml_reader import read_yaml

DESIGN = """\
# The design's example,
# shortened.
blueprint: 1
name: image_text
description: Answers a question about an image.
params:
  vocab_size: 20000
  max_length: {default: 64, min: 1, about: tokens in a question}
inputs:
  image: {shape: [224, 224, 3], modality: image}
  text: {shape: [$max_length], dtype: int32, modality: text}
nodes:
  image_features: {layer: Conv2D, from: image, filters: 64, kernel_size: 3, activation: relu}
  merged: {fuse: concat, from: [image_features, text_features]}
  wrapped: {layer: Bidirectional, from: merged, wraps: {layer: LSTM, units: "$(min(a, b))"}}
  long:
    layer: Dense
    about: This sentence is here to make the node longer than a line may be, which is a hundred columns.
    units: $(min(a, b))
outputs: answer
compression:
  - {pass: prune, sparsity: 0.8, where: {layers: [Conv2D, Dense], except: [answer]}}
  - {pass: quantize, scheme: int8}
training: {optimizer: adam, loss: binary_crossentropy, epochs: 5, rate: 1.0e-05}
"""


def test_the_example_of_the_design_is_written_as_it_stands_there() -> None:
    data = parse(DESIGN).data
    assert to_yaml(data, comment="The design's example,\nshortened.") == DESIGN


def test_json_is_laid_out_alike() -> None:
    data = {"blueprint": 1, "nodes": {"a": {"layer": "Dense", "units": 1}, "b": {}}, "outputs": ["a", "é"], "x": [{}]}
    assert to_json(data) == (
        '{\n  "blueprint": 1,\n  "nodes": {\n    "a": {"layer": "Dense", "units": 1},\n    "b": {}\n  },\n'
        '  "outputs": ["a", "é"],\n  "x": [\n    {}\n  ]\n}\n'
    )


def test_texts_of_several_lines_are_blocks() -> None:
    data = {"about": "One line.\n\n  Another.\n", "list": ["a\nb", {"c": "d\ne"}]}
    assert to_yaml(data) == (
        "about: |\n  One line.\n\n    Another.\nlist:\n  - |-\n    a\n    b\n  - c: |-\n      d\n      e\n"
    )


def test_no_line_in_flow_style_is_longer_than_a_hundred_columns() -> None:
    data = {"nodes": {f"n{size}": {"from": ["x" * 7] * size, "units": 1} for size in range(20)}}
    for written in (to_yaml(data), to_json(data)):
        assert max(map(len, written.splitlines())) <= 100
        assert parse(written).data == data


@pytest.mark.parametrize(
    "text",
    ["on", "Off", "yes", "NO", "y", "N", "true", "Null", "~", "", "1e-3", "12:30", "2024-01-01", "1_000", "0b1", "0x1F",
     "0o7", "007", "+1", "-1", ".5", ".inf", "-.INF", ".NaN", "=", "<<", "- a", "a: b", "a #b", "#a", "a:", " a", "a ",
     "@a", "`a", "%a", "!a", "&a", "*a", "|", ">", "?", "? a", "[", "{", "'", '"', "---", "...", "\ta", "\u00a0",
     "\x85", "\u2028", "\ufeff", "\x00", "\x7f", "\U000e0001", "\ud7ff", "\uffff", "1", "1.0"],
)  # fmt: skip
def test_strings_that_any_reader_might_misread_are_quoted(text: str) -> None:
    for data in ({"a": text}, [text], {text: 1}, text, {"a": {"b": {"c": [text]}}}):
        written = to_yaml(data)
        assert parse(written).data == data
        assert yaml.safe_load(written) == data
    assert to_yaml(text)[0] in "'\""


@pytest.mark.parametrize("text", ["relu", "$max_length", "$(a + 1)", "./blocks.yaml", "../x.yaml", "a:b", "größe",
                                  "my.module:Class", "a sentence, with commas.", "x-y_z", "a#b", "(x)"])  # fmt: skip
def test_strings_that_need_no_quotes_have_none(text: str) -> None:
    assert to_yaml({"a": text}) == f"a: {text}\n"
    assert yaml.safe_load(to_yaml({"a": text})) == {"a": text}


@pytest.mark.parametrize("text", ["$(min(a, b))", "$(x[0])", "${a}", "what?", "a, b"])
def test_strings_that_flow_style_would_cut_are_quoted_there(text: str) -> None:
    assert to_yaml({"a": {"b": {"c": text}}}) == f'a:\n  b: {{c: "{text}"}}\n'


def test_numbers() -> None:
    data = {"a": [1e-05, 1e16, 0.1, -0.0, 1.5e300, 10**30, math.inf, -math.inf], "b": True, "c": None}
    written = to_yaml(data)
    assert written == (
        "a: [1.0e-05, 1.0e+16, 0.1, -0.0, 1.5e+300, 1000000000000000000000000000000, .inf, -.inf]\nb: true\nc: null\n"
    )
    assert repr(parse(written).data) == repr(yaml.safe_load(written)) == repr(data)
    assert to_yaml(math.nan) == ".nan\n"


def test_what_is_not_plain_data_is_refused() -> None:
    for write in (to_yaml, to_json):
        for data in ({1: 2}, {"a": {1: 2}}, {"a": {"b": {None: 2}}}, object(), [{1}], {"a": b"x"}):
            with pytest.raises(TypeError):
                write(data)
        for data in ("\ud800", {"a": ["\ud800"]}, {"\udfff": 1}):
            with pytest.raises(ValueError, match=r"surrogate"):
                write(data)
        deep: list[object] = []
        for _ in range(1500):
            deep = [deep, "x" * 200]
        with pytest.raises(ValueError, match="deeper than 1000"):
            write(deep)
    for number in (math.nan, math.inf):
        with pytest.raises(ValueError, match="JSON has no number"):
            to_json({"a": number})
    assert to_yaml({"a": (1, 2)}) == "a: [1, 2]\n"


def test_long_keys() -> None:
    data = {"k" * 2000: {"k" * 1500: [1, {"x" * 3000: 2}]}, "b": [{"y" * 1100: [3]}]}
    assert parse(to_yaml(data)).data == data
    assert yaml.safe_load(to_yaml(data)) == data


characters = st.characters(exclude_categories=["Cs"])
strings = st.one_of(
    st.text(characters, max_size=8),
    st.text(st.sampled_from("aA01.:-# ,[]{}?&*!|>'\"%@`~\n\t\\$()+_e=<é\u2028\x85\ufeff"), max_size=8),
    st.sampled_from(["on", "1e-3", "null", "12:30", "$(a, b)", "a" * 60, "~", "two\nlines\n", "x\n\n y"]),
)
scalars = st.one_of(strings, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(strings, inner, max_size=5)),
    max_leaves=25,
)


@given(trees)
def test_yaml_reads_back_as_it_was(data: Any) -> None:
    written = to_yaml(data)
    assert repr(parse(written).data) == repr(data)
    assert repr(yaml.safe_load(written)) == repr(data)
    assert to_yaml(parse(written).data) == written


@given(trees)
def test_the_python_parser_reads_it_too(data: Any) -> None:
    assert repr(to_data(read_yaml(to_yaml(data), "x", TextLimits(), parser_type=PythonParser))) == repr(data)


@given(trees.filter(lambda data: "inf" not in repr(data)))
def test_json_reads_back_as_it_was(data: Any) -> None:
    written = to_json(data)
    assert repr(parse(written, syntax="json").data) == repr(json.loads(written)) == repr(data)


@given(trees, st.text(max_size=30))
def test_a_comment_changes_nothing(data: Any, comment: str) -> None:
    comment = "".join(character for character in comment if character.isprintable() or character == "\n")
    assert repr(parse(to_yaml(data, comment=comment)).data) == repr(data)
