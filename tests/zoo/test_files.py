"""The files of the zoo, read without Keras: as models, as blocks of larger ones, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from graphbuilder.api import check, load
from graphbuilder.blueprint import Document, parse_blueprint
from graphbuilder.blueprint.shipped import block_path, blocks_in, blueprint_path, zoo_names
from graphbuilder.catalog.zoo import ZOO
from graphbuilder.graph import Graph, Value
from tests.support.zoo_parameters import PARAMETERS

STRIDES = (2, 4, 8, 16, 32)
# Convolutions without padding in the first layers make maps some pixels smaller.
UNPADDED = ("inception_v3", "inception_resnet_v2", "xception", "nasnet_mobile", "nasnet_large")
EVERYWHERE = {
    "include_top": True,
    "classes": 1000,
    "classifier_activation": "softmax",
    "pooling": None,
    "channels": 3,
}


@cache
def document(name: str) -> Document:
    return load(path_of(name))


def path_of(name: str) -> Path:
    path = blueprint_path(f"zoo.{name}")
    assert path is not None
    return path


def graph_of(blueprint: Document, **params: Any) -> Graph:
    """The graph of a blueprint of which nothing is said."""
    checked = check(blueprint, params=params)
    assert checked.graph is not None, checked.diagnostics
    assert not checked.diagnostics
    return checked.graph


def shape_of(value: Value) -> list[Any]:
    """The shape of a value, without the batch axis."""
    assert value.type is not None
    return list(value.type.shape[1:])


def output_shape(graph: Graph) -> list[Any]:
    assert isinstance(graph.outputs, Value)
    return shape_of(graph.outputs)


def outputs_of(graph: Graph) -> dict[str, list[Any]]:
    """The shape of each named output, without the batch axis."""
    assert isinstance(graph.outputs, Mapping)
    return {name: shape_of(value) for name, value in graph.outputs.items() if isinstance(value, Value)}


def test_the_files_are_the_models_of_the_table_and_blocks_for_them() -> None:
    parts = [name for name in blocks_in("zoo") if name not in ZOO]
    assert set(ZOO) < set(blocks_in("zoo"))
    assert zoo_names() == [f"zoo.{name}" for name in ZOO]
    assert len(ZOO) == 40
    used = "".join(path_of(name).read_text() for name in ZOO)
    used += "".join(path.read_text() for name in parts if (path := block_path("zoo", name)))
    for name in parts:
        path = block_path("zoo", name)
        assert path is not None
        assert not load(path).blueprint.nodes
        assert next(iter(load(path).blueprint.blocks)) == name
        assert f"block: zoo.{name}," in used or f"block: zoo.{name}\n" in used


@pytest.mark.parametrize("name", ZOO)
def test_a_whole_model_has_as_many_parameters_as_keras_has(name: str) -> None:
    graph = graph_of(document(name))
    assert graph.parameters == PARAMETERS[name][0]
    assert output_shape(graph) == [1000]
    (image,) = graph.inputs.values()
    assert shape_of(image.value) == [ZOO[name].size, ZOO[name].size, 3]


@pytest.mark.parametrize("name", ZOO)
def test_a_block_gives_the_last_map_and_one_for_each_tap(name: str) -> None:
    taps = list(document(name).blueprint.taps)
    strides = [stride for stride in STRIDES if f"stride_{stride}" in taps]
    assert strides == [stride for stride in STRIDES if stride > 2 or not name.startswith("convnext")]
    size = ZOO[name].size
    outputs = ", ".join(f"{tap}: backbone.{tap}" for tap in taps)
    graph = graph_of(
        parse_blueprint(
            f"blueprint: 1\ninputs:\n  photo: {{shape: [{size}, {size}, 3]}}\nnodes:\n"
            f"  backbone: {{block: zoo.{name}, from: photo, include_top: false}}\n"
            f"outputs: {{last: backbone, {outputs}}}\n"
        )
    )
    assert graph.parameters == PARAMETERS[name][1]
    shapes = outputs_of(graph)
    assert [len(shape) for shape in shapes.values()] == [3] * (len(taps) + 1)
    assert shapes["last"][:2] == shapes["stride_32"][:2]
    for stride in strides:
        rows, columns, channels = shapes[f"stride_{stride}"]
        assert rows == columns
        if name in UNPADDED:
            assert -4 <= rows - size / stride <= 1
        else:
            assert rows == -(-size // stride)
        assert channels >= 16


@pytest.mark.parametrize("name", ["mobilenet", "mobilenet_v3_small", "vgg16", "convnext_tiny", "efficientnet_b0"])
@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_pooling_makes_a_vector_where_there_is_no_classifier(name: str, pooling: str) -> None:
    graph = graph_of(document(name), include_top=False, pooling=pooling, height=None, width=None)
    assert len(output_shape(graph)) == 1
    assert graph.parameters == PARAMETERS[name][1]
    kinds = [type(layer.entry).__name__ for layer in graph.layers.values()]
    assert ("GlobalMaxPooling2D" in kinds) == (pooling == "max")


@pytest.mark.parametrize("name", ZOO)
def test_a_file_says_what_it_is(name: str) -> None:
    blueprint = document(name).blueprint
    assert blueprint.name == name
    assert "https://arxiv.org/abs/" in (blueprint.about or "")
    assert {key: blueprint.params[key].default for key in EVERYWHERE} == EVERYWHERE
    assert {blueprint.params[key].default for key in ("height", "width")} == {ZOO[name].size}
    assert all(param.about for param in blueprint.params.values())
    assert blueprint.inputs["image"].modality == "image"
    assert ("RGB" in (blueprint.inputs["image"].about or "")) or ("BGR" in (blueprint.inputs["image"].about or ""))
    blocks = blueprint.blocks.values()
    assert all(block.about and all(param.about for param in block.params.values()) for block in blocks)
    assert set(ZOO[name].arguments) <= set(blueprint.params)
    assert set(ZOO[name].imagenet) <= set(blueprint.params)


@pytest.mark.parametrize("name", ["densenet121", "efficientnet_v2_s", "inception_v3", "nasnet_large", "resnet50_v2"])
def test_an_image_of_unknown_size_is_taken(name: str) -> None:
    graph = graph_of(document(name), include_top=False, height=None, width=None)
    assert output_shape(graph)[:2] == [None, None]
    assert graph.parameters == PARAMETERS[name][1]


def test_the_number_of_classes_and_the_size_of_the_image_are_free() -> None:
    graph = graph_of(document("mobilenet_v2"), classes=7, height=96, width=160, channels=1, classifier_activation=None)
    assert output_shape(graph) == [7]
    assert graph.parameters == PARAMETERS["mobilenet_v2"][0] - 2 * 9 * 32 - 993 * 1281
