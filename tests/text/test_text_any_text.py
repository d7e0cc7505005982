"""Whatever the text is, it is read or refused with diagnostics; nothing else comes out."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.errors import BlueprintError, Diagnostic
from graphbuilder.text import Source, parse
from graphbuilder.text.lines import LineTable
from graphbuilder.text.source import Syntax

yaml_pieces = st.sampled_from(
    [*"ab1:-?{}[],#'\"&*!|>%@`()$=~<. \t\r\n\\é😀\x85\u2028\ufeff\x07\ud800", "$(", ": ", "- ", "? ", "\n  ", "---\n",
     "...\n", "&a ", "*a", "!!int ", "!x ", "|-\n  x\n", "\\x", "\\ud800", "%YAML 1.2\n", "%TAG ! x\n", "<<: "]
)  # fmt: skip
json_pieces = st.sampled_from(
    [*"{}[],:\"1-0'#x+ \n\r\\é\t\x07\ud800", '"a"', '"a":', ".5", "e9", "true", "null", "NaN", "//", "/*", "\\u12",
     '"\\n"', "1e999", "01"]
)  # fmt: skip


def attempt(text: str, syntax: Syntax) -> Source | None:
    """The source, or None if it was refused as it should be."""
    try:
        return parse(text, name="any", syntax=syntax)
    except BlueprintError as error:
        check_diagnostics(text, error.diagnostics)
        return None


def check_diagnostics(text: str, diagnostics: tuple[Diagnostic, ...]) -> None:
    """There are some, and they stand in the text."""
    assert diagnostics
    lines = LineTable(text.removeprefix("\ufeff"))
    for problem in diagnostics:
        assert problem.file == "any"
        position = problem.position
        assert position is not None
        assert (position.line, position.column) <= (position.end_line, position.end_column)
        assert 1 <= position.end_line <= len(lines)


@given(st.lists(yaml_pieces, max_size=14).map("".join))
def test_any_yaml(text: str) -> None:
    source = attempt(text, "yaml")
    assert source is None or source.data is source.data


@given(st.one_of(st.lists(json_pieces, max_size=14).map("".join), st.text(max_size=10)))
def test_any_json(text: str) -> None:
    check_json(text)


def check_json(text: str) -> None:
    """What is read is what the standard library reads, and what it refuses is refused."""
    source = attempt(text, "json")
    try:
        expected = json.loads(text.removeprefix("\ufeff"))
    except ValueError:
        assert source is None
        return
    if source is not None:
        assert repr(source.data) == repr(expected)


trees = st.recursive(
    st.one_of(st.integers(), st.text(max_size=5), st.none(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=12,
)


@given(trees, st.data())
def test_json_with_one_character_changed(data: Any, draw: st.DataObject) -> None:
    text = json.dumps(data, ensure_ascii=False)
    at = draw.draw(st.integers(0, len(text)))
    text = (
        text[:at] + draw.draw(st.sampled_from([*'{}[],:"\\ 0-.e', "", "x"])) + text[at + draw.draw(st.integers(0, 1)) :]
    )
    check_json(text)
