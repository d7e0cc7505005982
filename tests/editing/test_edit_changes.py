"""Single changes of a text: entries inserted, values replaced, items removed."""

from __future__ import annotations

import pytest

from graphbuilder.editing import Change, Insert, Remove, Replace, apply
from graphbuilder.editing import applying as applying_module
from graphbuilder.editing.changes import changed_data
from graphbuilder.errors import BlueprintError, InternalError
from graphbuilder.text import parse
from graphbuilder.text.splices import Splice, spliced, undoing

NODE = {"layer": "Dense", "units": 1}


@pytest.mark.parametrize(
    ("text", "change", "after"),
    [
        # Inserted at the first place: what stands above the first entry stays with it.
        ("n:\n  # about a\n  a: 1\n", Insert(("n",), "b", 2, None), "n:\n  b: 2\n  # about a\n  a: 1\n"),
        ("# the file\na: 1\n", Insert((), "b", 2, None), "# the file\nb: 2\na: 1\n"),
        ("n: {a: 1}\n", Insert(("n",), "b", 2, None), "n: {b: 2, a: 1}\n"),
        ("n: {\n  a: 1\n}\n", Insert(("n",), "b", 2, None), "n: {\n  b: 2,\n  a: 1\n}\n"),
        ("- a: 1\n  c: 3\n- d\n", Insert((0,), "b", 2, None), "- b: 2\n  a: 1\n  c: 3\n- d\n"),
        # Behind another.
        ("a: 1  # one\n\n\nc: 3\n", Insert((), "b", 2, "a"), "a: 1  # one\n\nb: 2\n\n\nc: 3\n"),
        ("a: 1\nc: 3\n\nd: 4\n", Insert((), "b", 2, "c"), "a: 1\nc: 3\nb: 2\n\nd: 4\n"),
        ("a:\nc: 3\n", Insert((), "b", 2, "a"), "a:\nb: 2\nc: 3\n"),
        ("- a: 1\n- d\n", Insert((0,), "b", 2, "a"), "- a: 1\n  b: 2\n- d\n"),
        ("a: |\n  text\nc: 3\n", Insert((), "b", 2, "a"), "a: |\n  text\nb: 2\nc: 3\n"),
        ("a: |-\n  text", Insert((), "b", 2, "a"), "a: |-\n  text\nb: 2"),
        ("a: one\n  more\nc: 3\n", Insert((), "b", 2, "a"), "a: one\n  more\nb: 2\nc: 3\n"),
        ("n: {}\n", Insert(("n",), "b", NODE, None), "n: {b: {layer: Dense, units: 1}}\n"),
        ("n: {a: 1,}\n", Insert(("n",), "b", 2, "a"), "n: {a: 1, b: 2,}\n"),
        ("n: {a: 1,\n  c: 3}\n", Insert(("n",), "b", 2, "c"), "n: {a: 1,\n  c: 3,\n  b: 2}\n"),
        ("n: {\n  a: 1,  # one\n  c: 3,  # three\n}\n", Insert(("n",), "b", 2, "c"),
         "n: {\n  a: 1,  # one\n  c: 3,  # three\n  b: 2,\n}\n"),
        ("n: {\n  a: 1, d: 4,\n  c: 3\n}\n", Insert(("n",), "b", 2, "a"), "n: {\n  a: 1, b: 2, d: 4,\n  c: 3\n}\n"),
        ("n:\n  ? a\n  : 1\n  ? c\n  : 3\n", Insert(("n",), "b", 2, "a"), "n:\n  ? a\n  : 1\n  b: 2\n  ? c\n  : 3\n"),
        ("--- # one\na: 1\n...\n", Insert((), "b", 2, "a"), "--- # one\na: 1\nb: 2\n...\n"),
        # Aligned, as far as the new key allows.
        ("a:   1\nlong: 2\n", Insert((), "b", 2, "a"), "a:   1\nb: 2\nlong: 2\n"),
        ("a:    1\nlong: 2\n", Insert((), "b", 2, "a"), "a:    1\nb:    2\nlong: 2\n"),
        ("a:    1\nlong: 2\n", Insert((), "longer", 2, "long"), "a:    1\nlong: 2\nlonger: 2\n"),
        # Strings that need quotes.
        ("a: 1\n", Insert((), "on", "a: b", "a"), 'a: 1\n"on": "a: b"\n'),
        ('{"a": 1}', Insert((), "b", "c", "a"), '{"a": 1, "b": "c"}'),
        # Replaced.
        ("a: 1 # one\n", Replace(("a",), 2.5), "a: 2.5 # one\n"),
        ("a: 'x'\n", Replace(("a",), "it's"), "a: 'it''s'\n"),
        ('a: "x"\n', Replace(("a",), 2), "a: 2\n"),
        ("a: [x, y]\n", Replace(("a", 1), "on"), 'a: [x, "on"]\n'),
        ("a: [x, y]\n", Replace(("a", 1), "p, q"), 'a: [x, "p, q"]\n'),
        ("a: x\n", Replace(("a",), "p, q"), "a: p, q\n"),
        ("a:\n  - x\n  - y\nb: 1\n", Replace(("a",), "z"), "a: z\nb: 1\n"),
        ("a:\n- x\n- y", Replace(("a", 0), None), "a:\n- null\n- y"),
        ("a: |\n  text\nb: 1\n", Replace(("a",), "short"), "a: short\nb: 1\n"),
        ("a:   # none\nb: 1\n", Replace(("a",), "x"), "a: x   # none\nb: 1\n"),
        ("a: *x\n".replace("*x", "&x [1]") + "b: *x\n", Replace(("b",), [2]), "a: &x [1]\nb: [2]\n"),
        # Removed.
        ("a: [x, y, z]\n", Remove(("a", 0)), "a: [y, z]\n"),
        ("a: [x, y, z]\n", Remove(("a", 2)), "a: [x, y]\n"),
        ("a: [\n  x,\n  y,\n]\n", Remove(("a", 0)), "a: [\n  y,\n]\n"),
        ("a: [\n  x,\n  y\n]\n", Remove(("a", 1)), "a: [\n  x\n]\n"),
        ("a: [\n  x,  # one\n  y   # two\n]\n", Remove(("a", 1)), "a: [\n  x,  # one\n  # two\n]\n"),
        ("a:\n  - x\n  - y", Remove(("a", 0)), "a:\n  - y"),
        ("a:\n  - x\n  - y # two\n", Remove(("a", 1)), "a:\n  - x\n  # two\n"),
        ("a:\n  - x\n  # note\n  - y", Remove(("a", 1)), "a:\n  - x\n  # note"),
        ("- - x\n  - y\n- z\n", Remove((0, 0)), "- - y\n- z\n"),
    ],
)  # fmt: skip
def test_a_change_is_exact_and_can_be_undone(text: str, change: Change, after: str) -> None:
    for newline in ("\n", "\r\n"):
        source = parse(text.replace("\n", newline))
        applied = apply(source, [change])
        assert applied.source.text == after.replace("\n", newline)
        assert applied.source.data == changed_data(source.data, [change])
        assert spliced(applied.source.text, undoing(source.text, applied.splices)) == source.text


