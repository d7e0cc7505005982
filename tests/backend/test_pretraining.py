"""Blocks of the zoo begin with the very weights that Keras publishes, or say why not."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from graphbuilder.api import compile, compress, lower, parse, save, train
from graphbuilder.backend import pretraining_task as task
from graphbuilder.backend.build import build
from graphbuilder.backend.frameworks import KerasVersion
from graphbuilder.backend.pretraining import begin_with, first_weights
from graphbuilder.backend.weights import weights_by_name
from graphbuilder.errors import BlueprintError, MissingError
from tests.cli.conftest import Run
from tests.cli.conftest import run as run
from tests.support.published import environment_without_network, publish, stirred

# The narrowest MobileNetV2 of which weights are published, for the smallest images.
SMALL: dict[str, Any] = {"alpha": 0.35, "input_shape": (96, 96, 3), "include_top": False}
FILE = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"
TEXT = """
blueprint: 1
params: {{weights: {{default: imagenet, type: any}}}}
inputs: {{image: {{shape: [96, 96, 3]}}}}
nodes:
  backbone: {{block: zoo.mobilenet_v2, alpha: 0.35, include_top: false, pretrained: {weights}{more}}}
  pooled: {{layer: GlobalAveragePooling2D}}
  label: {{layer: Dense, units: 3, activation: softmax}}
training: {{optimizer: {{adam: {{learning_rate: 0.01}}}}, loss: sparse_categorical_crossentropy, seed: 1}}
"""


def text_of(weights: str = "$weights", more: str = "") -> str:
    return TEXT.format(weights=weights, more=f", {more}" if more else "")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of Keras, for this process and its workers."""
    folder = tmp_path / "keras-home"
    folder.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(folder))
    return folder


@pytest.fixture
def published(home: Path) -> Path:
    """A cache with the weights of the small MobileNetV2."""
    return publish("MobileNetV2", FILE, home, **SMALL)


