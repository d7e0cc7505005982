"""Runs commands in this process and gives what they said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from graphbuilder.cli import main


class Said(NamedTuple):
    """What a command left: its exit code, and its text on stdout and stderr."""

    code: int
    out: str
    err: str


Run: TypeAlias = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `graphbuilder` with these words in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRAPHBUILDER_TRACEBACK", raising=False)

    def call(*words: str | Path) -> Said:
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def blueprints(root: Path) -> Path:
    """The folder of the shipped blueprints."""
    return root / "blueprints"
