"""The editor in a real Chromium: it draws, it takes keys, it saves, and it asks nothing of other hosts."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.tui.serving import Edited

pytestmark = [
    pytest.mark.slow,
    # It takes 700 MB, which `make setup` does not ask of everybody.
    pytest.mark.skipif(
        importlib.util.find_spec("PySide6") is None or importlib.util.find_spec("PySide6.QtWebEngineCore") is None,
        reason='no Chromium: pip install "graphbuilder[chromium]"',
    ),
]

TINY = "blueprint: 1\ninputs:\n  x: {shape: [4]}\nnodes:\n  hidden: {layer: Dense, units: 3}  # small\n"
# A node is added behind the one that the arrow leads to, and the file saved.
STEPS = [
    # Once the shapes are known, they are drawn too.
    ("see", "│ output 3 │"),
    ("press", "Down"),
    ("see", "┏━ hidden"),
    ("type", "a"),
    ("see", "Add what?"),
    ("type", "Dropout"),
    ("see", "AlphaDropout"),
    ("press", "Return"),
    ("see", "after hidden"),
    ("press", "Return"),
    ("see", "┏━ dropout"),
    ("press", "Ctrl+S"),
    ("see", "saved /"),
]


@pytest.fixture(scope="module", autouse=True)
def chromium() -> None:
    """Chromium wants libraries of the system, which pip cannot bring."""
    program = "import PySide6.QtTest, PySide6.QtWebEngineWidgets"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    if "cannot open shared object file" in ran.stderr:
        pytest.skip(f"no Chromium: {ran.stderr.splitlines()[-1]}")
    assert ran.returncode == 0, ran.stderr


@pytest.fixture
def edited(tmp_path: Path) -> Iterator[Edited]:
    server = Edited(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY)
    yield server
    server.close()


def test_a_blueprint_is_edited_and_saved(edited: Edited) -> None:
    env = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        # The sandbox wants rights that a container does not have; the page is our own.
        "QTWEBENGINE_DISABLE_SANDBOX": "1",
        "QTWEBENGINE_CHROMIUM_FLAGS": "--disable-gpu",
    }
    browse = [sys.executable, str(Path(__file__).with_name("chromium_runner.py")), edited.url, json.dumps(STEPS)]
    ran = subprocess.run(browse, capture_output=True, text=True, env=env, timeout=150, check=False)
    assert ran.stdout, ran.stderr
    told = json.loads(ran.stdout)
    assert told["loaded"] == [True]
    assert told["left"] == [], told["screens"][-1]
    # The graph is drawn: boxes, what they are, the shapes on the way from one to the next.
    drawn = [line.split("▕")[1].split("▏")[0].rstrip() for line in told["screens"][0].splitlines()[1:8]]
    assert drawn == [
        "  ┏━ x ━━━━━┓",
        "  ┃ input 4 ┃",
        "  ┗━━━━┯━━━━┛",
        "       │ 4",
        "  ╭─ hidden ╮",
        "  │ Dense 3 │",
        "  ╰────┬────╯",
    ]
    # Nobody is asked but our own server, and nothing was refused.
    asked = [address.replace("ws:", "http:", 1) for address in told["asked"] if not address.startswith("data:")]
    assert all(address.startswith(edited.url) for address in asked), asked
    names = {address.removeprefix(edited.url).partition("?")[0] for address in asked}
    assert {"", "ws", "page.js", "static/js/textual.js", "static/css/xterm.css"} <= names
    assert [said for said in told["said"] if not said.startswith("ping=")] == []
    added = "  # small\n  dropout: {layer: Dropout, rate: 0.5}\n"
    assert edited.file.read_text() == TINY.replace("  # small\n", added)
    # The browser has gone, and the server and the editor with it.
    assert edited.process.wait(30) == 0
    assert edited.left() == []


def test_without_the_token_there_is_nothing_to_see(edited: Edited) -> None:
    wrong = edited.url.rsplit("/", 2)[0] + "/" + "a" * 32 + "/"
    for name in ("", "page.js", "static/js/textual.js", "ws"):
        with pytest.raises(HTTPError) as refused:
            urlopen(wrong + name)
        refused.value.close()
        assert refused.value.code == 403
    with urlopen(edited.url) as answer:
        assert answer.status == 200
