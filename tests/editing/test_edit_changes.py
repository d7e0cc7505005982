"""Single changes of a text: entries inserted, values replaced, items removed."""

from __future__ import annotations

import pytest

from graphbuilder.editing import Change, Delete, Insert, InsertItem, Move, Remove, Rename, Replace, apply
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
        ("a:\n- x\nb: 1\n", Remove(("a", 0)), "a: []\nb: 1\n"),
        ("a: [ x ]\n", Remove(("a", 0)), "a: []\n"),
        ("a:\n- p: 1  # one\n  # of it\n  q: 2\n- r\n", Remove(("a", 0)), "a:\n- r\n"),
        ("a:\n# r and s\n- r\n- p: 1\n# more\n- s\n", Remove(("a", 1)), "a:\n# r and s\n- r\n# more\n- s\n"),
        # Deleted, with the comments that are its own.
        ("a: 1\nb: 2  # two\nc: 3\n", Delete(("b",)), "a: 1\nc: 3\n"),
        ("a: 1\nb: 2", Delete(("b",)), "a: 1"),
        ("a: 1\n# two\nb: 2\n\nc: 3\n", Delete(("b",)), "a: 1\n\nc: 3\n"),
        ("# all\na: 1\nb: 2\n", Delete(("a",)), "# all\nb: 2\n"),
        ("a: 1\n\n# b and c\nb: 2\nc: 3\n", Delete(("b",)), "a: 1\n\n# b and c\nc: 3\n"),
        ("a: 1\n\nb: 2\n\nc: 3\n", Delete(("b",)), "a: 1\n\nc: 3\n"),
        ("a: 1\nb:\n  p: 1\n  # of b\n# of c\nc: 3\n", Delete(("b",)), "a: 1\n# of c\nc: 3\n"),
        ("a: 1\nb: |\n  # text\nc: 3\n", Delete(("b",)), "a: 1\nc: 3\n"),
        ("a: |+\n  text\nb: 2\n\n\nc: 3\n", Delete(("b",)), "a: |+\n  text\nc: 3\n"),
        ("a: |\n  text\nb: 2", Delete(("b",)), "a: |\n  text\n"),
        ("- a: 1  # one\n  # about c\n  c: 3\n", Delete((0, "a")), "- # about c\n  c: 3\n"),
        ("n: {a: 1, b: 2, c: 3}\n", Delete(("n", "a")), "n: {b: 2, c: 3}\n"),
        ("n: {a: 1, b: 2, c: 3}\n", Delete(("n", "b")), "n: {a: 1, c: 3}\n"),
        ("n: {a: 1, b: 2,}\n", Delete(("n", "b")), "n: {a: 1,}\n"),
        ("n: {\n  a: 1,  # one\n  b: 2  # two\n}\n", Delete(("n", "b")), "n: {\n  a: 1  # one\n}\n"),
        ("n: {\n  a: 1,  # one\n  # two\n  b: 2,\n  c: 3\n}\n", Delete(("n", "a")),
         "n: {\n  # two\n  b: 2,\n  c: 3\n}\n"),
        ("n: {a: 1, # one\n  b: 2}\n", Delete(("n", "a")), "n: {\n  b: 2}\n"),
        ("n: { a: 1 }  # n\n", Delete(("n", "a")), "n: {}  # n\n"),
        ("n:  # of n\n  a: 1  # one\nm: 2\n", Delete(("n", "a")), "n: {}  # of n\nm: 2\n"),
        ("n:\n  # heading\n\n  a: 1\n", Delete(("n", "a")), "n: {}\n  # heading\n\n"),
        ("n: &x\n  a: 1\n", Delete(("n", "a")), "n: &x {}\n"),
        ("- a: 1\n- b\n", Delete((0, "a")), "- {}\n- b\n"),
        ('{\n  "a": 1,\n  "b": [\n    2\n  ]\n}', Delete(("b",)), '{\n  "a": 1\n}'),
        ("? a\n: 1\n? b\n: 2\n", Delete(("a",)), "? b\n: 2\n"),
        # Renamed, quoted as it was, its value in its column.
        ("a: 1\n", Rename(("a",), "on"), '"on": 1\n'),
        ("'a': 1\n", Rename(("a",), "it's"), "'it''s': 1\n"),
        ('{"a": {"b": 1}}', Rename(("a", "b"), "c"), '{"a": {"c": 1}}'),
        ("a:    1\nlong: 2\n", Rename(("a",), "abc"), "abc:  1\nlong: 2\n"),
        ("a:    1\nlong: 2\n", Rename(("long",), "l"), "a:    1\nl:    2\n"),
        ("a:    1\nlong: 2\n", Rename(("a",), "longer"), "longer: 1\nlong: 2\n"),
        ("a:  1\nb: 2\n", Rename(("a",), "c"), "c:  1\nb: 2\n"),
        ("n: {a: 1, b: *x}\n".replace("*x", "2"), Rename(("n", "a"), "p, q"), 'n: {"p, q": 1, b: 2}\n'),
        ("&k a: 1\n", Rename(("a",), "b"), "&k b: 1\n"),
        ("? a\n: 1\n", Rename(("a",), "b"), "? b\n: 1\n"),
        # Items inserted.
        ("a: []\n", InsertItem(("a",), 0, "x"), "a: [x]\n"),
        ("a: [x, z]\n", InsertItem(("a",), 1, "k"), "a: [x, k, z]\n"),
        ("a: [x]\n", InsertItem(("a",), 0, "k"), "a: [k, x]\n"),
        ("a: [x,z]\n", InsertItem(("a",), 2, {"p": 1}), "a: [x,z,{p: 1}]\n"),
        ("a:\n  # of x\n  - x  # x\n  - z\n", InsertItem(("a",), 1, "k"), "a:\n  # of x\n  - x  # x\n  - k\n  - z\n"),
        ("a:\n# of x\n- x\n", InsertItem(("a",), 0, "k"), "a:\n- k\n# of x\n- x\n"),
        ("- - x\n", InsertItem((0,), 0, "k"), "- - k\n  - x\n"),
        ("a:\n  -   p: 1\n      q: 2\n", InsertItem(("a",), 1, {"p": 3, "q": [4]}),
         "a:\n  -   p: 1\n      q: 2\n  -   p: 3\n      q: [4]\n"),
        ("a:\n  - {p: 1}\n", InsertItem(("a",), 1, {"p": 3}), "a:\n  - {p: 1}\n  - {p: 3}\n"),
        ('{"a": [\n  "x"\n]}', InsertItem(("a",), 1, "k"), '{"a": [\n  "x",\n  "k"\n]}'),
        # Moved, with the comments that are its own.
        ("a: 1\n# two\nb: 2  # too\n\nc: 3\n", Move(("b",), "c"), "a: 1\n\nc: 3\n\n# two\nb: 2  # too\n"),
        ("a: 1\nb: 2\nc: 3", Move(("c",), None), "c: 3\na: 1\nb: 2"),
        ("n:\n  # of a\n  a: 1\n\n  b:\n    p: 1\n", Move(("n", "b"), None),
         "n:\n  b:\n    p: 1\n  # of a\n  a: 1\n\n"),
        ("- a: 1\n  # of b\n  b: 2\n", Move((0, "a"), "b"), "- # of b\n  b: 2\n  a: 1\n"),
        ("[x, k, z]\n", Move((0,), 2), "[k, z, x]\n"),
        ("- x # x\n- y\n", Move((0,), 1), "- y\n- x # x\n"),
        ("n: {\n  a: 1,  # one\n  b: 2  # two\n}\n", Move(("n", "a"), "b"), "n: {\n  b: 2,  # two\n  a: 1  # one\n}\n"),
        ('{\n  "a": 1,\n  "b": 2\n}', Move(("b",), None), '{\n  "b": 2,\n  "a": 1\n}'),
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
    source = parse("n:\n  a:\n    list: [x, k, z]\n    last: 1")
    changes: list[Change] = [
        Insert((), "end", True, "n"),
        Insert(("n",), "b", NODE, "a"),
        Insert(("n", "a"), "more", 2, "last"),
        Replace(("n", "a", "list", 0), "w"),
        Remove(("n", "a", "list", 1)),
    ]
    after = "n:\n  a:\n    list: [w, z]\n    last: 1\n    more: 2\n  b:\n    layer: Dense\n    units: 1\nend: true"
    assert apply(source, changes).source.text == after


