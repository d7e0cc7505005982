"""What an export gives is run in a process of its own beside the compiled model, and refused where it differs."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from graphbuilder.api import load, lower, parse
from graphbuilder.backend import exporting_tasks
from graphbuilder.backend.build import build
from graphbuilder.backend.exporting import ExportRequest, ModelFormat, export_model_file, verify_code, write_legacy_code
from graphbuilder.backend.parity import compare, random_inputs
from graphbuilder.backend.runtime import LiteRunner
from graphbuilder.blueprint.shipped import blueprint_names
from graphbuilder.errors import BlueprintError, MissingError
from graphbuilder.export import export_python
from graphbuilder.graph import Graph
from tests.support.offline import offline_params

ROOT = Path(__file__).parents[2]
QUICK = ("cnn", "image_text", "transformer")
LATER = [name for name in blueprint_names() if name not in QUICK]
NAMES = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in LATER)]


def request_of(path: Path, weights: Path | None = None, trust: tuple[str, ...] = ()) -> ExportRequest:
    return ExportRequest(path, offline_params(path), trust, "the file", weights)


def code_of(path: Path) -> str:
    document = load(path)
    return export_python(lower(document), document).source


@pytest.mark.parametrize("name", NAMES)
def test_the_code_of_every_blueprint_is_the_very_model(name: str) -> None:
    path = ROOT / "blueprints" / f"{name}.yaml"
    parity = verify_code(request_of(path), code_of(path))
    assert (parity.difference, parity.tolerance) == (0.0, 0.0)


DENSE = """blueprint: 1
name: m
inputs: {x: {shape: [4]}}
nodes:
  a: {layer: Dense, units: 4, activation: tanh}
  b: {layer: Dense, units: 4}
  c: {op: multiply, from: [a, b]}
"""


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    path = tmp_path / "m.yaml"
    path.write_text(DENSE)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda code: code.replace('"tanh"', '"relu"'), "builds another model: a has other arguments or inputs"),
        (lambda code: code.replace('name="b"', 'name="d"'), "Dense d stands where Dense b should"),
        (lambda code: code.replace("name=\"b\")(a)", "name=\"b\")(x)"), "b has other arguments or inputs"),
        (lambda code: code.replace("ops.multiply(a, b)", "ops.multiply(a, a)"), "builds another model"),
        (lambda code: code.replace("multiply(a, b)", "maximum(a, b)"), "Maximum c stands where Multiply c should"),
        (lambda code: code.replace("ops.multiply(a, b)", "ops.multiply(b, a)"), "has other arguments or inputs"),
        (lambda code: code.replace('name="m"', 'name="n"'), "its inputs or outputs are others"),
        (lambda code: code.replace("units=4", "units=None"), "cannot be run: ValueError"),
        (lambda code: "raise SystemError('no')", "cannot be run: SystemError: no"),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_code_that_builds_another_model_is_refused(dense: Path, change: Callable[[str], str], message: str) -> None:
    code = change(code_of(dense))
    assert code != code_of(dense)
    with pytest.raises(BlueprintError, match=f"GB813 .*{message}"):
        verify_code(request_of(dense), code)


def test_code_of_custom_layers_is_run_only_if_they_are_trusted(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    layer = "tests.support.custom_layers:Scale"
    path.write_text(
        "blueprint: 1\nname: m\ninputs: {x: {shape: [4]}}\nnodes:\n"
        f"  s: {{layer: '{layer}', args: {{start: 3.0}}, gives: {{shape: [4]}}}}\n"
    )
    with pytest.raises(BlueprintError, match=r"GB503 .*not trusted"):
        verify_code(request_of(path), code_of(path))
    assert verify_code(request_of(path, trust=("tests.support.custom_layers",)), code_of(path)).difference == 0


TAPPED = """
blueprint: 1
inputs: {image: {shape: [16, 16, 3]}}
blocks:
  stage:
    params: {filters: 4}
    inputs: [x]
    nodes:
      conv: {layer: Conv2D, filters: $filters, kernel_size: 3, strides: 2, padding: same}
      norm: {layer: BatchNormalization}
      act: {layer: ReLU}
    taps: {before: norm}
  encoder:
    inputs: [x]
    nodes:
      a: {block: stage}
      b: {block: stage, filters: 8, repeat: 2}
    taps: {stride_2: a, raw: b.1.before}
nodes:
  body: {block: encoder, trainable: {from: b.1}}
  other: {block: encoder, from: image}
  up: {layer: UpSampling2D, from: body, size: 4}
  joined: {layer: Concatenate, from: [up, other.stride_2, body.stride_2]}
  pooled: {layer: GlobalAveragePooling2D}
  raw: {layer: GlobalAveragePooling2D, from: other.raw}
  both: {layer: Concatenate, from: [pooled, raw]}
