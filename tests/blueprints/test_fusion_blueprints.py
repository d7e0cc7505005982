"""The shipped blueprints of several inputs: saved and loaded alike, and trained in all their branches.

That they are valid and alike in both Kerases is shown with all others, in test_shipped.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from graphbuilder.api import check, compile, load, load_model, lower, save
from graphbuilder.graph import Graph, Layer
from tests.support.inputs import some_input

FOLDER = Path(__file__).parents[2] / "blueprints"
NAMES = [path.stem for path in sorted(FOLDER.glob("*.yaml")) if len(lower(path).inputs) > 1]


def graph_of(name: str) -> Graph:
    return lower(FOLDER / f"{name}.yaml")


def sample_of(graph: Graph, samples: int = 2) -> dict[str, Any]:
    """Random numbers for every input; every sample has every branch."""
    given: dict[str, Any] = some_input(graph, samples)
    for name, read in graph.inputs.items():
        if read.modality == "presence":
            given[name] = np.ones_like(given[name])
    return given


def labels_of(graph: Graph, model: Any, samples: int) -> Any:
    random = np.random.default_rng(1)
    loss = graph.training["loss"] if graph.training else None
    if loss == "sparse_categorical_crossentropy":
        return random.integers(0, model.output_shape[-1], samples)
    if loss == "binary_crossentropy":
        return np.arange(samples)[:, None] % 2
    assert loss == "mae"
    return random.normal(size=(samples, 1)).astype("float32")


def layers_of(graph: Graph, name: str) -> set[str]:
    """The layers that only this one of the model's inputs reaches, in any of their calls."""
    reached = {read.value: {key} for key, read in graph.inputs.items()}
    found = set()
    for call in graph.calls.values():
        stems = {key for value in call.inputs() for key in reached[value]}
        reached.update(dict.fromkeys(call.outputs, stems))
        if isinstance(call.target, Layer) and stems == {name}:
            found.add(call.target.name)
    return found


