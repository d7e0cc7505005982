"""What costs seconds to import stays unimported where no model is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

HEAVY = {
    "keras",
    "networkx",
    "numpy",
    "tensorflow",
    "tensorflow_model_optimization",
    "textual",
    "tf_keras",
}

# The modules go to a file, because stdout belongs to the command.
COMMAND = """
import json, sys
from graphbuilder.cli import main
try:
    code = main(sys.argv[2:])
except SystemExit as exit:
    code = exit.code
with open(sys.argv[1], "w") as file:
    json.dump({"code": code or 0, "modules": sorted(sys.modules)}, file)
"""


class Ran(NamedTuple):
    code: int
    modules: set[str]
    output: str


def run(tmp_path: Path, program: str, *arguments: str) -> Ran:
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "-c", program, str(report), *arguments],
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    found = json.loads(report.read_text())
    return Ran(found["code"], set(found["modules"]), output)


@pytest.mark.parametrize("module", ["graphbuilder", "graphbuilder.cli"])
def test_importing_the_package_imports_nothing_heavy(tmp_path: Path, module: str) -> None:
    program = f"""
import json, sys
import {module}
with open(sys.argv[1], "w") as file:
    json.dump({{"code": 0, "modules": sorted(sys.modules)}}, file)
"""
    ran = run(tmp_path, program)
    assert module in ran.modules
    assert not HEAVY & ran.modules


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("--help", 0),
        ("--version", 0),
        ("new --help", 0),
        ("compile --help", 0),
        ("train --help", 0),
        ("train {blueprints}/cnn.yaml --data none.npz -o cnn.keras", 1),
        ("new cnn mine.yaml", 0),
        ("validate {blueprints}/cnn.yaml", 0),
        ("validate {blueprints}/cnn.yaml {blueprints}/resnet50.yaml {blueprints}/transformer.yaml", 0),
        ("validate --format json {blueprints}/cnn.yaml", 0),
        ("validate wrong.yaml", 1),
        ("show {blueprints}/cnn.yaml", 0),
        ("show {blueprints}/resnet50.yaml", 0),
        ("analyze {blueprints}/cnn.yaml", 0),
        ("diff {blueprints}/cnn.yaml {blueprints}/digits_cnn.yaml", 1),
        ("explain {blueprints}/cnn.yaml conv", 0),
        ("merge {blueprints}/cnn.yaml flat hidden --list", 0),
        ("merge {blueprints}/cnn.yaml flat hidden --with concat -o merged.yaml", 0),
        ("layers", 0),
        ("layers Conv2D", 0),
        ("schema", 0),
        ("convert {blueprints}/cnn.yaml -o cnn.json", 0),
        ("resolve {blueprints}/digits_cnn.yaml -o flat.json", 0),
        ("export {blueprints}/siamese.yaml --to python -o siamese.py", 0),
        ("export {blueprints}/siamese.yaml --to mermaid", 0),
    ],
)
def test_a_command_that_needs_no_model_imports_nothing_heavy(
    tmp_path: Path, root: Path, command: str, code: int
) -> None:
    (tmp_path / "wrong.yaml").write_text("blueprint: 1\nname: wrong\nnodes: {}\n")
    arguments = [word.format(blueprints=root / "blueprints") for word in command.split()]
    ran = run(tmp_path, COMMAND, *arguments)
    assert ran.code == code, ran.output
    assert "graphbuilder.cli" in ran.modules
    assert not HEAVY & ran.modules


def test_the_package_can_be_run_as_a_module(tmp_path: Path, root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "graphbuilder", "validate", str(root / "blueprints" / "cnn.yaml")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "import time:" in line}
    assert "graphbuilder.cli" in imported
    assert not HEAVY & imported
