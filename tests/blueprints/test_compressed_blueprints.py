"""The shipped blueprints that compress: what their passes touch, and what comes of it on data that is hard enough.

That they are valid and alike in both Kerases is shown with all others, in test_shipped.py.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.compression import BARS, Files, Found, found, missed
from benchmarks.compression_data import MADE, write
from graphbuilder.api import load, lower
from graphbuilder.backend.compression_judging import judged_part, samples_of
from graphbuilder.backend.compression_run import CompressionRequest, compress, train_first
from graphbuilder.backend.datasets import open_data
from graphbuilder.backend.runtime_evaluation import tensor_facts
from graphbuilder.compression.kernels import kernels_of
from graphbuilder.compression.plan import CompressionPlan, plan_compression
from graphbuilder.graph import Graph

FOLDER = Path(__file__).parents[2] / "blueprints"
NAMES = [path.stem for path in sorted(FOLDER.glob("compressed_*.yaml"))]


def graph_of(name: str) -> Graph:
    return lower(FOLDER / f"{name}.yaml")


def plan_of(graph: Graph) -> CompressionPlan:
    plan, diagnostics = plan_compression(graph)
    assert not diagnostics
    return plan


def with_kernels(graph: Graph) -> set[str]:
    return {name for name, layer in graph.layers.items() if any(True for _ in kernels_of(layer))}


def test_each_has_data_and_a_bar() -> None:
    assert set(NAMES) == set(MADE) == set(BARS) - {"digits_cnn"}
    assert len(NAMES) == 3


@pytest.mark.parametrize("name", NAMES)
def test_every_param_is_told_about_and_the_model_is_large_enough_to_shrink(name: str) -> None:
    document = load(FOLDER / f"{name}.yaml")
    blocks = list(document.blueprint.blocks.values())
    for params in (document.blueprint.params, *(block.params for block in blocks)):
        assert all(param.about for param in params.values())
    # Below that, what a .tflite file holds besides weights would rule.
    assert (graph_of(name).parameters or 0) >= 100_000


@pytest.mark.parametrize("name", ["compressed_transformer", "compressed_lstm"])
def test_every_kernel_is_pruned_clustered_and_quantized(name: str) -> None:
    graph = graph_of(name)
    stages = plan_of(graph).stages
    assert [stage.declared.name() for stage in stages] == ["prune", "cluster", "quantize"]
    for stage in stages:
        acted = {target.layer: set(target.weights) for target in stage.targets}
        assert with_kernels(graph) <= set(acted)
        for layer in with_kernels(graph):
            assert acted[layer] == {kernel.path for kernel in kernels_of(graph.layers[layer])}
    kinds = {graph.layers[layer].kind for layer in with_kernels(graph)}
    assert kinds == ({"LSTM", "Dense"} if name == "compressed_lstm" else {"Embedding", "MultiHeadAttention", "Dense"})


def test_the_passes_touch_the_branch_of_the_image_alone() -> None:
    graph = graph_of("compressed_image_text")
    inside = {layer for layer in with_kernels(graph) if layer.startswith("seen.")}
    assert len(inside) == 4
    assert with_kernels(graph) - inside == {"words", "hidden", "answer"}
    for stage in plan_of(graph).stages:
        assert {target.layer for target in stage.targets} == inside
        assert all(skipped.layer.startswith("seen.") for skipped in stage.skipped)
    # It is where the weights are.
    held = sum(kernel.size for layer in inside for kernel in kernels_of(graph.layers[layer]))
    assert held > 0.85 * (graph.parameters or 0)


@pytest.mark.parametrize("name", NAMES)
def test_the_data_fits_and_is_made_of_its_seed(name: str, tmp_path: Path) -> None:
    data = open_data(str(write(name, tmp_path / "made.npz", seed=3, samples=60)), graph_of(name))
    assert data.train.count == 60
    assert not data.warnings
    first, again, other = MADE[name](3, 60), MADE[name](3, 60), MADE[name](4, 60)
    assert all((first[key] == again[key]).all() for key in first)
    assert all((first[key] != other[key]).any() for key in first)


def share_told(features: np.ndarray, classes: np.ndarray) -> float:
    """How many classes of new samples a linear classifier tells by some features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaled = StandardScaler().fit_transform(features)
    half = len(scaled) // 2
    fitted = LogisticRegression(max_iter=300).fit(scaled[:half], classes[:half])
    return float(fitted.score(scaled[half:], classes[half:]))


