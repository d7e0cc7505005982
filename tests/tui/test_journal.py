"""What is not saved survives a crash."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.text.splices import spliced
from graphbuilder.tui import journal as journal_module
from graphbuilder.tui.files import text_digest
from graphbuilder.tui.journal import Journal
from graphbuilder.tui.journal_format import SUFFIX, change_between, journal_folder, journal_line
from graphbuilder.tui.recovery import open_elsewhere, recoveries

LOST_AT_MOST = 2.0


def journals(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cnn.yaml"
    path.write_text("units: 1\n")
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def texts_of(file: Path, state: Path) -> list[str]:
    """What the next start would offer; nothing of it is taken."""
    found = recoveries(file, file.read_text(), state)
    for recovery in found:
        recovery.later()
    return [recovery.text for recovery in found]


def test_journals_lie_in_the_state_folder() -> None:
    assert journal_folder({"XDG_STATE_HOME": "/var/state"}) == Path("/var/state/graphbuilder/journal")
    home = Path("~/.local/state/graphbuilder/journal").expanduser()
    assert journal_folder({}) == journal_folder({"XDG_STATE_HOME": "relative"}) == home


@given(before=st.text("ab\n", max_size=20), after=st.text("ab\n", max_size=20))
def test_the_change_between_two_texts_makes_the_second(before: str, after: str) -> None:
    splice = change_between(before, after)
    assert (splice is None) == (before == after)
    if splice is not None:
        assert spliced(before, [splice]) == after
        assert before[splice.start : splice.end] != splice.text


def test_a_crashed_session_is_offered_until_somebody_decides(file: Path, state: Path) -> None:
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 2\n", "set units of a")
    journal.keep("units: 23\n", "set units of b")
    journal.crash()
    (found,) = recoveries(file, "units: 1\n", state)
    assert (found.text, found.base, found.steps) == (
        "units: 23\n",
        "units: 1\n",
        ("set units of a", "set units of b"),
    )
    assert found.same_file
    assert found.whole
    assert abs(found.time - time.time()) < 10
    # While one start asks, no other is offered it.
    assert texts_of(file, state) == []
    found.later()
    assert texts_of(file, state) == ["units: 23\n"]
    (found,) = recoveries(file, "units: 1\n", state)
    found.discard()
    assert journals(state) == []


def test_a_file_that_went_on_since_is_told(file: Path, state: Path) -> None:
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 2\n")
    journal.crash()
    file.write_text("units: 9\n")
    (found,) = recoveries(file, "units: 9\n", state)
    assert not found.same_file
    assert (found.base, found.text) == ("units: 1\n", "units: 2\n")


@pytest.mark.parametrize("step", ["units: 2\n", "units: 1\n"])
def test_what_the_file_says_already_is_not_offered(step: str, file: Path, state: Path) -> None:
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 5\n")
    journal.keep(step)
    journal.crash()
    file.write_text(step)
    assert texts_of(file, state) == []
    assert journals(state) == []


def test_who_only_looks_leaves_no_trace(file: Path, state: Path) -> None:
    assert recoveries(file, "units: 1\n", state) == []
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 1\n")
    journal.close()
    assert not state.exists()


def test_saving_removes_the_journal_and_the_next_step_begins_another(file: Path, state: Path) -> None:
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 2\n")
    assert journal.settle()
    assert len(journals(state)) == 1
    file.write_text("units: 2\n")
    journal.saved("units: 2\n")
    assert journal.settle()
    assert journals(state) == []
    journal.keep("units: 3\n")
    journal.crash()
    (found,) = recoveries(file, "units: 2\n", state)
    assert (found.base, found.text, found.same_file) == ("units: 2\n", "units: 3\n", True)


def test_what_was_done_while_it_was_saved_is_kept(file: Path, state: Path) -> None:
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 2\n")
    journal.keep("units: 3\n")
    file.write_text("units: 2\n")
    journal.saved("units: 2\n")
    journal.crash()
    assert texts_of(file, state) == ["units: 3\n"]
    assert len(journals(state)) == 1


def test_ending_well_removes_the_journal_and_ending_unasked_does_not(file: Path, state: Path) -> None:
    for keep in (True, False):
        journal = Journal(file, "units: 1\n", state)
        journal.keep("units: 2\n")
        journal.close(keep=keep)
        assert texts_of(file, state) == (["units: 2\n"])
    for recovery in recoveries(file, "units: 1\n", state):
        recovery.discard()
    assert journals(state) == []


def test_editors_on_one_file_do_not_take_each_others_work(file: Path, state: Path) -> None:
    one, other = Journal(file, "units: 1\n", state), Journal(file, "units: 1\n", state)
    one.keep("units: 10\n")
    other.keep("units: 20\n")
    assert one.settle()
    assert other.settle()
    assert open_elsewhere(file, state)
    assert texts_of(file, state) == []
    assert len(journals(state)) == 2
    other.crash()
    assert texts_of(file, state) == ["units: 20\n"]
    assert open_elsewhere(file, state)
    one.crash()
    assert not open_elsewhere(file, state)
    # The latest first.
    assert texts_of(file, state) == ["units: 20\n", "units: 10\n"]


def test_another_file_of_that_name_gets_nothing(file: Path, state: Path, tmp_path: Path) -> None:
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 2\n")
    journal.crash()
    other = tmp_path / "other" / "cnn.yaml"
    other.parent.mkdir()
    other.write_text("units: 1\n")
    assert texts_of(other, state) == []
    # By a link it is the same file.
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    assert texts_of(link, state) == ["units: 2\n"]


def test_only_the_owner_can_read_it(file: Path, state: Path) -> None:
    before = os.umask(0)
    try:
        journal = Journal(file, "units: 1\n", state)
        journal.keep("units: 2\n")
        journal.crash()
    finally:
        os.umask(before)
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in journals(state)} == {0o600}


@given(place=st.floats(0, 1, exclude_max=True), damage=st.sampled_from(["cut", "flip", "junk", "zeros"]))
def test_a_damaged_journal_gives_what_is_whole_of_it(
    place: float, damage: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    file = folder / "cnn.yaml"
    file.write_text("")
    journal = Journal(file, "", folder / "state")
    texts = [""]
    for number in range(6):
        texts.append(f"{texts[-1]}line {number}\n")
        journal.keep(texts[-1])
    journal.crash()
    (path,) = journals(folder / "state")
    content = path.read_bytes()
    at = int(place * len(content))
    damaged = {
        "cut": content[:at],
        "flip": content[:at] + bytes([content[at] ^ 0x15]) + content[at + 1 :],
        "junk": content[:at] + b"\xff\n{}\n" + content[at:],
        "zeros": content[:at] + bytes(len(content) - at),
    }[damage]
    path.write_bytes(damaged)
    # All steps whose lines stand before the damage are there, and nothing that never was.
    whole = content[:at].count(b"\n")
    offered = texts_of(file, folder / "state")
    assert set(offered) <= set(texts)
    if whole > 1:
        assert len(offered[0]) >= len(texts[whole - 1])


@pytest.mark.parametrize(
    "line",
    [
        {"splices": [[0, 99, "x"]], "sum": 0, "title": "", "time": 1},
        {"splices": [[2, 1, "x"]], "sum": 0, "title": "", "time": 1},
        {"splices": [["0", 1, "x"]], "sum": 0, "title": "", "time": 1},
        {"splices": [[0, 1, "x"]], "sum": 0, "title": "", "time": 1},
        {"splices": "__import__('os').abort()", "sum": 0, "title": "", "time": 1},
        {"splices": [], "sum": 0, "title": "", "time": float("inf")},
        ["!!python/object/apply:os.abort", []],
    ],
)
def test_a_forged_journal_is_not_believed(line: object, file: Path, state: Path) -> None:
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 2\n")
    journal.crash()
    (path,) = journals(state)
    with path.open("ab") as opened:
        opened.write(journal_line(line))  # type: ignore[arg-type]
    (found,) = recoveries(file, "units: 1\n", state)
    assert found.text == "units: 2\n"
    assert not found.whole


def test_what_lies_where_journals_do_and_is_none_does_no_harm(file: Path, state: Path) -> None:
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 2\n")
    journal.crash()
    (path,) = journals(state)
    path.with_name(path.name.replace("-", "-0")).symlink_to("/dev/zero")
    path.with_name(path.name.replace("-", "-1")).mkdir()
    path.with_name(path.name.replace("-", "-2")).write_bytes(b"")
    os.mkfifo(path.with_name(path.name.replace("-", "-3")))
    assert texts_of(file, state) == ["units: 2\n"]


def test_a_journal_that_cannot_be_written_is_told_once_and_taken_up_again(file: Path, state: Path) -> None:
    state.write_text("a file in the way")
    told: list[OSError] = []
    journal = Journal(file, "units: 1\n", state, failed=told.append)
    for number in range(2, 6):
        journal.keep(f"units: {number}\n")
    assert journal.settle()
    assert len(told) == 1
    state.unlink()
    journal.keep("units: 6\n")
    journal.crash()
    assert journal.fault is None
    assert texts_of(file, state) == ["units: 6\n"]


def test_a_disk_that_fails_in_between_costs_nothing(file: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 2\n")
    assert journal.settle()
    write = os.write
    with monkeypatch.context() as broken:

        def fail(descriptor: int, content: bytes) -> int:
            if threading.current_thread().name == "journal":
                write(descriptor, bytes(content)[:5])
                raise OSError(28, "No space left on device")
            return write(descriptor, content)

        broken.setattr(os, "write", fail)
        journal.keep("units: 3\n")
        assert journal.settle()
        assert journal.fault is not None
        assert texts_of(file, state) == ["units: 2\n"]
    journal.keep("units: 4\n")
    journal.crash()
    assert texts_of(file, state) == ["units: 4\n"]
    assert len(journals(state)) == 1


def test_a_large_journal_begins_anew(file: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "LARGEST", 10_000)
    journal = Journal(file, "units: 1\n", state)
    for number in range(300):
        journal.keep(f"units: {number}\n" + "x" * (number % 7) * 100)
    journal.crash()
    (path,) = journals(state)
    assert path.stat().st_size < 12_000
    assert texts_of(file, state) == ["units: 299\n" + "x" * 500]


def test_a_new_journal_without_a_step_holds_what_came_before(
    file: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a crash leaves right after a journal has begun anew.
    monkeypatch.setattr(journal_module, "LARGEST", 1)
    journal = Journal(file, "units: 1\n", state)
    journal.keep("units: 2\n")
    journal.keep("units: 3\n")
    journal.crash()
    (path,) = journals(state)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert texts_of(file, state) == ["units: 2\n"]


def test_the_disk_is_reached_within_a_second_of_each_step(
    file: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[float] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        sync(descriptor)
        synced.append(time.monotonic())

    monkeypatch.setattr(os, "fsync", noted)
    journal = Journal(file, "units: 1\n", state)
    kept = []
    for number in range(60):
        journal.keep(f"units: {number}\n")
        kept.append(time.monotonic())
        time.sleep(0.04)
    time.sleep(1.5)
    late = [min(when for when in synced if when >= step) - step for step in kept]
    assert max(late) < LOST_AT_MOST
    # And not more often than must be.
    assert len(synced) <= 8
    journal.close()


def test_keeping_a_step_does_not_wait(file: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = threading.Event()

    def slowly(_descriptor: int) -> None:
        slow.wait(0.5)

    monkeypatch.setattr(os, "fsync", slowly)
    text = "node: {layer: Dense}\n" * 10_000
    journal = Journal(file, text, state)
    began = time.perf_counter()
    for number in range(20):
        journal.keep(f"{text[: number * 5000]}{number}{text[number * 5000 :]}")
    assert time.perf_counter() - began < 0.05
    slow.set()
    journal.close()


@pytest.fixture(scope="module")
def runner() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("editing_runner.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("times", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_at_any_moment(
    times: int,
    runner: subprocess.Popen[str],
    root: Path,
    tmp_path: Path,
) -> None:
    dice = random.Random(times)
    worst = 0.0
    recovered = 0
    original = (root / "blueprints" / "cnn.yaml").read_text()
    for seed in range(times):
        folder = tmp_path / str(seed)
        folder.mkdir()
        (folder / "cnn.yaml").write_text(original)
        killed = _edit_and_kill(runner, folder, seed, dice.uniform(0.05, 1.5 if times > 10 else 0.8))
        truth = [json.loads(line) for line in (folder / "truth").read_text().splitlines()]
        on_disk = (folder / "cnn.yaml").read_text()
        # The file is whole: it is what it was, or what was being saved.
        assert text_digest(on_disk) in {told["digest"] for told in truth if told["kind"] != "step"}
        found = recoveries(folder / "cnn.yaml", on_disk, folder / "state")
        assert len(found) <= 1
        text = found[0].text if found else on_disk
        recovered += len(found)
        # The steps after the last one that is there are lost.
        there = max(number for number, told in enumerate(truth) if told["digest"] == text_digest(text))
        if there < len(truth) - 1:
            worst = max(worst, killed - truth[there + 1]["time"])
    assert worst <= LOST_AT_MOST
    # A journal that never gave anything would pass too.
    assert recovered >= times / 2


def _edit_and_kill(runner: subprocess.Popen[str], folder: Path, seed: int, after: float) -> float:
    assert runner.stdin is not None
    assert runner.stdout is not None
    runner.stdin.write(f"{folder} {seed}\n")
    runner.stdin.flush()
    process = int(runner.stdout.readline())
    deadline = time.monotonic() + 20
    while not (folder / "truth").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(after)
    os.kill(process, signal.SIGKILL)
    killed = time.monotonic()
    while Path(f"/proc/{process}").exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    return killed
