"""A file is opened and saved without losing a byte, and never half."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.errors import BlueprintError, MissingError
from graphbuilder.tui import files
from graphbuilder.tui.files import ChangedOnDisk, open_file, save_file, stamp_of, text_digest
from graphbuilder.tui.three_way import Keep, merge_texts
from graphbuilder.tui.watching import FileWatch

TEXTS = {
    "lf": b"blueprint: 1\nnodes: {}\n",
    "crlf": b"blueprint: 1\r\nnodes: {}\r\n",
    "old_mac": b"blueprint: 1\rnodes: {}\r",
    "mixed": b"a: 1\r\nb: 2\nc: 3\r",
    "no_newline_at_the_end": b"blueprint: 1",
    "byte_order_mark": b"\xef\xbb\xbfblueprint: 1\r\n",
    "empty": b"",
    "wrong": b"nodes: [unclosed\n\t- {",
    "wide": "about: 画像 \u2028 é \U0001f642\n".encode(),
    "controls": b"about: \x1b[31m\x07\n",
}


@pytest.mark.parametrize("name", TEXTS)
def test_any_text_is_opened_and_saved_to_the_byte(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cnn.yaml"
    path.write_bytes(TEXTS[name])
    opened = open_file(path)
    save_file(path, opened.text, opened.stamp)
    assert path.read_bytes() == TEXTS[name]
    assert [entry.name for entry in tmp_path.iterdir()] == ["cnn.yaml"]


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_survives(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / "cnn.yaml"
    stamp = save_file(path, text, None)
    opened = open_file(path)
    assert opened.text == text
    assert opened.stamp == stamp
    assert stamp.digest == text_digest(text)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"a: \xff\xfe", "GB102"),
        ("a: 1".encode("utf-16"), "GB102"),
        (b"\0" * 100, "GB102"),
        (b"x" * 2**24 + b"x", "GB103"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "cnn.yaml"
    path.write_bytes(content)
    with pytest.raises(BlueprintError) as told:
        open_file(path)
    assert [diagnostic.code for diagnostic in told.value.diagnostics] == [code]


def test_a_file_that_does_not_exist_is_empty_and_its_folder_must(tmp_path: Path) -> None:
    assert open_file(tmp_path / "new.yaml") == files.Opened("", None)
    with pytest.raises(BlueprintError, match=r"GB101 the folder .*gone does not exist"):
        open_file(tmp_path / "gone" / "new.yaml")
    with pytest.raises(BlueprintError, match="GB101 this is a folder"):
        open_file(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BlueprintError, match="GB101 this is a pipe or a device"):
        open_file(tmp_path / "pipe")


def test_mode_and_attributes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "cnn.yaml"
    path.write_text("a: 1")
    path.chmod(0o640)
    attributed = True
    try:
        os.setxattr(path, "user.reviewed", b"yes")
    except OSError:
        attributed = False
    if os.getuid() == 0:
        os.chown(path, 1234, 4321)
    before = path.stat()
    save_file(path, "a: 2", stamp_of(path))
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert path.read_text() == "a: 2"
    if attributed:
        assert os.getxattr(path, "user.reviewed") == b"yes"


def test_a_new_file_gets_the_mode_that_any_program_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save_file(tmp_path / "cnn.yaml", "a: 1", None)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "cnn.yaml").stat().st_mode) == 0o640


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real = tmp_path / "there" / "cnn.yaml"
    real.write_text("a: 1")
    link, second = tmp_path / "link.yaml", tmp_path / "second.yaml"
    link.symlink_to("there/cnn.yaml")
    second.symlink_to(link)
    opened = open_file(second)
    save_file(second, "a: 2", opened.stamp)
    assert real.read_text() == "a: 2"
    assert second.is_symlink()
    assert link.is_symlink()
    real.unlink()
    save_file(second, "a: 3", None)
    assert real.read_text() == "a: 3"


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.symlink_to(other)
    other.symlink_to(one)
    with pytest.raises(BlueprintError, match="GB101"):
        open_file(one)
    with pytest.raises(MissingError, match="links lead in a circle"):
        save_file(one, "a: 1", None)


def test_what_somebody_else_wrote_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "cnn.yaml"
    path.write_text("a: 1")
    opened = open_file(path)
    path.write_text("a: 2")
    with pytest.raises(ChangedOnDisk, match=r"GB605 .* was changed on disk") as told:
        save_file(path, "a: 3", opened.stamp)
    assert told.value.disk is not None
    assert told.value.disk.text == path.read_text() == "a: 2"
    stamp = save_file(path, "a: 3", told.value.disk.stamp)
    assert path.read_text() == "a: 3"
    path.unlink()
    with pytest.raises(ChangedOnDisk, match="was removed"):
        save_file(path, "a: 4", stamp)
    save_file(path, "a: 4", stamp, force=True)
    assert path.read_text() == "a: 4"
    with pytest.raises(ChangedOnDisk):
        save_file(path, "a new file", None)


def test_a_change_while_the_new_file_is_written_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cnn.yaml"
    path.write_text("a: 1")
    opened = open_file(path)
    sync = os.fsync

    def slowly(descriptor: int) -> None:
        sync(descriptor)
        path.write_text("a: theirs")

    monkeypatch.setattr(os, "fsync", slowly)
    with pytest.raises(ChangedOnDisk):
        save_file(path, "a: mine", opened.stamp)
    assert path.read_text() == "a: theirs"
    assert [entry.name for entry in tmp_path.iterdir()] == ["cnn.yaml"]


def test_touching_a_file_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "cnn.yaml"
    path.write_text("a: 1")
    opened = open_file(path)
    os.utime(path, (1, 1))
    save_file(path, "a: 2", opened.stamp)
    assert path.read_text() == "a: 2"


def test_read_only_files_and_vanished_folders_are_told(tmp_path: Path) -> None:
    path = tmp_path / "there" / "cnn.yaml"
    path.parent.mkdir()
    path.write_text("a: 1")
    path.chmod(0o444)
    stamp = stamp_of(path)
    with pytest.raises(MissingError, match=r"GB602 .* is read-only\n  hint: `chmod u\+w "):
        save_file(path, "a: 2", stamp)
    with pytest.raises(MissingError, match="is read-only"):
        save_file(path, "a: 2", stamp, force=True)
    assert path.read_text() == "a: 1"
    path.unlink()
    path.parent.rmdir()
    with pytest.raises(MissingError, match="the folder is gone; the text is still here"):
        save_file(path, "a: 2", None)
    with pytest.raises(MissingError, match="is a folder"):
        save_file(tmp_path, "a: 2", None)


def test_a_folder_that_takes_no_new_file_is_told(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from graphbuilder.errors import MissingError
        from graphbuilder.tui.files import save_file, stamp_of
        path = Path(sys.argv[1])
        if os.getuid() == 0:
            os.setresuid(65534, 65534, 65534)
        try:
            save_file(path, "a: 2", stamp_of(path))
        except MissingError as error:
            print(error)
    """)
    folder = Path("/tmp") / f"graphbuilder-test-{os.getpid()}"
    folder.mkdir()
    try:
        path = folder / "cnn.yaml"
        path.write_text("a: 1")
        path.chmod(0o666)
        folder.chmod(0o555)
        ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
        assert "the folder does not let new files be made in it; the text is still here" in ran.stdout
        assert path.read_text() == "a: 1"
    finally:
        folder.chmod(0o755)
        path.unlink()
        folder.rmdir()


