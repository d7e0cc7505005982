"""`compress --search` tells of every trial, writes what can be used again, and prints the space with `--dry-run`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from graphbuilder.api import check, load, lower
from graphbuilder.backend import compression_search
from graphbuilder.backend.compression_run import CompressionRequest
from graphbuilder.cli.compress_search import SearchOptions, best_files, print_space, run_search
from graphbuilder.cli.options import OutputFormat
from graphbuilder.compression.budget import Budget
from graphbuilder.compression.search_report import load_search
from graphbuilder.compression.search_space import Place
from graphbuilder.errors import BlueprintError, CommandError
from tests.support.searches import BLUEPRINT, FakePipeline


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    path = tmp_path / "digits.yaml"
    path.write_text(BLUEPRINT)
    return path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    """In the place of the compressions, of which each would take a minute."""
    made = FakePipeline()
    monkeypatch.setattr(compression_search, "run_compression", made.compress)
    monkeypatch.setattr(compression_search, "run_first", made.train_first)
    return made


def request(blueprint: Path, **options: Any) -> CompressionRequest:
    params = options.pop("params", {})
    graph = lower(load(blueprint), params)
    return CompressionRequest(blueprint, graph, "digits", blueprint.parent / "out", params, **options)


def test_every_trial_is_told_and_the_best_is_written(
    blueprint: Path, fake: FakePipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    budget, options = Budget(accuracy_drop=0.02), SearchOptions(trials=8)
    assert run_search(request(blueprint), budget, options, OutputFormat.TEXT) == 0
    said = capsys.readouterr()
    told = [line for line in said.err.splitlines() if "/8  " in line]
    assert len(told) == 8
    assert told[0].startswith("1/8  sparsity 0.8, learning_rate 0.0001, clusters 16  accuracy 0.9787 (drop 0.0102)")
    assert "best" in told[-1]
    assert "left" in told[0]
    assert "ended because 8 trials are done" in said.out
    assert max(len(line) for line in said.out.splitlines() if str(blueprint.parent) not in line) <= 80
    folder = blueprint.parent / "out"
    found = load_search(folder / "search.json")
    best = found.trial(found.best)
    assert best is not None
    passes = lower(load(folder / "best.yaml")).compression
    assert passes[0].options["sparsity"] == best.values["sparsity"]
    assert len(fake.ran) == 8


def test_json_is_what_the_file_says(blueprint: Path, fake: FakePipeline, capsys: pytest.CaptureFixture[str]) -> None:
    run_search(request(blueprint), Budget(accuracy_drop=0.02), SearchOptions(trials=3), OutputFormat.JSON)
    said = json.loads(capsys.readouterr().out)
    assert said == json.loads((blueprint.parent / "out" / "search.json").read_text())


def test_a_budget_that_no_trial_holds_fails_and_says_by_how_much(
    blueprint: Path, fake: FakePipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    budget = Budget(accuracy_drop=0.0, gzip_ratio=25)
    assert run_search(request(blueprint), budget, SearchOptions(trials=3), OutputFormat.TEXT) == 1
    said = capsys.readouterr().err
    assert "GB843 none of 3 trials holds the budget (accuracy_drop 0, gzip_ratio 25); trial" in said
    assert (blueprint.parent / "out" / "model.tflite").is_file()


def test_an_interrupted_search_says_how_to_go_on(
    blueprint: Path, fake: FakePipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = iter([None, None, KeyboardInterrupt()])
    fake.fails = lambda _: next(waiting)
    with pytest.raises(KeyboardInterrupt):
        run_search(request(blueprint), Budget(), SearchOptions(trials=4), OutputFormat.TEXT)
    assert "keeps all trials: the same command with --resume goes on" in capsys.readouterr().err
    fake.fails = lambda _: None
    assert run_search(request(blueprint, resume=True), Budget(), SearchOptions(trials=4), OutputFormat.TEXT) in (0, 1)
    assert len(load_search(blueprint.parent / "out" / "search.json").trials) == 4


def test_the_space_is_printed_and_nothing_is_touched(blueprint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = lower(load(blueprint))
    assert print_space(blueprint, graph, Budget(), SearchOptions(), OutputFormat.TEXT) == 0
    said = capsys.readouterr().out
    assert "  sparsity       1. prune    0.4 to 0.95       0.8\n" in said
    assert "  clusters       2. cluster  4, 8, 16, 32, 64  16\n" in said
    assert "  accuracy_drop 0.01, because nothing else is said\n" in said
    assert max(map(len, said.splitlines())) <= 80
    assert [path.name for path in blueprint.parent.iterdir()] == ["digits.yaml"]
    print_space(blueprint, graph, Budget(gzip_ratio=20), SearchOptions(per_node=True), OutputFormat.JSON)
    data = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in data["dimensions"]] == [
        "sparsity",
        "learning_rate",
        "sparsity of hidden",
        "clusters",
    ]
    assert data["predicted_gzip"]["smallest"] < data["predicted_gzip"]["declared"]
    with pytest.raises(CommandError, match="GB842"):
        print_space(blueprint, graph, Budget(gzip_ratio=500), SearchOptions(), OutputFormat.TEXT)


def test_what_is_imported_stands_beside_the_best(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "body.yaml").write_text(
        "blueprint: 1\nblocks:\n  body: {inputs: [x], nodes: {hidden: {layer: Dense, units: 64}}}\n"
    )
    text = BLUEPRINT.replace("inputs:\n  image", "imports: {mine: ./parts/body.yaml}\ninputs:\n  image").replace(
        "hidden: {layer: Dense, units: 64, activation: relu}", "hidden: {block: mine.body}"
    )
    blueprint = tmp_path / "digits.yaml"
    blueprint.write_text(text)
    files = best_files(load(blueprint), request(blueprint), {Place(1, ("clusters",)): 8})
    assert sorted(files) == ["best.yaml", "parts/body.yaml"]
    out = tmp_path / "out"
    for name, content in files.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(content)
    checked = check(out / "best.yaml")
    assert checked.ok, checked.diagnostics
    assert checked.graph is not None
    assert checked.graph.compression[1].options["clusters"] == 8


def test_params_that_were_set_become_the_defaults(blueprint: Path) -> None:
    files = best_files(load(blueprint), request(blueprint, params={"sparsity": 0.6}), {})
    assert b"sparsity: {default: 0.6, min: 0.05, max: 0.95}   # what becomes zero" in files["best.yaml"]


def test_a_text_that_cannot_be_edited_is_told_before_anything_is_trained(blueprint: Path, fake: FakePipeline) -> None:
    # One number, written once and meant twice.
    text = BLUEPRINT.replace("clusters: 16}", "clusters: &number 16}").replace(
        "pass: quantize}", "pass: quantize, samples: *number}"
    )
    blueprint.write_text(text)
    assert check(blueprint).ok
    with pytest.raises(BlueprintError, match="GB203 clusters is shared through &number"):
        run_search(request(blueprint), Budget(), SearchOptions(trials=2), OutputFormat.TEXT)
    assert fake.ran == []
    assert fake.trained == 0
