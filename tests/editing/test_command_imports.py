"""Commands on imports: the text, who follows, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.block_names import RenameBlock
from graphbuilder.editing.commands.imports import AddImport, RemoveImport, RenameImport, SetImport
from graphbuilder.editing.session import Session
from graphbuilder.errors import BlueprintError, CommandError
from tests.editing.golden import run_both_ways

LIBRARY = """\
blueprint: 1
blocks:
  unit: {inputs: [x], nodes: {d: {layer: Dense, units: 8}}}
"""
MODEL = "blueprint: 1\ninputs: {x: {shape: [8]}}\nnodes: {d: {layer: Dense, units: 8}}\n"
MAIN = """\
blueprint: 1
# What others have made.
imports:
  lib: ./lib.yaml  # a library
  whole: parts/model.yaml
inputs: {x: {shape: [8]}}
blocks:
  own: {inputs: [x], nodes: {u: {block: lib.unit}, w: {block: whole}}}
nodes:
  lib: {block: lib.unit}
  own: {block: own}
  m: {block: std.mlp, units: 8}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "model.yaml").write_text(MODEL)
    (tmp_path / "lib.yaml").write_text(LIBRARY)
    (tmp_path / "other.yaml").write_text(LIBRARY.replace("unit:", "part:"))
    return tmp_path


def run(folder: Path, command: Command, text: str = MAIN) -> tuple[str, tuple[str, ...]]:
    session = Session(text, "main.yaml", folder / "main.yaml")
    edit = run_both_ways(session, command)
    return session.text, edit.told


def refusal(folder: Path, command: Command, text: str = MAIN) -> list[str]:
    session = Session(text, "main.yaml", folder / "main.yaml")
    with pytest.raises((CommandError, BlueprintError)) as caught:
        session.run(command)
    assert session.text == text
    return str(caught.value).splitlines()


def test_an_import_is_added_below_the_others(folder: Path) -> None:
    after, told = run(folder, AddImport("more", "other.yaml"))
    assert "  whole: parts/model.yaml\n  more: other.yaml\ninputs" in after
    assert told == ("nodes can use more.part now",)


def test_the_first_import_stands_where_people_look_for_it(folder: Path) -> None:
    text = "blueprint: 1\nparams: {n: 8}\ninputs: {x: {shape: [8]}}\nnodes: {d: {layer: Dense, units: $n}}\n"
    after, told = run(folder, AddImport("m", "./parts/model.yaml"), text)
    assert after == text.replace("inputs:", "imports: {m: ./parts/model.yaml}\ninputs:")
    assert told == ("nodes can use m now",)
    again, _ = run(folder, RemoveImport("m"), after)
    assert again == text


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (AddImport("m", "missing.yaml"), "GB210 there is no file missing.yaml"),
        (AddImport("m", "../outside.yaml"), "GB210 ../outside.yaml lies outside the blueprint's folder"),
        (AddImport("lib", "other.yaml"), "GB206 there is an import lib already; expected a new name"),
        (AddImport("own", "other.yaml"), "GB206 there is a block own already; expected a new name"),
        (AddImport("std", "other.yaml"), "GB206 std is the name of the shipped blocks; expected a new name"),
        (AddImport("a b", "other.yaml"), "GB206 a b is not a legal name"),
        (RenameImport("lib", "whole"), "GB206 there is an import whole already; expected a new name"),
        (RenameImport("lbi", "x"), "GB205 there is no import lbi"),
        (RemoveImport("lbi"), "GB205 there is no import lbi"),
        (SetImport("lbi", "other.yaml"), "GB205 there is no import lbi"),
    ],
)
def test_what_cannot_be_imported_is_refused(folder: Path, command: Command, message: str) -> None:
    assert message in refusal(folder, command)[0]


def test_a_file_that_is_no_blueprint_is_refused_with_what_is_wrong_with_it(folder: Path) -> None:
    (folder / "bad.yaml").write_text("blueprint: 1\nnode: {}\n")
    first = refusal(folder, AddImport("bad", "bad.yaml"))[0]
    assert first.startswith("bad.yaml:2:1: GB201 node is not known here")


def test_a_text_without_a_file_cannot_import() -> None:
    session = Session(MODEL)
    with pytest.raises(BlueprintError, match="GB210 a text without a file cannot import"):
        session.run(AddImport("lib", "lib.yaml"))


def test_every_use_of_an_import_follows_its_name(folder: Path) -> None:
    after, told = run(folder, RenameImport("lib", "parts"))
    assert after == MAIN.replace("  lib: ./lib", "  parts: ./lib").replace("lib.unit", "parts.unit")
    assert told == ("lib and u name it parts now",)
    after, told = run(folder, RenameImport("whole", "tower"))
    assert "  tower: parts/model.yaml" in after
    assert "w: {block: tower}" in after
    assert told == ("w names it tower now",)


def test_an_import_goes_only_where_no_node_uses_it(folder: Path) -> None:
    assert refusal(folder, RemoveImport("lib")) == [
        "main.yaml:4:3: GB303 lib is used by lib and u",
        "  main.yaml:10:16: it is used here",
        "  hint: inline or delete these first",
    ]
    text = MAIN.replace("lib.unit", "std.mlp, units: 8")
    assert run(folder, RemoveImport("lib"), text)[0] == text.replace("  lib: ./lib.yaml  # a library\n", "")


def test_another_file_must_have_what_is_used(folder: Path) -> None:
    assert refusal(folder, SetImport("lib", "other.yaml")) == [
        "main.yaml:10:16: GB205 lib uses lib.unit, and other.yaml has no such block",
        "  hint: did you mean lib.part?",
    ]
    (folder / "other.yaml").write_text(LIBRARY)
    assert run(folder, SetImport("lib", "other.yaml"))[0] == MAIN.replace("./lib.yaml", "other.yaml")


def test_a_block_of_another_file_is_renamed_there(folder: Path) -> None:
    assert refusal(folder, RenameBlock("lib.unit", "part")) == [
        "main.yaml:4:3: GB303 lib.unit stands in ./lib.yaml",
        "  hint: open ./lib.yaml to rename unit, or rename the import lib",
    ]
    assert refusal(folder, RenameBlock("whole", "part"))[1] == "  hint: rename the import whole"
