"""`graphbuilder import`: a Keras model as a blueprint."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from graphbuilder.api import load
from tests.cli.conftest import Run
from tests.support.custom_layers import Scale


def saved(model: Any, name: str = "model.keras") -> Path:
    path = Path(name)
    model.save(path)
    return path.resolve()


def small(*, custom: bool = False) -> Any:
    x = keras.Input((4,), name="x")
    made = Scale(name="scale")(x) if custom else x
    return keras.Model(x, layers.Dense(2, name="score")(made), name="small")


WRITTEN = """\
blueprint: 1
name: small

inputs:
  x: {shape: [4]}

nodes:
  score: {layer: Dense, units: 2}

outputs: score
"""
FLAT = WRITTEN.replace("Dense, units", "Dense, from: x, units").replace("\n\n", "\n")


def test_a_blueprint_is_printed_or_written(run: Run) -> None:
    path = saved(small())
    assert run("import", path) == (0, WRITTEN, "")
    assert run("import", path, "--flat") == (0, FLAT, "")
    assert run("import", str(path), "-o", "small.yaml").out == "small.yaml written\n"
    assert Path("small.yaml").read_text() == WRITTEN
    assert run("import", str(path), "-o", "small.json").code == 0
    assert load("small.json").source.data == load("small.yaml").source.data


def test_the_weights_go_beside_it_and_come_back(run: Run) -> None:
    model = small()
    path = saved(model)
    said = run("import", str(path), "-o", "small.yaml", "--weights", "small.weights.h5")
    assert said.out == "small.yaml written\nsmall.weights.h5: 10 numbers\n"
    said = run("compile", "small.yaml", "-o", "again.keras", "--weights", "small.weights.h5")
    assert said.code == 0, said.err
    again = keras.saving.load_model("again.keras")
    rows = np.random.default_rng(0).random((3, 4), "float32")
    np.testing.assert_array_equal(again(rows), model(rows))


HEAVY = """
import sys
from graphbuilder.cli import main
assert main(sys.argv[1:]) == 0
heavy = {"keras", "networkx", "numpy", "tensorflow", "textual"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


def test_nothing_heavy_is_imported(run: Run) -> None:
    path = saved(small())
    for words, heavy in (([], "[]"), (["--weights", "small.weights.h5"], "[]")):
        command = [sys.executable, "-c", HEAVY, "import", str(path), "-o", "small.yaml", "--force", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == heavy


def test_what_is_lost_is_told_and_strict_makes_it_an_error(run: Run) -> None:
    path = saved(small(custom=True))
    said = run("import", str(path), "-o", "small.yaml")
    assert said.code == 0
    assert "warning GB854 scale: tests.support.custom_layers:Scale is code outside the catalog" in said.err
    said = run("import", str(path), "-o", "strict.yaml", "--strict")
    assert said.code == 1
    assert "GB854 scale: " in said.err
    assert "warning" not in said.err
    assert not Path("strict.yaml").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "there.yaml"], "GB601 there.yaml exists already"),
        (["--weights", "there.weights.h5"], "GB601 there.weights.h5 exists already"),
        (["--weights", "w.h5"], "GB603 w.h5 does not say what is in it; expected a name that ends in .weights.h5"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, words: list[str], message: str) -> None:
    path = saved(small())
    for name in ("there.yaml", "there.weights.h5"):
        Path(name).write_text("mine")
    said = run("import", path, *words)
    assert said.code == 2
    assert message in said.err
    assert Path("there.yaml").read_text() == Path("there.weights.h5").read_text() == "mine"
