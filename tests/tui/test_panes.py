"""What panes are made of, without a screen: lines, values, forms, matching, rows of problems."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.blueprint import Document, load, parse_blueprint
from graphbuilder.editing.session import Session
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic, Position
from graphbuilder.text import parse
from graphbuilder.tui.fields import UNSET, Field, Form, read_value, value_text
from graphbuilder.tui.forms import form_of
from graphbuilder.tui.matching import best, score
from graphbuilder.tui.panes.outline import outline_key, outline_path, rows_of
from graphbuilder.tui.panes.problems import diff_rows, problem_rows
from graphbuilder.tui.panes.text import Lines
from graphbuilder.tui.settings import Settings, read_settings
from graphbuilder.tui.workspace import subject_at
from tests.tui.driving import CNN

SHIPPED = sorted(Path("blueprints").glob("*.yaml"))
# Everything at which Python, and so Textual, breaks lines, beside those of files.
_PIECES = st.lists(st.sampled_from(["a", "b: 1", " ", "\n", "\r\n", "\r", "\u2028", "\x85", "\x0c", "#"]), max_size=12)
TEXTS = _PIECES.map("".join)


@given(TEXTS)
def test_lines_give_the_text_again(text: str) -> None:
    lines = Lines(text)
    assert lines.after(list(lines.contents)) == text


@given(TEXTS, TEXTS)
def test_lines_that_stay_keep_their_breaks(before: str, after: str) -> None:
    lines, wanted = Lines(before), Lines(after)
    made = lines.after(list(wanted.contents))
    assert Lines(made).contents == wanted.contents
    same = 0
    while same < min(len(lines.contents), len(wanted.contents)) - 1 and lines.contents[same] == wanted.contents[same]:
        assert Lines(made).breaks[same] in (lines.breaks[same], lines.newline)
        same += 1


@given(TEXTS.filter(bool), st.data())
def test_places_and_offsets_agree(text: str, data: st.DataObject) -> None:
    lines = Lines(text)
    row = data.draw(st.integers(0, len(lines.contents) - 1))
    column = data.draw(st.integers(0, len(lines.contents[row])))
    assert lines.place(lines.offset(row, column)) == (row, column)


_SCALARS = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(max_size=8)
_KEYS = st.text("abcé _-", min_size=1, max_size=5)
VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3), max_leaves=6
)


@given(VALUES.filter(lambda value: not isinstance(value, (list, dict)) or len(value_text(value)) < 60))
def test_a_value_is_read_as_it_is_shown(value: object) -> None:
    text = value_text(value)
    if any(ord(each) < 32 or 0x7F <= ord(each) < 0xA0 or 0xD800 <= ord(each) < 0xE000 for each in text):
        return
    if any(each in text for each in "\u2028\u2029\ufeff\ufffe\uffff"):
        return
    assert read_value(text, Field("x", "x", "", "")) == value


def _wheres(document: Document) -> list[tuple[str | int, ...]]:
    blueprint = document.blueprint
    found: list[tuple[str | int, ...]] = [(), ("outputs",), ("training",), ("budget",)]
    found += [("nodes", name) for name in blueprint.nodes]
    found += [("inputs", name) for name in blueprint.inputs]
    found += [("params", name) for name in blueprint.params]
    found += [("compression", number) for number in range(len(blueprint.compression))]
    found += [("blocks", block, "nodes", name) for block, each in blueprint.blocks.items() for name in each.nodes]
    return [
        *found,
        *(("blocks", block, "params", name) for block, each in blueprint.blocks.items() for name in each.params),
    ]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_forms_show_what_is_written(path: Path) -> None:
    """Whatever is written has a field with that value, and setting a field to what it has changes nothing."""
    document = load(path)
    for where in _wheres(document):
        form = form_of(document, where)
        assert form is not None, where
        written = document.source.data
        for step in where:
            written = written.get(step, {}) if isinstance(written, dict) else written[step]
        if isinstance(written, dict) and where and where[0] != "outputs":
            known = {field.key for field in form.fields}
            skipped = {"from", "layer", "op", "fuse", "block", "reuse", "call", "pass"}
            assert set(written) - skipped <= known, where
        for field in form.fields:
            if field.value is not UNSET and field.change is not None and field.key != "name":
                value = field.value if field.text else read_value(value_text(field.value), field)
                assert not field.change(value).edit(document).changes, (where, field.key)


def _field(form: Form | None, key: str) -> Field:
    assert form is not None
    return next(field for field in form.fields if field.key == key)


@pytest.mark.parametrize(
    ("where", "key", "value", "place"),
    [
        (("nodes", "conv"), "padding", "same", ("nodes", "conv", "padding")),
        (("nodes", "hidden"), "about", "it's: # so", ("nodes", "hidden", "about")),
        (("inputs", "image"), "dtype", "float16", ("inputs", "image", "dtype")),
        (("params", "width"), "default", 12, ("params", "width")),
        (("training",), "epochs", 3, ("training", "epochs")),
        (("budget",), "gzip_ratio", 4, ("budget", "gzip_ratio")),
        ((), "name", "other", ("name",)),
        (("outputs",), "outputs", "hidden", ("outputs",)),
    ],
)
def test_setting_a_field_writes_it(where: tuple[str, ...], key: str, value: object, place: tuple[str, ...]) -> None:
    session = Session(CNN, "model.yaml")
    field = _field(form_of(session.document(), where), key)
    assert field.change is not None
    session.run(field.change(value))
    written = parse(session.text).data
    for step in place:
        written = written[step]
    assert written == value
    assert "# the first" in session.text
    assert _field(form_of(session.document(), where), key).value == value


_OVERRIDE = ("compression", 0, "overrides", "first")


@pytest.mark.parametrize(
    ("where", "key", "value", "place"),
    [
        (("blocks", "pair", "params", "width"), "default", 6, ("blocks", "pair", "params", "width")),
        (("blocks", "pair", "nodes", "one"), "units", 5, ("blocks", "pair", "nodes", "one", "units")),
        (("blocks", "pair", "outputs"), "outputs", "one", ("blocks", "pair", "outputs")),
        (("blocks", "pair"), "about", "a pair", ("blocks", "pair", "about")),
        (("blocks", "named", "inputs", "a"), "about", "other", ("blocks", "named", "inputs", "a", "about")),
        (_OVERRIDE, "sparsity", 0.6, (*_OVERRIDE, "sparsity")),
    ],
)
def test_setting_a_field_of_what_lies_inside(
    where: tuple[str | int, ...], key: str, value: object, place: tuple[str | int, ...]
) -> None:
    session = Session(NESTED, "model.yaml")
    field = _field(form_of(session.document(), where), key)
    assert field.change is not None
    session.run(field.change(value))
    written = parse(session.text).data
    for step in place:
        written = written[step]
    assert written == value
    assert _field(form_of(session.document(), where), key).value == value


def test_a_wrong_value_is_refused() -> None:
    session = Session(CNN, "model.yaml")
    field = _field(form_of(session.document(), ("nodes", "conv")), "padding")
    assert field.choices == ("valid", "same")
    assert field.change is not None
    with pytest.raises(CommandError, match="padding"):
        session.run(field.change("sme"))
    assert session.text == CNN


@given(st.text("abC2_", max_size=4), st.text("abC2_.", max_size=12))
def test_what_fits_holds_the_letters_in_order(typed: str, text: str) -> None:
    left = iter(text.casefold())
    assert (score(typed, text) > 0) == all(letter in left for letter in typed.casefold())


def test_the_likeliest_comes_first() -> None:
    names = ["GlobalMaxPooling2D", "Conv2DTranspose", "SeparableConv2D", "Conv2D", "Dense"]
    assert best("conv2d", ((name, (name,)) for name in names)) == ["Conv2D", "Conv2DTranspose", "SeparableConv2D"]
    assert best("gmp", ((name, (name,)) for name in names)) == ["GlobalMaxPooling2D"]
    assert best("dense layer", ((name, (name, "layer")) for name in names)) == ["Dense"]


NESTED = """\
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  pair:
    about: two in a row
    params: {width: 4}
    inputs: [y, z]
    nodes:
      one: {layer: Dense, from: y, units: $width}
      two: {layer: Add, from: [one, z]}
    outputs: two
  named:
    inputs: {a: {about: what comes in}}
    nodes: {inner: {layer: Dense, from: a, units: 4}}
