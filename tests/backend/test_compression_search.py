"""A search finds better settings than the declared ones, survives any break, and forgives what single settings do.

All tests but the last run no compression: `tests.support.searches` computes what comes of a setting.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import random
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from graphbuilder.api import load, lower, parse
from graphbuilder.backend.compression_run import Compressed
from graphbuilder.backend.compression_search import Searched, SearchProgress, search
from graphbuilder.backend.compression_search_state import SearchState
from graphbuilder.backend.worker_deaths import WorkerError
from graphbuilder.compression.budget import Budget
from graphbuilder.compression.report import BudgetFacts, load_report
from graphbuilder.compression.search_html import front_plot, search_html
from graphbuilder.compression.search_report import TrialFacts, best_of, load_search, nearest_of, pareto_front
from graphbuilder.compression.sizes import file_size
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic, MissingError
from tests.support.searches import BLUEPRINT, FakePipeline, asked, failure, fake_report


def run(folder: Path, fake: FakePipeline | None = None, text: str = BLUEPRINT, **options: Any) -> Searched:
    fake = fake or FakePipeline()
    given = {name: options.pop(name) for name in ("seed", "resume", "force", "data") if name in options}
    data = given.pop("data", None)
    wanted = asked(folder, text, budget=options.pop("budget", None), **given)
    request, *rest = wanted.arguments()
    if data is not None:
        request = replace(request, data=data)
    options.setdefault("trials", 12)
    return search(request, *rest, compress=fake.compress, train_first=fake.train_first, **options)


def outcomes(found: Searched) -> list[dict[str, Any]]:
    """What a search found, but for how long it took."""
    return [trial.model_dump(exclude={"seconds"}) for trial in found.trials]


# What a search finds.


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_finds_a_smaller_model_than_the_declared_one_within_the_budget(tmp_path: Path, seed: int) -> None:
    fake = FakePipeline()
    found = run(tmp_path / "out", fake, seed=seed, trials=30)
    declared = found.trials[0]
    assert fake.ran[0] == {"sparsity": 0.8, "rate": 1e-4, "clusters": 16}
    assert fake.trained == 1
    assert len(fake.ran) == 30
    assert found.best is not None
    assert found.best.held
    assert found.best.gzip is not None
    assert declared.gzip is not None
    assert found.best.gzip < 0.9 * declared.gzip
    assert found.best == min((trial for trial in found.trials if trial.held), key=lambda trial: trial.costs)


def test_the_folder_holds_the_best_and_everything_that_was_tried(tmp_path: Path) -> None:
    found = run(tmp_path / "out")
    folder = tmp_path / "out"
    assert sorted(path.name for path in folder.iterdir()) == [
        "best.yaml",
        "model.tflite",
        "report.json",
        "search.html",
        "search.json",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    best = found.best
    assert best is not None
    passes = lower(parse((folder / "best.yaml").read_text())).compression
    assert passes[0].options["sparsity"] == best.values["sparsity"]
    assert passes[1].options["clusters"] == best.values["clusters"]
    assert "# shared values" in (folder / "best.yaml").read_text()
    made = {"sparsity": best.values["sparsity"], "rate": best.values["learning_rate"]}
    assert (folder / "model.tflite").read_bytes() == repr({**made, "clusters": best.values["clusters"]}).encode()
    assert load_search(folder / "search.json") == found.report
    assert found.report.trial(found.report.best) == best


def test_the_same_seed_gives_the_same_search_and_another_one_another(tmp_path: Path) -> None:
    one, same, other = (run(tmp_path / name, seed=seed) for name, seed in (("a", 5), ("b", 5), ("c", 6)))
    assert outcomes(one) == outcomes(same)
    assert outcomes(one)[1:] != outcomes(other)[1:]


def test_a_bound_on_the_size_alone_asks_for_the_most_accurate(tmp_path: Path) -> None:
    found = run(tmp_path / "out", budget=Budget(gzip_ratio=16), trials=20)
    assert found.best is not None
    assert found.best.gzip_ratio is not None
    assert found.best.gzip_ratio >= 16
    held = [trial.drop for trial in found.trials if trial.held]
    assert found.best.drop == min(drop for drop in held if drop is not None)


def test_without_any_bound_a_point_of_a_hundred_may_be_lost(tmp_path: Path) -> None:
    found = run(tmp_path / "out", budget=Budget())
    assert found.report.bounds == {"accuracy_drop": 0.01}


def test_where_no_trial_holds_the_budget_the_nearest_is_written(tmp_path: Path) -> None:
    found = run(tmp_path / "out", budget=Budget(accuracy_drop=0.0, gzip_ratio=25))
    assert found.best is None
    nearest = found.report.trial(found.report.nearest)
    assert nearest == nearest_of(found.trials)
    assert (tmp_path / "out" / "best.yaml").is_file()
    assert "No trial holds the budget" in (tmp_path / "out" / "search.html").read_text()


def test_settings_that_cannot_be_small_enough_are_skipped_with_the_reason(tmp_path: Path) -> None:
    fake = FakePipeline()
    found = run(tmp_path / "out", fake, budget=Budget(accuracy_drop=0.05, gzip_ratio=18), trials=10)
    skipped = [trial for trial in found.trials if trial.status == "skipped"]
    assert skipped
    assert all("gzip_ratio is predicted to be" in (trial.reason or "") for trial in skipped)
    # Sparsity is what decides: what was skipped is less sparse than most of what was run.
    assert max(trial.values["sparsity"] for trial in skipped) < sorted(ran["sparsity"] for ran in fake.ran)[-3]
    assert len(fake.ran) == 10


# What ends it.


def test_a_space_of_few_settings_is_tried_whole(tmp_path: Path) -> None:
    text = BLUEPRINT.replace(
        "sparsity: $sparsity}", "sparsity: $sparsity, search: {sparsity: [0.8], learning_rate: [1e-4]}}"
    ).replace("clusters: 16}", "clusters: 16, search: {clusters: [8, 16, 32]}}")
    fake = FakePipeline()
    found = run(tmp_path / "out", fake, text)
    assert sorted(ran["clusters"] for ran in fake.ran) == [8, 16, 32]
    assert found.report.stopped == "no setting is left that is worth a trial"


def test_it_ends_when_the_front_does_not_move(tmp_path: Path) -> None:
    class Same(FakePipeline):
        def compress(self, request: Any, *, progress: Any = None) -> Any:
            done = super().compress(request, progress=progress)
            return Compressed(done.folder, fake_report(40_000, 0.98))

    found = run(tmp_path / "out", Same(), patience=4, trials=50)
    assert len(found.trials) == 5
    assert found.report.stopped == "4 trials have not moved the front"
    assert [trial.number for trial in found.front] == [1]


def test_no_trial_is_begun_once_the_time_is_over(tmp_path: Path) -> None:
    found = run(tmp_path / "out", timeout=0.0)
    assert len(found.trials) == 1
    assert found.report.stopped == "the time was over"


def test_progress_tells_of_every_trial(tmp_path: Path) -> None:
    told: list[SearchProgress] = []
    found = run(tmp_path / "out", trials=5, progress=told.append)
    ended = [one for one in told if one.trial is not None]
    assert [one.number for one in ended] == [1, 2, 3, 4, 5]
    assert [one.trial for one in ended] == list(found.trials)
    assert ended[-1].best == found.best
    assert ended[-1].seconds_left == 0
    assert all((one.seconds_left or 0) >= 0 for one in ended)


# What goes wrong.


def test_a_setting_that_fails_is_recorded_and_the_search_goes_on(tmp_path: Path) -> None:
    killed = WorkerError(Diagnostic("GB801", "SIGSEGV in tflite.convert"), task="tflite.convert", signal_name="SIGSEGV")
    problems = iter([None, killed, None, failure("few values are not fit for it"), *[None] * 20])
    found = run(tmp_path / "out", FakePipeline(fails=lambda _: next(problems)))
    assert [(trial.number, trial.reason) for trial in found.trials if trial.status == "failed"] == [
        (2, "SIGSEGV in tflite.convert"),
        (4, "few values are not fit for it"),
    ]
    assert len(found.trials) == 12
    assert found.best is not None
    assert "few values are not fit for it" in (tmp_path / "out" / "search.html").read_text()


def test_where_every_setting_fails_the_search_ends_with_the_reason(tmp_path: Path) -> None:
    fake = FakePipeline(fails=lambda _: failure())
    with pytest.raises(BlueprintError, match="the first 3 trials failed, the last because a node is not fit for it"):
        run(tmp_path / "out", fake)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "problem",
    [
        WorkerError(Diagnostic("GB804", "the work was stopped"), task="compress.stages"),
        MissingError(Diagnostic("GB602", "the disk is full")),
        KeyboardInterrupt(),
    ],
)
def test_what_is_not_the_settings_fault_ends_the_search_and_keeps_it(tmp_path: Path, problem: BaseException) -> None:
    waiting = iter([None, None, problem])
    with pytest.raises(type(problem)):
        run(tmp_path / "out", FakePipeline(fails=lambda _: next(waiting)))
    assert SearchState(tmp_path / "out").exists()
    assert outcomes(run(tmp_path / "out", resume=True)) == outcomes(run(tmp_path / "whole"))


def test_a_model_that_nothing_judges_cannot_be_searched(tmp_path: Path) -> None:
    class Unjudged(FakePipeline):
        def compress(self, request: Any, *, progress: Any = None) -> Any:
            return Compressed(request.folder, fake_report(40_000, None))

    with pytest.raises(BlueprintError, match="no output is judged by a metric"):
        run(tmp_path / "out", Unjudged())


def test_data_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    def train_first(request: Any, *, progress: Any = None) -> Path:
        raise BlueprintError(Diagnostic("GB705", "image has another shape"))

    wanted = asked(tmp_path / "out")
    with pytest.raises(BlueprintError, match="GB705"):
        search(*wanted.arguments(), compress=FakePipeline().compress, train_first=train_first)
    assert list(tmp_path.iterdir()) == []


def test_optuna_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingError, match=r"pip install graphbuilder\[search\]"):
        run(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


# Going on after a break.


class _Killed(BaseException):
    """What nothing catches, like a kill."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Searched, Path]:
    """A search that nothing interrupted, and its folder."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    return run(folder, seed=3), folder


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 20))])
def test_a_search_that_was_killed_anywhere_goes_on_as_if_nothing_had_happened(
    tmp_path: Path, whole: tuple[Searched, Path], seed: int
) -> None:
    draw = random.Random(seed)
    kills = 0
    folder = tmp_path / "out"
    for _ in range(200):
        left = [draw.randrange(1, 30)]

        def tick(_: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise _Killed

        with pytest.MonkeyPatch.context() as patch:
            _kill_around_writes(patch, tick)
            try:
                found = run(folder, FakePipeline(interrupt=tick), seed=3, resume=True)
                break
            except _Killed:
                kills += 1
                journal = SearchState(folder).journal
                if journal.is_file() and draw.random() < 0.5:
                    with journal.open("ab") as file:
                        file.write(b'{"op_code":5,"worker_id":"x","tri')
    else:
        pytest.fail("it never came to an end")
    assert kills
    assert outcomes(found) == outcomes(whole[0])
    assert (folder / "best.yaml").read_bytes() == (whole[1] / "best.yaml").read_bytes()
    assert not SearchState(folder).path.exists()


def _kill_around_writes(patch: pytest.MonkeyPatch, tick: Callable[[str], None]) -> None:
    """Lets the search die before and after every line of its journal."""
    from optuna.storages.journal import JournalFileBackend

    append = JournalFileBackend.append_logs

    def killed(self: Any, logs: list[dict[str, Any]]) -> None:
        tick("before a line")
        append(self, logs)
        tick("behind a line")

    patch.setattr(JournalFileBackend, "append_logs", killed)


def test_going_on_needs_to_be_asked_for(tmp_path: Path) -> None:
    waiting = iter([None, KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", FakePipeline(fails=lambda _: next(waiting)))
    with pytest.raises(CommandError, match="keeps a search that was interrupted"):
        run(tmp_path / "out")
    fake = FakePipeline()
    run(tmp_path / "out", fake, force=True)
    assert len(fake.ran) == 12


def test_a_search_goes_on_only_as_the_one_that_it_was(tmp_path: Path) -> None:
    waiting = iter([None, KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", FakePipeline(fails=lambda _: next(waiting)))
    for changed, told in (
        ({"seed": 1}, "seed was 0 and is 1 now"),
        ({"data": "other.npz"}, "data was digits and is other.npz now"),
        ({"budget": Budget(accuracy_drop=0.02)}, "the budget is no longer what it was"),
        ({"text": BLUEPRINT.replace("clusters: 16", "clusters: 32")}, "the passes is no longer what it was"),
        ({"text": BLUEPRINT.replace("units: 64", "units: 65")}, "the model is no longer what it was"),
    ):
        with pytest.raises(BlueprintError, match=told):
            run(tmp_path / "out", resume=True, **changed)
    # More trials are no other search.
    assert len(run(tmp_path / "out", resume=True, trials=14).trials) == 14


def test_two_searches_for_one_folder_do_not_meet(tmp_path: Path) -> None:
    state = SearchState(tmp_path / "out")
    with state.alone(), pytest.raises(CommandError, match="another process is searching"):
        run(tmp_path / "out", resume=True)


def test_nothing_but_an_earlier_search_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(CommandError, match="exists already and is not empty"):
        run(folder, force=True)
    shutil.rmtree(folder)
    run(folder)
    with pytest.raises(CommandError, match="--force to replace it"):
        run(folder)
    found = run(folder, force=True, seed=1)
    assert load_search(folder / "search.json") == found.report


# The journal.


_SEEN: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("pickle.find_class", "os.system", "os.exec", "os.posix_spawn", "subprocess.Popen"):
        _SEEN.append(event)


_DISTRIBUTION = '{"name": "os.system", "attributes": {"command": "true"}}'
_PARAM = {"trial_id": 0, "param_name": "sparsity", "param_value_internal": 0.1, "distribution": _DISTRIBUTION}
_PICKLE = pickle.dumps(failure)
_STUDY = {"study_name": "b", "directions": [1, 1], "user_attrs": {"__reduce__": ["os.system", ["true"]]}}


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"op_code": 5, "worker_id": "x", **_PARAM}).encode(),
        json.dumps({"op_code": 8, "worker_id": "x", "trial_id": 0, "user_attr": {"outcome": "os.system"}}).encode(),
        json.dumps({"op_code": 9, "worker_id": "x", "trial_id": 0, "system_attr": {"cma": _PICKLE.hex()}}).encode(),
        json.dumps({"op_code": 0, "worker_id": "x", **_STUDY}).encode(),
        json.dumps({"op_code": 99, "worker_id": "x", "__class__": "os.system"}).encode(),
        _PICKLE.replace(b"\n", b""),
        b"!!python/object/apply:os.system [true]",
    ],
)
def test_reading_a_journal_runs_nothing(tmp_path: Path, line: bytes) -> None:
    """Whatever stands in it is data or an error: nothing is unpickled, and no process is started."""
    waiting = iter([None, None, KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", FakePipeline(fails=lambda _: next(waiting)))
    with SearchState(tmp_path / "out").journal.open("ab") as file:
        file.write(line + b"\n")
    # An audit hook stays for good; it sees every event and hears only these.
    sys.addaudithook(_watch)
    _SEEN.clear()
    with contextlib.suppress(BlueprintError):
        run(tmp_path / "out", resume=True, trials=3)
    assert _SEEN == []


def test_a_journal_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    waiting = iter([None, KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", FakePipeline(fails=lambda _: next(waiting)))
    journal = SearchState(tmp_path / "out").journal
    journal.write_bytes(b"not JSON\n" + journal.read_bytes())
    with pytest.raises(BlueprintError, match=r"GB723 the journal of the search cannot be read: JSONDecodeError"):
        run(tmp_path / "out", resume=True)


# What is best.


def trial(number: int, gzip: int, drop: float, *, held: bool = True, found: float = 0.02) -> TrialFacts:
    facts = BudgetFacts(name="accuracy_drop", asked=0.01, found=found, held=held)
    return TrialFacts(number=number, values={"x": 1}, status="done", gzip=gzip, drop=drop, budget=(facts,))


def test_the_front_is_what_nothing_beats() -> None:
    trials = [trial(1, 50, 0.0), trial(2, 40, 0.01), trial(3, 45, 0.02), trial(4, 40, 0.01), trial(5, 30, 0.05)]
    skipped = TrialFacts(number=6, values={}, status="skipped", reason="too large")
    assert [one.number for one in pareto_front([*trials, skipped])] == [5, 2, 1]


def test_the_best_is_the_smallest_that_holds_and_the_nearest_misses_least() -> None:
    trials = [trial(1, 50, 0.0), trial(2, 40, 0.01), trial(3, 30, 0.03, held=False), trial(4, 40, 0.005)]
    best = best_of(trials, Budget(accuracy_drop=0.01))
    assert best is not None
    assert best.number == 4
    by_size = best_of(trials, Budget(gzip_bytes=60))
    assert by_size is not None
    assert by_size.number == 1
    missed = [trial(1, 20, 0.03, held=False, found=0.03), trial(2, 30, 0.02, held=False, found=0.02)]
    assert best_of(missed, Budget(accuracy_drop=0.01)) is None
    nearest = nearest_of(missed)
    assert nearest is not None
    assert nearest.number == 2


def test_the_page_runs_nothing_and_shows_every_trial(tmp_path: Path) -> None:
    found = run(tmp_path / "out")
    odd = found.report.model_copy(update={"name": "<script>alert(1)</script>"})
    page = search_html(odd)
    tags: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            assert not {name for name, _ in attrs} & {"src", "href", "onload", "onclick"}

    Tags().feed(page)
    assert not tags & {"script", "link", "img", "iframe", "object"}
    # One disaster must neither leave the frame nor press the others flat.
    worst = found.trials[-1].model_copy(update={"drop": 0.9, "number": 99})
    plot = front_plot(found.report.model_copy(update={"trials": (*found.trials, worst)}))
    assert plot is not None
    root = ElementTree.fromstring(plot)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    heights = []
    for element in root.iter():
        for name, limit in (
            ("x1", width),
            ("x2", width),
            ("y1", height),
            ("y2", height),
            ("cx", width),
            ("cy", height),
        ):
            if name in element.attrib:
                assert 0 <= float(element.attrib[name]) <= limit
        if "cy" in element.attrib:
            heights.append(float(element.attrib["cy"]))
    assert max(heights) - sorted(heights)[1] > 0.3 * height
    plot = front_plot(found.report)
    assert plot is not None
    assert plot.count("<circle") == len(found.trials)
    assert plot.count('class="point"') == len(found.front)


# The real thing.

SMALL = """
blueprint: 1
name: small
inputs:
  image: {shape: [8, 8, 1], modality: image}
