"""Several replicas train one model: they share each batch, end with the same weights, and one of them saves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphbuilder.api import load_model, lower
from graphbuilder.backend.datasets import decode_image
from graphbuilder.backend.distribute import Layout, workers_of
from graphbuilder.backend.fitting import evaluate
from graphbuilder.data import open_plain, parse_spec, wants_of
from graphbuilder.errors import BlueprintError, CommandError

# Without anything that draws numbers, so that one worker and two do the same up to rounding.
PLAIN = """\
blueprint: 1
name: plain
inputs: {image: {shape: [8, 8, 1]}}
nodes:
  conv: {layer: Conv2D, filters: 4, kernel_size: 3}
  normal: {layer: LayerNormalization}
  active: {layer: ReLU}
  flat: {layer: Flatten}
  scores: {layer: Dense, units: 10, activation: softmax}
training:
  optimizer: {sgd: {learning_rate: 0.1}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
  epochs: 3
  batch_size: 64
  seed: 1
"""


def config(ports: list[int], index: int) -> str:
    workers = [f"127.0.0.1:{port}" for port in ports]
    return json.dumps({"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}})


def test_workers_are_read_from_the_environment() -> None:
    found = workers_of({"TF_CONFIG": config([1, 2], 1)})
    assert (found.addresses, found.index, found.chief) == (("127.0.0.1:1", "127.0.0.1:2"), 1, False)
    chief = '{"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker", "index": 0}}'
    assert workers_of({"TF_CONFIG": chief}).index == 1
    assert workers_of({"TF_CONFIG": chief.replace('"type": "worker"', '"type": "chief"')}).chief


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", "the environment variable TF_CONFIG does not say who the workers are"),
        ("{", "TF_CONFIG is no JSON"),
        ("[]", "TF_CONFIG lacks cluster or task"),
        ('{"cluster": {"ps": ["a:1"]}, "task": {}}', "TF_CONFIG has jobs that do not train: ps"),
        ('{"cluster": {"worker": ["a"]}, "task": {}}', "TF_CONFIG lists no workers as host:port"),
        (config([1], 1), "the task worker 1 of TF_CONFIG is none of its workers"),
    ],
)
def test_a_wrong_description_of_the_workers_is_told(written: str, expected: str) -> None:
    with pytest.raises(CommandError) as caught:
        workers_of({"TF_CONFIG": written})
    assert str(caught.value).startswith(f"graphbuilder: GB724 {expected}")
    assert "  hint: TF_CONFIG='" in str(caught.value)


def test_a_batch_that_cannot_be_shared_is_told() -> None:
    Layout(replicas=4).require(32)
    with pytest.raises(BlueprintError) as caught:
        Layout(replicas=4).require(30)
    assert str(caught.value) == (
        "graphbuilder: GB724 a batch of 30 cannot be shared by 4 replicas; expected a multiple of 4\n"
        "  hint: --batch-size 28 or 32"
    )


@contextmanager
def process(words: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A training in a process of its own, which ends with the test whatever happens."""
    with log.open("wb") as out:
        started = subprocess.Popen(
            [sys.executable, "-m", "graphbuilder", "train", *words],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens at."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


@contextmanager
def two_workers(words: list[str], folder: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    ports = free_ports(2)
    with ExitStack() as held:
        yield [
            held.enter_context(process(words, folder / f"{index}.log", TF_CONFIG=config(ports, index)))
            for index in (0, 1)
        ]


def ended(processes: list[subprocess.Popen[bytes]], folder: Path) -> list[str]:
    """What the processes said, once they all ended well."""
    codes = [each.wait(timeout=150) for each in processes]
    said = [path.read_text() for path in sorted(folder.glob("*.log"))]
    assert codes == [0] * len(codes), "\n".join(said)
    return said


def epochs(said: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


@pytest.mark.slow
def test_two_workers_train_as_one_and_the_first_saves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.yaml").write_text(PLAIN)
    common = ["plain.yaml", "--data", "digits", "--format", "json"]
    with process([*common, "-o", "one.h5", "--keras", "2"], tmp_path / "one.txt") as alone:
        assert alone.wait(timeout=150) == 0
    with two_workers([*common, "-o", "two.keras", "--strategy", "multi_worker"], tmp_path) as workers:
        first, second = ended(workers, tmp_path)
    assert epochs(first)[:3] == epochs(second)[:3]
    assert "note: 2 replicas share each batch of 64" in first
    assert "its tf_keras twin does, and gives its weights back" in first
    for shared, single in zip(epochs(first), epochs(Path("one.txt").read_text()), strict=False):
        # An incomplete batch at an epoch's end is left out where a batch is shared: 4 of 1,348 samples.
        if shared["event"] == "epoch":
            assert shared["loss"] == pytest.approx(single["loss"], rel=0.05)
    done = epochs(first)[-1]
    assert (done["output"], done["keras"]) == ("two.keras", 3)
    assert epochs(second)[-1]["output"] is None
    model = load_model("two.keras")
    graph = lower("plain.yaml")
    data = open_plain(parse_spec("digits"), wants_of(graph), decode=decode_image)
    assert data is not None
    assert data.test is not None
    # What the two told of the samples that were held out is what their model gives.
    told = evaluate(model, data.test, data.wants, 64)
    assert told == pytest.approx(done["evaluation"], rel=1e-4)
    assert told["accuracy"] > 0.85
    assert not Path("two.keras.state").exists()


@pytest.mark.slow
def test_a_worker_that_dies_ends_the_others_and_all_go_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.yaml").write_text(PLAIN)
    words = ["plain.yaml", "--data", "digits", "--format", "json", "--strategy", "multi_worker", "-o"]
    with two_workers([*words, "whole.keras", "--epochs", "6"], tmp_path) as workers:
        ended(workers, tmp_path)
    with two_workers([*words, "part.keras", "--epochs", "500"], tmp_path) as workers:
        limit = time.monotonic() + 120
        while '"epoch": 2' not in Path("1.log").read_text() and time.monotonic() < limit:
            time.sleep(0.05)
        workers[1].send_signal(signal.SIGKILL)
        assert workers[0].wait(timeout=120) == 3
        assert "GB724" in Path("0.log").read_text()
    kept = json.loads(Path("part.keras.state/state.json").read_text())
    assert len(kept["records"]) < 6, "the machine is too slow for this test"
    with two_workers([*words, "part.keras", "--epochs", "6", "--resume"], tmp_path) as workers:
        ended(workers, tmp_path)
    one, other = load_model("whole.keras"), load_model("part.keras")
    for mine, theirs in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


# Two devices of one processor stand for two GPUs.
MIRRORED = """
import sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
make = tf.distribute.MirroredStrategy
tf.distribute.MirroredStrategy = lambda: make(["CPU:0", "CPU:1"])
from graphbuilder.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("keras", ["2", "3"])
def test_two_devices_train_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keras: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plain.yaml").write_text(PLAIN)
    said = {}
    for name, more in [("one", []), ("two", ["--strategy", "mirrored"])]:
        words = ["train", "plain.yaml", "--data", "digits", "--format", "json", "--keras", keras]
        done = subprocess.run(
            [sys.executable, "-c", MIRRORED, *words, "-o", f"{name}.keras", *more],
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said[name] = epochs(done.stdout)
        assert ("2 replicas share" in done.stderr) == bool(more)
    for one, two in zip(said["one"][:3], said["two"][:3], strict=True):
        assert two["loss"] == pytest.approx(one["loss"], rel=0.05)
    assert load_model("two.keras", keras=3 if keras == "3" else 2).count_params() == said["two"][-1]["parameters"]
