"""What is built from the tree is whole: it works where the tree is not."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest


def build(root: Path, kind: str, folder: Path) -> Path:
    """The wheel or sdist, built without asking a package index for the build tools."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.iterdir()
    return built


def shipped(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml")}


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(root, "wheel", tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_the_package_and_every_blueprint(root: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    metadata = wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info"
    assert {PurePosixPath(name).parts[0] for name in names} == {"graphbuilder", metadata}
    assert f"{metadata}/licenses/LICENSE" in names

    blueprints = shipped(root / "blueprints")
    assert {"cnn.yaml", "rnn.yaml", "transformer.yaml", "resnet50.yaml"} <= blueprints
    assert {name.split("/")[0] for name in blueprints if "/" in name} == {"std", "zoo"}
    prefix = "graphbuilder/blueprints/"
    assert {name.removeprefix(prefix) for name in names if name.startswith(prefix)} >= blueprints

    package = {path.relative_to(root).as_posix() for path in (root / "graphbuilder").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == package
    assert "graphbuilder/py.typed" in names


def test_the_sdist_can_be_built_and_tested(root: Path, tmp_path: Path) -> None:
    sdist = build(root, "sdist", tmp_path)
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "LICENSE",
        "Makefile",
        "README.md",
        "blueprints/cnn.yaml",
        "graphbuilder/__init__.py",
        "pyproject.toml",
        "scripts/setup.sh",
        "tests/conftest.py",
    } <= names
    assert not {name for name in names if name.startswith((".venv/", "build/", "dist/")) or "__pycache__" in name}


@pytest.mark.slow
def test_an_installed_wheel_works_outside_the_checkout(root: Path, wheel: Path, tmp_path: Path) -> None:
    # The environment is empty but for what graphbuilder depends on, which it borrows from the one that runs the tests
    # instead of downloading TensorFlow again. The borrowed folder's own .pth files, with the editable install among
    # them, have no effect there.
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    place = sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)})
    (Path(place) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")

    work = tmp_path / "work"
    work.mkdir()
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}

    def run(*command: str) -> str:
        done = subprocess.run(
            command,
            cwd=work,
            env=clean,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    installed = run(str(python), "-c", "import graphbuilder; print(graphbuilder.__file__)").strip()
    assert Path(installed).is_relative_to(environment)
    assert not Path(installed).is_relative_to(root)

    graphbuilder = str(environment / "bin" / "graphbuilder")
    run(graphbuilder, "new", "cnn", "mine.yaml")
    assert (work / "mine.yaml").read_bytes() == (root / "blueprints" / "cnn.yaml").read_bytes()
    # Made of blocks from std.
    run(graphbuilder, "new", "transformer", "encoder.yaml")
    run(graphbuilder, "new", "zoo.resnet50")
    run(graphbuilder, "validate", "mine.yaml", "encoder.yaml", "resnet50.yaml")
    assert "1,969,738" in run(graphbuilder, "show", "mine.yaml")
    run(graphbuilder, "compile", "mine.yaml", "-o", "mine.keras")
    parameters = run(
        str(python), "-c", "import keras; print(keras.models.load_model('mine.keras').count_params())"
    ).split()[-1]
    assert parameters == "1969738"