@pytest.mark.parametrize("items", [["a", "b"], ["a", "b", "c"], ["b", "c"], ["a", "c"], ["c", "d"]])
@pytest.mark.parametrize("comments", [{}, {"a": "  # of a"}, {"b": "  # of b", "d": "  # of d"}])
@pytest.mark.parametrize("end", ["\n", ""])
def test_any_items_of_a_list_can_go_at_once(items: list[str], comments: dict[str, str], end: str) -> None:
    text = "x:\n  # which\n" + "\n".join(f"  - {each}{comments.get(each, '')}" for each in "abcd") + end
    source = parse(text)
    after = apply(source, [Remove(("x", "abcd".index(each))) for each in items]).source
    assert after.data == {"x": [each for each in "abcd" if each not in items]}
    assert [each for each in comments.values() if each.strip() not in after.text] == []
    assert "# which" in after.text


@pytest.mark.parametrize("end", ["", "\n"])
def test_all_items_but_the_first_can_be_removed(end: str) -> None:
    removed: list[Change] = [Remove(("a", 1)), Remove(("a", 2))]
    assert apply(parse(f"a:\n  - x\n  - k\n  - z{end}"), removed).source.text == f"a:\n  - x{end}"
    assert apply(parse(f"a: [x, k, z]{end}"), removed).source.text == f"a: [x]{end}"
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
        ("a: 1\nb: |\n  text", Move(("b",), None), "x.yaml:2:4: GB203 the text block at the end of the file"),
        ("a: |+\n  text\n\nb: 1\n", Move(("a",), "b"), "x.yaml:1:1: GB203 a cannot be moved there, because the blank"),
        ("a: &x 1\nb: 2\nc: *x\n", Delete(("a",)), "x.yaml:1:1: GB203 a is shared through &x"),
        ("a: {p: &x 1}\nb: 2\nc: *x\n", Delete(("a",)), "x.yaml:1:1: GB203 a is shared through &x"),
        ("a: &x {p: 1}\nc: *x\n", Delete(("a", "p")), "x.yaml:1:1: GB203 a is shared through &x"),
        ("a: &x {p: 1}\nc: *x\n", Rename(("c", "p"), "q"), "x.yaml:2:1: GB203 c is shared through *x"),
        ("&k a: 1\nb: *k\n", Rename(("a",), "c"), "x.yaml:1:1: GB203 a is shared through &k"),
        ("a: &x [1]\nc: *x\n", InsertItem(("c",), 0, 2), "x.yaml:2:1: GB203 c is shared through *x"),
        ("a: &x 1\nb: 2\nc: *x\n", Move(("a",), "c"), "x.yaml:1:1: GB203 a cannot be moved there, because *x"),
        ("a: &x 1\nb: 2\nc: *x\n", Move(("c",), None), "x.yaml:3:1: GB203 c cannot be moved there, because *x"),
        ("a: [b: 1, c]\n", Insert(("a", 0), "p", 1, "b"), "x.yaml:1:5: GB203 b: 1 is a mapping without braces"),
        ("a: [b: 1, c]\n", Delete(("a", 0, "b")), "x.yaml:1:5: GB203 b: 1 is a mapping without braces"),
        ("a: [b: 1, c]\n", Rename(("a", 0, "b"), "p"), "x.yaml:1:5: GB203 b: 1 is a mapping without braces"),
        ("a: {p: 1, q: 2,  # two\n  r: 3}\n", Move(("a", "q"), "r"), "x.yaml:1:11: GB203 q cannot be moved there"),
    ],
)
def test_what_would_change_two_places_is_refused(text: str, change: Change, message: str) -> None:
    with pytest.raises(BlueprintError) as caught:
        apply(parse(text, name="x.yaml"), [change])
    assert str(caught.value).startswith(message)