def test_the_list_is_whole() -> None:
    assert set(NAMES) >= {
        "image_audio",
        "image_tabular",
        "image_text",
        "siamese",
        "three_way_sentiment",
        "two_towers",
        "video_audio",
        "visual_question_answering",
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_input_has_a_modality_and_every_param_is_told_about(name: str) -> None:
    document = load(FOLDER / f"{name}.yaml")
    # A flag that tells whether a sample has a branch is of no modality.
    assert all(read.modality or name.startswith("has_") for name, read in lower(document).inputs.items())
    assert document.blueprint.training is not None
    blocks = list(document.blueprint.blocks.values())
    for params in (document.blueprint.params, *(block.params for block in blocks)):
        assert all(param.about for param in params.values())
    assert all(block.about for block in blocks)


@pytest.mark.parametrize("name", NAMES)
def test_it_saves_loads_and_trains_in_every_branch(name: str, tmp_path: Path) -> None:
    graph = graph_of(name)
    made = compile(graph)
    model = load_model(save(made, tmp_path / "model.keras"))
    given = sample_of(graph, samples=4)
    np.testing.assert_array_equal(model(given), made(given))

    labels = labels_of(graph, model, samples=4)
    of_inputs, of_weights = gradients_of(model, given, labels)
    assert len(of_weights) == len(model.trainable_variables)
    assert all(map(np.isfinite, of_weights.values())), of_weights
    for key, read in graph.inputs.items():
        if read.modality == "presence":
            continue
        # Integers have no gradient, but always a layer of their own, an Embedding.
        assert of_inputs.get(key, 1) > 0, key
        own = layers_of(graph, key)
        norms = [norm for path, norm in of_weights.items() if path.split("/")[0] in own]
        assert norms or key in of_inputs, key
        assert not norms or max(norms) > 0, key

    # Without tracing the whole model, which takes longer than all the rest.
    model.run_eagerly = True
    before = {path: keras.ops.convert_to_numpy(weight) for path, weight in trainable_of(model).items()}
    told = model.train_on_batch(given, labels, return_dict=True)
    assert np.isfinite(list(told.values())).all()
    for path, weight in trainable_of(model).items():
        # The biases of attention's keys have no effect, and so no gradient but what rounding leaves.
        assert of_weights[path] < 1e-6 or (keras.ops.convert_to_numpy(weight) != before[path]).any(), path


def gradients_of(model: Any, given: dict[str, Any], labels: Any) -> tuple[dict[str, float], dict[str, float]]:
    """The lengths of the loss's gradients, by floating input and by trainable weight; every weight has one."""
    tensors = {key: tf.constant(value) for key, value in given.items()}
    floating = {key: value for key, value in tensors.items() if value.dtype.is_floating}
    with tf.GradientTape() as tape:
        tape.watch(floating)
        loss = model.compute_loss(x=tensors, y=labels, y_pred=model(tensors, training=True))
    assert np.isfinite(loss)
    weights = trainable_of(model)
    of_inputs, of_weights = tape.gradient(loss, (floating, weights))
    assert not [path for path, gradient in of_weights.items() if gradient is None]
    return _norms(of_inputs), _norms(of_weights)


def trainable_of(model: Any) -> dict[str, Any]:
    """The trainable weights by `layer/number`; Keras's own paths lose the layer inside TimeDistributed when loaded."""
    return {
        f"{layer.name}/{number}": weight
        for layer in model.layers
        for number, weight in enumerate(layer.trainable_variables)
    }


def _norms(gradients: dict[str, Any]) -> dict[str, float]:
    """The lengths of gradients; that of an Embedding comes as the rows that were looked up."""
    return {key: float(np.linalg.norm(tf.convert_to_tensor(gradient))) for key, gradient in gradients.items()}


def test_the_image_and_the_text_do_not_fit_until_they_are_aligned(tmp_path: Path) -> None:
    text = (FOLDER / "image_text.yaml").read_text(encoding="utf-8")
    stubborn = tmp_path / "stubborn.yaml"
    stubborn.write_text(text.replace("fuse: concat,", "fuse: concat, align: none,"), encoding="utf-8")
    (error,) = check(stubborn).errors
    assert error.code == "GB304"
    assert "(batch, 222, 222, 64)" in error.message
    assert "(batch, 64, 128)" in str(error)
    types = {branch.name: str(branch.adapted.type) for branch in graph_of("image_text").fusions["merged"].branches}
    assert types == {"image_features": "(batch, 64)", "text_features": "(batch, 128)"}


def test_the_towers_can_be_taken_and_end_on_the_unit_sphere() -> None:
    graph = graph_of("two_towers")
    model = compile(graph)
    given = sample_of(graph)
    found = {}
    for key in ("image", "text"):
        tower = keras.Model(model.input[key], model.get_layer(f"{key}_embedding.embedding").output)
        found[key] = np.asarray(tower(given[key]))
        np.testing.assert_allclose(np.linalg.norm(found[key], axis=-1), 1, rtol=0, atol=1e-5)
    cosines = (found["image"] * found["text"]).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(model(given), 1 / (1 + np.exp(-10 * cosines)), rtol=0, atol=1e-5)


def test_the_siamese_model_does_not_care_which_image_is_left() -> None:
    graph = graph_of("siamese")
    model = compile(graph)
    given = sample_of(graph)
    swapped = {"left": given["right"], "right": given["left"]}
    np.testing.assert_allclose(model(given), model(swapped), rtol=0, atol=1e-6)
    alike = model({"left": given["left"], "right": given["left"]})
    np.testing.assert_allclose(alike, [[0.5], [0.5]], rtol=0, atol=1e-6)


@pytest.mark.parametrize("lacking", ["text", "audio", "video"])
def test_what_an_opinion_lacks_is_not_read(lacking: str) -> None:
    graph = graph_of("three_way_sentiment")
    model = compile(graph)
    given = sample_of(graph)
    there = np.asarray(model(given))
    given[f"has_{lacking}"] = np.zeros_like(given[f"has_{lacking}"])
    absent = np.asarray(model(given))
    given[lacking] = np.zeros_like(given[lacking])
    np.testing.assert_array_equal(model(given), absent)
    assert (absent != there).all()


def test_padding_of_a_question_changes_nothing() -> None:
    graph = graph_of("visual_question_answering")
    model = compile(graph)
    given = sample_of(graph)
    given["question"][:, 5:] = 0
    short = np.asarray(model(given))
    # What stands in the padding's vector is not read.
    words = model.get_layer("embedded.embedded")
    table = keras.ops.convert_to_numpy(words.embeddings).copy()
    table[0] += 1
    words.embeddings.assign(table)
    np.testing.assert_allclose(model(given), short, rtol=0, atol=1e-6)
    given["question"][:, 4] = 7 - given["question"][:, 4]
    assert (np.asarray(model(given)) != short).any()
