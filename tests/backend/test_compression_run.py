"""A compression from blueprint to files.

Passes act and keep each other's work, the files agree with the report, and a run that was killed goes on as if it had
not been.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from graphbuilder.api import lower
from graphbuilder.backend.build import build
from graphbuilder.backend.compression_run import CompressionRequest, compress, train_first
from graphbuilder.compression.report import Report, load_report
from graphbuilder.compression.sizes import file_size
from graphbuilder.errors import BlueprintError, CommandError

HEAD = """
blueprint: 1
inputs:
  image: {shape: [8, 8, 1], modality: image}
nodes:
  conv: {layer: Conv2D, filters: 8, kernel_size: 3, activation: relu}
  flat: {layer: Flatten}
  hidden: {layer: Dense, units: 16, activation: relu}
  scores: {layer: Dense, units: 10, activation: softmax}
training: {optimizer: adam, loss: sparse_categorical_crossentropy, metrics: [accuracy], epochs: 2, batch_size: 64}
compression:
"""
ALL = """
  - {pass: low_rank, rank: 6, where: {nodes: hidden}}
  - {pass: prune, sparsity: 0.75, where: {except: scores}}
  - {pass: cluster, clusters: 8}
  - {pass: quantize}
"""
AFTER = "  - {pass: prune, sparsity: 0.75}\n  - {pass: quantize, aware: false}\n"


def request(folder: Path, passes: str, **more: Any) -> CompressionRequest:
    """What asks for a compression of the small model into `out`."""
    blueprint = folder / "small.yaml"
    blueprint.write_text(HEAD + passes)
    return CompressionRequest(blueprint, lower(blueprint), "digits", folder / "out", {}, **more)


def same_every_time(report: Report) -> Any:
    """A report without what differs from run to run: the times, and what gzip makes of those in model.keras."""
    stages = []
    for stage in report.stages:
        files = [item.model_copy(update={"gzip": 0}) if item.kind == "keras" else item for item in stage.artifacts]
        stages.append(stage.model_copy(update={"seconds": None, "latency": None, "artifacts": tuple(files)}))
    return report.model_copy(update={"stages": tuple(stages)}).model_dump()


def test_a_run_does_all_passes_and_writes_its_files(tmp_path: Path) -> None:
    asked = request(tmp_path, ALL, seed=3)
    done = compress(asked)
    assert not done.problems
    files = {str(path.relative_to(asked.folder)) for path in asked.folder.rglob("*") if path.is_file()}
    stages = {f"stages/{number}.tflite" for number in range(4)}
    assert files == {
        "model.keras", "model.weights.h5", "model.tflite", "blueprint.yaml", "report.json", "report.html", *stages
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir() if "state" in path.name] == []
    model = keras.models.load_model(asked.folder / "model.keras")
    for name, sparsity in (("conv", 0.75), ("hidden.basis", 0.75), ("hidden", 0.75), ("scores", 0.0)):
        kernel = np.asarray(model.get_layer(name).kernel)
        assert abs(np.mean(kernel == 0) - sparsity) < 0.02, name
        assert len(np.unique(kernel)) <= 8, name
    assert model.get_layer("hidden.basis").kernel.shape == (288, 6)
    report = load_report(asked.folder / "report.json")
    assert report == done.report
    assert [stage.pass_name for stage in report.stages] == [None, "low_rank", "prune", "cluster", "quantize"]
    for stage in report.stages:
        file = stage.artifact()
        assert file is not None
        assert file_size(asked.folder / file.path).to_json() == {
            "raw": file.raw, "gzip": file.gzip, "level": file.gzip_level
        }  # fmt: skip
        (score,) = stage.accuracy
        assert score.lite is not None
        assert score.keras is not None
        assert abs(score.lite - score.keras) < 0.02
        assert stage.latency is not None
        assert stage.agreement[0].typical < 0.05
    last = {layer.node: layer for layer in done.last.layers}
    assert last["hidden"].rank == 6
    assert last["hidden"].bits == 8
    assert last["conv"].asked_clusters == 8
    assert {skip.node for skip in report.stages[2].skips} == set()
    # The resolved blueprint describes what was written, and its weights fit.
    resolved = lower(asked.folder / "blueprint.yaml")
    again = build(resolved)
    again.load_weights(asked.folder / "model.weights.h5")
    x = np.random.default_rng(0).random((5, 8, 8, 1)).astype("float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert len(resolved.layers) == 5
    with pytest.raises(CommandError, match="exists already and is not empty"):
        compress(asked)


def test_what_is_trained_is_shared_and_given(tmp_path: Path) -> None:
    """Quantizing after training, from another run's first stage and from a file of weights."""
    asked = request(tmp_path, AFTER)
    first = train_first(replace(asked, folder=tmp_path / "first"))
    one = compress(replace(asked, first=first, every_stage=False))
    assert [stage.artifact() is not None for stage in one.report.stages] == [True, False, True]
    assert one.last.artifact().scheme == "int8"  # type: ignore[union-attr]
    assert one.last.accuracy[0].keras == one.report.stages[1].accuracy[0].keras
    asked = replace(asked, folder=tmp_path / "given", weights=asked.folder / "model.keras", epochs=1)
    given = compress(asked)
    assert given.report.stages[0].name == "as given"
    assert given.report.stages[0].accuracy[0].keras == one.last.accuracy[0].keras
    assert {layer.node: layer.sparsity for layer in given.report.stages[0].layers}["hidden"] == 0.75