def test_where_there_is_no_room_the_old_file_stays_whole(tmp_path: Path) -> None:
    # The system itself refuses to write more than so many bytes.
    path = tmp_path / "cnn.yaml"
    path.write_text("old " * 1000)
    code = textwrap.dedent("""
        import resource, sys
        from pathlib import Path
        from graphbuilder.errors import MissingError
        from graphbuilder.tui.files import save_file, stamp_of
        path = Path(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        try:
            save_file(path, "new" * 10_000, stamp_of(path))
        except MissingError as error:
            print(error)
    """)
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert "larger than the system allows; the text is still here" in ran.stdout
    assert path.read_text() == "old " * 1000
    assert [entry.name for entry in tmp_path.iterdir()] == ["cnn.yaml"]


def test_a_full_disk_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cnn.yaml"
    path.write_text("a: 1")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        MissingError, match="cannot be saved: the disk is full; the text is still here\n  hint: make room"
    ):
        save_file(path, "a: 2", stamp_of(path))
    assert path.read_text() == "a: 1"
    assert [entry.name for entry in tmp_path.iterdir()] == ["cnn.yaml"]


def test_a_reader_never_finds_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "cnn.yaml"
    texts = ["a" * 200_000, "b" * 300_000]
    stamp = save_file(path, texts[0], None)
    ended = threading.Event()
    found: set[str] = set()

    def read() -> None:
        while not ended.is_set():
            found.add(path.read_text())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(30):
        stamp = save_file(path, texts[number % 2], stamp)
    ended.set()
    reader.join()
    assert found <= set(texts)


class Seen:
    def __init__(self) -> None:
        self.told: list[Any] = []
        self.came = threading.Event()

    def __call__(self, disk: files.Opened | None) -> None:
        self.told.append(disk)
        self.came.set()