def counts(tokens: np.ndarray) -> np.ndarray:
    return np.stack([(tokens == token).sum(axis=1) for token in range(tokens.max() + 1)], axis=1)


def test_no_part_of_the_data_gives_the_answer_away() -> None:
    orders = MADE["compressed_transformer"](0, 3_000)
    assert share_told(counts(orders["tokens"]), orders["scores"]) < 0.25
    vibrations = MADE["compressed_lstm"](0, 3_000)
    signal = vibrations["signal"]
    averages = np.concatenate([signal.mean(axis=1), signal.std(axis=1)], axis=1)
    assert share_told(averages, vibrations["scores"]) < 0.4
    questions = MADE["compressed_image_text"](0, 1_500)
    assert share_told(counts(questions["question"]), questions["answer"]) < 0.4
    small = questions["image"].reshape(-1, 8, 3, 8, 3, 3).mean(axis=(2, 4)).reshape(len(questions["answer"]), -1)
    assert share_told(small, questions["answer"]) < 0.4


def test_a_run_changes_the_branch_of_the_image_and_leaves_the_rest_float(tmp_path: Path) -> None:
    # Of its passes each brings its own number of epochs.
    text = (FOLDER / "compressed_image_text.yaml").read_text(encoding="utf-8")
    short = tmp_path / "short.yaml"
    short.write_text(text.replace("epochs: 8", "epochs: 2").replace("epochs: 5", "epochs: 1"), encoding="utf-8")
    data = write("compressed_image_text", tmp_path / "made.npz", samples=500)
    done = compress(
        CompressionRequest(short, lower(short), str(data), tmp_path / "out", {}, epochs=1, every_stage=False)
    )
    assert not done.problems
    artifact = done.last.artifact()
    assert artifact is not None
    graph = graph_of("compressed_image_text")
    kernels = {
        fact.nodes: fact
        for fact in tensor_facts((tmp_path / "out" / artifact.path).read_bytes(), with_kernels(graph))
        if len(fact.shape) > 1 and fact.nodes
    }
    inside = {nodes: fact for nodes, fact in kernels.items() if nodes[0].startswith("seen.")}
    assert {nodes[0] for nodes in inside} == {"seen.conv_1", "seen.conv_2", "seen.conv_3", "seen.code"}
    for nodes, fact in inside.items():
        assert fact.dtype == "INT8", nodes
        assert abs((fact.zeros or 0) / fact.size - 0.8) < 0.01, nodes
        assert (fact.unique_per_channel or 0) <= 16, nodes
    outside = {nodes: fact for nodes, fact in kernels.items() if nodes not in inside}
    assert {nodes[0] for nodes in outside} == {"words", "hidden", "answer"}
    for nodes, fact in outside.items():
        assert (fact.dtype, fact.zeros) == ("FLOAT32", 0), nodes
    layers = {layer.node: layer for layer in done.last.layers}
    # What stays float is not predicted to shrink.
    assert artifact.predicted_gzip == pytest.approx(artifact.gzip, rel=0.15)
    assert all(layers[name].bits == (8 if name.startswith("seen.") else 32) for name in with_kernels(graph))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_its_accuracy_and_does_not_when_compressed_too_far(name: str, tmp_path: Path) -> None:
    path = FOLDER / f"{name}.yaml"
    data = str(write(name, tmp_path / "made.npz"))
    graph = graph_of(name)
    begun = CompressionRequest(path, graph, data, tmp_path / "first", {}, every_stage=False)
    begun = replace(begun, first=train_first(begun))
    split = (graph.training or {})["validation_split"]
    _, part = judged_part(open_data(data, graph).with_validation(split, begun.seed))
    samples, targets = samples_of(part, 256)

    def measured(folder: str, params: dict[str, Any]) -> Found:
        done = compress(replace(begun, folder=tmp_path / folder, params=params, graph=lower(path, params)))
        assert not done.problems
        first, last = (done.report.stages[place].artifact() for place in (0, -1))
        assert first is not None
        assert last is not None
        files = Files(done.folder / first.path, done.folder / last.path, 0.0)
        one = found(files, samples, next(iter(targets.values())))
        # The report says the same of both files.
        assert [done.report.stages[place].accuracy[0].lite for place in (0, -1)] == [one.before, one.after]
        return one

    kept = measured("kept", {})
    assert kept.before > 0.9
    assert missed(BARS[name], kept) == []
    assert any("points" in words for words in missed(BARS[name], measured("far", {"sparsity": 0.95, "clusters": 2})))