nodes:
  first: {layer: Dense, units: 4}
  second: {block: pair, from: {y: x, z: first}}
  third: {block: named}
outputs: third
compression:
- pass: prune
  sparsity: 0.5
  overrides: {first: {sparsity: 0.7}}
"""


@pytest.mark.parametrize("text", [CNN, NESTED], ids=["plain", "nested"])
def test_every_row_of_the_outline_leads_somewhere(text: str) -> None:
    document = parse_blueprint(text)
    for each in rows_of(document, document.blueprint.blocks):
        if each.key:
            path = outline_path(each.key)
            assert outline_key(path) == each.key
            assert form_of(document, path) is not None


def test_what_a_block_and_a_pass_hold_has_rows_and_is_found_in_the_text() -> None:
    document = parse_blueprint(NESTED)
    inner = {
        ("blocks", "pair", "params", "width"): "width: 4",
        ("blocks", "pair", "inputs", "z"): "z]",
        ("blocks", "pair", "nodes", "two"): "two:",
        ("blocks", "pair", "outputs"): "outputs: two",
        ("blocks", "named", "inputs", "a"): "a: {about",
        ("compression", 0, "overrides", "first"): "first: {sparsity",
    }
    keys = {each.key for each in rows_of(document, document.blueprint.blocks)}
    for where, text in inner.items():
        assert outline_key(where) in keys
        assert subject_at(document.source, NESTED.index(text)) == where
    # Between the things that are known there is the one around them.
    assert subject_at(document.source, NESTED.index("two in a row")) == ("blocks", "pair")
    assert subject_at(document.source, NESTED.index("inputs: [y")) == ("blocks", "pair")
    assert subject_at(document.source, NESTED.index("sparsity: 0.5")) == ("compression", 0)
    assert subject_at(document.source, NESTED.index("overrides")) == ("compression", 0)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_stands_at_an_offset(path: Path) -> None:
    document = load(path)
    source = document.source
    for where in _wheres(document):
        if where and source.node(where) is not None and where[2:3] != ("params",):
            place = source.position(where, key=True)
            offset = source.lines.offset(place.line, place.column)
            assert subject_at(source, offset)[: len(where)] == where


def test_problems_and_differences_as_rows() -> None:
    long = Diagnostic("GB203", "x" * 300, position=Position(3, 5, 3, 9), hint="so")
    rows = list(problem_rows([long], 80))
    assert [each.key for each in rows if each.key] == ["0"]
    assert all(sum(len(part.text) for part in each.parts) <= 80 for each in rows)
    assert "nothing has changed" in next(diff_rows("a\n", "a\n")).parts[0].text
    assert [each.parts[0].text for each in diff_rows("a\r\n", "a\n")][-1] == "only line breaks differ"


SETTINGS = {
    "theme: nord\nkeys: {add: 'n,insert'}\n": None,
    "": None,
    "theme: norf\n": (1, "there is no theme norf"),
    "keys:\n  ad: n\n": (2, "there is nothing called ad"),
    "keys:\n  add: ctrl+i\n": (2, "a terminal sends tab for ctrl+i"),
    "colour: red\n": (1, "colour"),
    "theme: [\n": (1, ""),
    "density: huge\n": (1, "density"),
}


@pytest.mark.parametrize("text", SETTINGS, ids=repr)
def test_settings_are_read_or_told_wrong_with_their_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "editor.yaml"
    path.write_text(text)
    wrong = SETTINGS[text]
    if wrong is None:
        assert isinstance(read_settings(path, ["add"], ["nord", "textual-dark"]), Settings)
        return
    with pytest.raises(BlueprintError) as caught:
        read_settings(path, ["add"], ["nord", "textual-dark"])
    first = caught.value.diagnostics[0]
    assert first.position is not None
    assert wrong[1] in first.message
    if wrong[1]:
        assert first.position.line == wrong[0]


def test_a_block_node_offers_what_can_be_said_of_all_inside() -> None:
    document = load("blueprints/transfer_learning.yaml")
    form = form_of(document, ("nodes", "backbone"))
    assert _field(form, "trainable").shown == "$trainable"
    assert _field(form, "pretrained").shown == "$weights"
    assert _field(form, "repeat").value is UNSET
    session = Session(document.source.text, "transfer_learning.yaml", Path("blueprints/transfer_learning.yaml"))
    change = _field(form, "trainable").change
    assert change is not None
    session.run(change(read_value("{from: block_13}", _field(form, "trainable"))))
    assert "pretrained: $weights, trainable: {from: block_13}}" in session.text
    fused = parse_blueprint(
        "blueprint: 1\ninputs: {a: {shape: [4]}, b: {shape: [4]}}\nnodes:\n  sum: {fuse: gated, from: [a, b]}\n"
    )
    fields = {field.key for field in form_of(fused, ("nodes", "sum")).fields}  # type: ignore[union-attr]
    assert "trainable" in fields
    assert not {"repeat", "pretrained"} & fields
