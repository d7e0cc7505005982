"""The real program in a real terminal: from an empty file to a model with a fusion and a pruning pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graphbuilder.blueprint import load
from graphbuilder.lowering import lower

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


# How long a key may take to change what is shown, in seconds; some change nothing.
_REACTION = 2.0


class Terminal:
    """A terminal in which a program runs.

    Arguments:
        folder: where it runs, and where its server's socket lies.
        command: the program.
        size: columns and rows.
    """

    def __init__(self, folder: Path, command: str, size: tuple[int, int] = (160, 48)) -> None:
        self.base = ["tmux", "-S", str(folder / "socket"), "-f", os.devnull]
        env = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}
        env.pop("TMUX", None)
        env["TERM"] = "xterm-256color"
        width, height = map(str, size)
        new = [*self.base, "new-session", "-d", "-x", width, "-y", height, "-c", str(folder), command]
        subprocess.run(new, env=env, check=True, timeout=30)

    def screen(self) -> str:
        """What it shows."""
        return self._capture()

    def _capture(self, *options: str) -> str:
        command = [*self.base, "capture-pane", "-p", *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout

    def until(self, wanted: str, patience: float = 30.0) -> None:
        """Waits until something is shown."""
        ends = time.monotonic() + patience
        while wanted not in self.screen():
            assert time.monotonic() < ends, f"{wanted} is not shown:\n{self.screen()}"
            time.sleep(0.05)

    def press(self, *keys: str) -> None:
        """Presses keys, by tmux's names for them, each once the one before it has changed what is shown."""
        for key in keys:
            self._send(key)

    def write(self, text: str) -> None:
        """Types a text."""
        self._send("-l", "--", text)

    def _send(self, *typed: str) -> None:
        before = shown = self._drawn()
        subprocess.run([*self.base, "send-keys", *typed], check=True, timeout=30)
        ends = time.monotonic() + _REACTION
        while shown == before and time.monotonic() < ends:
            time.sleep(0.02)
            shown = self._drawn()
        # What follows from it may be drawn later.
        while (later := self._drawn()) != shown and time.monotonic() < ends:
            shown = later
            time.sleep(0.05)

    def _drawn(self) -> str:
        """What it shows, with its colours, in which alone some changes can be seen."""
        return self._capture("-e")

    def pick(self, question: str, text: str) -> None:
        """Picks from a list by what is typed."""
        self.until(question)
        self.write(text)
        self.press("Enter")

    def close(self) -> None:
        """Ends it."""
        subprocess.run([*self.base, "kill-server"], check=False, capture_output=True, timeout=30)


@pytest.mark.slow
def test_a_model_is_made_from_an_empty_file(tmp_path: Path) -> None:
    program = f"{sys.executable} -m graphbuilder edit model.yaml; echo ENDED $?; sleep 60"
    terminal = Terminal(tmp_path, program)
    try:
        terminal.until("? help")
        for name, shape in (("image", "[16, 16, 3]"), ("text", "[8]")):
            terminal.press("2", "a")
            terminal.pick("Add what?", "input")
            terminal.until("What is the input called?")
            terminal.write(name)
            terminal.press("Enter")
            terminal.until(f"{name}  input")
            terminal.press("j", "Enter", "C-u")
            terminal.write(shape)
            terminal.press("Enter")
            terminal.until(shape)
        terminal.press("j", "Enter", "C-u")
        terminal.write("int32")
        terminal.press("Enter", "Escape")
        for source, layer in (("image", "Conv2D"), ("text", "Embedding")):
            terminal.press("2", "/")
            terminal.pick("Find", source)
            terminal.press("a")
            terminal.pick("Add what?", layer)
            terminal.until(f"after {source}")
            terminal.press("Enter")
            terminal.until(f"layer {layer}")
        terminal.press("/")
        terminal.pick("Find", "conv2d")
        terminal.press("m")
        terminal.pick("Merge conv2d with which branch?", "embedding")
        terminal.pick("Merge conv2d, embedding by", "gated")
        terminal.until("fuse gated")
        terminal.press("a")
        terminal.pick("Add what?", "Dense")
        terminal.until("after merged")
        terminal.press("Enter")
        terminal.until("layer Dense")
        terminal.press("p")
        terminal.until("Compress what?")
        terminal.press("Enter")
        terminal.pick("Compress dense by", "prune")
        terminal.until("pass 1 of 1")
        assert not (tmp_path / "model.yaml").exists()
        terminal.press("Escape", "C-s")
        terminal.until("saved model.yaml")
        terminal.press("q")
        terminal.until("ENDED 0")
    finally:
        terminal.close()
    document = load(tmp_path / "model.yaml")
    graph = lower(document)
    assert {node.kind for node in document.blueprint.nodes.values()} == {"layer", "fuse"}
    assert [declared.name for declared in document.blueprint.compression] == ["prune"]
    assert list(graph.inputs) == ["image", "text"]
    made = tmp_path / "model.keras"
    subprocess.run(
        [sys.executable, "-m", "graphbuilder", "compile", "model.yaml", "-o", str(made)], cwd=tmp_path, check=True,
        timeout=280,
    )  # fmt: skip
    assert made.exists()


@pytest.mark.slow
def test_another_editor_takes_the_terminal_and_gives_it_back(tmp_path: Path) -> None:
    path, other = tmp_path / "model.yaml", tmp_path / "other.sh"
    path.write_text("blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  a: {layer: Dense, units: 3}  # kept\n")
    other.write_text('#!/bin/sh\nsed -i "s/units: 3/units: 5/" "$1"\n')
    other.chmod(0o755)
    terminal = Terminal(tmp_path, f"EDITOR={other} {sys.executable} -m graphbuilder edit model.yaml", (80, 24))
    try:
        terminal.until("/ find")
        terminal.press("e")
        terminal.until("took what was edited")
        terminal.press("C-s")
        terminal.until("saved model.yaml")
    finally:
        terminal.close()
    assert path.read_text().endswith("a: {layer: Dense, units: 5}  # kept\n")