"""


def test_taps_and_frozen_blocks_are_in_the_code(tmp_path: Path) -> None:
    path = tmp_path / "tapped.yaml"
    path.write_text(TAPPED, encoding="utf-8")
    code = code_of(path)
    assert verify_code(request_of(path), code).difference == 0
    place = tmp_path / "tapped.py"
    place.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("tapped", place)
    assert spec is not None
    assert spec.loader is not None
    written = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(written)
    model = written.build_model()
    frozen = [layer.name for layer in model.layers if layer.weights and not layer.trainable]
    assert frozen == ["body.a.conv", "body.a.norm", "body.b.0.conv", "body.b.0.norm"]


def weights_of(path: Path, folder: Path) -> Path:
    place = folder / "trained.weights.h5"
    build(lower(path), compiled=False).save_weights(place)
    return place


def check_file(kind: ModelFormat, name: str) -> None:
    path = ROOT / "blueprints" / f"{name}.yaml"
    # What begins with published weights would need the network.
    params = {"weights": None} if "weights" in load(path).blueprint.params else {}
    request = ExportRequest(path, params, (), "the file")
    content, parity = export_model_file(request, kind, lower(path, params))
    assert len(content) > 1_000
    assert parity is not None
    assert parity.difference <= parity.tolerance == 1e-5


@pytest.mark.parametrize(
    "name", ["cnn", *(pytest.param(name, marks=pytest.mark.slow) for name in ("image_text", "rnn"))]
)
def test_a_tflite_file_computes_the_same(name: str) -> None:
    check_file("tflite", name)


@pytest.mark.parametrize(
    "name",
    ["cnn", *(pytest.param(name, marks=pytest.mark.slow) for name in blueprint_names() if name != "cnn")],
)
def test_an_onnx_file_computes_the_same(name: str) -> None:
    check_file("onnx", name)


def arguments_of(path: Path, output: Path) -> dict[str, object]:
    return {**request_of(path).to_json(), "output": str(output), "verify": True}


def test_an_onnx_file_with_another_weight_is_refused(
    dense: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnx
    from onnx import numpy_helper

    made = exporting_tasks._onnx

    def disturbed(graph: Graph, model: object) -> bytes:
        proto = onnx.load_model_from_string(made(graph, model))
        weight = next(each for each in proto.graph.initializer if len(each.dims) == 2)
        weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * np.float32(1.001), weight.name))
        return bytes(proto.SerializeToString())

    assert exporting_tasks.onnx_task(arguments_of(dense, tmp_path / "m.onnx"), lambda done: None)["difference"] <= 1e-5
    monkeypatch.setattr(exporting_tasks, "_onnx", disturbed)
    with pytest.raises(BlueprintError, match=r"GB813 the file computes something else .*the output c is off by"):
        exporting_tasks.onnx_task(arguments_of(dense, tmp_path / "m.onnx"), lambda done: None)


def test_a_tflite_file_with_other_weights_is_refused(
    dense: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = arguments_of(dense, tmp_path / "m.tflite")
    assert exporting_tasks.tflite_task(arguments, lambda done: None)["difference"] <= 1e-5
    monkeypatch.setattr(exporting_tasks, "copy_weights", lambda model, twin: None)
    with pytest.raises(BlueprintError, match=r"GB813 the file computes something else .*the output c is off by"):
        exporting_tasks.tflite_task(arguments, lambda done: None)


def test_without_its_packages_an_onnx_file_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "tf2onnx" else there(name))
    arguments = {"verify": True}
    with pytest.raises(MissingError, match=r"GB604 an \.onnx file needs tf2onnx\n") as caught:
        exporting_tasks.onnx_task(arguments, lambda done: None)
    assert caught.value.diagnostics[0].hint == "pip install 'graphbuilder[onnx]'"


def test_trained_weights_are_in_the_file(dense: Path, tmp_path: Path) -> None:
    weights = weights_of(dense, tmp_path)
    content, parity = export_model_file(request_of(dense, weights), "tflite", lower(dense), verify=False)
    assert parity is None
    model = build(lower(dense), compiled=False)
    model.load_weights(weights)
    given = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
    found = LiteRunner(content).predict({"x": given})
    np.testing.assert_allclose(found["c"], np.asarray(model(given)), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "ending", "more"),
    [("image_text", ".tflite", []), ("image_text", ".onnx", []), ("siamese", ".onnx", []),
     ("transformer", ".py", ["--keras", "2"])],
)  # fmt: skip
def test_what_the_backend_writes_does_not_depend_on_the_hash_seed(
    tmp_path: Path, name: str, ending: str, more: list[str]
) -> None:
    path = ROOT / "blueprints" / f"{name}.yaml"
    weights = [] if ending == ".py" else ["--weights", str(weights_of(path, tmp_path))]
    said = []
    for seed in ("0", "4242"):
        place = tmp_path / f"{seed}{ending}"
        words = ["export", str(path), "-o", str(place), *weights, *more, "--no-verify"]
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-m", "graphbuilder", *words], env=env, check=True, capture_output=True)
        said.append(place.read_bytes())
    assert said[0] == said[1]


@pytest.mark.slow
def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    words = ["export", str(ROOT / "blueprints" / "resnet50.yaml"), "-o", "out/model.tflite"]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)}
    process = subprocess.Popen(
        [sys.executable, "-m", "graphbuilder", *words], env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    while "Exporting" not in process.stderr.readline():
        assert process.poll() is None
    # The worker is at work by then: it imports TensorFlow.
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert sorted(tmp_path.rglob("*")) == [scratch]


def test_random_inputs_are_such_as_the_model_takes() -> None:
    text = """
