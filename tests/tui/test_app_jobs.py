"""Compiling, training and compressing from inside the editor, each in a process of its own."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from graphbuilder.api import load_model
from graphbuilder.compression.report import load_report
from graphbuilder.tui.job_events import Ending
from graphbuilder.tui.jobs import Job
from graphbuilder.tui.screens.ask import Ask, AskText
from graphbuilder.tui.screens.picker import Picker
from tests.tui.driving import Editor, driven, editor, screen_rows

SUMS = """\
blueprint: 1
name: sums
inputs: {row: {shape: [4]}}
nodes:
  hidden: {layer: Dense, units: 8, activation: relu}
  total: {layer: Dense, units: 1}
outputs: total
compression:
  - {pass: prune, sparsity: 0.5, epochs: 1}
training: {optimizer: adam, loss: mse, epochs: 3, batch_size: 8, seed: 1}
"""
_PATIENCE = 240.0


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The editor is started in the folder of the file, with data beside it."""
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    np.savez(tmp_path / "sums.npz", row=rows, total=rows.sum(axis=1))


async def start(it: Editor, command: str, options: str) -> Job:
    """Starts a command by keys."""
    await it.press("R")
    await it.screen(Picker)
    await it.write(command)
    await it.press("enter")
    await it.screen(AskText)
    await it.press("ctrl+u")
    await it.write(options)
    await it.press("enter")
    return it.main.jobs.all[-1]


def logged(it: Editor) -> str:
    """What stands in the log."""
    return "\n".join("".join(part.text for part in row.parts) for row in it.main.rows("log").rows)


async def seen_until(it: Editor, over: Callable[[], bool]) -> list[str]:
    """The first row of the screen, in which progress is shown, each time it was another one until something is over."""
    heads: list[str] = []
    ends = time.monotonic() + _PATIENCE
    while not over():
        assert time.monotonic() < ends, logged(it)
        head = screen_rows(it.app)[0]
        if not heads or heads[-1] != head:
            heads.append(head)
        await asyncio.sleep(0.02)
    await it.rest()
    return heads


async def run(it: Editor, command: str, options: str) -> tuple[Job, list[str]]:
    """Starts a command by keys and waits until its end is told."""
    job = await start(it, command, options)
    heads = await seen_until(it, lambda: f"\n{command} " in logged(it) and not job.running)
    return job, heads


def test_a_model_is_compiled(root: Path, tmp_path: Path) -> None:
    text = (root / "blueprints" / "cnn.yaml").read_text()

    async def scenario() -> None:
        async with editor(tmp_path, text, name="cnn.yaml") as it:
            await it.find("hidden")
            await it.press("enter", "j", "enter", "ctrl+u")
            await it.write("16")
            await it.press("enter", "escape")
            job, heads = await run(it, "compile", "-o made.keras")
            assert job.ended is not None
            assert job.ended.how is Ending.DONE, logged(it)
            assert any("compile ░░░░░░░░░░ 0% Importing TensorFlow" in head for head in heads), heads
            assert "493,114 parameters  ✓" in screen_rows(it.app)[0]
            lines = logged(it).splitlines()
            started = lines.index("$ graphbuilder compile cnn.yaml -o made.keras")
            assert any("made.keras" in line and "parameters" in line for line in lines[started + 1 :])
            assert lines[-1].startswith("compile is done, after ")
            # The log came to the front, with its last line in sight.
            assert any("compile is done" in row for row in screen_rows(it.app)[30:-2])
            # What is compiled is what is shown, saved or not.
            assert it.app.workspace.changed
            assert (tmp_path / "cnn.yaml").read_text() == text

    driven(scenario)
    assert load_model(tmp_path / "made.keras").get_layer("hidden").units == 16
    assert not list(tmp_path.glob(".cnn*")), "the copy that was compiled is gone"


def test_what_is_wrong_stands_in_the_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, SUMS.replace("units: 1}", "units: 0}"), name="sums.yaml") as it:
            job, _ = await run(it, "compile", "-o made.keras")
            assert job.ended is not None
            assert job.ended.how is Ending.FAILED
            log = logged(it)
            assert "sums.yaml:6:32: GB203 total: units is 0" in log
            assert "compile failed with exit code 1" in log.splitlines()[-1]
            looks = {part.text: part.look for row in it.main.rows("log").rows for part in row.parts}
            assert looks[log.splitlines()[-1]] == "error"
            assert any("compile failed with exit code 1" in row for row in screen_rows(it.app)[-2:])

    driven(scenario)
    assert not (tmp_path / "made.keras").exists()


@pytest.mark.slow
def test_a_model_is_trained(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, SUMS, name="sums.yaml") as it:
            # So many epochs that they take longer than a look at the screen.
            job, heads = await run(it, "train", "--data sums.npz -o sums.keras --epochs 100")
            assert job.ended is not None
            assert job.ended.how is Ending.DONE, logged(it)
            log = logged(it)
            assert all(f"epoch {number}/100  loss" in log for number in range(1, 101))
            assert "sums.keras: 49 parameters" in log
            assert any(re.search(r"train [█░]{10} \d+% epoch \d+ of 100, loss \d", head) for head in heads), heads

    driven(scenario)
    rows = np.load(tmp_path / "sums.npz")["row"]
    assert load_model(tmp_path / "sums.keras").predict(rows, verbose=0).shape == (64, 1)


@pytest.mark.slow
def test_a_training_is_stopped_by_a_key(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, SUMS, name="sums.yaml") as it:
            job = await start(it, "train", "--data sums.npz -o sums.keras --epochs 100000")
            await seen_until(it, lambda: "epoch 2/100000" in logged(it) or not job.running)
            assert "train ░░░░░░░░░░ 0% epoch" in screen_rows(it.app)[0]
            # Who wants to quit is told of it, and may stay.
            await it.press("q")
            await it.screen(Ask)
            assert any("train is still running" in row for row in screen_rows(it.app))
            await it.press("c")
            assert job.running
            await it.press("X")
            await seen_until(it, lambda: "train was cancelled, after" in logged(it))
            assert job.ended is not None
            assert job.ended.how is Ending.CANCELLED
            log = logged(it)
            assert "stopping train …" in log
            assert "sums.keras.state keeps what they gave" in log
            await it.press("X")
            assert "nothing is running" in logged(it)

    driven(scenario)
    assert not (tmp_path / "sums.keras").exists()
    assert (tmp_path / "sums.keras.state" / "state.json").exists()


@pytest.mark.slow
def test_a_model_is_compressed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path, SUMS, name="sums.yaml") as it:
            job, heads = await run(it, "compress", "--data sums.npz -o small --epochs 1")
            assert job.ended is not None
            assert job.ended.how is Ending.DONE, logged(it)
            assert any("compress ░" in head or "compress █" in head for head in heads), heads
            assert "prune" in logged(it)

    driven(scenario)
    kernel = load_model(tmp_path / "small" / "model.keras").get_layer("hidden").get_weights()[0]
    assert np.count_nonzero(kernel) == kernel.size // 2
    assert (tmp_path / "small" / "model.tflite").read_bytes()[4:8] == b"TFL3"
    report = load_report(tmp_path / "small" / "report.json")
    assert report.blueprint is not None
    assert report.blueprint.endswith("sums.yaml")
    assert len(report.stages) == 2
