"""Our reading agrees with other programs' writing, and YAML's with JSON's."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.errors import BlueprintError
from graphbuilder.text import Source, TextLimits, parse
from graphbuilder.text.tree import Mapping, Node, Scalar, Sequence, dereferenced, to_data, walk
from graphbuilder.text.yaml_events import EventParser, ParserType, PythonParser
from graphbuilder.text.yaml_reader import read_yaml

# PyYAML writes the excluded characters by YAML 1.1, which breaks lines at them.
strings = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029\ufeff"), max_size=10)
scalars = st.one_of(strings, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))
trees = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(strings, inner, max_size=5)),
    max_leaves=25,
)
# YAML 1.2 has these in a file only as escapes, JSON has them as they are.
printable = strings.filter(lambda text: re.search("[\x7f-\x9f\ufffe\uffff]", text) is None)
printable_trees = st.recursive(
    st.one_of(printable, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(printable, inner, max_size=5)),
    max_leaves=25,
)


def _differs_between_versions(data: object) -> bool:
    """Whether a string is plain to PyYAML, but a number by YAML 1.2, such as `1e3` or `0o7`."""
    pending = [data]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            plain = yaml.safe_dump(item).startswith(("'", '"')) is False
            if plain and parse(f"[{json.dumps(item)}, x]").data[0] != yaml_or_none(item):
                return True
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            pending += [*item, *item.values()]
    return False


def yaml_or_none(text: str) -> object:
    try:
        return parse(f"- {text}").data[0]
    except BlueprintError:
        return None


@given(
    trees.filter(lambda data: not _differs_between_versions(data)), st.sampled_from([None, True, False]), st.booleans()
)
def test_what_pyyaml_writes(data: Any, flow: bool | None, unicode: bool) -> None:
    written = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=unicode, sort_keys=False)
    assert repr(parse(written).data) == repr(data)
    assert repr(to_data(read_yaml(written, "x", TextLimits(), parser_type=PythonParser))) == repr(data)


@given(trees, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_what_the_standard_library_writes_as_json(data: Any, indent: int | str | None, ascii_only: bool) -> None:
    written = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    assert repr(parse(written, syntax="json").data) == repr(data)


@given(printable_trees, st.sampled_from([None, 2]))
def test_json_read_as_yaml_is_the_same_data_at_the_same_places(data: Any, indent: int | str | None) -> None:
    written = json.dumps(data, indent=indent, ensure_ascii=False)
    as_json = parse(written, syntax="json")
    as_yaml = parse(written, syntax="yaml")
    assert repr(as_yaml.data) == repr(as_json.data)
    assert [(n.start, n.end) for n in walk(as_yaml.root)] == [(n.start, n.end) for n in walk(as_json.root)]


# Without complex keys and broken headers of blocks, where the parsers differ.
pieces = st.sampled_from(
    ["a", "b", ": ", ":", "- ", "-", "{", "}", "[", "]", ",", ", ", "\n", "\n  ", "\n ", "\t", " ", "#", " #", "'", '"',
     "&a ", "*a ", "!!str ", "|-\n  x\n", "@", "$(", ")", "1", "\r\n", "\r", "---", "\\n", "é", "😀", "\u2028"]
)  # fmt: skip


def outcome(text: str, parser_type: ParserType) -> object:
    try:
        root = read_yaml(text, "x", TextLimits(), parser_type=parser_type)
    except BlueprintError:
        return None
    return [(type(node), node.start, node.end, getattr(node, "value", None)) for node in walk(root)]


@given(st.lists(pieces, max_size=12).map("".join))
def test_both_parsers_give_the_same_tree_or_refuse(text: str) -> None:
    assert outcome(text, EventParser) == outcome(text, PythonParser)


def _paths(source: Source) -> list[tuple[tuple[str | int, ...], Node]]:
    found: list[tuple[tuple[str | int, ...], Node]] = []
    pending: list[tuple[tuple[str | int, ...], Node]] = [((), source.root)]
    while pending:
        path, node = pending.pop()
        found.append((path, node))
        inside = dereferenced(node)
        if isinstance(inside, Mapping):
            pending += [((*path, str(key.value)), value) for key, value in inside.entries]
        elif isinstance(inside, Sequence):
            pending += [((*path, number), item) for number, item in enumerate(inside.items)]
    return found


@given(trees.filter(lambda data: not _differs_between_versions(data)), st.booleans())
def test_the_text_at_a_position_reads_as_the_value_there(data: Any, flow: bool | None) -> None:
    source = parse(yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, width=10**6))
    for path, node in _paths(source):
        assert source.node(path) is node
        written = source.text[node.start : node.end]
        if isinstance(node, Scalar) and written and "\n" not in written:
            assert repr(parse(f"- {written}").data) == repr([node.value])


@pytest.mark.parametrize("name", ["json", "yaml"])
def test_equal_data_from_both_syntaxes(name: str) -> None:
    data = {"blueprint": 1, "nodes": {"a": {"layer": "Dense", "units": 64, "rate": 0.001, "x": [None, True, "on"]}}}
    text = json.dumps(data) if name == "json" else yaml.safe_dump(data)
    assert parse(text, name=f"m.{name}").data == data
