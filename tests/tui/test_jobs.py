"""Commands run beside the editor, which never waits for them and never leaves them behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from graphbuilder.blueprint import load
from graphbuilder.errors import MissingError
from graphbuilder.tui import jobs as jobs_module
from graphbuilder.tui.job_events import Ended, Ending, Event, Progress, Said
from graphbuilder.tui.jobs import Job, Jobs, runnable

TINY = """\
blueprint: 1
inputs: {features: {shape: [4]}}
nodes:
  hidden: {layer: Dense, units: 3}
outputs: hidden
"""
# How long the event loop may be held up, in seconds.
STALL = 0.05


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def said(events: list[Event]) -> str:
    return "\n".join(line for event in events if isinstance(event, Said) for line in event.lines)


def run(command: str, file: Path, *arguments: str, text: str | None = None) -> list[Event]:
    events: list[Event] = []
    job = Job(command, file, arguments, text=text, listen=events.append).start()
    assert job.wait(240)
    assert isinstance(events[-1], Ended)
    assert sum(isinstance(event, Ended) for event in events) == 1
    assert job.ended is events[-1]
    return events


def ended(events: list[Event]) -> Ended:
    last = events[-1]
    assert isinstance(last, Ended)
    return last


def test_a_command_says_its_lines_and_ends(file: Path) -> None:
    events = run("validate", file)
    assert ended(events).how is Ending.DONE
    assert "tiny.yaml" in said(events)


def test_what_is_wrong_is_told_by_the_file_s_own_name(file: Path) -> None:
    events = run("validate", file, text=TINY.replace("units: 3", "units: 0"))
    assert (ended(events).how, ended(events).code) == (Ending.FAILED, 1)
    assert f"{file}:4:33: GB203 hidden: units is 0" in said(events)
    assert "~" not in said(events)
    assert [path.name for path in file.parent.iterdir()] == ["tiny.yaml"]
    assert file.read_text() == TINY


def test_diagnostics_that_come_as_data_are_given_as_such(file: Path) -> None:
    events = run(
        "train", file, "--data", "nothing.csv", "-o", str(file.with_suffix(".keras")), text=f"{TINY}wrong: 1\n"
    )
    assert ended(events).how is Ending.FAILED
    (diagnostic,) = ended(events).diagnostics
    assert (diagnostic.code, diagnostic.file) == ("GB201", str(file))
    assert f"{file}:6:1: GB201" in said(events)
    assert '"diagnostics"' not in said(events)


def test_a_text_that_is_not_saved_finds_its_imports_and_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "blocks").mkdir()
    (tmp_path / "blocks" / "own.yaml").write_text(
        "blueprint: 1\nblocks:\n  wide:\n    inputs: [x]\n    nodes: {a: {layer: Dense, units: 3}}\n    outputs: a\n"
    )
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "tiny.yaml"
    file.symlink_to("../real.yaml")
    text = TINY.replace("nodes:", "imports: {own: blocks/own.yaml}\nnodes:").replace(
        "{layer: Dense, units: 3}", "{block: own.wide}"
    )
    file.write_text("this is not it")
    with runnable(file, text) as copy:
        assert copy.parent == tmp_path
        assert copy.name.startswith(".")
        document = load(copy)
        assert document.name == "tiny"
        assert "own" in document.imports
    assert {path.name for path in tmp_path.rglob("*.yaml")} == {"own.yaml", "real.yaml", "tiny.yaml"}
    assert file.read_text() == "this is not it"


def test_what_is_saved_runs_as_it_is(file: Path) -> None:
    with runnable(file, TINY) as it:
        assert it == file
    with runnable(file, None) as it:
        assert it == file


def test_where_no_copy_can_be_made_imports_must_be_saved(tmp_path: Path) -> None:
    file = tmp_path / "gone" / "tiny.yaml"
    with runnable(file, TINY) as copy:
        assert copy.name == "tiny.yaml"
        assert copy.read_text() == TINY
    assert not copy.exists()
    assert not copy.parent.exists()
    with pytest.raises(MissingError, match="takes no copy of it"), runnable(file, f"imports: {{a: b.yaml}}\n{TINY}"):
        pass
    events = run("validate", file, text=f"imports: {{a: b.yaml}}\n{TINY}")
    assert ended(events).how is Ending.NOT_STARTED
    assert [diagnostic.code for diagnostic in ended(events).diagnostics] == ["GB602"]


def test_the_event_loop_is_never_held_up_while_a_model_compiles(file: Path) -> None:
    output = file.with_suffix(".keras")

    async def work() -> tuple[list[Event], list[float]]:
        gaps: list[float] = []

        async def watch() -> None:
            while True:
                began = time.perf_counter()
                await asyncio.sleep(0.001)
                gaps.append(time.perf_counter() - began)

        watcher = asyncio.create_task(watch())
        job = Job("compile", file, ["-o", str(output), "--force"], listen=lambda _: None)
        events = [event async for event in job.events()]
        watcher.cancel()
        return events, gaps

    # Other programs can keep this one from running too; what the job itself does, it does each time.
    stalls = []
    for _ in range(3):
        events, gaps = asyncio.run(work())
        assert ended(events).how is Ending.DONE, said(events)
        assert output.exists()
        assert len(gaps) > 100
        fractions = [event.fraction or 0.0 for event in events if isinstance(event, Progress)]
        # What follows so fast that nobody would see it is left out.
        assert (fractions[0], fractions[-1]) == (0.0, 2 / 3)
        assert fractions == sorted(fractions)
        assert "15 parameters" in said(events)
        stalls.append(max(gaps))
        if stalls[-1] <= STALL:
            break
    assert min(stalls) <= STALL, stalls


@pytest.fixture
def stubborn(tmp_path: Path) -> Path:
    """A package of our name whose commands end when they want to: `-P` and PYTHONPATH make the job run it."""
    package = tmp_path / "modules" / "graphbuilder"
    (package / "tui").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "tui" / "__init__.py").write_text("")
    own = Path(jobs_module.__file__).with_name("job_child.py").read_text()
    (package / "tui" / "job_child.py").write_text(own)
    (package / "__main__.py").write_text(
        textwrap.dedent("""
            import os, signal, subprocess, sys, time
            kind, file, *rest = sys.argv[1:]
            def told(number, frame):
                print("heard", signal.Signals(number).name, flush=True)
                if kind == "kind" or (kind == "slow" and number == signal.SIGTERM):
                    sys.exit(130)
            if kind != "plain":
                signal.signal(signal.SIGINT, told)
                signal.signal(signal.SIGTERM, told)
            if kind == "parent":
                child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
                print("child", child.pid, flush=True)
                sys.exit(0)
            if kind == "flood":
                for number in range(60_000):
                    print("line", number)
                print("last")
                sys.exit(0)
            if kind == "abort":
                os.abort()
            print("ready", os.getpid(), sys.stdin.read(), flush=True)
            time.sleep(60)
        """)
    )
    return package.parent


def _as_stubborn(monkeypatch: pytest.MonkeyPatch, modules: Path) -> None:
    real = jobs_module._environment

    def environment(copy: Path | None) -> dict[str, str]:
        return {**real(copy), "PYTHONPATH": str(modules)}

    monkeypatch.setattr(jobs_module, "_environment", environment)


@pytest.mark.parametrize(
    ("kind", "heard", "how"),
    [
        ("kind", ["heard SIGINT"], Ending.CANCELLED),
        ("slow", ["heard SIGINT", "heard SIGTERM"], Ending.CANCELLED),
        ("deaf", ["heard SIGINT", "heard SIGTERM"], Ending.CANCELLED),
    ],
)
def test_cancelling_asks_less_and_less_kindly(
    kind: str, heard: list[str], how: Ending, stubborn: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _as_stubborn(monkeypatch, stubborn)
    monkeypatch.setattr(jobs_module, "_GRACE", 0.3)
    monkeypatch.setattr(jobs_module, "_LAST_GRACE", 0.3)
    events: list[Event] = []
    ready = threading.Event()

    def listen(event: Event) -> None:
        events.append(event)
        if "ready" in said(events):
            ready.set()

    job = Job(kind, file, listen=listen).start()
    assert ready.wait(30)
    began = time.monotonic()
    job.cancel()
    assert job.wait(10)
    assert time.monotonic() - began < 5
    assert ended(events).how is how
    assert [line for line in said(events).split("\n") if line.startswith("heard")] == heard


def test_a_job_can_be_cancelled_where_the_editor_was_told_to_ignore_ctrl_c(
    stubborn: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _as_stubborn(monkeypatch, stubborn)
    events: list[Event] = []
    # As a script does to what it starts in the background.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        job = Job("plain", file, listen=events.append).start()
        ends = time.monotonic() + 30
        while "ready" not in said(events) and time.monotonic() < ends:
            time.sleep(0.02)
    finally:
        signal.signal(signal.SIGINT, before)
    job.cancel()
    # SIGTERM would come after ten seconds.
    assert job.wait(5)
    assert ended(events).how is Ending.CANCELLED
    assert "KeyboardInterrupt" in said(events)


def test_a_job_that_a_signal_ended_died(stubborn: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _as_stubborn(monkeypatch, stubborn)
    assert ended(run("abort", file)).how is Ending.DIED
    assert ended(run("abort", file)).message == "abort was ended by SIGABRT"


def test_what_a_job_leaves_behind_ends_with_it(stubborn: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _as_stubborn(monkeypatch, stubborn)
    events = run("parent", file)
    child = int(said(events).split()[-1])
    assert _gone(child)


def test_a_flood_comes_in_few_events_and_whole(stubborn: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _as_stubborn(monkeypatch, stubborn)
    events = run("flood", file)
    assert said(events) == "\n".join(f"line {number}" for number in range(60_000)) + "\nlast"
    assert len(events) < 200
    # Nor do they come faster than a screen can take them.
    assert len(events) <= ended(events).seconds / 0.05 + 10


def test_all_jobs_end_with_the_editor(stubborn: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _as_stubborn(monkeypatch, stubborn)
    events: list[Event] = []
    jobs = Jobs(lambda _, event: events.append(event))
    for kind in ("kind", "slow", "deaf"):
        jobs.start(kind, file)
    deadline = time.monotonic() + 30
    while said(events).count("ready") < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(jobs.running) == 3
    began = time.monotonic()
    jobs.close(patience=0.5)
    assert time.monotonic() - began < 5
    assert jobs.running == []
    assert [job.ended.how for job in jobs.all if job.ended is not None] == [Ending.CANCELLED] * 3
    # The screen has gone, and hears nothing any more.
    assert not any(isinstance(event, Ended) for event in events)


def test_a_listener_that_waits_for_the_editor_keeps_no_job_alive(
    stubborn: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _as_stubborn(monkeypatch, stubborn)
    waits, begun, over = [], threading.Event(), threading.Event()

    def listen(_: Job, event: Event) -> None:
        if isinstance(event, Said) and event.lines[0].startswith("ready"):
            waits.append(int(event.lines[0].split()[1]))
            begun.set()
            over.wait(30)

    jobs = Jobs(listen)
    jobs.start("deaf", file)
    assert begun.wait(30)
    jobs.close(patience=0.2)
    try:
        assert _gone(waits[0])
    finally:
        over.set()


def test_jobs_end_when_the_editor_is_killed(stubborn: Path, file: Path, tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from graphbuilder.tui import jobs
        real = jobs._environment
        jobs._environment = lambda copy: {**real(copy), "PYTHONPATH": sys.argv[1]}
        def listen(event):
            if isinstance(event, jobs.Said):
                print(*event.lines, sep="\\n", flush=True)
        jobs.Job("kind", Path(sys.argv[2]), text="not saved", listen=listen).start()
        time.sleep(60)
    """)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(stubborn), str(file)], stdout=subprocess.PIPE, text=True, env=env
    ) as editor:
        assert editor.stdout is not None
        process = int(editor.stdout.readline().split()[1])
        assert [path.name for path in tmp_path.glob(".tiny*")] != []
        editor.send_signal(signal.SIGKILL)
        assert _gone(process)
    assert list(tmp_path.glob(".tiny*")) == []


def _gone(process: int) -> bool:
    """Whether a process ends within seconds; one that nobody has waited for is gone too."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.slow
def test_a_training_tells_its_epochs_and_can_be_cancelled(root: Path, tmp_path: Path) -> None:
    file = root / "blueprints" / "digits_cnn.yaml"
    text = file.read_text() + "\n# not saved\n"
    events = run("train", file, "--data", "digits", "--epochs", "2", "-o", str(tmp_path / "digits.keras"), text=text)
    assert ended(events).how is Ending.DONE, said(events)
    fractions = [event.fraction for event in events if isinstance(event, Progress) and event.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert "epoch 1/2  loss" in said(events)
    assert "epoch 2/2  loss" in said(events)
    again: list[Event] = []
    job = Job(
        "train", file, ["--data", "digits", "--epochs", "500", "-o", str(tmp_path / "long.keras")], listen=again.append
    )
    job.start()
    deadline = time.monotonic() + 120
    while not any(isinstance(event, Progress) and event.fraction for event in again) and time.monotonic() < deadline:
        time.sleep(0.05)
    job.cancel()
    assert job.wait(30)
    assert ended(again).how is Ending.CANCELLED
    assert "stopped after epoch" in said(again)
    assert not (tmp_path / "long.keras").exists()
