"""A blueprint while it is edited: steps that are undone and done again, what is typed, how much is remembered."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.blueprint import Document
from graphbuilder.editing.changes import Change, Delete, Insert, Replace
from graphbuilder.editing.command import Edit
from graphbuilder.editing.commands.arguments import SetArgument
from graphbuilder.editing.commands.renaming import RenameNode
from graphbuilder.editing.session import Session, difference
from graphbuilder.errors import BlueprintError, CommandError
from graphbuilder.text.splices import spliced

TEXT = "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  a: {layer: Dense, units: 4}  # first\n"


class Made:
    """A command that comes to given changes."""

    def __init__(self, *changes: Change) -> None:
        self.changes = changes

    def edit(self, document: Document) -> Edit:
        return Edit("made", self.changes)


def test_steps_are_undone_and_done_again_to_the_byte() -> None:
    session = Session("\ufeff" + TEXT.replace("\n", "\r\n"), "x.yaml")
    texts = [session.text]
    for command in (SetArgument("a", ("units",), 8), RenameNode("a", "b"), SetArgument("b", ("use_bias",), False)):
        session.run(command)
        texts.append(session.text)
    assert [step.title for step in session.done] == ["set units of a", "rename a to b", "set use_bias of b"]
    for text in reversed(texts[:-1]):
        session.undo()
        assert session.text == text
    with pytest.raises(CommandError, match="nothing to undo"):
        session.undo()
    for text in texts[1:]:
        assert session.redo().title
        assert session.text == text
    with pytest.raises(CommandError, match="nothing to do again"):
        session.redo()
    session.undo()
    session.run(SetArgument("b", ("units",), 2))
    with pytest.raises(CommandError, match="nothing to do again"):
        session.redo()


def test_whether_it_was_changed_is_told_from_what_was_saved() -> None:
    session = Session(TEXT)
    changed = [session.changed]
    session.run(RenameNode("a", "b"))
    changed.append(session.changed)
    session.saved()
    changed.append(session.changed)
    session.undo()
    changed.append(session.changed)
    session.redo()
    changed.append(session.changed)
    assert changed == [False, True, False, True, False]


def test_what_is_refused_changes_nothing() -> None:
    session = Session(TEXT, "x.yaml")
    for command, error in (
        (SetArgument("a", ("units",), 0), CommandError),
        (SetArgument("a", ("units",), 4), CommandError),
        (Made(), CommandError),
        (Made(Replace(("nodes", "a", "units"), 4)), CommandError),
        (Made(Replace(("blueprint",), 2)), BlueprintError),
        (Made(Delete(("blueprint",))), BlueprintError),
    ):
        with pytest.raises(error):
            session.run(command)
        assert session.text == TEXT
        assert not session.done


def test_what_the_new_text_would_lack_is_located_in_the_old_one() -> None:
    with pytest.raises(BlueprintError) as caught:
        Session(TEXT, "x.yaml").run(
            Made(Insert(("nodes", "a"), "frm", "x", "layer"), Replace(("inputs", "x", "shape"), 3))
        )
    (found,) = caught.value.diagnostics
    assert str(caught.value).startswith("x.yaml: GB203 x: shape is 3")
    # The value stands nowhere in the file.
    assert found.position is None
    assert found.related[-1].message == "so it would be after the edit, which was not made: made"


def test_a_plan_changes_nothing() -> None:
    session = Session(TEXT)
    planned = session.planned(RenameNode("a", "b"))
    assert session.text == TEXT
    assert spliced(TEXT, planned.splices) == planned.state.text
    assert list(planned.state.document.blueprint.nodes) == ["b"] if planned.state.document else False


def test_a_wrong_text_can_be_typed_and_has_no_document() -> None:
    session = Session(TEXT, "x.yaml")
    session.type(TEXT.replace("{layer", "[layer"))
    assert session.state.document is None
    assert session.state.source is None
    assert session.state.diagnostics[0].code == "GB104"
    with pytest.raises(BlueprintError, match="GB104"):
        session.run(RenameNode("a", "b"))
    session.type(TEXT.replace("layer:", "lyer:"))
    state = session.state
    assert state.document is None
    assert state.source is not None
    session.undo()
    session.undo()
    assert session.text == TEXT
    assert session.document().blueprint.nodes


def test_typing_in_one_go_is_one_step() -> None:
    session = Session(TEXT)
    for text in (TEXT + "#", TEXT + "# a", TEXT + "# a note"):
        session.type(text, join=True)
    assert len(session.done) == 1
    session.type(TEXT + "# a note, and", join=False)
    session.type(TEXT + "# a note, and one", join=True)
    session.run(RenameNode("a", "b"))
    session.type(session.text + "!", join=True)
    assert [step.title for step in session.done] == ["type", "type", "rename a to b", "type"]
    texts = [session.text]
    while session.done:
        session.undo()
        texts.append(session.text)
    assert texts[-3:] == [TEXT + "# a note, and one", TEXT + "# a note", TEXT]
    session.redo()
    session.type(TEXT + "# a note?", join=True)
    assert len(session.done) == 2


@given(st.lists(st.tuples(st.text("ab#\n \r", max_size=12), st.booleans()), max_size=12))
def test_whatever_is_typed_can_be_taken_back(typed: list[tuple[str, bool]]) -> None:
    session = Session(TEXT)
    for text, join in typed:
        session.type(text, join=join)
    last = session.text
    steps = len(session.done)
    while session.done:
        session.undo()
    assert session.text == TEXT
    for _ in range(steps):
        session.redo()
    assert session.text == last


def test_the_history_is_bounded_by_steps_and_by_text() -> None:
    session = Session(TEXT, most_steps=3)
    for number in range(5):
        session.type(TEXT + "#" * (number + 1))
    assert len(session.done) == 3
    session = Session(TEXT, most_characters=1000)
    for number in range(20):
        session.type(TEXT + f"#{number}" * 100)
    assert 0 < len(session.done) < 20
    session.type(TEXT + "#" * 5000)
    assert len(session.done) == 1
    session.undo()
    assert session.text == TEXT + "#19" * 100


@pytest.mark.slow
def test_ten_thousand_steps_on_a_large_file_stay_small() -> None:
    nodes = "".join(f"  n{number}: {{layer: Dense, units: 4}}\n" for number in range(20))
    session = Session(f"blueprint: 1\ninputs: {{x: {{shape: [4]}}}}\nnodes:\n{nodes}")
    for number in range(10_000):
        session.run(SetArgument(f"n{number % 20}", ("units",), 5 + number))
    held = sum(
        sys.getsizeof(step)
        + sum(sys.getsizeof(splice) + sys.getsizeof(splice.text) for splice in (*step.forward, *step.back))
        for step in session.done
    )
    assert len(session.done) == 10_000
    assert held < 5_000_000


@given(st.text("ab\n", max_size=8), st.text("ab\n", max_size=8))
def test_the_difference_of_two_texts_is_one_splice(before: str, after: str) -> None:
    splice = difference(before, after)
    assert spliced(before, [splice]) == after
    if before != after:
        assert splice.text or splice.start < splice.end


def test_imports_are_read_anew_after_each_step(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("blueprint: 1\nblocks: {p: {inputs: [x], nodes: {d: {layer: Dense, units: 1}}}}\n")
    text = "blueprint: 1\nimports: {b: ./b.yaml}\ninputs: {x: {shape: [4]}}\nnodes: {a: {block: b.p}}\n"
    session = Session(text, "m.yaml", tmp_path / "m.yaml")
    session.run(RenameNode("a", "c"))
    assert "b" in session.document().imports
    session.undo()
    assert "b" in session.document().imports


def test_what_was_planned_is_carried_out_only_on_the_text_it_was_planned_for() -> None:
    session = Session(TEXT)
    planned = session.planned(RenameNode("a", "b"))
    assert session.text == TEXT
    session.type(TEXT + "# more\n")
    with pytest.raises(CommandError, match="the text has changed since"):
        session.do(planned)
    assert session.text == TEXT + "# more\n"
    assert session.do(session.planned(RenameNode("a", "b"))).focus == "b"
    assert session.document().blueprint.nodes.keys() == {"b"}
    assert session.text.endswith("# more\n")


def test_what_was_saved_may_be_an_older_text() -> None:
    session = Session(TEXT)
    session.run(RenameNode("a", "b"))
    saved = session.text
    session.run(RenameNode("b", "c"))
    session.saved(saved)
    assert session.changed
    session.undo()
    assert not session.changed


def test_the_same_text_as_another_file_keeps_its_history(tmp_path: Path) -> None:
    (tmp_path / "parts.yaml").write_text("blueprint: 1\nblocks: {}\n")
    text = TEXT.replace("blueprint: 1\n", "blueprint: 1\nimports: {parts: ./parts.yaml}\n")
    session = Session(text, "here.yaml", tmp_path / "here.yaml")
    session.run(RenameNode("a", "b"))
    session.moved("there.json", tmp_path / "there.json")
    assert session.name == "there.json"
    # The name says how it is read.
    assert session.state.source is None
    assert session.state.diagnostics
    session.moved("there.yaml", tmp_path / "there.yaml")
    assert session.document().blueprint.nodes.keys() == {"b"}
    session.undo()
    assert session.text == text
