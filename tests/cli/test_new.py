"""`graphbuilder new`: a copy of a shipped blueprint."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.blueprint.shipped import blueprint_abouts, blueprint_names, blueprint_path
from graphbuilder.text import read
from tests.cli.conftest import Run

NAMES = blueprint_names()


def test_the_shipped_blueprints_are_listed(run: Run) -> None:
    said = run("new")
    assert said.code == 0
    for name in NAMES:
        assert f"{name} " in said.out
    assert all(blueprint_abouts().values())


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_the_same_bytes_and_is_valid(run: Run, name: str) -> None:
    said = run("new", name)
    shipped = blueprint_path(name)
    assert said.code == 0
    assert f"graphbuilder show {name}.yaml" in said.out
    assert shipped is not None
    assert Path(f"{name}.yaml").read_bytes() == shipped.read_bytes()
    assert run("validate", f"{name}.yaml", "--strict").code == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_blueprint_needs_no_other_file(name: str) -> None:
    path = blueprint_path(name)
    assert path is not None
    assert "imports" not in read(path).data


@pytest.mark.parametrize("words", [["mine.yaml"], ["-o", "mine.yaml"]])
def test_the_path_can_be_given(run: Run, words: list[str]) -> None:
    assert run("new", "cnn", *words).code == 0
    assert Path("mine.yaml").is_file()


def test_a_folder_takes_the_shipped_name_and_folders_are_made(run: Run) -> None:
    Path("models").mkdir()
    assert run("new", "cnn", "models").code == 0
    assert Path("models/cnn.yaml").is_file()
    assert run("new", "cnn", "more/models/mine.yaml").code == 0
    assert Path("more/models/mine.yaml").is_file()


def test_what_exists_is_replaced_only_with_force(run: Run) -> None:
    Path("cnn.yaml").write_text("mine")
    said = run("new", "cnn")
    assert said.code == 2
    assert said.err == "graphbuilder: GB601 cnn.yaml exists already\n  hint: --force replaces it\n"
    assert Path("cnn.yaml").read_text() == "mine"
    assert run("new", "cnn", "--force").code == 0
    assert Path("cnn.yaml").read_text().startswith("# A small")
    assert [path.name for path in Path().iterdir()] == ["cnn.yaml"]


def test_two_paths_and_json_are_refused(run: Run) -> None:
    assert run("new", "cnn", "a.yaml", "-o", "b.yaml").code == 2
    said = run("new", "cnn", "cnn.json")
    assert said.code == 2
    assert "graphbuilder convert cnn.yaml -o cnn.json" in said.err
    assert list(Path().iterdir()) == []
