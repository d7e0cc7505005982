"""Building: custom layers and trust, names that a Keras refuses, and weights that do not fit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from graphbuilder.api import compile, copy_weights, lower, parse
from graphbuilder.errors import BlueprintError

CUSTOM = "tests.support.custom_layers"
X = np.arange(8, dtype="float32").reshape(2, 4)


def model_of(nodes: str, extra: str = "", **options: Any) -> Any:
    text = f"blueprint: 1\ninputs:\n  x: {{shape: [4]}}\nnodes:\n{nodes}\n{extra}"
    return compile(parse(text), **options)


def test_a_custom_layer_is_built_when_it_is_trusted() -> None:
    model = model_of(
        f"  s: {{layer: '{CUSTOM}:Scale', args: {{start: 3.0}}, call: {{twice: true}}, gives: {{shape: [4]}}}}\n"
        "  d: {layer: Dense, units: 2}",
        trust=[CUSTOM],
    )
    assert [layer.name for layer in model.layers] == ["x", "s", "d"]
    np.testing.assert_allclose(model.get_layer("s")(X, twice=True), 6 * X)
    assert model.count_params() == 1 + 4 * 2 + 2


def test_a_package_trusts_its_modules_and_not_its_neighbours() -> None:
    node = f"  s: {{layer: '{CUSTOM}:Scale', gives: {{shape: [4]}}}}"
    assert model_of(node, trust=["tests.support"]).output_shape == (None, 4)
    for trust in ([], ["tests.supp"], ["tests.support.other"]):
        with pytest.raises(BlueprintError, match=r"GB503 s: .* is code that is not trusted"):
            model_of(node, trust=trust)


def test_what_is_not_trusted_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("from pathlib import Path\nPath('witness').write_text('run')\nclass L: pass\n")
    (tmp_path / "m.yaml").write_text("blueprint: 1\ninputs:\n  x: {shape: [4]}\nnodes:\n  s: {layer: 'evil:L'}\n")
    for command in (["validate", "m.yaml"], ["show", "m.yaml"], ["compile", "m.yaml", "-o", "m.keras"]):
        subprocess.run([sys.executable, "-m", "graphbuilder", *command], cwd=tmp_path, capture_output=True, check=False)
    assert not (tmp_path / "witness").exists()
    assert not (tmp_path / "m.keras").exists()


def test_a_custom_layer_that_cannot_be_imported_is_told() -> None:
    with pytest.raises(BlueprintError, match=r"GB503 s: tests\.support\.custom_layers:Nothing cannot be imported"):
        model_of(f"  s: {{layer: '{CUSTOM}:Nothing', gives: {{shape: [4]}}}}", trust=[CUSTOM])


@pytest.mark.parametrize(
    ("gives", "message"),
    [
        ("{shape: [5]}", r"GB504 s: Keras gives \(None, 4\) where \(None, 5\) was stated"),
        ("{shape: [4], dtype: int32}", "GB504 s: it gives float32 where int32 was stated"),
        ("[{shape: [4]}, {shape: [4]}]", "GB504 s: it gives 1 tensors where 2 were expected"),
    ],
)
def test_what_a_custom_layer_states_is_verified(gives: str, message: str) -> None:
    with pytest.raises(BlueprintError, match=message):
        model_of(f"  s: {{layer: '{CUSTOM}:Scale', gives: {gives}}}\n  n: {{op: negative, from: x}}",
                 "outputs: [s.0, n]" if gives.startswith("[") else "outputs: s", trust=[CUSTOM])  # fmt: skip


def test_a_custom_layer_of_several_inputs_and_outputs() -> None:
    model = model_of(
        f"  t: {{layer: '{CUSTOM}:Twice', from: [x, x], gives: [{{shape: [4]}}, {{shape: [4]}}]}}",
        "outputs: {sum: t.0, product: t.1}\n",
        trust=[CUSTOM],
    )
    found = model(X)
    np.testing.assert_allclose(found["sum"], 2 * X)
    np.testing.assert_allclose(found["product"], X * X)


def test_a_custom_layer_of_the_twin() -> None:
    node = f"  s: {{layer: '{CUSTOM}:LegacyScale', gives: {{shape: [4]}}}}"
    np.testing.assert_allclose(model_of(node, keras=2, trust=[CUSTOM])(X), X)


@pytest.mark.parametrize("version", [2, 3])
def test_a_name_that_tf_keras_refuses_gets_a_letter(version: Literal[2, 3]) -> None:
    model = model_of(
        "  _stem: {layer: Dense, units: 3}\n"
        "  x_stem: {layer: Dense, units: 3}\n  _sum: {fuse: add, from: [_stem, x_stem]}",
        keras=version,
    )
    assert {layer.name for layer in model.layers if layer.weights} == {"x_stem", "xx_stem"}


def test_what_tf_keras_lacks_is_told_at_the_node() -> None:
    with pytest.raises(BlueprintError, match=r"<blueprint>:5:3: GB502 r: tf_keras has no RMSNormalization"):
        model_of("  r: {layer: RMSNormalization}", keras=2)
    with pytest.raises(BlueprintError, match="GB502 d: tf_keras has no activation celu"):
        model_of("  d: {layer: Dense, units: 2, activation: celu}", keras=2)


def test_weights_are_copied_all_or_none() -> None:
    small, large = (
        model_of("  a: {layer: Dense, units: 2}\n  b: {layer: Dense, units: 2}"),
        model_of("  a: {layer: Dense, units: 2}\n  b: {layer: Dense, units: 3}\n  c: {layer: Dense, units: 2}"),
    )
    before = [weight.numpy() for weight in large.weights]
    with pytest.raises(BlueprintError) as caught:
        copy_weights(small, large)
    assert [str(found) for found in caught.value.diagnostics] == [
        "graphbuilder: GB505 b: bias is [2] in the source and [3] in the target",
        "graphbuilder: GB505 b: kernel is [2, 2] in the source and [2, 3] in the target",
        "graphbuilder: GB505 c: the source has no layer c with weights",
    ]
    for old, weight in zip(before, large.weights, strict=True):
        np.testing.assert_array_equal(old, weight.numpy())


def test_progress_is_told_of_every_node() -> None:
    told: list[tuple[str, int, int]] = []
    graph = lower(
        parse("blueprint: 1\ninputs:\n  x: {shape: [4]}\nnodes:\n  a: {layer: Dense, units: 2}\n  b: {op: relu}\n")
    )
    compile(graph, progress=lambda *step: told.append(step))
    assert told == [("a", 1, 2), ("b", 2, 2)]


def test_an_optimizer_that_the_twin_lacks_is_told() -> None:
    with pytest.raises(BlueprintError, match="GB501 Keras refuses the training"):
        model_of("  a: {layer: Dense, units: 2}", "training: {optimizer: muon, loss: mse}\n", keras=2)
