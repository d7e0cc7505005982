"""Lines and columns are those that editors show."""

from __future__ import annotations

from typing import Any

import pytest

from graphbuilder.errors import Position
from graphbuilder.text import Source, parse
from graphbuilder.text.lines import LineTable
from graphbuilder.text.source import Path

DESIGN = """\
blueprint: 1
# Ein Kommentar mit Ümläuten und 😀.
inputs:
  image: {shape: [224, 224, 3], modality: image}
nodes:
  größe: {about: "😀 é", units: 64,
          deep: [1, {x: y}]}
  block:
    layer: Dense
    text: |
      one
      two

    # not part of it
  empty:
list:
  - a
  -   b: 1
      c: 2
  - - d
last: 'x' # c
"""


def written(source: Source, position: Position) -> str:
    """The text at a position, found by lines and columns alone."""
    lines = source.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    chosen = lines[position.line - 1 : position.end_line]
    chosen[-1] = chosen[-1][: position.end_column - 1]
    chosen[0] = chosen[0][position.column - 1 :]
    return "\n".join(chosen)


VALUES = {
    ("blueprint",): "1",
    ("inputs", "image", "shape"): "[224, 224, 3]",
    ("inputs", "image", "shape", 2): "3",
    ("inputs", "image", "modality"): "image",
    ("nodes", "größe", "about"): '"😀 é"',
    ("nodes", "größe", "units"): "64",
    ("nodes", "größe"): '{about: "😀 é", units: 64,\n          deep: [1, {x: y}]}',
    ("nodes", "größe", "deep", 1, "x"): "y",
    ("nodes", "block"): "layer: Dense\n    text: |\n      one\n      two",
    ("nodes", "block", "text"): "|\n      one\n      two",
    ("nodes", "empty"): "",
    ("list", 0): "a",
    ("list", 1): "b: 1\n      c: 2",
    ("list", 2): "- d",
    ("list", 2, 0): "d",
    ("last",): "'x'",
}


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("path", "expected"), VALUES.items())
def test_the_span_of_a_value(path: Path, expected: Any, mark: str, breaks: str) -> None:
    source = parse(mark + DESIGN.replace("\n", breaks))
    assert written(source, source.position(path)) == expected
    assert source.byte_order_mark is bool(mark)
    if isinstance(path[-1], str):
        assert written(source, source.position(path, key=True)) == path[-1]


def test_lines_and_columns_count_from_one_and_in_characters() -> None:
    source = parse(DESIGN)
    assert source.position(("blueprint",)) == Position(1, 12, 1, 13)
    assert source.position(("nodes", "größe", "units")) == Position(6, 32, 6, 34)
    assert source.position(("nodes", "empty")) == Position(15, 9, 15, 9)
    assert source.line(2) == "# Ein Kommentar mit Ümläuten und 😀."
    assert source.line(0) == source.line(99) == ""


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c"])
def test_only_what_editors_break_lines_at_breaks_lines(character: str) -> None:
    table = LineTable(f"a{character}b\nc")
    assert table.place(4) == (2, 1)
    if character in "\x85\u2028\u2029":
        source = parse(f"# {character}\na: {character}x\nb: 1\n")
        assert source.position(("b",)) == Position(3, 4, 3, 5)


def test_positions_behind_each_kind_of_line_break() -> None:
    source = parse("a: 1\r\nb: 2\rc: 3\nd: 4")
    assert [source.position((key,)).line for key in "abcd"] == [1, 2, 3, 4]
    assert [source.position((key,)).column for key in "abcd"] == [4] * 4
    assert [source.line(number) for number in range(1, 6)] == ["a: 1", "b: 2", "c: 3", "d: 4", ""]


def test_a_path_that_leads_nowhere_gives_the_deepest_part_that_exists() -> None:
    source = parse(DESIGN)
    paths: list[Path] = [("nodes", "größe", "units", "x"), ("nodes", "größe", "units", 3), ("nodes", "größe", "units")]
    for path in paths:
        assert source.position(path) == Position(6, 32, 6, 34)
    assert source.position(("list", 9)) == source.position(("list",))
    assert source.position(("list", -1)) == source.position(("list", "x")) == source.position(("list",))
    assert source.node(("list", 9)) is None
    assert source.node(("list", 0)) is not None


NEAREST = {
    ("nodes", "größe", "units"): "64",
    ("nodes", "größe", "from"): "größe",
    ("nodes", "größe"): "größe",
    ("nodes", "block", "units"): "block",
    ("nodes", "nothing"): "nodes",
    ("nodes", "empty", "layer"): "",
    ("list", 1, "missing"): "b",
    ("list", 2, 1): "-",
    ("nodes", "größe", "deep", 1, "missing"): "{",
    ("missing",): "blueprint",
    (): "blueprint",
}


@pytest.mark.parametrize(("path", "expected"), NEAREST.items())
def test_where_to_point_for_something_missing(path: Path, expected: Any) -> None:
    source = parse(DESIGN)
    position = source.nearest(path)
    assert written(source, position) == expected
    assert position.line == position.end_line


def test_an_alias_stands_where_it_is_and_its_parts_where_they_were_written() -> None:
    source = parse("a: &x {b: 1}\nc: *x\n")
    assert source.position(("a",)) == Position(1, 4, 1, 13)
    assert source.position(("c",)) == Position(2, 4, 2, 6)
    assert source.position(("c", "b")) == Position(1, 11, 1, 12)
    assert source.position(("c", "b"), key=True) == Position(1, 8, 1, 9)
    assert source.nearest(("c", "z")) == Position(2, 4, 2, 6)


def test_json_positions() -> None:
    source = parse('{"a": [1, {"é\\n": "x"}],\r\n "b": "😀", "c": -1.5e3}', name="m.json")
    assert written(source, source.position(("a", 1))) == '{"é\\n": "x"}'
    assert written(source, source.position(("a", 1, "é\n"), key=True)) == '"é\\n"'
    assert source.position(("b",)) == Position(2, 7, 2, 10)
    assert source.position(("c",)) == Position(2, 17, 2, 23)
    assert source.nearest(("zzz",)) == Position(1, 1, 1, 2)


def test_offsets_are_the_inverse_of_places() -> None:
    text = "ab\r\nc\r\n\nd"
    table = LineTable(text)
    for offset in (0, 1, 2, 4, 5, 7, 8, 9):
        assert table.offset(*table.place(offset)) == offset
    assert (table.offset(0, 1), table.offset(99, 1), table.offset(2, 99)) == (0, len(text), 5)
    assert len(table) == 4


def test_a_source_cannot_be_changed() -> None:
    source = parse("a: 1")
    with pytest.raises(AttributeError):
        source.name = "other"  # type: ignore[misc]
    assert source.data is source.data
    assert repr(source) == "Source('<text>', yaml, 4 characters)"