def test_data_that_does_not_fit_starts_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "wrong.npz", image=np.zeros((70, 9, 9, 1), "float32"), scores=np.zeros(70, "int64"))
    with pytest.raises(BlueprintError, match="GB705"):
        compress(replace(request(tmp_path, AFTER), data=str(tmp_path / "wrong.npz")))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.yaml", "wrong.npz"]


class Killed:
    """Runs a compression in a process of its own, which may be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "small.yaml").write_text(HEAD + ALL)

    def run(self, out: str, seconds: float | None = None, *more: str) -> bool:
        """Whether the run came to its end before it was killed, after so many seconds."""
        command = [sys.executable, "-m", "graphbuilder", "compress", "small.yaml", "--data", "digits", "-o", out, *more]
        root = str(Path(__file__).resolve().parents[2])
        process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": root},
        )  # fmt: skip
        try:
            _, said = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            return False
        assert process.returncode == 0, said
        return True

    def report(self, out: str) -> Any:
        """What the report of a run says."""
        return same_every_time(load_report(self.folder / out / "report.json"))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_run_killed_at_twenty_moments_gives_the_same_report(tmp_path: Path) -> None:
    runs = Killed(tmp_path)
    started = time.monotonic()
    assert runs.run("whole")
    whole = time.monotonic() - started
    moments = random.Random(0)
    killed, attempt = 0, 0
    while killed < 20:
        out = f"killed-{attempt}"
        while not runs.run(out, moments.uniform(0.2, 0.7 * whole) if killed < 20 else None, "--resume"):
            killed += 1
            folder = tmp_path / out
            # The folder is there, whole, or not at all.
            assert not folder.exists() or (folder / "report.json").exists()
            if folder.exists():
                break
        assert runs.report(out) == runs.report("whole"), attempt
        attempt += 1


@pytest.mark.slow
def test_a_run_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    """Interrupted in the middle of a pass, by what Ctrl-C raises; then refused, then gone on with, then changed."""
    asked = request(tmp_path, AFTER)
    told: list[str] = []

    def interrupt(progress: Any) -> None:
        told.append(progress.message)
        if progress.message.startswith("stage 2 of 3") and progress.done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compress(asked, progress=interrupt)
    assert not asked.folder.exists()
    with pytest.raises(CommandError, match=r"(?s)1 of 3 stages and 1 epoch done.*--resume goes on"):
        compress(asked)
    with pytest.raises(BlueprintError, match="the seed was 0 and is 1 now"):
        compress(replace(asked, resume=True, seed=1))
    told.clear()
    resumed = compress(replace(asked, resume=True), progress=lambda progress: told.append(progress.message))
    assert not any(message.startswith("stage 1 of 3") for message in told)
    whole = compress(replace(asked, folder=tmp_path / "whole"))
    assert same_every_time(resumed.report) == same_every_time(whole.report)
    kept = json.loads((asked.folder / "report.json").read_text())
    assert kept["stages"][0]["name"] == "as trained"
    compress(replace(asked, force=True, epochs=1))