def test_a_change_by_somebody_else_is_noticed_within_a_second(tmp_path: Path) -> None:
    path = tmp_path / "cnn.yaml"
    path.write_text("a: 1")
    seen = Seen()
    with FileWatch(path, open_file(path).stamp, seen):
        time.sleep(0.1)
        began = time.monotonic()
        # The same size, and as near in time as can be.
        path.write_text("a: 2")
        assert seen.came.wait(5)
        assert time.monotonic() - began < 1
    assert [disk.text for disk in seen.told] == ["a: 2"]


def test_each_change_is_told_once_and_our_own_never(tmp_path: Path) -> None:
    path = tmp_path / "cnn.yaml"
    path.write_text("a: 1")
    stamp = open_file(path).stamp
    seen = Seen()
    watch = FileWatch(path, stamp, seen)
    assert not watch.look()
    watch.saved(lambda: save_file(path, "a: 2", stamp))
    assert not watch.look()
    os.utime(path, (1, 1))
    assert not watch.look()
    path.unlink()
    assert watch.look()
    assert not watch.look()
    path.write_bytes(b"\xff\xff")
    assert watch.look()
    path.write_text("a: 3")
    watch.expect(open_file(path).stamp)
    assert not watch.look()
    assert seen.told == [files.Opened("", None), None]


def test_a_change_behind_a_link_is_noticed(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("a: 1")
    link.symlink_to(real)
    seen = Seen()
    watch = FileWatch(link, open_file(link).stamp, seen)
    real.write_text("a: 22")
    assert watch.look()
    assert seen.told[0].text == "a: 22"


BASE = """\
inputs: {image: {shape: [8]}}
nodes:
  one: {layer: Dense, units: 1}
  two: {layer: Dense, units: 2}
outputs: two
"""


def test_changes_in_different_places_are_merged() -> None:
    mine = BASE.replace("units: 1", "units: 10")
    theirs = BASE.replace("outputs: two", "outputs: two\ntraining: {loss: mse}") + "# end"
    merged = merge_texts(BASE, mine, theirs)
    assert not merged.conflicts
    both = mine.replace("outputs: two", "outputs: two\ntraining: {loss: mse}") + "# end"
    assert {merged.text(keep) for keep in Keep} == {both}


def test_changes_at_one_place_are_asked_about() -> None:
    mine, theirs = BASE.replace("units: 1", "units: 10"), BASE.replace("units: 1", "units: 20")
    merged = merge_texts(BASE, mine, theirs)
    assert len(merged.conflicts) == 1
    assert merged.text(Keep.MINE) == mine
    assert merged.text(Keep.THEIRS) == theirs
    assert merged.text(Keep.BOTH) == BASE.replace(
        "  one: {layer: Dense, units: 1}\n",
        "<<<<<<< mine\n  one: {layer: Dense, units: 10}\n=======\n  one: {layer: Dense, units: 20}\n>>>>>>> theirs\n",
    )


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "d\r", "\n", "e"]), max_size=12).map("".join)


@given(base=LINES, mine=LINES, theirs=LINES)
def test_merging_loses_nobodys_work(base: str, mine: str, theirs: str) -> None:
    # Who changed nothing gets what the other one made; the same change counts once; the sides can be exchanged.
    assert merge_texts(base, mine, base).pieces == ((mine,) if mine else ())
    assert merge_texts(base, base, theirs).pieces == ((theirs,) if theirs else ())
    assert merge_texts(base, mine, mine).pieces == ((mine,) if mine else ())
    merged, turned = merge_texts(base, mine, theirs), merge_texts(base, theirs, mine)
    assert merged.text(Keep.MINE) == turned.text(Keep.THEIRS)
    if len(merged.conflicts) == len(merged.pieces) == 1:
        assert merged.text(Keep.MINE) == mine


def test_merging_a_large_file_is_quick() -> None:
    lines = [
        f"  node_{number}: {{layer: Dense, units: 8}}\n" if number % 3 else "  # again\n" for number in range(5000)
    ]
    base = "".join(lines)
    mine = base.replace("node_10:", "mine:").replace("node_4000:", "mine_too:")
    theirs = base.replace("node_200:", "theirs:").replace("node_4900:", "theirs_too:")
    began = time.perf_counter()
    merged = merge_texts(base, mine, theirs)
    assert time.perf_counter() - began < 5
    assert not merged.conflicts
    assert all(name in merged.text(Keep.MINE) for name in ("mine:", "mine_too:", "theirs:", "theirs_too:"))
