"""Saving beside the screen: in order, waited for, told when it fails; and going on with another file."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from graphbuilder.tui.app import EditorApp
from graphbuilder.tui.recovery import recoveries
from graphbuilder.tui.screens.ask import Ask, AskText
from tests.tui.driving import CNN, Editor, driven, editor, screen_rows


class Disk:
    """A disk that can be made to wait, or to be full."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.waiting = threading.Event()
        self.full = False
        self._fsync = os.fsync

    def fsync(self, descriptor: int) -> None:
        # The journal's thread must go on meanwhile, as it would on another disk.
        if threading.current_thread().name != "journal":
            self.waiting.set()
            assert self.free.wait(20)
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._fsync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk()
    monkeypatch.setattr(os, "fsync", made.fsync)
    yield made
    made.free.set()


async def _delete(it: Editor, name: str) -> None:
    """Deletes a node while something may be waiting, so that the editor does not come to rest."""
    it.main.select(("nodes", name))
    await it.pilot.press("d")
    await it.pilot.pause(0.05)
    assert f"  {name}:" not in it.text


def _running(it: Editor) -> bool:
    return it.app.is_running


async def _reached(disk: Disk, it: Editor) -> None:
    while not disk.waiting.is_set():
        await it.pilot.pause(0.01)


def test_the_editor_goes_on_while_it_saves(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "model.yaml"

    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await _delete(it, "pool")
            first = it.text
            disk.free.clear()
            await it.pilot.press("ctrl+s")
            await _reached(disk, it)
            await _delete(it, "hidden")
            second = it.text
            await it.pilot.press("ctrl+s")
            await _delete(it, "conv")
            for _ in range(100):
                await it.pilot.pause(0.02)
                if any("saving …" in row for row in screen_rows(it.app)):
                    break
            assert any("saving …" in row for row in screen_rows(it.app))
            assert path.read_text() == CNN, "nothing is half written"
            assert it.app.workspace.changed
            disk.free.set()
            await it.rest()
            assert path.read_text() == second != first
            assert it.app.workspace.changed, "what was done since is not saved"
            assert it.main._said == (f"saved {path}", "good")
            # What was done since is all that the journal keeps.
            assert it.main.journal is not None
            assert await asyncio.to_thread(it.main.journal.settle)
            last = it.text
            await asyncio.to_thread(it.main.journal.crash)
            found = recoveries(path, second, tmp_path / "journals")
            assert [(each.base, each.text, each.same_file) for each in found] == [(second, last, True)]

    driven(scenario)


def test_quitting_waits_for_what_is_being_saved(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "model.yaml"

    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await _delete(it, "pool")
            disk.free.clear()
            await it.pilot.press("ctrl+s")
            await _reached(disk, it)
            await it.pilot.press("q")
            await it.pilot.pause(0.2)
            assert _running(it)
            assert it.app.screen is it.main, "nobody is asked about what is being saved"
            assert path.read_text() == CNN
            disk.free.set()
            for _ in range(200):
                if not _running(it):
                    break
                await asyncio.sleep(0.02)
            assert not _running(it)
            assert path.read_text() == it.text != CNN
        assert not list((tmp_path / "journals").glob("*.journal*"))

    driven(scenario)


def test_an_error_in_saving_is_told_and_keeps_the_editor(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "model.yaml"

    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await _delete(it, "pool")
            disk.full = True
            await it.press("ctrl+s")
            assert "the disk is full" in it.main._said[0]
            assert it.main._said[1] == "error"
            assert path.read_text() == CNN
            assert not list(tmp_path.glob(".model*"))
            await it.press("q", "s")
            assert it.app.is_running
            assert it.app.workspace.changed
            disk.full = False
            await it.press("ctrl+s")
            assert path.read_text() == it.text
            assert not it.app.workspace.changed

    driven(scenario)


def test_saving_over_what_others_wrote_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"

    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await _delete(it, "pool")
            assert it.main.file_watch is not None
            it.main.file_watch.stop()
            theirs = CNN.replace("units: 32", "units: 34")
            path.write_text(theirs)
            await it.pilot.press("ctrl+s")
            await it.screen(Ask)
            assert path.read_text() == theirs
            await it.press("o", "ctrl+s")
            assert path.read_text() == it.text
            assert "pool" not in it.text

    driven(scenario)


async def _save_as(it: Editor, key: str, path: Path) -> None:
    await it.press(key)
    await it.screen(AskText)
    await it.press("ctrl+u")
    await it.paste(str(path))
    await it.press("enter")


def test_save_as_goes_on_with_the_other_file(tmp_path: Path) -> None:
    path, other = tmp_path / "model.yaml", tmp_path / "other.yaml"

    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await _delete(it, "pool")
            await _save_as(it, "S", other)
            assert other.read_text() == it.text != CNN
            assert path.read_text() == CNN
            assert not it.app.workspace.changed
            assert it.app.path == it.main.path == other
            assert screen_rows(it.app)[0].strip().startswith(str(other))
            # What was done before can be taken back, and is saved where the editor is now.
            await it.press("u", "ctrl+s")
            assert other.read_text() == CNN
            await _delete(it, "conv")
            assert it.main.journal is not None
            assert it.main.journal.file == other
            assert await asyncio.to_thread(it.main.journal.settle)
            # The old file can change as it likes, and the new one is watched.
            path.write_text("gone elsewhere")
            other.write_text(CNN.replace("units: 4,", "units: 5,"))
            await it.screen(Ask)
            await it.press("m")
            assert "units: 5" in it.text
            assert "conv:" not in it.text
            await it.press("ctrl+s")
            assert path.read_text() == "gone elsewhere"
            await asyncio.to_thread(it.main.journal.crash)
            assert recoveries(path, "gone elsewhere", tmp_path / "journals") == []

    driven(scenario)


@pytest.mark.parametrize("key", ["S", "W"])
def test_another_file_is_replaced_only_when_that_is_wanted(tmp_path: Path, key: str) -> None:
    there = tmp_path / "there.yaml"
    there.write_text("kept")

    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await _save_as(it, key, there)
            await it.screen(Ask)
            await it.press("c")
            assert there.read_text() == "kept"
            assert it.main.path == tmp_path / "model.yaml"
            await _save_as(it, key, there)
            await it.screen(Ask)
            await it.press("r")
            assert there.read_text() == CNN
            assert it.main.path == (there if key == "S" else tmp_path / "model.yaml")

    driven(scenario)


def test_a_copy_leaves_the_file_what_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await _delete(it, "pool")
            await _save_as(it, "W", tmp_path / "copy.yaml")
            assert (tmp_path / "copy.yaml").read_text() == it.text
            assert it.main.path == tmp_path / "model.yaml"
            assert it.app.workspace.changed
            await _save_as(it, "W", tmp_path / "none" / "copy.yaml")
            assert "the folder is gone" in it.main._said[0]

    driven(scenario)


@pytest.mark.parametrize("name", ["elsewhere/copy.yaml", "copy.sh"])
def test_a_browser_writes_nothing_but_blueprints_beside_the_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EditorApp, "is_web", True)
    (tmp_path / "elsewhere").mkdir()

    async def scenario() -> None:
        async with editor(tmp_path) as it:
            for key in "SW":
                await _save_as(it, key, tmp_path / name)
                assert "files beside this one" in it.main._said[0]
                assert it.main.path == tmp_path / "model.yaml"
            await _save_as(it, "W", tmp_path / "copy.yaml")

    driven(scenario)
    assert not (tmp_path / name).exists()
    assert (tmp_path / "copy.yaml").read_text() == CNN


IMPORTING = """\
blueprint: 1
imports: {parts: ./parts.yaml}
inputs: {x: {shape: [4]}}
nodes:
  one: {block: parts.dense}
"""
PARTS = """\
blueprint: 1
blocks:
  dense:
    inputs: [x]
    nodes: {inner: {layer: Dense, from: x, units: 3}}
"""


@pytest.mark.parametrize("answer", ["m", "s", "c"])
def test_save_as_asks_where_the_imports_would_not_be_found(tmp_path: Path, answer: str) -> None:
    (tmp_path / "parts.yaml").write_text(PARTS)
    (tmp_path / "below").mkdir()
    other = tmp_path / "below" / "other.yaml"

    async def scenario() -> None:
        async with editor(tmp_path, IMPORTING) as it:
            assert not it.main.workspace.diagnostics()
            await _save_as(it, "S", other)
            await it.screen(Ask)
            assert any("parts.yaml" in row for row in screen_rows(it.app))
            await it.press(answer)
            assert other.exists() == (answer != "c")
            assert it.main.path == (other if answer == "m" else tmp_path / "model.yaml")
            assert bool(it.main.workspace.diagnostics()) == (answer == "m")
            if answer == "m":
                await _save_as(it, "S", tmp_path / "back.yaml")
                assert not it.main.workspace.diagnostics(), "beside its imports nothing is wrong, and nothing is asked"

    driven(scenario)


def test_it_is_told_when_nothing_can_be_kept_for_after_a_crash(tmp_path: Path) -> None:
    (tmp_path / "journals").write_text("a file where the folder would be")

    async def scenario() -> None:
        async with editor(tmp_path) as it:
            await _delete(it, "pool")
            for _ in range(100):
                await it.pilot.pause(0.02)
                if it.main._said[1] == "warning":
                    break
            assert "would be lost in a crash" in it.main._said[0]
            await it.press("ctrl+s")
            assert (tmp_path / "model.yaml").read_text() == it.text

    driven(scenario)
