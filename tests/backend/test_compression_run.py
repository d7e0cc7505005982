"""A compression from blueprint to files: passes act and keep each other's work, and the files agree with the report."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

from graphbuilder.api import lower
from graphbuilder.backend.compression_run import compress
from graphbuilder.compression.sizes import file_size
from graphbuilder.errors import BlueprintError, CommandError

BLUEPRINT = """
blueprint: 1
inputs:
  image: {shape: [8, 8, 1], modality: image}
nodes:
  conv: {layer: Conv2D, filters: 8, kernel_size: 3, activation: relu}
  flat: {layer: Flatten}
  hidden: {layer: Dense, units: 16, activation: relu}
  scores: {layer: Dense, units: 10, activation: softmax}
compression:
  - {pass: prune, sparsity: 0.75, where: {except: scores}}
  - {pass: cluster, clusters: 8}
  - {pass: quantize}
training: {optimizer: adam, loss: sparse_categorical_crossentropy, metrics: [accuracy], epochs: 1, batch_size: 64}
"""


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(BLUEPRINT)
    return path


def test_a_run_prunes_clusters_quantizes_and_writes_its_files(blueprint: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    done = compress(blueprint, lower(blueprint), "digits", folder, params={}, seed=3)
    assert {path.name for path in folder.iterdir()} == {"model.keras", "model.tflite", "report.json"}
    model = keras.models.load_model(folder / "model.keras")
    for name, sparsity in (("conv", 0.75), ("hidden", 0.75), ("scores", 0.0)):
        kernel = np.asarray(model.get_layer(name).kernel)
        assert abs(np.mean(kernel == 0) - sparsity) < 0.02, name
        assert len(np.unique(kernel)) <= 8, name
    report = json.loads((folder / "report.json").read_text())
    assert [stage["pass"] for stage in report["run"]] == [None, "prune", "cluster", "quantize"]
    assert report["tflite"]["after"]["raw"] == (folder / "model.tflite").stat().st_size
    assert file_size(folder / "model.tflite") == done.after
    assert done.after.raw < done.before.raw / 2
    with pytest.raises(CommandError, match="exists already and is not empty"):
        compress(blueprint, lower(blueprint), "digits", folder, params={})


def test_data_that_does_not_fit_starts_nothing(blueprint: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "wrong.npz", image=np.zeros((70, 9, 9, 1), "float32"), scores=np.zeros(70, "int64"))
    with pytest.raises(BlueprintError, match="GB705"):
        compress(blueprint, lower(blueprint), str(tmp_path / "wrong.npz"), tmp_path / "out", params={})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.yaml", "wrong.npz"]
