"""The editor in a real Chromium: it draws, it takes keys, it saves, and it asks nothing of other hosts."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    # Half a gigabyte, which `make setup` does not ask of everybody.
    pytest.mark.skipif(
        importlib.util.find_spec("PySide6") is None or importlib.util.find_spec("PySide6.QtWebEngineCore") is None,
        reason='no Chromium: pip install "graphbuilder[chromium]"',
    ),
]

TINY = "blueprint: 1\ninputs:\n  x: {shape: [4]}\nnodes:\n  hidden: {layer: Dense, units: 3}  # small\n"


def test_a_blueprint_is_edited_and_saved(tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "QT_QPA_PLATFORM": "offscreen",
        # The sandbox wants rights that a container does not have; the page is our own.
        "QTWEBENGINE_DISABLE_SANDBOX": "1",
        "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu",
    }
    edit = [sys.executable, "-m", "graphbuilder", "edit", str(file), "--web"]
    with subprocess.Popen(edit, stderr=subprocess.PIPE, text=True, env=env) as editor:
        try:
            assert editor.stderr is not None
            url = editor.stderr.readline().split()[-1]
            browse = [sys.executable, str(Path(__file__).with_name("chromium_runner.py")), url]
            # The first input is selected; renaming it is a command, a question and an answer.
            keys = ["r", "<Ctrl+A>", "<Ctrl+K>", "renamed", "<Return>", "<Ctrl+S>"]
            ran = subprocess.run([*browse, *keys], capture_output=True, text=True, env=env, timeout=150, check=False)
            told = json.loads(ran.stdout)
            assert told["loaded"] == [True]
            assert told["ready"]
            # Nobody is asked but our own server, and nothing was refused.
            assert told["asked"]
            assert all(address.replace("ws:", "http:", 1).startswith((url, "data:")) for address in told["asked"]), (
                told["asked"]
            )
            assert [said for said in told["said"] if not said.startswith("ping=")] == []
            assert file.read_text() == TINY.replace("  x:", "  renamed:")
            # The browser has gone, and the server with it.
            assert editor.wait(30) == 0
        finally:
            editor.kill()
