"""`graphbuilder export`: a blueprint as Keras code, as a drawing, or as a model of another runtime."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from graphbuilder.api import load, lower
from graphbuilder.blueprint.shipped import blueprint_names
from graphbuilder.export import dot, mermaid, python_source, svg
from tests.cli.conftest import Run


@pytest.mark.parametrize("name", blueprint_names())
def test_code_is_printed_or_written(run: Run, blueprints: Path, name: str) -> None:
    path = blueprints / f"{name}.yaml"
    document = load(path)
    said = run("export", path, "--to", "python", "--no-verify")
    assert (said.code, said.out) == (0, python_source(lower(document), document))
    assert "note: the code was not run beside the compiled model (--no-verify)" in said.err
    ast.parse(said.out)
    assert run("export", path, "-o", "model.py", "--no-verify").out == "model.py written\n"
    assert Path("model.py").read_text() == said.out


def test_code_is_run_before_it_is_written(run: Run, blueprints: Path) -> None:
    said = run("export", blueprints / "rnn.yaml", "-o", "model.py")
    assert said.out == "model.py written: the same layers, and the same numbers on random inputs\n"
    assert "no-verify" not in said.err


def test_a_model_of_another_runtime_is_written(run: Run) -> None:
    Path("m.yaml").write_text("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  d: {layer: Dense, units: 2}\n")
    said = run("export", "m.yaml", "-o", "m.tflite")
    assert re.fullmatch(r"m\.tflite written: \d\.\de[-+]\d\d off on random inputs, of 1e-05 allowed\n", said.out)
    assert "note: the weights are new; --weights FILE loads trained ones" in said.err
    assert Path("m.tflite").read_bytes()[4:8] == b"TFL3"


def test_what_tflite_lacks_is_told_at_its_node_and_nothing_is_written(run: Run) -> None:
    Path("m.yaml").write_text(
        "blueprint: 1\ninputs: {x: {shape: [1], dtype: string}}\nnodes:\n"
        "  h: {layer: Hashing, num_bins: 3}\n  d: {layer: Embedding, input_dim: 3, output_dim: 2}\n"
    )
    said = run("export", "m.yaml", "-o", "m.tflite")
    assert said.code != 0
    assert "m.yaml:" in said.err
    assert list(Path().iterdir()) == [Path("m.yaml")]


def test_params_change_what_is_written(run: Run, blueprints: Path) -> None:
    said = run("export", blueprints / "resnet50.yaml", "--to", "python", "--set", "classes=7", "--no-verify")
    assert "def build_model(*, classes=7):" in said.out


def test_params_that_are_no_arguments_are_told(run: Run, blueprints: Path) -> None:
    said = run("export", blueprints / "image_audio.yaml", "--to", "python", "--no-verify")
    assert "note: build_model has no argument for filters, audio_units: the code holds what they are now" in said.err
    # Those that say how the model is compressed are nothing to the code.
    said = run("export", blueprints / "compressed_lstm.yaml", "--to", "python", "--no-verify")
    assert "build_model has no argument" not in said.err


def test_drawings_can_be_folded(run: Run, blueprints: Path) -> None:
    path = blueprints / "resnet50.yaml"
    graph = lower(path)
    assert run("export", path, "--to", "mermaid").out == mermaid(graph)
    assert run("export", path, "--to", "mermaid", "--depth", "1", "-o", "-").out == mermaid(graph, 1)
    assert run("export", path, "--to", "dot", "--depth", "2").out == dot(graph, 2, load(path))
    assert run("export", path, "--to", "svg").out == svg(graph, 1, load(path))
    assert run("export", path, "--to", "svg", "--depth", "0").out == svg(graph, None)


@pytest.mark.parametrize(("name", "begins"), [("a.svg", "<svg"), ("a.MMD", "flowchart TD"), ("a.dot", "digraph")])
def test_the_format_follows_from_the_name(run: Run, blueprints: Path, name: str, begins: str) -> None:
    assert run("export", blueprints / "cnn.yaml", "-o", name).out == f"{name} written\n"
    assert Path(name).read_text().startswith(begins)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "python", "--depth", "1"], "graphbuilder: GB603 --depth is for drawings only"),
        (["--to", "java"], "GB603 invalid value for '--to': 'java' is not one of 'python', 'svg', 'mermaid'"),
        ([], "graphbuilder: GB603 no format is said"),
        (["-o", "model.txt"], "graphbuilder: GB603 model.txt does not say in which format to write"),
        (["-o", "model.svg", "--to", "dot"], "GB603 --to dot would be written to model.svg, whose name says svg"),
        (["--to", "tflite"], "graphbuilder: GB603 tflite is no text to print"),
        (["-o", "model.py", "--weights", "w.weights.h5"], "graphbuilder: GB603 --weights has no place in python"),
        (["--to", "python", "-o", "there.py"], "graphbuilder: GB601 there.py exists already"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, blueprints: Path, words: list[str], message: str) -> None:
    Path("there.py").write_text("mine")
    said = run("export", blueprints / "cnn.yaml", *words)
    assert said.code == 2
    assert message in said.err
    assert Path("there.py").read_text() == "mine"
    assert list(Path().iterdir()) == [Path("there.py")]


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
    said = run("export", "odd.yaml", "--to", "python", "--no-verify")
    assert said.code == 0
    assert "warning GB306" in said.err
    assert "unused" not in said.out