blueprint: 1
inputs:
  tokens: {shape: [steps], dtype: int32, modality: text}
  picture: {shape: [6, 6, 3], dtype: uint8, modality: image}
  flags: {shape: [2], dtype: bool}
  words: {shape: [1], dtype: string}
  numbers: {shape: [3], dtype: float16}
nodes:
  embedded: {layer: Embedding, from: tokens, input_dim: 5, output_dim: 2, mask_zero: true}
outputs: {a: embedded, b: picture, c: flags, d: words, e: numbers}
"""
    given = random_inputs(lower(parse(text)), 9)
    assert {name: (array.shape, array.dtype.kind) for name, array in given.items()} == {
        "tokens": ((2, 9), "i"), "picture": ((2, 6, 6, 3), "u"), "flags": ((2, 2), "b"), "words": ((2, 1), "O"),
        "numbers": ((2, 3), "f"),
    }  # fmt: skip
    assert given["tokens"].max() < 5
    assert given["tokens"][1, -3:].tolist() == [0, 0, 0]
    assert given["tokens"][0].any()
    assert given["picture"].max() > 2


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"a": np.array([1.0, 2.0001])}, "the output a is off by 5e-05 of its largest number"),
        ({"a": np.array([1.0, np.nan])}, "the output a is off by inf"),
        ({"a": np.array([[1.0, 2.0]])}, r"the output a has the shape \[1, 2\]"),
        ({"b": np.array([1.0, 2.0])}, "it has no output a"),
    ],
)
def test_what_differs_is_refused_with_the_difference(found: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(BlueprintError, match=f"GB813 m.onnx computes something else than the model: {message}"):
        compare({"a": np.array([1.0, 2.0])}, found, "onnx", "m.onnx")


def test_what_hardly_differs_is_not_refused() -> None:
    expected = {"a": np.array([1.0, -np.inf, 2.0]), "ids": np.array([1, 2])}
    parity = compare(expected, {"a": np.array([1.0, -np.inf, 2.00001]), "ids": np.array([1, 2])}, "onnx", "m.onnx")
    assert parity.output == "a"
    assert parity.difference == pytest.approx(5e-6)
    with pytest.raises(BlueprintError, match="the output ids"):
        compare(expected, {"a": expected["a"], "ids": np.array([1, 3])}, "onnx", "m.onnx")
    with pytest.raises(BlueprintError, match="the output a is off by 5e-06"):
        compare(expected, {"a": np.array([1.0, -np.inf, 2.00001]), "ids": np.array([1, 2])}, "python", "m.py")


@pytest.mark.parametrize("name", NAMES)
def test_the_code_for_tf_keras_is_the_very_twin(name: str) -> None:
    path = ROOT / "blueprints" / f"{name}.yaml"
    made = write_legacy_code(request_of(path))
    assert made.flat is None
    assert "import tf_keras as keras" in made.source
    assert "keras.ops" not in made.source
    assert verify_code(request_of(path), made.source, keras=2).difference == 0


OPS = """blueprint: 1
name: m
params: {scale: 2.0}
inputs: {words: {shape: [6], dtype: int32}, x: {shape: [6, 4]}}
blocks:
  part:
    inputs: [a, b]
    nodes:
      joined: {op: concatenate, from: [a, b], axis: -1}
      parts: {op: split, indices_or_sections: 2, axis: -1}
      sum: {op: add, from: [parts.0, parts.1]}
      sharp: {op: log2, from: sum}
nodes:
  embedded: {layer: Embedding, from: words, input_dim: 9, output_dim: 4, mask_zero: true}
  first: {block: part, from: {a: embedded, b: x}}
  again: {reuse: first, from: {a: x, b: embedded}}
  scaled: {op: multiply, from: [again, $scale]}
  best: {op: top_k, from: scaled, k: 2}
  picked: {op: take, from: [first, {constant: [0, -1], dtype: int32}], axis: 1}
  last: {op: get_item, from: picked, key: ":, -1"}
outputs: {values: best.0, places: best.1, last: last, masked: embedded}
"""


def test_ops_are_functions_of_tensorflow_in_code_for_tf_keras(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(OPS)
    code = write_legacy_code(request_of(path)).source
    assert "import tensorflow as tf" in code
    assert verify_code(request_of(path), code, keras=2).difference == 0
    changed = code.replace("tf.add(parts", "tf.subtract(parts")
    assert changed != code
    with pytest.raises(BlueprintError, match=r"GB813 .*the file builds another model"):
        verify_code(request_of(path), changed, keras=2)
