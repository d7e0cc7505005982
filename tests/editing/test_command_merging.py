"""The command that merges branches does what `graphbuilder.editing.merge` does."""

from __future__ import annotations

import pytest
from hypothesis import given

from graphbuilder.editing import merge
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.merging import Merge
from graphbuilder.editing.session import Session
from graphbuilder.errors import GraphbuilderError
from tests.editing.blueprints import Written, written_blueprints
from tests.editing.golden import check_golden

CASES: dict[str, Command] = {
    "merge": Merge(["code", "asked"], "gated"),
    "merge_with_options": Merge(["answer", "size"], "concat", "both", {"axis": -1}),
    "merge_into_one": Merge(["flat", "asked"], "cross_attention", "looked", {"heads": 2}, ["code"]),
    "merge_with_itself": Merge(["code", "code"], "add"),
    "merge_by_unknown_fusion": Merge(["code", "asked"], "concta"),
    "merge_without_option": Merge(["code", "asked"], "gated", options={"unit": 4}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_after_a_command_is_exact(name: str) -> None:
    check_golden(name, CASES[name])


@given(written_blueprints())
def test_it_writes_what_merge_writes(written: Written) -> None:
    session = Session(written.text, written.name)
    if session.state.document is None:
        return
    try:
        expected = merge(session.document(), written.branches, "concat")
    except GraphbuilderError as error:
        refused = error
    else:
        edit = session.run(Merge(written.branches, "concat"))
        assert (session.text, edit.focus, edit.told) == (expected.text, expected.name, expected.changes)
        return
    with pytest.raises(type(refused)) as caught:
        session.run(Merge(written.branches, "concat"))
    assert str(caught.value) == str(refused)
