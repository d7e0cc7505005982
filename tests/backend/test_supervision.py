"""Whatever a worker process does, its supervisor lives and says what happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from graphbuilder.backend.supervision import Done, Suspect, WorkerError, run_task
from graphbuilder.backend.worker_protocol import TASKS, Progress, TaskKind
from graphbuilder.errors import BlueprintError, InternalError, MissingError, Position
from tests.support.tasks import ALLOW


def run(name: str, /, **options: Any) -> Done:
    arguments = options.pop("arguments", {})
    return run_task(f"test.{name}", arguments, allow=ALLOW, **options)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process whose parent has not asked after it is dead too.
    state = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def wait_for(found: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_task_gives_its_result_and_tells_how_far_it_is() -> None:
    heard: list[Progress] = []
    arguments = {"text": "naïve ✓\n", "numbers": [1, 2.5, None, True]}
    done = run("echo", arguments=arguments, progress=heard.append)
    assert done.value["arguments"] == arguments
    assert heard == [Progress("echoing", 1, 2, {"loss": 0.5})]
    assert done.seconds >= 0
    assert done.peak_bytes > 1_000_000


def test_a_worker_stands_alone() -> None:
    value = run("echo", threads=3).value
    assert value["pid"] != os.getpid()
    assert value["group"] == value["pid"]
    assert value["environment"]["OMP_NUM_THREADS"] == "3"
    assert value["environment"]["TF_USE_LEGACY_KERAS"] is None
    assert not Path(value["environment"]["TMPDIR"]).exists()
    assert value["heavy"] == []


def test_a_task_of_tf_keras_gets_tf_keras() -> None:
    allow = {"test.echo": TaskKind("tests.support.tasks:echo", legacy_keras=True)}
    value = run_task("test.echo", {}, allow=allow).value
    assert value["environment"]["TF_USE_LEGACY_KERAS"] == "1"


def test_modules_of_the_folder_that_one_stands_in_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('a stranger was run')")
    monkeypatch.chdir(tmp_path)
    assert run("echo").value["arguments"] == {}


def test_a_task_outside_the_table_is_refused() -> None:
    with pytest.raises(InternalError, match="not in the table"):
        run_task("os.system", {"command": "true"})
    assert all(":" in kind.place and kind.place.startswith("graphbuilder.") for kind in TASKS.values())


def test_an_error_comes_back_as_it_was_raised() -> None:
    with pytest.raises(BlueprintError) as raised:
        run("refuse")
    first, second = raised.value.diagnostics
    assert (first.code, first.node, first.position) == ("GB811", "conv", Position(3, 1, 3, 5))
    told = ["a.yaml:3:1: GB811 conv: it cannot be; expected 2", "  b.yaml:1:1: there", "  and so", "  hint: do that"]
    assert str(first).splitlines() == told
    assert second.message == "nor that"


@pytest.mark.parametrize(
    ("how", "code", "name", "exit_code"),
    [
        ("SIGSEGV", "GB801", "SIGSEGV", 1),
        ("abort", "GB801", "SIGABRT", 1),
        ("SIGKILL", "GB802", None, 3),
        ("bad_alloc", "GB802", None, 3),
        ("memory", "GB802", None, 3),
        ("SIGTERM", "GB804", None, 1),
        ("interrupt", "GB804", None, 1),
        ("SIGINT", "GB804", None, 1),
        ("exit", "GB805", None, 3),
    ],
)
def test_a_death_has_a_code(how: str, code: str, name: str | None, exit_code: int) -> None:
    with pytest.raises(WorkerError, match=rf"{code} test\.fault: ") as raised:
        run("fault", arguments={"how": how})
    assert raised.value.signal_name == name
    assert raised.value.exit_code == exit_code
    assert raised.value.task == "test.fault"


def test_a_fault_shows_the_last_words_and_the_nodes_that_are_known_for_it() -> None:
    suspect = Suspect("gru", "int8 of GRU is known for it", "set unroll: true", "a.yaml", Position(7, 3, 7, 6))
    with pytest.raises(WorkerError) as raised:
        run("fault", arguments={"how": "SIGSEGV"}, suspects=[suspect])
    text = str(raised.value)
    assert text.startswith("a.yaml:7:3: GB801 gru: test.fault: a library killed its process by SIGSEGV")
    assert "last words" in text
    assert 'File "' in text  # Python's frames
    assert text.endswith("hint: set unroll: true")
    assert not list(Path().glob("core*"))


@pytest.mark.parametrize(
    ("how", "error", "text"),
    [
        ("bug", InternalError, "ZeroDivisionError: float division by zero"),
        ("not plain", InternalError, "not JSON serializable"),
        ("import", MissingError, "GB604.*a_package_that_is_nowhere"),
    ],
)
def test_a_failure_nobody_thought_of_has_its_traceback(how: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        run("fault", arguments={"how": how})


def test_a_flood_of_messages_arrives_whole() -> None:
    heard: list[Progress] = []
    done = run("flood", arguments={"messages": 3_000, "width": 300}, progress=heard.append)
    assert [progress.done for progress in heard] == list(range(3_000))
    assert done.value == "z" * 1_000_000
    run("flood", arguments={"messages": 1, "width": 5_000_000}, progress=heard.append)
    assert len(heard[-1].message) == 5_000_000


def test_a_job_may_be_large() -> None:
    numbers = list(range(300_000))
    assert run("echo", arguments={"numbers": numbers}).value["arguments"]["numbers"] == numbers


@pytest.mark.parametrize("deaf", [False, True])
def test_a_worker_that_takes_too_long_is_ended(tmp_path: Path, deaf: bool) -> None:
    pid_file = tmp_path / "pid"
    started = time.monotonic()
    with pytest.raises(WorkerError, match=r"GB803 test\.sleep: it was not done within 1 s"):
        run("sleep", arguments={"pid_file": str(pid_file), "deaf": deaf}, timeout=1, grace=0.5)
    assert time.monotonic() - started < 8
    assert not alive(int(pid_file.read_text()))
    # One that listens tidies up first.
    assert pid_file.with_suffix(".tidy").exists() is not deaf


def test_another_thread_can_stop_it(tmp_path: Path) -> None:
    stop = threading.Event()
    with pytest.raises(WorkerError, match="GB804"):
        run("sleep", arguments={"pid_file": str(tmp_path / "pid")}, stop=stop, progress=lambda _: stop.set())
    assert not alive(int((tmp_path / "pid").read_text()))


def test_what_the_callback_raises_ends_the_worker(tmp_path: Path) -> None:
    def burst(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("sleep", arguments={"pid_file": str(tmp_path / "pid")}, progress=burst)
    assert not alive(int((tmp_path / "pid").read_text()))


PARENT = """
import sys
from graphbuilder.backend.supervision import run_task
from tests.support.tasks import ALLOW
try:
    run_task("test.sleep", {"pid_file": sys.argv[1]}, allow=ALLOW)
except KeyboardInterrupt:
    sys.exit(42)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_supervisor(tmp_path: Path, root: Path, number: signal.Signals) -> None:
    pid_file = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(pid_file)], cwd=root)
    try:
        wait_for(pid_file.exists)
        pid = int(pid_file.read_text())
        assert alive(pid)
        parent.send_signal(number)
        code = parent.wait(10)
        wait_for(lambda: not alive(pid), 5)
    finally:
        parent.kill()
    # Ctrl-C is the caller's to handle; the worker has tidied up.
    assert code == (42 if number is signal.SIGINT else -number)
    assert pid_file.with_suffix(".tidy").exists() is (number is signal.SIGINT)


def test_nothing_heavy_is_imported_to_supervise(root: Path) -> None:
    program = "import sys, graphbuilder.backend.supervision; print(sorted({'tensorflow', 'numpy'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