@pytest.fixture
def in_process(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of Keras where workers' tasks run in this process, in which Keras can be changed."""
    monkeypatch.setattr(task._downloader().config, "_KERAS_DIR", str(home), raising=False)
    monkeypatch.setattr(task._downloader().config, "keras_home", lambda: str(home))
    before = socket.getdefaulttimeout()
    yield home
    socket.setdefaulttimeout(before)


def asked_for(folder: Path, *nodes: str) -> dict[str, Any]:
    """The task's arguments for the published weights of the small MobileNetV2."""
    params = {"include_top": False, "alpha": 0.35}
    asked = {"block": "zoo.mobilenet_v2", "weights": "imagenet", "arguments": {**params, "input_shape": [96, 96, 3]}}
    return {"folder": str(folder), "models": [{"node": node, **asked, "params": params} for node in nodes]}


def image(size: int = 96, samples: int = 2) -> Any:
    return np.random.default_rng(3).uniform(-1, 1, (samples, size, size, 3)).astype("float32")


def features(model: Any, given: Any) -> Any:
    inner = model.get_layer("backbone.out_relu").output
    return type(model)(model.inputs, inner)([given]).numpy()


def test_outputs_are_those_of_keras_with_the_same_file(published: Path) -> None:
    model = compile(parse(text_of()))
    theirs = keras.applications.MobileNetV2(weights=str(published), **SMALL)
    np.testing.assert_array_equal(features(model, image()), theirs(image()).numpy())


@pytest.mark.usefixtures("published")
def test_the_twin_begins_with_the_same_weights() -> None:
    graph = lower(parse(text_of()))
    first = first_weights(graph)
    made = {}
    for version in (2, 3):
        assert version in (2, 3)
        model = build(graph, keras=version)
        begin_with(model, graph, first)
        made[version] = features(model, image())
    np.testing.assert_allclose(made[2], made[3], rtol=0, atol=1e-4)
    assert float(np.abs(made[3]).max()) > 0.1


@pytest.mark.slow
def test_the_classifier_is_loaded_too(home: Path) -> None:
    file = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224.h5"
    path = publish("MobileNetV2", file, home, alpha=0.35)
    text = """
blueprint: 1
inputs: {image: {shape: [224, 224, 3]}}
nodes:
  scores: {block: zoo.mobilenet_v2, alpha: 0.35, pretrained: imagenet, trainable: false}
"""
    model = compile(parse(text))
    theirs = keras.applications.MobileNetV2(weights=str(path), alpha=0.35)
    np.testing.assert_array_equal(model(image(224)).numpy(), theirs(image(224)).numpy())
    assert model.trainable_weights == []


def test_a_hashed_file_is_held_against_its_hash(in_process: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras knows the hashes of what it publishes; that of a file made here takes one's place for this test."""
    from keras.src.applications import efficientnet

    path = publish("EfficientNetB0", "efficientnetb0_notop.h5", in_process, include_top=False)
    digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setitem(efficientnet.WEIGHTS_HASHES, "b0", ("", digest))
    graph = lower(
        parse(
            "blueprint: 1\ninputs: {image: {shape: [64, 64, 3]}}\nnodes:\n"
            "  backbone: {block: zoo.efficientnet_b0, include_top: false, pretrained: imagenet}\n"
        )
    )
    monkeypatch.setattr("graphbuilder.backend.pretraining.run_task", _here)
    model = build(graph)
    begin_with(model, graph, first_weights(graph))
    theirs = keras.applications.EfficientNetB0(weights="imagenet", include_top=False, input_shape=(64, 64, 3))
    given = image(64) * 128 + 128
    np.testing.assert_allclose(model(given).numpy(), theirs(given).numpy(), rtol=0, atol=1e-5)
    # Another file under that name is not taken, and stays where it is when nothing better can be had.
    path.write_bytes(b"something else")
    monkeypatch.setattr(task._downloader(), "urlretrieve", _unreachable)
    with pytest.raises(MissingError) as caught:
        first_weights(graph)
    assert "in Keras's cache are not those that it publishes" in caught.value.diagnostics[0].message
    assert path.read_bytes() == b"something else"


class _Ran:
    def __init__(self, value: Any) -> None:
        self.value = value


def _here(name: str, arguments: Any, **_options: Any) -> _Ran:
    """Runs the task in this process, where Keras's table of hashes can be changed."""
    assert name == "weights.pretrained"
    return _Ran(task.pretrained_task(arguments, lambda progress: None))


def _unreachable(origin: str, target: str, *_more: Any) -> None:
    Path(target).write_bytes(b"half of it")
    raise OSError(101, "Network is unreachable")


def test_a_download_that_breaks_leaves_nothing(
    in_process: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task._downloader(), "urlretrieve", _unreachable)
    with pytest.raises(MissingError) as caught:
        task.pretrained_task(asked_for(tmp_path, "backbone"), lambda progress: None)
    (found,) = caught.value.diagnostics
    assert found.code == "GB606"
    assert list((in_process / "models").iterdir()) == []


def test_a_download_appears_whole_in_the_cache(
    in_process: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = publish("MobileNetV2", FILE, tmp_path / "server", **SMALL)
    said: list[str] = []

    def served(origin: str, target: str, *_more: Any) -> None:
        said.append(origin)
        Path(target).write_bytes(made.read_bytes())

    monkeypatch.setattr(task._downloader(), "urlretrieve", served)
    asked = asked_for(tmp_path, "backbone", "other")
    told = task.pretrained_task(asked, lambda progress: None)
    assert told["backbone"] == told["other"]
    assert [path.name for path in (in_process / "models").iterdir()] == [FILE]
    assert said == [f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/{FILE}"]
    # It is there now, so nothing is asked for again.
    task.pretrained_task(asked, lambda progress: None)
    assert len(said) == 1


def test_a_width_that_nobody_has_trained_is_told(home: Path) -> None:
    text = text_of("imagenet").replace("alpha: 0.35", "alpha: 0.9")
    with pytest.raises(BlueprintError) as caught:
        compile(parse(text))
    (found,) = caught.value.diagnostics
    assert (found.code, found.node) == ("GB313", "backbone")
    assert found.position is not None
    assert found.position.line == 6
    assert "alpha must be one of" in found.message
    assert not (home / "models").exists()


@pytest.mark.parametrize(
    "ending",
    [".h5", pytest.param(".weights.h5", marks=pytest.mark.slow), pytest.param(".keras", marks=pytest.mark.slow)],
)
def test_a_file_beside_the_blueprint(ending: str, home: Path, tmp_path: Path) -> None:
    theirs = stirred(keras.applications.MobileNetV2(weights=None, **SMALL), 5)
    file = tmp_path / f"mine{ending}"
    if ending == ".h5":
        publish("MobileNetV2", "mine.h5", home, seed=5, **SMALL).rename(file)
    elif ending == ".weights.h5":
        theirs.save_weights(file)
    else:
        theirs.save(file)
    blueprint = tmp_path / "tuned.yaml"
    blueprint.write_text(text_of(f"./mine{ending}"))
    np.testing.assert_array_equal(features(compile(blueprint), image()), theirs(image()).numpy())


def _other(file: Path, home: Path) -> None:
    publish("MobileNetV2", "mine.h5", home, **{**SMALL, "alpha": 0.5}).rename(file)


def _damaged(file: Path, home: Path) -> None:
    file.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 40)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("other.h5", _other),
        pytest.param("damaged.h5", _damaged, marks=pytest.mark.slow),
        pytest.param("damaged.keras", _damaged, marks=pytest.mark.slow),
    ],
)
def test_a_file_of_something_else_is_told_at_the_node(
    name: str, write: Callable[[Path, Path], None], home: Path, tmp_path: Path
) -> None:
    write(tmp_path / name, home)
    blueprint = tmp_path / "tuned.yaml"
    blueprint.write_text(text_of(f"./{name}"))
    with pytest.raises(BlueprintError) as caught:
        compile(blueprint)
    (found,) = caught.value.diagnostics
    assert (found.code, found.node, found.file) == ("GB505", "backbone", str(blueprint))
    assert found.message.startswith(f"{name} holds no weights of keras.applications.MobileNetV2: ")


def test_without_a_network_it_says_what_to_do(home: Path, tmp_path: Path) -> None:
    (tmp_path / "tuned.yaml").write_text(text_of())
    environment = environment_without_network(tmp_path / "blocked", home)

    def graphbuilder(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "graphbuilder", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert graphbuilder("validate", "tuned.yaml").returncode == 0
    ended = graphbuilder("compile", "tuned.yaml", "-o", "tuned.keras")
    assert ended.returncode == 3, ended.stderr
    url = f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet_v2/{FILE}"
    _, message, hint = ended.stderr.splitlines()
    assert message == (
        "tuned.yaml:6:84: GB606 backbone: the published weights of zoo.mobilenet_v2 are not in Keras's cache, and "
        "cannot be downloaded: [Errno 101] Network is unreachable"
    )
    target = home / "models" / FILE
    assert hint == (
        f"  hint: download {url} elsewhere and put it at {target}; or begin with random weights: --set weights=null"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["blocked", "keras-home", "tuned.yaml"]
    assert list((home / "models").iterdir()) == []


def _forbidden(*_arguments: Any, **_options: Any) -> Any:
    raise AssertionError("pretrained weights were asked for")


def test_weights_that_are_given_win(home: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    model = stirred(compile(parse(text_of()), {"weights": None}))
    weights = save(model, tmp_path / "own.weights.h5")
    (tmp_path / "tuned.yaml").write_text(text_of())
    monkeypatch.setattr("graphbuilder.backend.pretraining.first_weights", _forbidden)
    said = run("compile", "tuned.yaml", "-o", "out.keras", "--weights", weights)
    assert said.code == 0, said.err
    made = keras.models.load_model(tmp_path / "out.keras")
    np.testing.assert_array_equal(features(made, image()), features(model, image()))
    # The architecture alone has no weights, so none are fetched.
    assert run("compile", "tuned.yaml", "-o", "out.json").code == 0


def _data() -> dict[str, Any]:
    return {"image": image(samples=8), "label": np.arange(8) % 3}


def _backbone(model: Any) -> dict[str, Any]:
    return {
        f"{layer}/{path}": weight.numpy()
        for layer, weights in weights_by_name(model).items()
        if layer.startswith("backbone.")
        for path, weight in weights.items()
    }


@pytest.mark.parametrize("version", [3, pytest.param(2, marks=pytest.mark.slow)])
def test_training_begins_with_them_and_frozen_ones_stay(published: Path, version: KerasVersion) -> None:
    trained = train(parse(text_of(more="trainable: false")), _data(), epochs=2, batch_size=4, keras=version)
    theirs = keras.applications.MobileNetV2(weights=str(published), **SMALL)
    wanted = [weight.numpy() for layer in theirs.layers for weight in layer.weights]
    found = list(_backbone(trained.model).values())
    assert len(found) == len(wanted)
    for mine, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert trained.history[-1].values["loss"] < trained.history[0].values["loss"]


def test_a_second_training_goes_on_from_the_first(
    home: Path, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = text_of(more="trainable: $trainable").replace(
        "params: {", "params: {trainable: {default: false, type: any}, "
    )
    head = tmp_path / "head.keras"
    first = train(parse(text), _data(), head, epochs=1, batch_size=4)
    monkeypatch.setattr("graphbuilder.backend.fitting_run.first_weights", _forbidden)
    part = {"trainable": {"from": "block_14", "except": ["BatchNormalization"]}}
    second = train(parse(text), _data(), tmp_path / "tuned.keras", part, epochs=1, batch_size=4, weights=head)
    before, after = _backbone(first.model), _backbone(second.model)
    changed = {name.split("/")[0] for name, value in after.items() if not np.array_equal(value, before[name])}
    assert changed
    assert all(
        name.startswith(("backbone.block_14.", "backbone.block_15.", "backbone.block_16.", "backbone.Conv_1"))
        for name in changed
    )
    assert not any(name.endswith(("BN", "bn")) for name in changed)


@pytest.mark.slow
def test_compression_begins_with_them(published: Path, tmp_path: Path) -> None:
    blueprint = tmp_path / "small.yaml"
    passes = "compression: [{pass: prune, sparsity: 0.5, where: {nodes: [label]}}, {pass: quantize, scheme: dynamic}]\n"
    blueprint.write_text(text_of(more="trainable: false") + passes)
    data = {"image": image(samples=40), "label": np.arange(40) % 3}
    compressed = compress(blueprint, data, tmp_path / "out", epochs=1)
    assert compressed.problems == ()
    made = keras.models.load_model(tmp_path / "out" / "model.keras")
    theirs = keras.applications.MobileNetV2(weights=str(published), **SMALL)
    np.testing.assert_array_equal(
        made.get_layer("backbone.block_3.project").get_weights()[0],
        theirs.get_layer("block_3_project").get_weights()[0],
    )
    assert float((made.get_layer("label").get_weights()[0] == 0).mean()) >= 0.5


# One model of each module of keras.applications.
KINDS = {
    "vgg16": "VGG16", "resnet50": "ResNet50", "resnet50_v2": "ResNet50V2", "inception_v3": "InceptionV3",
    "inception_resnet_v2": "InceptionResNetV2", "xception": "Xception", "densenet121": "DenseNet121",
    "mobilenet": "MobileNet", "mobilenet_v3_small": "MobileNetV3Small", "nasnet_mobile": "NASNetMobile",
    "efficientnet_b0": "EfficientNetB0", "efficientnet_v2_b0": "EfficientNetV2B0", "convnext_tiny": "ConvNeXtTiny",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_model_takes_what_keras_gives_it(name: str, home: Path) -> None:
    arguments = {"include_top": False, "input_shape": (96, 96, 3)}
    theirs = stirred(getattr(keras.applications, KINDS[name])(weights=None, **arguments))
    theirs.save_weights(home / f"{name}.weights.h5")
    sizes = ", height: 96, width: 96" if "nasnet" in name else ""
    blueprint = home / f"{name}.yaml"
    blueprint.write_text(
        "blueprint: 1\ninputs: {image: {shape: [96, 96, 3]}}\nnodes:\n"
        f"  backbone: {{block: zoo.{name}, include_top: false, pretrained: ./{name}.weights.h5{sizes}}}\n"
    )
    mine, other = (model(image()).numpy() for model in (compile(blueprint), theirs))
    np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-5 * float(np.abs(other).max()))
