"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graphbuilder.cli.writing import write_whole
from graphbuilder.errors import CommandError, MissingError


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yaml"
    sync = os.fsync

    def late(descriptor: int) -> None:
        path.write_text("theirs")
        sync(descriptor)

    monkeypatch.setattr("os.fsync", late)
    with pytest.raises(CommandError, match="exists already"):
        write_whole(path, b"ours")
    assert path.read_text() == "theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_without_links_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    write_whole(tmp_path / "a.yaml", b"ours")
    assert (tmp_path / "a.yaml").read_bytes() == b"ours"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_is_followed_and_the_mode_is_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_whole(link, b"new", force=True)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MissingError, match="No space left on device"):
        write_whole(path, b"new", force=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
