"""A merge in blueprints written anyhow: the rule holds, and nothing else of the text changes."""

from __future__ import annotations

import difflib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.editing import Edited, merge
from graphbuilder.lowering import try_lower
from graphbuilder.text import parse
from graphbuilder.text.splices import spliced, undoing
from tests.editing.blueprints import Written, data_merge, explicit, written_blueprints

BREAKS = re.compile(r"(?<=\n)")


@pytest.mark.fuzz
@given(written_blueprints(), st.booleans())
def test_a_merge_is_what_it_is_as_data_and_leaves_the_rest(written: Written, rewire: bool) -> None:
    document = parse_blueprint(written.text, name=written.name)
    assert document.source.data == written.data
    assert not try_lower(document).errors
    edited = merge(document, written.branches, "add", into=None if rewire else [])

    # The rule, on the data.
    new = parse(edited.text, name=written.name)
    assert explicit(new.data) == data_merge(written, "add", rewire)
    assert list(new.data["nodes"]) == list(data_merge(written, "add", rewire)["nodes"])
    others = [key for key in new.data if key != "outputs" or "outputs" in written.data]
    assert others == list(written.data)

    # The text.
    mark = "\ufeff" if document.source.byte_order_mark else ""
    assert mark + document.source.text == written.text
    body = edited.text.removeprefix("\ufeff")
    assert spliced(body, undoing(document.source.text, edited.splices)) == document.source.text
    comments = re.compile(r"# c\d+\.")
    assert comments.findall(edited.text) == comments.findall(written.text)
    breaks = set(re.findall(r"\r\n|\n", written.text))
    assert set(re.findall(r"\r\n|\n", edited.text)) <= (breaks or {"\n"})
    assert edited.text.endswith("\n") == written.text.endswith("\n")
    assert _keys_of_comments(edited.text) == _keys_of_comments(written.text)
    _check_lines(written, edited)


def _keys_of_comments(text: str) -> dict[str, str]:
    """For each comment, the key that begins its line; nothing for one that stands alone or beside an item."""
    found = {}
    for line in text.splitlines():
        comment = re.search(r"# c\d+\.", line)
        if comment:
            key = re.match(r"\s*([\w-]+):", line)
            found[comment[0]] = key[1] if key else ""
    return found


def _check_lines(written: Written, edited: Edited) -> None:
    """No more lines differ than the merge speaks of: three for each sentence, for the entries beside them."""
    before, after = BREAKS.split(written.text), BREAKS.split(edited.text)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    gone = sum(end - start for kind, start, end, _, _ in matcher.get_opcodes() if kind in ("replace", "delete"))
    assert gone <= 3 * len(edited.changes)


def test_generated_blueprints_have_everything() -> None:
    """What the property draws is varied enough to mean something."""
    seen: set[str] = set()

    @settings(max_examples=200, database=None)
    @given(written_blueprints())
    def draw(written: Written) -> None:
        text = written.text
        seen.update(
            word
            for word, there in {
                "json": written.name.endswith(".json"),
                "crlf": "\r\n" in text,
                "mark": text.startswith("\ufeff"),
                "comment": "# c" in text,
                "aligned": re.search(r"\w:  +\{", text) is not None,
                "implied from": any("from" not in node for node in written.data["nodes"].values()),
                "implied outputs": "outputs" not in written.data,
                "tall list": "- left" in text,
                "no line break": not text.endswith("\n"),
            }.items()
            if there
        )

    draw()
    assert len(seen) == 9, seen
