"""`graphbuilder export`: a blueprint as Keras code or as a Mermaid flowchart."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from graphbuilder.api import lower
from graphbuilder.blueprint.shipped import blueprint_names
from graphbuilder.export import mermaid, python_source
from tests.cli.conftest import Run


@pytest.mark.parametrize("name", blueprint_names())
def test_code_is_printed_or_written(run: Run, blueprints: Path, name: str) -> None:
    path = blueprints / f"{name}.yaml"
    said = run("export", path, "--to", "python")
    assert (said.code, said.out) == (0, python_source(lower(path)))
    ast.parse(said.out)
    assert run("export", path, "--to", "python", "-o", "model.py").out == "model.py written\n"
    assert Path("model.py").read_text() == said.out


def test_params_change_what_is_written(run: Run, blueprints: Path) -> None:
    said = run("export", blueprints / "resnet50.yaml", "--to", "python", "--set", "classes=7")
    assert "units=7" in said.out


def test_flowcharts_can_be_folded(run: Run, blueprints: Path) -> None:
    path = blueprints / "resnet50.yaml"
    graph = lower(path)
    assert run("export", path, "--to", "mermaid").out == mermaid(graph)
    assert run("export", path, "--to", "mermaid", "--depth", "1", "-o", "-").out == mermaid(graph, 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "python", "--depth", "1"], "graphbuilder: GB603 --depth is for flowcharts only"),
        (["--to", "java"], "GB603 invalid value for '--to': 'java' is not one of 'python', 'mermaid'"),
        ([], "graphbuilder: GB603 missing option '--to'"),
        (["--to", "python", "-o", "there.py"], "graphbuilder: GB601 there.py exists already"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, blueprints: Path, words: list[str], message: str) -> None:
    Path("there.py").write_text("mine")
    said = run("export", blueprints / "cnn.yaml", *words)
    assert said.code == 2
    assert message in said.err
    assert Path("there.py").read_text() == "mine"


def test_a_wrong_blueprint_is_told_and_nothing_written(run: Run) -> None:
    Path("wrong.yaml").write_text("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  d: {layer: Dense, units: 0}\n")
    said = run("export", "wrong.yaml", "--to", "python", "-o", "wrong.py")
    assert said.code == 1
    assert said.err.startswith("wrong.yaml:4:28: GB203 d: units is 0")
    assert not Path("wrong.py").exists()


def test_a_warning_does_not_stand_in_the_output(run: Run) -> None:
    Path("odd.yaml").write_text(
        "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n"
        "  d: {layer: Dense, units: 2}\n  unused: {layer: Dense, units: 2, from: x}\noutputs: d\n"
    )
    said = run("export", "odd.yaml", "--to", "python")
    assert said.code == 0
    assert "warning GB306" in said.err
    assert "unused" not in said.out
