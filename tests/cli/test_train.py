"""`graphbuilder train`: from a blueprint and data to a saved model, also after Ctrl-C and after being killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphbuilder.api import load_model
from graphbuilder.cli.train_output import TrainOutput
from tests.cli.conftest import Run

DIGITS = """\
blueprint: 1
name: digits
inputs: {image: {shape: [8, 8, 1], modality: image}}
nodes:
  conv: {layer: Conv2D, filters: 4, kernel_size: 3, activation: relu}
  flat: {layer: Flatten}
  dropped: {layer: Dropout, rate: 0.2}
  scores: {layer: Dense, units: 10, activation: softmax}
training:
  optimizer: {adam: {learning_rate: 0.01}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
  epochs: 3
  batch_size: 64
  seed: 1
"""

SUMS = """\
blueprint: 1
name: sums
inputs: {row: {shape: [4]}}
nodes:
  hidden: {layer: Dense, units: 8, activation: relu}
  dropped: {layer: Dropout, rate: 0.2}
  total: {layer: Dense, units: 1}
training: {optimizer: adam, loss: mse, epochs: 4, batch_size: 8, seed: 1}
"""


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    (tmp_path / "digits.yaml").write_text(DIGITS)
    (tmp_path / "sums.yaml").write_text(SUMS)
    rows = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    np.savez(tmp_path / "sums.npz", row=rows, total=rows.sum(axis=1))


def trained(path: str) -> list[Any]:
    """The weights and the optimizer's state of a saved model."""
    model = load_model(path)
    return [variable.numpy() for variable in [*model.weights, *model.optimizer.variables]]


def assert_same(one: str, other: str) -> None:
    for mine, theirs in zip(trained(one), trained(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_digits_are_learned(run: Run) -> None:
    said = run("train", "digits.yaml", "--data", "digits", "-o", "d.keras", "--history", "d.csv")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert [re.sub(r"\d\.\d+", "N", re.sub(r"[\d.]+ s", "T", line)) for line in lines] == [
        "epoch 1/3  loss N  accuracy N  T  T left",
        "epoch 2/3  loss N  accuracy N  T  T left",
        "epoch 3/3  loss N  accuracy N  T",
        "test: loss N  accuracy N",
        "d.keras: 1,490 parameters, Keras 3, seed 1",
    ]
    assert float(lines[3].split()[-1]) > 0.9
    assert "note: digits: 1,348 images to train on, 449 to test with\n" in said.err
    assert [line.split(",")[0] for line in Path("d.csv").read_text().splitlines()] == ["epoch", "1", "2", "3"]
    assert sorted(path.name for path in Path().iterdir()) == [
        "d.csv",
        "d.keras",
        "digits.yaml",
        "sums.npz",
        "sums.yaml",
    ]


def test_machines_get_a_document_on_each_line(run: Run) -> None:
    words = ["train", "sums.yaml", "--data", "sums.npz", "-o", "s.h5", "--keras", "2", "--epochs", "1", "--seed", "7"]
    said = run(*words, "--validation-data", "sums.npz", "--format", "json", "--history", "h.json")
    epoch, done = (json.loads(line) for line in said.out.splitlines())
    assert epoch.keys() == {"event", "epoch", "epochs", "loss", "val_loss", "seconds"}
    assert done["evaluation"]["loss"] == pytest.approx(epoch["val_loss"])
    assert (done["event"], done["output"], done["keras"], done["seed"]) == ("done", "s.h5", 2, 7)
    assert json.loads(Path("h.json").read_text())[0]["val_loss"] == epoch["val_loss"]


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (
            ["digits.yaml", "--data", "sums.npz"],
            1,
            (
                "sums.npz: GB703 image: there is no array image; expected (samples, 8, 8, 1) float32\n"
                "  hint: it holds row, total\n"
                "sums.npz: GB703 scores: there is no array scores; expected (samples,) int32\n"
                "  hint: it holds row, total\n"
            ),
        ),
        (
            ["sums.yaml", "--data", "sums.npz", "--batch-size", "100"],
            1,
            (
                "sums.npz: GB710 there are 64 samples to train on; expected at least one batch of 100\n"
                "  hint: --batch-size 64\n"
            ),
        ),
        (
            ["none.yaml", "--data", "sums.npz"],
            1,
            (
                "none.yaml:8:1: GB721 sums has no loss, so there is nothing to minimize; "
                "expected training: with a loss\n"
                "  hint: for example training: {optimizer: adam, loss: sparse_categorical_crossentropy}\n"
            ),
        ),
        (
            ["sums.yaml", "--data", "sums.npz", "-o", "taken.keras"],
            2,
            "graphbuilder: GB601 taken.keras exists already\n  hint: --force replaces it\n",
        ),
        (
            ["sums.yaml", "--data", "sums.npz", "--history", "h.txt"],
            2,
            "graphbuilder: GB603 --history h.txt must end in .csv or .json\n",
        ),
        (
            ["sums.yaml", "--data", "sums.npz", "--strategy", "multi_worker"],
            2,
            "graphbuilder: GB724 the environment variable TF_CONFIG does not say who the workers are\n",
        ),
    ],
)
def test_what_cannot_be_trained_is_told_before_tensorflow_is_asked(
    run: Run, words: list[str], code: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unasked(*_: Any) -> None:
        raise AssertionError("TensorFlow was asked")

    monkeypatch.setattr("graphbuilder.backend.fitting_run.framework", unasked)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    Path("taken.keras").write_text("mine")
    Path("none.yaml").write_text(SUMS.replace("loss: mse, ", ""))
    output = [] if "-o" in words else ["-o", "new.keras"]
    said = run("train", *words, *output)
    assert said.code == code
    assert said.err.startswith(expected)
    assert said.out == ""


def test_ctrl_c_keeps_the_last_epoch_and_resume_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["train", "sums.yaml", "--data", "sums.npz", "-o"]
    assert run(*words, "whole.keras").code == 0
    batch = TrainOutput.batch

    def interrupting(self: TrainOutput, epoch: int, step: int, steps: int | None, values: Any) -> None:
        batch(self, epoch, step, steps, values)
        if (epoch, step) == (3, 5):
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(TrainOutput, "batch", interrupting)
        said = run(*words, "part.keras")
    assert said.code == 130
    assert "stopping after this batch; Ctrl-C again stops at once\n" in said.err
    assert (
        "stopped in epoch 3 of 4; part.keras.state keeps what 2 gave: the same command with --resume goes on\n"
        in said.err
    )
    assert not Path("part.keras").exists()
    said = run(*words, "part.keras")
    assert said.code == 2
    assert said.err == (
        "graphbuilder: GB601 part.keras.state keeps a training that was interrupted, 2 of 4 epochs done\n"
        "  hint: --resume goes on with it, --force begins anew\n"
    )
    said = run(*words, "part.keras", "--resume", "--batch-size", "16")
    assert said.code == 1
    assert said.err == (
        "part.keras.state: GB723 the batch size was 8 and is 16 now\n"
        "  hint: go on with the same command, or begin anew with --force\n"
    )
    said = run(*words, "part.keras", "--resume", "--history", "h.csv")
    assert said.code == 0
    assert "note: goes on after epoch 2 of 4\n" in said.err
    assert [line.split()[1] for line in said.out.splitlines()[:-1]] == ["3/4", "4/4"]
    assert len(Path("h.csv").read_text().splitlines()) == 5
    assert not Path("part.keras.state").exists()
    assert_same("whole.keras", "part.keras")


def test_resume_begins_where_nothing_is_kept(run: Run) -> None:
    words = ["train", "sums.yaml", "--data", "sums.npz", "-o", "s.keras", "--epochs", "1", "--resume"]
    said = run(*words)
    assert said.code == 0
    assert "note: nothing is kept to go on from, so it begins with epoch 1\n" in said.err
    assert run(*words).code == 2


def test_a_seed_that_is_drawn_is_told_and_kept(run: Run) -> None:
    Path("sums.yaml").write_text(SUMS.replace(", seed: 1", ""))
    words = ["train", "sums.yaml", "--data", "sums.npz", "--epochs", "1", "-o"]
    seed = run(*words, "a.keras").out.split()[-1]
    assert run(*words, "b.keras", "--seed", seed).code == 0
    assert_same("a.keras", "b.keras")


def test_a_loss_that_is_no_number_ends_the_training(run: Run) -> None:
    Path("sums.yaml").write_text(SUMS.replace("optimizer: adam", "optimizer: {sgd: {learning_rate: 1.0e+30}}"))
    said = run("train", "sums.yaml", "--data", "sums.npz", "-o", "s.keras")
    assert said.code == 1
    assert re.search(r"GB722 the loss is (nan|inf) in epoch 1, batch \d\n", said.err)
    assert not Path("s.keras").exists()


def _kept(folder: Path) -> int:
    """How many epochs a state folder keeps, or -1 while there is none."""
    try:
        return len(json.loads((folder / "state.json").read_text())["records"])
    except FileNotFoundError:
        return -1


def _kill(words: list[str], epochs: int, delay: float) -> None:
    """Runs a training and kills it some time after that many epochs are kept."""
    state = Path(f"{words[words.index('-o') + 1]}.state")
    with Path("log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "graphbuilder", *words], stdout=log, stderr=log)
        try:
            limit = time.monotonic() + 120
            while _kept(state) < epochs and process.poll() is None and time.monotonic() < limit:
                time.sleep(0.01)
            time.sleep(delay)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == -signal.SIGKILL, Path("log").read_text()


def test_a_training_that_is_killed_goes_on(run: Run) -> None:
    words = ["train", "sums.yaml", "--data", "sums.npz", "--epochs", "400", "-o"]
    _kill([*words, "part.keras"], 2, 0.05)
    kept = _kept(Path("part.keras.state"))
    assert 2 <= kept < 300
    said = run("train", "sums.yaml", "--data", "sums.npz", "--epochs", str(kept + 2), "-o", "part.keras", "--resume")
    assert said.code == 0, said.err
    assert run("train", "sums.yaml", "--data", "sums.npz", "--epochs", str(kept + 2), "-o", "whole.keras").code == 0
    assert_same("whole.keras", "part.keras")


@pytest.mark.slow
def test_a_training_that_is_killed_again_and_again_goes_on(run: Run) -> None:
    words = ["train", "digits.yaml", "--data", "digits", "--epochs", "60", "-o"]
    assert run(*words, "whole.keras").code == 0
    for number, delay in enumerate([0.0, 0.013, 0.057, 0.11]):
        _kill([*words, "part.keras", "--resume"], 3 * number, delay)
    assert run(*words, "part.keras", "--resume").code == 0
    assert_same("whole.keras", "part.keras")


def test_wrong_data_costs_no_tensorflow(tmp_path: Path) -> None:
    program = (
        "import sys; from graphbuilder.cli import main; code = main(sys.argv[1:]); "
        "print(code, *sorted({'tensorflow', 'keras', 'tf_keras', 'numpy'} & set(sys.modules)))"
    )
    for spec, expected in [("none.npz", "1"), ("sums.npz", "1 numpy")]:
        done = subprocess.run(
            [sys.executable, "-c", program, "train", "digits.yaml", "--data", spec, "-o", "d.keras"],
            cwd=tmp_path,
            env={**os.environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == expected
