"""`graphbuilder convert`: the same data in the other syntax."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphbuilder.blueprint.shipped import blueprint_names
from graphbuilder.cli.conversion import comments
from graphbuilder.text import parse, read
from graphbuilder.text.splices import same_data
from tests.cli.conftest import Run


@pytest.mark.parametrize("name", blueprint_names())
def test_there_and_back_is_the_same_data_and_a_valid_blueprint(run: Run, blueprints: Path, name: str) -> None:
    assert run("convert", blueprints / f"{name}.yaml", "-o", f"{name}.json").code == 0
    assert run("convert", f"{name}.json", "-o", f"{name}.yaml").code == 0
    data = read(blueprints / f"{name}.yaml").data
    assert same_data(json.loads(Path(f"{name}.json").read_text("utf-8")), data)
    assert same_data(read(f"{name}.yaml").data, data)
    assert run("validate", f"{name}.yaml", f"{name}.json").code == 0


def test_stdout_takes_the_other_syntax_unless_told(run: Run, blueprints: Path) -> None:
    said = run("convert", blueprints / "cnn.yaml")
    assert json.loads(said.out)["name"] == "cnn"
    assert said.err == "note: 1 comment is left out; the data carries none\n"
    assert run("convert", blueprints / "cnn.yaml", "-o", "-", "--to", "yaml").out.startswith("blueprint: 1\n")
    assert list(Path().iterdir()) == []


def test_comments_and_aliases_are_counted(run: Run) -> None:
    text = "# one\nname: 'no # comment'  # two\nnote: |\n  # no comment\nwords: &w [a#b, \"# c\"]  # three\nmore: *w\n"
    Path("a.yaml").write_text(text)
    said = run("convert", "a.yaml", "-o", "a.json")
    assert said.err == "note: 3 comments are left out; the data carries none\nnote: 1 alias written out in full\n"
    assert json.loads(Path("a.json").read_text())["more"] == ["a#b", "# c"]


@pytest.mark.parametrize(
    ("text", "count"),
    [("a: 1\n", 0), ("#\n#\n", 2), ("a: 1 # x # y\n", 1), ("a: b#c\n", 0), ("a:\r\n  # x\r\n  b: 1\r\n# y", 2)],
)
def test_comments(text: str, count: int) -> None:
    assert comments(parse(f"z: 0\n{text}")) == count


def test_json_has_no_endless_numbers(run: Run) -> None:
    Path("a.yaml").write_text("a: [1.0, .inf]\nb: {c: .nan}\n")
    said = run("convert", "a.yaml")
    assert said.code == 1
    assert said.err == "a.yaml:1:10: GB203 JSON has no number inf\na.yaml:2:8: GB203 JSON has no number nan\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "a.txt"], "a.txt does not say in which syntax to write"),
        (["-o", "a.json", "--to", "yaml"], "--to yaml would be written to a.json, which is read as json"),
        (["-o", "there.json"], "there.json exists already"),
        (["-o", "folder"], "folder is a folder"),
    ],
)
def test_what_cannot_be_written_is_said_first(run: Run, blueprints: Path, words: list[str], message: str) -> None:
    Path("there.json").write_text("{}")
    Path("folder").mkdir()
    said = run("convert", blueprints / "cnn.yaml", *words)
    assert said.code == 2
    assert message in said.err
    assert Path("there.json").read_text() == "{}"


def test_same_data_tells_kinds_and_order() -> None:
    assert same_data({"a": [1, None, "x", float("nan")]}, {"a": [1, None, "x", float("nan")]})
    for one, other in [(1, 1.0), (True, 1), ([1], [1, 1]), ({"a": 1, "b": 1}, {"b": 1, "a": 1}), ("a", "b")]:
        assert not same_data(one, other)
