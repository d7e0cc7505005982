"""Models of the zoo beside those of keras.applications; `python -m benchmarks --zoo` holds all of them in full size."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from benchmarks.zoo import held
from graphbuilder.api import check, compile, copy_weights, load
from graphbuilder.blueprint.shipped import blueprint_path
from graphbuilder.catalog.zoo import ZOO
from graphbuilder.errors import BlueprintError
from tests.support.zoo_parameters import PARAMETERS

# An image of 75 has maps of 38, 19, 10 and 5 positions: odd ones and even ones are halved.
SMALL: list[tuple[str, bool, int, dict[str, Any]]] = [
    ("mobilenet_v2", True, 75, {"alpha": 0.35, "classes": 3}),
    ("mobilenet_v2", False, 75, {"alpha": 1.3}),
    ("mobilenet_v3_small", True, 75, {"minimalistic": True, "classes": 3, "include_preprocessing": False}),
    ("mobilenet_v3_small", False, 75, {"alpha": 0.75, "pooling": "max"}),
    ("mobilenet", True, 75, {"alpha": 0.25, "depth_multiplier": 2, "classes": 3}),
]
# Widths at which the rounding decides, and sizes at which the padding does.
MORE: list[tuple[str, bool, int, dict[str, Any]]] = [
    *(("mobilenet_v2", True, 64, {"alpha": alpha}) for alpha in (0.1, 0.28, 0.5, 0.56, 0.75, 1.4)),
    *(("mobilenet_v3_large", True, 64, {"alpha": alpha}) for alpha in (0.1, 0.75, 1.25)),
    ("mobilenet_v3_large", True, 64, {"minimalistic": True}),
    ("efficientnet_b0", False, 75, {"pooling": "avg"}),
    ("efficientnet_v2_b0", True, 75, {"include_preprocessing": False, "classes": 5}),
    ("efficientnet_v2_s", False, 75, {"include_preprocessing": False}),
    ("convnext_tiny", True, 64, {"include_preprocessing": False, "classes": 5}),
    ("convnext_tiny", False, 64, {"pooling": "max"}),
    ("nasnet_mobile", False, 96, {"pooling": "avg"}),
    ("nasnet_mobile", False, 139, {}),
    ("vgg16", True, 64, {"classes": 3}),
    ("resnet50_v2", False, 75, {"pooling": "max"}),
    ("densenet121", False, 75, {}),
    ("xception", False, 75, {}),
]


@pytest.mark.parametrize(("name", "top", "size", "params"), SMALL)
def test_a_small_model_is_keras_own(name: str, top: bool, size: int, params: dict[str, Any]) -> None:
    found = held(name, top=top, size=size, params=params)
    assert found.good
    assert found.difference == 0.0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "top", "size", "params"), MORE)
def test_other_sizes_and_params_give_keras_own_model(name: str, top: bool, size: int, params: dict[str, Any]) -> None:
    found = held(name, top=top, size=size, params=params)
    assert found.good
    assert found.difference == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("top", [True, False])
def test_every_model_is_keras_own(name: str, top: bool) -> None:
    # Small images are enough where the classifier does not take the whole map, and NASNet takes its own size alone.
    size = None if name.startswith(("vgg", "nasnet")) else 96
    found = held(name, top=top, size=size)
    assert found.theirs == PARAMETERS[name][0 if top else 1]
    assert found.good
    assert found.difference == 0.0


def both_kerases(name: str, **params: Any) -> None:
    """Holds the outputs of a model in Keras 3 against those of its twin in tf_keras."""
    path = blueprint_path(f"zoo.{name}")
    assert path is not None
    graph = check(path, params={"height": 75, "width": 75, "include_top": False, **params}).graph
    assert graph is not None
    model, twin = compile(graph), compile(graph, keras=2)
    assert model.count_params() == twin.count_params() == graph.parameters
    copy_weights(model, twin)
    image = np.random.default_rng(0).random((1, 75, 75, 3), "float32") * 255
    mine, theirs = np.asarray(model(image)), np.asarray(twin(image))
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5 * max(1.0, float(np.abs(mine).max())))


def test_a_small_model_has_a_twin() -> None:
    both_kerases("mobilenet_v3_small", minimalistic=True)


def test_hard_swish_has_no_twin() -> None:
    path = blueprint_path("zoo.mobilenet_v3_small")
    assert path is not None
    with pytest.raises(BlueprintError, match="tf_keras has no activation hard_silu"):
        compile(load(path), keras=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "convnext_tiny",
        "densenet121",
        "efficientnet_b0",
        "efficientnet_v2_b0",
        "inception_resnet_v2",
        "inception_v3",
        "mobilenet",
        "mobilenet_v2",
        "nasnet_mobile",
        "resnet50",
        "resnet50_v2",
        "vgg16",
        "xception",
    ],
)
def test_every_family_has_a_twin(name: str) -> None:
    both_kerases(name)


@pytest.mark.slow
def test_the_rescaling_of_the_published_weights_is_where_keras_puts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # What Keras builds where it is asked for the published weights, without their being loaded.
    monkeypatch.setattr(keras.src.utils.file_utils, "get_file", lambda *_, **__: "nowhere.h5")
    monkeypatch.setattr(keras.Model, "load_weights", lambda *_, **__: None)
    theirs = keras.applications.EfficientNetB0(weights="imagenet", include_top=False, input_shape=(64, 64, 3))
    path = blueprint_path("zoo.efficientnet_b0")
    assert path is not None
    ours = compile(
        load(path), params={"include_top": False, "height": 64, "width": 64, **ZOO["efficientnet_b0"].imagenet}
    )
    for one, other in zip(
        [layer for layer in theirs.layers if layer.weights],
        [layer for layer in ours.layers if layer.weights],
        strict=True,
    ):
        other.set_weights(one.get_weights())
    image = np.random.default_rng(0).random((1, 64, 64, 3), "float32") * 255
    np.testing.assert_array_equal(np.asarray(theirs(image)), np.asarray(ours(image)))
