"""What an export gives is run in a process of its own beside the compiled model, and refused where it differs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from graphbuilder.api import load, lower, parse
from graphbuilder.backend.build import build
from graphbuilder.backend.exporting import ExportRequest, ModelFormat, export_model_file, verify_code
from graphbuilder.backend.parity import compare, random_inputs
from graphbuilder.backend.runtime import LiteRunner
from graphbuilder.blueprint.shipped import blueprint_names
from graphbuilder.errors import BlueprintError, MissingError
from graphbuilder.export import export_python

ROOT = Path(__file__).parents[2]
QUICK = ("cnn", "image_text", "transformer")
LATER = [name for name in blueprint_names() if name not in QUICK]
NAMES = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in LATER)]
without_onnx = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("onnx", "onnxruntime", "tf2onnx")),
    reason="the extra onnx is not installed",
)


def request_of(path: Path, weights: Path | None = None, trust: tuple[str, ...] = ()) -> ExportRequest:
    return ExportRequest(path, {}, trust, "the file", weights)


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


def weights_of(path: Path, folder: Path) -> Path:
    place = folder / "trained.weights.h5"
    build(lower(path), compiled=False).save_weights(place)
    return place


def check_file(kind: ModelFormat, name: str) -> None:
    path = ROOT / "blueprints" / f"{name}.yaml"
    content, parity = export_model_file(request_of(path), kind, lower(path))
    assert len(content) > 1_000
    assert parity is not None
    assert parity.difference <= parity.tolerance == 1e-5


@pytest.mark.parametrize(
    "name", ["cnn", *(pytest.param(name, marks=pytest.mark.slow) for name in ("image_text", "rnn"))]
)
def test_a_tflite_file_computes_the_same(name: str) -> None:
    check_file("tflite", name)


@without_onnx
@pytest.mark.slow
@pytest.mark.parametrize("name", blueprint_names())
def test_an_onnx_file_computes_the_same(name: str) -> None:
    check_file("onnx", name)


@pytest.mark.skipif(find_spec("tf2onnx") is not None, reason="the extra onnx is installed")
def test_without_its_packages_an_onnx_file_is_refused_with_what_to_install() -> None:
    path = ROOT / "blueprints" / "cnn.yaml"
    with pytest.raises(MissingError, match=r"GB604 an \.onnx file needs .*tf2onnx") as caught:
        export_model_file(request_of(path), "onnx", lower(path))
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
def test_a_tflite_file_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    path = ROOT / "blueprints" / "image_text.yaml"
    weights = weights_of(path, tmp_path)
    said = []
    for seed in ("0", "4242"):
        place = tmp_path / f"{seed}.tflite"
        words = ["export", str(path), "-o", str(place), "--weights", str(weights), "--no-verify"]
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


@pytest.mark.parametrize("name", ["cnn", *(pytest.param(name, marks=pytest.mark.slow) for name in ("resnet50", "rnn"))])
def test_the_code_for_tf_keras_is_the_very_twin(name: str) -> None:
    path = ROOT / "blueprints" / f"{name}.yaml"
    document = load(path)
    code = export_python(lower(document), document, keras=2).source
    assert "import tf_keras as keras" in code
    assert verify_code(request_of(path), code, keras=2).difference == 0
    with pytest.raises(BlueprintError, match=r"GB813 \w+: the file builds another model"):
        verify_code(request_of(path), code.replace("units=", "use_bias=False, units=", 1), keras=2)
