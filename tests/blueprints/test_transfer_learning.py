"""The blueprints that build on the zoo: what of them is trained, in either Keras, and on another network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphbuilder.analysis.summary import summarize
from graphbuilder.api import compile, load_model, lower, parse, save
from graphbuilder.backend.frameworks import KerasVersion
from tests.support.inputs import some_input

FOLDER = Path(__file__).parents[2] / "blueprints"
TRANSFER = FOLDER / "transfer_learning.yaml"
TEXT = (FOLDER / "unet_mobilenet.yaml").read_text(encoding="utf-8")
SMALL: dict[str, Any] = {"weights": None, "size": 64}
TUNED = {**SMALL, "trainable": {"from": "block_15", "except": ["BatchNormalization"]}}
HALVING = [
    "vgg16", "resnet50", "resnet101_v2", "densenet121", "mobilenet", "mobilenet_v3_small", "efficientnet_b3",
    "efficientnet_v2_s",
]  # fmt: skip


def count(weights: Any) -> int:
    return sum(int(np.prod(weight.shape)) for weight in weights)


@pytest.mark.parametrize("version", [3, 2])
@pytest.mark.parametrize("params", [SMALL, TUNED], ids=["head", "tuned"])
def test_what_is_trained_is_what_is_shown(params: dict[str, Any], version: KerasVersion) -> None:
    graph = lower(TRANSFER, params)
    totals = summarize(graph).totals
    model = compile(graph, keras=version)
    assert count(model.trainable_weights) == totals.trainable
    assert count(model.non_trainable_weights) == totals.non_trainable
    assert (totals.trainable == 1280 * 5 + 5) is (params is SMALL)


@pytest.mark.parametrize("version", [3, 2])
def test_frozen_normalization_infers_while_the_rest_is_trained(version: KerasVersion) -> None:
    graph = lower(TRANSFER, TUNED)
    model = compile(graph, keras=version)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    given = some_input(graph, samples=4) * 40 + 128
    model.fit(given, np.arange(4), batch_size=4, epochs=2, verbose=0)
    changed = {
        layer.name
        for layer in model.layers
        if any(not np.array_equal(one, two) for one, two in zip(layer.get_weights(), before[layer.name], strict=True))
        # The generators of augmentation count what they have drawn.
        and layer.name not in ("mirrored", "turned")
    }
    assert {"label", "backbone.Conv_1", "backbone.block_16.project"} <= changed
    assert not any(name.endswith(("BN", "bn")) for name in changed)
    assert not any(name.startswith("backbone.block_14") for name in changed)


def test_what_is_frozen_stays_so_in_the_saved_model(tmp_path: Path) -> None:
    model = load_model(save(compile(TRANSFER, TUNED), tmp_path / "tuned.keras"))
    assert count(model.trainable_weights) == summarize(lower(TRANSFER, TUNED)).totals.trainable
    assert model.get_layer("backbone.block_16.project").trainable
    assert not model.get_layer("backbone.block_16.project_BN").trainable


@pytest.mark.parametrize("name", HALVING)
def test_another_network_takes_the_place_by_its_name(name: str) -> None:
    graph = lower(parse(TEXT.replace("zoo.mobilenet_v2", f"zoo.{name}")), SMALL)
    (mask,) = graph.calls["mask"].outputs
    assert mask.type is not None
    assert mask.type.shape == ("batch", 64, 64, 3)


@pytest.mark.parametrize("name", ["mobilenet_v3_small", pytest.param("resnet50", marks=pytest.mark.slow)])
def test_another_network_is_built_and_trained(name: str) -> None:
    graph = lower(parse(TEXT.replace("zoo.mobilenet_v2", f"zoo.{name}")), {**SMALL, "filters": 2})
    model = compile(graph)
    assert model.count_params() == graph.parameters
    given = some_input(graph, samples=2)
    wanted = np.random.default_rng(0).integers(0, 3, (2, 64, 64))
    before = model.evaluate(given, wanted, verbose=0)[0]
    model.fit(given, wanted, epochs=3, verbose=0)
    assert model.evaluate(given, wanted, verbose=0)[0] < before