nodes:
  conv: {layer: Conv2D, filters: 8, kernel_size: 3, activation: relu}
  flat: {layer: Flatten}
  hidden: {layer: Dense, units: 32, activation: relu}
  scores: {layer: Dense, units: 10, activation: softmax}
compression:
  - {pass: prune, sparsity: 0.6, search: {sparsity: [0.5, 0.9], learning_rate: [1e-3]}}
  - {pass: quantize}
training:
  optimizer: {adam: {learning_rate: 1e-3}}
  loss: sparse_categorical_crossentropy
  metrics: [accuracy]
  epochs: 2
  batch_size: 64
"""
SEARCH = """
import sys
from pathlib import Path
from graphbuilder.api import load, lower
from graphbuilder.backend.compression_run import CompressionRequest
from graphbuilder.cli.compress_search import SearchOptions, run_search
from graphbuilder.cli.options import OutputFormat
from graphbuilder.compression.budget import Budget

file, folder, resume = Path(sys.argv[1]), Path(sys.argv[2]), len(sys.argv) > 3
request = CompressionRequest(file, lower(load(file)), "digits", folder, {}, resume=resume)
sys.exit(run_search(request, Budget(accuracy_drop=0.05), SearchOptions(trials=3), OutputFormat.TEXT))
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_search_that_is_killed_and_resumed_gives_what_an_uninterrupted_one_gives(tmp_path: Path) -> None:
    """Compressions that really run, and SIGKILL to the whole of it."""
    file = tmp_path / "small.yaml"
    file.write_text(SMALL)

    def begin(folder: Path, *more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SEARCH, str(file), str(folder), *more]
        return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    whole = begin(tmp_path / "whole")
    said, told = whole.communicate(timeout=600)
    assert whole.returncode == 0, told
    assert "best is trial" in said
    killed = begin(tmp_path / "out")
    assert killed.stderr is not None
    for line in killed.stderr:
        if line.startswith("1/3"):
            break
    # Some way into the second trial.
    time.sleep(4)
    killed.kill()
    killed.communicate()
    assert not (tmp_path / "out").exists()
    again = begin(tmp_path / "out", "--resume")
    _, told = again.communicate(timeout=600)
    assert again.returncode == 0, told
    assert "1/3" not in told
    one, other = (load_search(tmp_path / name / "search.json") for name in ("whole", "out"))
    untimed = {"seconds", "latency_ms"}
    assert [trial.model_dump(exclude=untimed) for trial in other.trials] == [
        trial.model_dump(exclude=untimed) for trial in one.trials
    ]
    best = other.trial(other.best)
    assert best is not None
    folder = tmp_path / "out"
    assert best.gzip == file_size(folder / "model.tflite").gzip
    assert (folder / "model.tflite").read_bytes() == (tmp_path / "whole" / "model.tflite").read_bytes()
    assert lower(load(folder / "best.yaml")).compression[0].options["sparsity"] == best.values["sparsity"]
    assert load_report(folder / "report.json").budget[0].held
