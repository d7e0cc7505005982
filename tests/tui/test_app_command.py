"""What `graphbuilder edit` says where it cannot open the editor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from graphbuilder.cli import main


def test_the_editor_needs_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edit", str(tmp_path / "model.yaml")]) == 2
    assert "GB603 the editor needs a terminal" in capsys.readouterr().err
    assert not (tmp_path / "model.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--theme", "norf"], "GB603 there is no theme norf"),
        (["--set", "width"], "GB603 --set width is not of the form NAME=VALUE"),
    ],
)
def test_wrong_options_are_told(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in a process that textual-serve has started, which has no terminal.
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.headless_driver:HeadlessDriver")
    assert main(["edit", str(tmp_path / "model.yaml"), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_no_text_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.headless_driver:HeadlessDriver")
    (tmp_path / "model.yaml").write_bytes(b"\xff\xfe\x00\x01")
    assert main(["edit", str(tmp_path / "model.yaml")]) == 1
    assert "GB102" in capsys.readouterr().err


def test_asking_for_help_draws_nothing() -> None:
    code = (
        "import sys\nfrom graphbuilder.cli import main\nmain(['edit', '--help'])\nassert 'textual' not in sys.modules\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "Edit a blueprint as a graph in the terminal" in shown.stdout