def test_an_alias_may_move_and_go_where_it_stays_below_its_anchor() -> None:
    text = "a: &x 1\nb: 2\nc: *x\nd: 4\n"
    assert apply(parse(text), [Move(("c",), "a")]).source.text == "a: &x 1\nc: *x\nb: 2\nd: 4\n"
    assert apply(parse(text), [Move(("a",), "b")]).source.text == "b: 2\na: &x 1\nc: *x\nd: 4\n"
    assert apply(parse(text), [Delete(("a",)), Delete(("c",))]).source.text == "b: 2\nd: 4\n"
    assert apply(parse(text), [Rename(("a",), "z"), Delete(("c",))]).source.text == "z: &x 1\nb: 2\nd: 4\n"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("n:\n  a: 1\n  b: [x, k]\n  c: 3\n  d: 4\n", "n:\n  new: {p: 1}\n  z: 0\n  k: [w, v, k]\n  b: 4\n"),
        ("n: {a: 1, b: [x, k], c: 3, d: 4}\n", "n: {new: {p: 1}, z: 0, k: [w, v, k], b: 4}\n"),
        (
            '{"n": {"a": 1, "b": ["x", "k"], "c": 3, "d": 4}}',
            '{"n": {"new": {"p": 1}, "z": 0, "k": ["w", "v", "k"], "b": 4}}',
        ),
    ],
)
def test_changes_of_all_kinds_at_once_speak_of_the_text_before(text: str, after: str) -> None:
    source = parse(text)
    changes: list[Change] = [
        Rename(("n", "d"), "b"),
        Rename(("n", "b"), "k"),
        Delete(("n", "a")),
        Delete(("n", "c")),
        Remove(("n", "b", 0)),
        InsertItem(("n", "b"), 0, "w"),
        InsertItem(("n", "b"), 1, "v"),
        Insert(("n",), "new", {"p": 1}, None),
        Insert(("n",), "z", 0, "a"),
    ]
    applied = apply(source, changes)
    assert applied.source.text == after
    assert spliced(applied.source.text, undoing(source.text, applied.splices)) == text


