"""Setting up says what is wrong where it cannot go on, and the generated files are what the code gives."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.generate import main, stale


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Path:
    """A checkout with nothing in it but what sets it up."""
    (tmp_path / "scripts").mkdir()
    for name in ["Makefile", "pyproject.toml", "scripts/setup.sh"]:
        shutil.copy(root / name, tmp_path / name)
    return tmp_path


def make(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=checkout, capture_output=True, text=True, timeout=60, check=False)


def test_a_python_that_is_too_old_is_named(checkout: Path) -> None:
    old = checkout / "python3.8"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && { echo Python 3.8.18; exit; }\nexit 1\n')
    old.chmod(0o755)
    done = make(checkout, "setup", f"PYTHON={old}")
    assert done.returncode != 0
    assert "graphbuilder needs Python 3.11, 3.12 or 3.13" in done.stderr
    assert "Python 3.8.18" in done.stderr
    assert not (checkout / ".venv").exists()


def test_help_lists_the_targets_and_sets_nothing_up(checkout: Path) -> None:
    done = make(checkout)
    assert done.returncode == 0, done.stderr
    for target in ["setup", "demo", "test", "check", "format", "slow", "fuzz", "bench", "wheel", "clean"]:
        assert f"make {target} " in done.stdout
    assert not (checkout / ".venv").exists()


def test_a_set_up_that_was_cut_short_or_moved_is_done_again(checkout: Path) -> None:
    binary = checkout / ".venv" / "bin"
    binary.mkdir(parents=True)
    (binary / "python").symlink_to("/bin/sh")
    assert "setup.sh" in make(checkout, "-n", "test").stdout
    stamp = checkout / ".venv" / ".ready"
    stamp.write_text("/somewhere/else\n")
    assert "setup.sh" in make(checkout, "-n", "test").stdout
    stamp.write_text(f"{checkout.resolve()}\n")
    assert "setup.sh" not in make(checkout, "-n", "test").stdout


def test_a_generated_file_is_stale_when_missing_or_different(tmp_path: Path) -> None:
    (tmp_path / "same").write_text("a\n")
    (tmp_path / "other").write_text("a\n")
    made = {"same": lambda: "a\n", "other": lambda: "b\n", "missing": lambda: "c\n"}
    assert stale(made, tmp_path) == {"other": "b\n", "missing": "c\n"}


def test_the_generated_files_are_current() -> None:
    assert main(["--check"]) == 0
