"""`pretrained` on block nodes, as far as it is known without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphbuilder.api import check
from graphbuilder.blueprint import load, parse_blueprint
from graphbuilder.errors import Diagnostic
from graphbuilder.graph import Graph, PretrainingDeclaration

TEXT = """
blueprint: 1
params: {{weights: {{default: imagenet, type: any}}, alpha: 1.0}}
inputs: {{image: {{shape: {shape}, modality: image}}}}
nodes:
  backbone: {{block: {block}, include_top: false{more}}}
"""


def text_of(more: str, block: str = "zoo.mobilenet_v2", shape: str = "[192, 192, 3]") -> str:
    return TEXT.format(block=block, more=f", {more}" if more else "", shape=shape)


def declared(text: str, params: dict[str, Any] | None = None) -> tuple[PretrainingDeclaration, ...]:
    checked = check(parse_blueprint(text), params)
    assert checked.graph is not None, checked.diagnostics
    return checked.graph.pretraining


def problem(text: str, params: dict[str, Any] | None = None) -> Diagnostic:
    (found,) = check(parse_blueprint(text), params).errors
    return found


def test_weights_are_those_of_the_params_and_the_size() -> None:
    (found,) = declared(text_of("pretrained: imagenet, alpha: $alpha"), {"alpha": 0.5})
    assert (found.path, found.block, found.weights) == ("backbone", "zoo.mobilenet_v2", "imagenet")
    assert found.arguments == {"include_top": False, "alpha": 0.5, "input_shape": [192, 192, 3]}
    # Weights are published for some square sizes; for others Keras takes those of 224.
    (found,) = declared(text_of("pretrained: imagenet", shape="[100, 192, 3]"))
    assert "input_shape" not in found.arguments
    (found,) = declared(text_of("pretrained: imagenet", shape="[null, null, 3]"))
    assert "input_shape" not in found.arguments


def test_null_is_no_pretraining_and_the_param_that_says_so_is_known() -> None:
    (found,) = declared(text_of("pretrained: $weights"))
    assert found.switch == "weights"
    assert declared(text_of("pretrained: $weights"), {"weights": None}) == ()
    assert declared(text_of("pretrained: null")) == ()
    assert declared(text_of("")) == ()
    (found,) = declared(text_of("pretrained: imagenet"))
    assert found.switch is None


def test_published_weights_bring_the_params_they_were_trained_with() -> None:
    """Keras puts a layer into EfficientNet where it loads its published weights, and only there."""
    pretrained = check(parse_blueprint(text_of("pretrained: imagenet", "zoo.efficientnet_b0"))).graph
    plain = check(parse_blueprint(text_of("", "zoo.efficientnet_b0"))).graph
    assert pretrained is not None
    assert plain is not None
    assert len(pretrained.calls) == len(plain.calls) + 1
    assert pretrained.pretraining[0].params["imagenet_rescaling"] is True


def test_weights_of_what_is_left_out_are_not_asked_for() -> None:
    text = text_of("pretrained: imagenet") + "  other: {layer: Flatten, from: image}\n"
    assert declared(text) == ()


def test_reuse_begins_with_nothing_of_its_own() -> None:
    text = text_of("pretrained: imagenet") + "  again: {reuse: backbone, from: image}\noutputs: [backbone, again]\n"
    assert [each.path for each in declared(text)] == ["backbone"]


def test_a_block_inside_a_block_is_found() -> None:
    text = """
blueprint: 1
inputs: {image: {shape: [96, 96, 3]}}
blocks:
  features:
    inputs: [image]
    nodes:
      backbone: {block: zoo.mobilenet_v2, include_top: false, pretrained: imagenet}
      pooled: {layer: GlobalAveragePooling2D}
nodes:
  two: {block: features, repeat: 1}
"""
    assert [each.path for each in declared(text)] == ["two.0.backbone"]


@pytest.mark.parametrize(
    ("more", "shape", "message"),
    [
        ("pretrained: imagenet", "[96, 96, 4]", "kernel of Conv1 is [3, 3, 4, 32] here and [3, 3, 3, 32]"),
        (
            "pretrained: imagenet, include_top: true, classes: 7",
            "[96, 96, 3]",
            "kernel of predictions is [1280, 7] here",
        ),
        ("pretrained: imagenet, repeat: 2", "[96, 96, 3]", "a block that is repeated cannot be pretrained"),
        ("pretrained: ./weights.h5", "[96, 96, 3]", "a text without a file cannot name a file of weights"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_built(more: str, shape: str, message: str) -> None:
    text = text_of(more, shape=shape)
    text = text.replace("include_top: false, ", "") if "include_top: true" in more else text
    found = problem(text)
    assert found.code == "GB313"
    assert found.message.startswith(message)
    assert found.position is not None
    assert text.splitlines()[found.position.line - 1][found.position.column - 1 :].startswith(("imagenet", "./weights"))


def test_behind_a_fault_nothing_more_is_said() -> None:
    text = text_of("pretrained: imagenet").replace("nodes:\n", "nodes:\n  scaled: {layer: Rescaling, scal: 2}\n")
    assert problem(text).message == "Rescaling has no argument scal"


def test_an_import_named_zoo_is_not_the_zoo(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "blueprint: 1\nblocks:\n  vgg16:\n    inputs: [x]\n"
        "    nodes: {conv: {layer: Conv2D, filters: 2, kernel_size: 3}}\n"
    )
    main = tmp_path / "main.yaml"
    main.write_text(
        "blueprint: 1\nimports: {zoo: ./mine.yaml}\ninputs: {image: {shape: [32, 32, 3]}}\nnodes:\n"
        "  backbone: {block: zoo.vgg16, pretrained: imagenet}\n"
    )
    (found,) = check(load(main)).errors
    assert found.message == "zoo.vgg16 is no model of the zoo, so no weights are known for it"


def test_a_file_stands_beside_the_blueprint_that_names_it(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "own.h5").touch()
    (tmp_path / "outside.h5").touch()
    part = folder / "parts" / "part.yaml"
    part.write_text(text_of("pretrained: ./own.h5, include_top: true, classes: 7").replace("include_top: false, ", ""))
    main = folder / "main.yaml"
    main.write_text(
        "blueprint: 1\nimports: {part: ./parts/part.yaml}\ninputs: {image: {shape: [64, 64, 3]}}\n"
        "nodes: {whole: {block: part}}\n"
    )
    graph: Graph | None = check(load(main)).graph
    assert graph is not None
    (found,) = graph.pretraining
    assert found.weights == str((folder / "parts" / "own.h5").resolve())
    assert found.arguments == {"include_top": True, "alpha": 1.0, "classes": 7}
    part.write_text(text_of("pretrained: ../../outside.h5"))
    (wrong,) = check(load(main)).errors
    assert wrong.message == "../../outside.h5 lies outside the blueprint's folder"
    part.write_text(text_of("pretrained: ./onw.h5"))
    (wrong,) = check(load(main)).errors
    assert (wrong.message, wrong.hint) == ("there is no file ./onw.h5", "did you mean own.h5?")