def test_several_changes_of_one_text_speak_of_the_text_before() -> None:
    source = parse("n:\n  a:\n    list: [x, y, z]\n    last: 1")
    changes: list[Change] = [
        Insert((), "end", True, "n"),
        Insert(("n",), "b", NODE, "a"),
        Insert(("n", "a"), "more", 2, "last"),
        Replace(("n", "a", "list", 0), "w"),
        Remove(("n", "a", "list", 1)),
    ]
    after = "n:\n  a:\n    list: [w, z]\n    last: 1\n    more: 2\n  b:\n    layer: Dense\n    units: 1\nend: true"
    assert apply(source, changes).source.text == after


@pytest.mark.parametrize("end", ["", "\n"])
def test_all_items_but_the_first_can_be_removed(end: str) -> None:
    removed: list[Change] = [Remove(("a", 1)), Remove(("a", 2))]
    assert apply(parse(f"a:\n  - x\n  - y\n  - z{end}"), removed).source.text == f"a:\n  - x{end}"
    assert apply(parse(f"a: [x, y, z]{end}"), removed).source.text == f"a: [x]{end}"
    assert apply(parse(f"a: [\n  x,\n  y,\n  z\n]{end}"), removed).source.text == f"a: [\n  x\n]{end}"


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        ("a: &x {p: 1}\nb: *x\n", Insert(("b",), "q", 2, "p"), "x.yaml:2:1: GB203 b is shared through *x"),
        ("a: &x {p: 1}\nb: *x\n", Insert(("a",), "q", 2, "p"), "x.yaml:1:1: GB203 a is shared through &x"),
        ("a: &x {p: [1, 2]}\nb: *x\n", Replace(("a", "p", 0), 2), "x.yaml:1:1: GB203 a is shared through &x"),
        ("a: &x {p: [1, 2]}\nb: *x\n", Replace(("b", "p", 0), 2), "x.yaml:2:1: GB203 b is shared through *x"),
        ("a: &x 1\nb: *x\n", Replace(("a",), 2), "x.yaml:1:1: GB203 a is shared through &x"),
        ("a: {p: &x 1}\nb: *x\n", Replace(("a",), 2), "x.yaml:1:1: GB203 a is shared through &x"),
        ("a: [&x 1, 2]\nb: *x\n", Remove(("a", 0)), "x.yaml:1:5: GB203 the value is shared through &x"),
        ("a: |\n  text", Insert((), "b", 1, "a"), "x.yaml:1:4: GB203 the text block at the end of the file"),
    ],
)
def test_what_would_change_two_places_is_refused(text: str, change: Change, message: str) -> None:
    with pytest.raises(BlueprintError) as caught:
        apply(parse(text, name="x.yaml"), [change])
    assert str(caught.value).startswith(message)


def test_an_anchor_without_aliases_is_no_obstacle() -> None:
    source = parse("a: &x {p: 1}\nb: 2\n")
    assert apply(source, [Insert(("a",), "q", 2, "p")]).source.text == "a: &x {p: 1, q: 2}\nb: 2\n"


@pytest.mark.parametrize("broken", ["c: 3", "p: 2", "p: [", "p: 1\np: 1"])
def test_an_edit_that_gives_anything_else_is_a_bug_and_gives_nothing(
    monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(applying_module, "splices_of", lambda source, change: (Splice(0, 4, broken),))
    with pytest.raises(InternalError, match="nothing was changed"):
        apply(parse("p: 1\n"), [Replace(("p",), 3)])


def test_overlapping_changes_are_a_bug_too() -> None:
    with pytest.raises(InternalError, match="overlaps"):
        apply(parse("a: [x, y]\n"), [Replace(("a",), 1), Replace(("a", 0), "z")])


def test_plain_data_is_not_changed_in_place() -> None:
    data = {"a": [1, 2], "b": {}}
    assert changed_data(data, [Remove(("a", 0)), Insert(("b",), "c", 1, None), Replace((), {"a": [1, 2], "b": {}})])
    assert data == {"a": [1, 2], "b": {}}
