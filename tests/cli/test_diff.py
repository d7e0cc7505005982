"""`graphbuilder diff`: its text, its JSON, its status, and models on either side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

OLD = """\
blueprint: 1
inputs: {image: {shape: [8, 8, 1]}}
nodes:
  conv: {layer: Conv2D, filters: 4, kernel_size: 3, activation: relu}
  flat: {layer: Flatten}
  hidden: {layer: Dense, units: 16}
  scores: {layer: Dense, units: 10, activation: softmax}
training: {optimizer: adam, loss: mse}
"""
NEW = """\
blueprint: 1
inputs: {image: {shape: [8, 8, 1]}}
nodes:
  conv: {layer: Conv2D, filters: 4, kernel_size: 5, activation: relu}
  flat: {layer: Flatten}
  features: {layer: Dense, units: 16}
  dropped: {layer: Dropout, rate: 0.2}
  scores: {layer: Dense, units: 10, activation: softmax}
training: {optimizer: adam, loss: mae}
"""
TEXT = """\
old.yaml → new.yaml: 5 differences
+ added       dropped, Dropout, rate 0.2, from features
~ changed     conv: kernel_size 3 → 5
~ renamed     hidden → features
~ rewired     scores: from hidden → dropped
~ training    loss 'mse' → 'mae'
  shape       conv (batch, 6, 6, 4) → (batch, 4, 4, 4)
  shape       flat (batch, 144) → (batch, 64)
  parameters  2,530 → 1,314 (-1,216, -48.1 %)
  MACs        3,760 → 2,784 (-976, -26.0 %)
  size        10,120 → 5,256 bytes (-4,864, -48.1 %)
"""
LIBRARY = "blueprint: 1\nblocks:\n  part: {inputs: [x], nodes: {a: {layer: Dense, units: 3}}}\n"

# What `to_json` of a Keras 3 model holds, as far as it is read.
_CLASS = {"module": "keras.layers", "registered_name": None}
MODEL = {
    "module": "keras.src.models.functional",
    "class_name": "Functional",
    "config": {
        "name": "old",
        "trainable": True,
        "layers": [
            {**_CLASS, "class_name": "InputLayer", "name": "x", "inbound_nodes": [],
             "config": {"batch_shape": [None, 8], "dtype": "float32", "sparse": False, "name": "x"}},
            {**_CLASS, "class_name": "Dense", "name": "scores",
             "config": {"name": "scores", "trainable": True, "dtype": "float32", "units": 3, "activation": "linear"},
             "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {
                 "shape": [None, 8], "dtype": "float32", "keras_history": ["x", 0, 0]}}], "kwargs": {}}]},
        ],
        "input_layers": ["x", 0, 0],
        "output_layers": ["scores", 0, 0],
    },
}  # fmt: skip
SAME_AS_MODEL = "blueprint: 1\ninputs: {x: {shape: [8], modality: text}}\nnodes: {scores: {layer: Dense, units: 3}}\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with an old and a new file."""
    (tmp_path / "old.yaml").write_text(OLD, encoding="utf-8")
    (tmp_path / "new.yaml").write_text(NEW, encoding="utf-8")
    return tmp_path


def test_a_block_that_is_called_otherwise_is_told_in_one_line(run: Run, tmp_path: Path) -> None:
    inner = ["conv", "conv_bn", "relu"]
    layers = ["{layer: Conv2D, filters: 4, kernel_size: 3}", "{layer: BatchNormalization}", "{layer: ReLU}"]
    nodes = "".join(f"      {name}: {layer}\n" for name, layer in zip(inner, layers, strict=True))
    inputs = "inputs: {image: {shape: [9, 9, 1]}}\n"
    block = f"blocks:\n  part:\n    inputs: [x]\n    nodes:\n{nodes}"
    folded = f"blueprint: 1\n{inputs}{block}nodes:\n  stage: {{block: part, repeat: 2}}\n"
    flat = "".join(f"  s{copy}_{name}: {layer}\n" for copy in "ab" for name, layer in zip(inner, layers, strict=True))
    (tmp_path / "folded.yaml").write_text(folded)
    (tmp_path / "flat.yaml").write_text(f"blueprint: 1\n{inputs}nodes:\n{flat}")
    said = run("diff", str(tmp_path / "folded.yaml"), str(tmp_path / "flat.yaml"))
    assert said.code == 1
    assert said.out.splitlines()[1:] == [
        "~ renamed     stage.0.* → sa_*: 3 nodes",
        "~ renamed     stage.1.* → sb_*: 3 nodes",
    ]


def test_differences_are_told_and_give_status_1(run: Run, files: Path) -> None:
    said = run("diff", "old.yaml", "new.yaml")
    assert (said.code, said.out, said.err) == (1, TEXT, "")


def test_the_same_gives_status_0(run: Run, files: Path) -> None:
    said = run("diff", "old.yaml", "old.yaml")
    assert (said.code, said.out) == (0, "old.yaml and old.yaml are the same\n")


def test_by_graph_names_do_not_count(run: Run, files: Path) -> None:
    (files / "new.yaml").write_text(OLD.replace("hidden:", "features:"), encoding="utf-8")
    said = run("diff", "old.yaml", "new.yaml", "--by", "graph")
    assert said.code == 0
    assert "1 node has another name" in said.out
    assert run("diff", "old.yaml", "new.yaml").code == 1