def test_insertions_behind_one_key_and_behind_each_other_come_in_order() -> None:
    for text in ("a: 1\nz: 2\n", '{"a": 1, "z": 2}', "{}"):
        after = "a" if "a" in text else None
        changes: list[Change] = [Insert((), "b", 1, after), Insert((), "c", 2, after), Insert((), "d", 3, "b")]
        names = list(apply(parse(text), changes).source.data)
        assert [name for name in names if name not in ("a", "z")] == ["b", "d", "c"]


def test_within_braces_what_comes_behind_what_stays_finds_the_comma() -> None:
    text = "n: {\n  a: 1,  # one\n  b: 2,\n  c: 3\n  # end\n}\n"
    changes: list[Change] = [
        Insert(("n",), "d", 4, "a"),
        Insert(("n",), "e", 5, "a"),
        Delete(("n", "b")),
        Delete(("n", "c")),
    ]
    assert apply(parse(text), changes).source.text == "n: {\n  a: 1,  # one\n  d: 4,\n  e: 5\n  # end\n}\n"
    text = "n: [\n  1,  # one\n  2,\n  3  # three\n]\n"
    changes = [InsertItem(("n",), 1, 9), Remove(("n", 1)), Remove(("n", 2))]
    assert apply(parse(text), changes).source.data == {"n": [1, 9]}


def test_everything_can_go_and_come_anew() -> None:
    for text in ("a: 1\nb: 2\n", '{"a": 1, "b": 2}', "a: 1\nb: 2"):
        changes: list[Change] = [Delete(("a",)), Delete(("b",)), Insert((), "c", 3, "b")]
        assert apply(parse(text), changes).source.data == {"c": 3}
    for text in ("l: [1, 2]", "l:\n- 1\n- 2\n"):
        changes = [Remove(("l", 0)), Remove(("l", 1)), InsertItem(("l",), 2, 3), InsertItem(("l",), 0, 0)]
        assert apply(parse(text), changes).source.data == {"l": [0, 3]}


def test_what_is_refused_between_two_steps_is_located_in_the_first_text() -> None:
    # The second insertion must find the first one made.
    text = "n: {}\na: &x {p: 1}\nb: *x\n"
    changes: list[Change] = [Insert(("n",), "p", 1, None), Insert(("n",), "q", 2, None), Delete(("b", "p"))]
    with pytest.raises(BlueprintError) as caught:
        apply(parse(text, name="x.yaml"), changes)
    assert str(caught.value).startswith("x.yaml:3:1: GB203 b is shared through *x")


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


def test_changes_that_contradict_each_other_are_a_bug_too() -> None:
    with pytest.raises(InternalError, match=r"there is nothing at .*nothing was changed"):
        apply(parse("a: [x, y]\n"), [Replace(("a",), 1), Replace(("a", 0), "z")])


def test_plain_data_is_not_changed_in_place() -> None:
    data = {"a": [1, 2], "b": {}}
    assert changed_data(data, [Remove(("a", 0)), Insert(("b",), "c", 1, None), Replace((), {"a": [1, 2], "b": {}})])
    assert data == {"a": [1, 2], "b": {}}
