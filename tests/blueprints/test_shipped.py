"""The shipped blueprints: exact, alike in both Kerases, and trainable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from graphbuilder.api import check, compile, copy_weights, load_model, lower, save
from graphbuilder.graph import Graph
from tests.support.inputs import some_input
from tests.support.offline import offline_params

FOLDER = Path(__file__).parents[2] / "blueprints"
SHIPPED = sorted(FOLDER.glob("*.yaml"))
PARAMETERS = {"cnn": 1_969_738, "resnet50": 25_636_712}


def graph_of(path: Path) -> Graph:
    checked = check(path, offline_params(path))
    assert checked.graph is not None, checked.diagnostics
    assert not checked.diagnostics
    return checked.graph


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_it_is_valid_and_counts_as_keras_does(path: Path) -> None:
    graph = graph_of(path)
    model = compile(graph)
    assert model.count_params() == graph.parameters
    assert PARAMETERS.get(path.stem, graph.parameters) == graph.parameters
    for call in graph.calls.values():
        for value in call.outputs:
            assert value.type is not None, value.name


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_twin_and_keras_3_model_agree(path: Path) -> None:
    graph = graph_of(path)
    twin, model = compile(graph, keras=2), compile(graph)
    copied = copy_weights(twin, model)
    assert copied.parameters == graph.parameters
    given = some_input(graph)
    for mine, theirs in zip(keras.tree.flatten(model(given)), keras.tree.flatten(twin(given)), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)


# Those of several inputs are trained in test_fusion_blueprints.py.
TRAINED = [path for path in SHIPPED if path.stem != "resnet50" and len(lower(path).inputs) == 1]


@pytest.mark.parametrize("path", TRAINED, ids=lambda path: path.stem)
def test_it_saves_loads_and_training_lowers_its_loss(path: Path, tmp_path: Path) -> None:
    graph = graph_of(path)
    model = load_model(save(compile(graph), tmp_path / "model.keras"))
    given = some_input(graph, samples=8)
    random = np.random.default_rng(1)
    # A class for each sample, or for each of its positions.
    wanted: Any = random.integers(0, model.output_shape[-1], (8, *model.output_shape[1:-1]))
    if "categorical" not in str(graph.training["loss"] if graph.training else ""):
        wanted = random.normal(size=(8, *model.output_shape[1:])).astype("float32")
    before = model.evaluate(given, wanted, verbose=0)[0]
    # One step is enough for the CNN; attention needs some to settle.
    model.fit(given, wanted, epochs=20 if "transformer" in path.stem else 1, batch_size=8, verbose=0)
    assert model.evaluate(given, wanted, verbose=0)[0] < before


def test_resnet50_has_at_most_sixty_lines() -> None:
    assert len((FOLDER / "resnet50.yaml").read_text().splitlines()) <= 60


def _keras_name(name: str) -> str:
    """What keras.applications calls a layer of our ResNet50."""
    fixed = {"conv1": "conv1_conv", "norm1": "conv1_bn", "scores": "predictions"}
    if name in fixed:
        return fixed[name]
    match = re.fullmatch(r"conv(\d)\.(first|rest\.(\d+))\.(\w+)", name)
    assert match is not None, name
    block = 1 if match[2] == "first" else int(match[3]) + 2
    part = {
        "shortcut_conv": "0_conv",
        "shortcut": "0_bn",
        **{f"conv_{number}": f"{number}_conv" for number in (1, 2, 3)},
        **{f"norm_{number}": f"{number}_bn" for number in (1, 2, 3)},
    }[match[4]]
    return f"conv{match[1]}_block{block}_{part}"


def test_resnet50_equals_keras_applications() -> None:
    theirs = keras.applications.ResNet50(weights=None)
    model = compile(FOLDER / "resnet50.yaml")
    copied = 0
    for layer in model.layers:
        if layer.weights:
            source = theirs.get_layer(_keras_name(layer.name))
            layer.set_weights(source.get_weights())
            copied += source.count_params()
    assert copied == model.count_params() == theirs.count_params() == 25_636_712
    image = np.random.default_rng(0).uniform(-100, 100, (2, 224, 224, 3)).astype("float32")
    np.testing.assert_allclose(model(image), theirs(image), rtol=0, atol=1e-6)