def test_a_block_unfolded_is_the_same(run: Run, files: Path, blueprints: Path) -> None:
    assert run("resolve", blueprints / "resnet50.yaml", "-o", "flat.yaml").code == 0
    assert run("diff", blueprints / "resnet50.yaml", "flat.yaml").code == 0
    assert run("diff", blueprints / "resnet50.yaml", "flat.yaml", "--by", "file").code == 1


def test_json_has_what_the_text_has(run: Run, files: Path) -> None:
    said = run("diff", "old.yaml", "new.yaml", "--format", "json")
    found = json.loads(said.out)
    assert said.code == 1
    assert (found["ok"], found["by"], found["same"], found["differences"]) == (True, "nodes", False, 5)
    assert [node["name"] for node in found["added"]] == ["dropped"]
    assert found["added"][0]["arguments"] == {"rate": 0.2}
    changed = {node["name"]: node for node in found["changed"]}
    assert changed["conv"]["arguments"] == [{"path": "kernel_size", "before": 3, "after": 5}]
    assert changed["conv"]["outputs"]["after"] == [{"shape": ["batch", 4, 4, 4], "dtype": "float32"}]
    assert (changed["hidden"]["new_name"], changed["hidden"]["renamed"]) == ("features", True)
    assert changed["scores"]["inputs"] == [{"path": "inputs", "before": "hidden", "after": "dropped"}]
    assert found["sections"] == [{"path": "training.loss", "before": "mse", "after": "mae"}]
    assert found["totals"]["change"]["parameters"] == -1216


def test_libraries_of_blocks_are_compared_as_written(run: Run, files: Path) -> None:
    (files / "one.yaml").write_text(LIBRARY, encoding="utf-8")
    (files / "two.yaml").write_text(LIBRARY.replace("units: 3", "units: 4"), encoding="utf-8")
    said = run("diff", "one.yaml", "two.yaml")
    assert (said.code, said.out) == (1, "one.yaml → two.yaml: 1 difference\n~ changed     part: a: units 3 → 4\n")
    assert run("diff", "one.yaml", "one.yaml").code == 0


def test_a_model_may_stand_on_either_side(run: Run, files: Path) -> None:
    (files / "model.json").write_text(json.dumps(MODEL), encoding="utf-8")
    (files / "same.yaml").write_text(SAME_AS_MODEL, encoding="utf-8")
    assert run("diff", "model.json", "same.yaml").code == 0
    assert run("diff", "same.yaml", "model.json").code == 0
    (files / "other.yaml").write_text(SAME_AS_MODEL.replace("[8]", "[9]"), encoding="utf-8")
    said = run("diff", "model.json", "other.yaml")
    assert said.code == 1
    assert "~ changed     x: shape [8] → [9]" in said.out


def test_a_blueprint_in_json_is_no_model(run: Run, files: Path) -> None:
    data = {"blueprint": 1, "inputs": {"x": {"shape": [8]}}, "nodes": {"scores": {"layer": "Dense", "units": 3}}}
    (files / "one.json").write_text(json.dumps(data), encoding="utf-8")
    assert run("diff", "one.json", "one.json").code == 0


def test_what_is_wrong_with_a_side_is_told(run: Run, files: Path) -> None:
    (files / "wrong.yaml").write_text(OLD.replace("units: 16", "units: 0"), encoding="utf-8")
    said = run("diff", "old.yaml", "wrong.yaml")
    assert said.code == 1
    assert "wrong.yaml:6:33: GB203 hidden: units is 0" in said.err
    assert said.out == ""
    assert "GB101" in run("diff", "old.yaml", "nowhere.yaml").err


def test_a_budget_that_is_exceeded_keeps_nothing_from_being_compared(run: Run, files: Path) -> None:
    (files / "over.yaml").write_text(f"{OLD}budget: {{params: 10}}\n", encoding="utf-8")
    said = run("diff", "old.yaml", "over.yaml")
    assert said.code == 1
    assert "~ budget      params nothing → 10" in said.out
    assert "GB406" in said.err


def test_params_are_set_on_each_side_that_has_them(run: Run, files: Path) -> None:
    with_params = OLD.replace("units: 16", "units: $width").replace("blueprint: 1", "blueprint: 1\nparams: {width: 8}")
    (files / "knob.yaml").write_text(with_params, encoding="utf-8")
    assert run("diff", "old.yaml", "knob.yaml").code == 1
    assert run("diff", "old.yaml", "knob.yaml", "--set", "width=16").code == 0
    said = run("diff", "old.yaml", "knob.yaml", "--set", "widht=16")
    assert said.code == 2
    assert "did you mean width?" in said.err


# Of other shipped blueprints Keras writes down the masks that it passes on by itself.
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["cnn", "digits_cnn", "image_audio", "image_tabular", "resnet50", "rnn", "siamese", "video_audio"]
)
def test_a_compiled_model_is_the_same_as_its_blueprint(run: Run, blueprints: Path, tmp_path: Path, name: str) -> None:
    file = blueprints / f"{name}.yaml"
    assert run("compile", file, "-o", "model.keras").code == 0
    said = run("diff", file, "model.keras")
    assert (said.code, said.err) == (0, ""), said.out
