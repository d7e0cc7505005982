"""Budgets: which bounds are held, what is said of those that are not, and where they may come from."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.api import check, lower, parse
from graphbuilder.blueprint.budget_bounds import BOUNDS, expected_bound
from graphbuilder.compression.budget import Budget, budget_of, less_is_better, parse_budget
from graphbuilder.compression.report import Accuracy, Artifact, LatencyFacts, Report, Stage, load_report, save_report
from graphbuilder.errors import BlueprintError, CommandError
from tests.support.reports import sample_report

BLUEPRINT = """
blueprint: 1
params: {most: 2.0}
inputs: {x: {shape: [64]}}
nodes:
  hidden: {layer: Dense, units: 32, activation: relu}
  scores: {layer: Dense, units: 10, activation: softmax}
training: {optimizer: adam, loss: sparse_categorical_crossentropy}
compression:
  - {pass: prune, sparsity: 0.8}
  - {pass: quantize}
budget: {accuracy_drop: 0.01, gzip_ratio: 14, latency_ms: $most, raw_bytes: null, about: for the phone}
"""


def report(
    *,
    metric: str = "accuracy",
    lite: tuple[float | None, ...] = (0.9889, 0.9889, 0.9711),
    gzip: tuple[int | None, ...] = (560_000, 100_000, 40_000),
    raw: int = 160_000,
    latency: float | None = 1.5,
) -> Report:
    """A float model, and what prune and quantize made of it."""
    names = ((None, "as trained"), ("prune", "prune 80 %"), ("quantize", "quantize int8"))
    stages = []
    for number, ((declared, name), good, size) in enumerate(zip(names, lite, gzip, strict=True)):
        artifact = Artifact(path="m.tflite", kind="tflite", raw=600_000 if number < 2 else raw, gzip=size or 0)
        timed = None
        if latency is not None:
            timed = LatencyFacts(
                median=latency, p90=2 * latency, runs=50, warm_up=5, batch=1, threads=1, cores=2, runtime="r",
                delegate=False,
            )  # fmt: skip
        stages.append(
            Stage(
                name=name,
                pass_name=declared,
                artifacts=() if size is None else (artifact,),
                accuracy=(Accuracy(output="scores", metric=metric, keras=0.99, lite=good, samples=450),),
                latency=timed,
            )
        )
    return Report(name="digits", stages=tuple(stages))


@pytest.mark.parametrize(
    ("bound", "value", "held"),
    [
        ("accuracy_drop", 0.0178, True),
        ("accuracy_drop", 0.0177, False),
        ("gzip_ratio", 14, True),
        ("gzip_ratio", 14.01, False),
        ("raw_ratio", 3.75, True),
        ("raw_ratio", 3.76, False),
        ("gzip_bytes", 40_000, True),
        ("gzip_bytes", 39_999, False),
        ("raw_bytes", 160_000, True),
        ("raw_bytes", 159_999, False),
        ("latency_ms", 1.5, True),
        ("latency_ms", 1.49, False),
    ],
)
def test_a_bound_is_held_up_to_its_very_value(bound: str, value: float, held: bool) -> None:
    budget = Budget(**{bound: value})  # type: ignore[arg-type]  # the bounds' types differ
    (facts,) = budget.judged(report())
    assert (facts.name, facts.asked, facts.held) == (bound, value, held)
    assert bool(budget.missed(report())) is not held


@pytest.mark.parametrize(("drop", "held"), [(0.03, True), (0.029, False)])
def test_where_less_is_better_a_rise_is_what_is_lost(drop: float, held: bool) -> None:
    made = report(metric="mean_absolute_error", lite=(0.10, 0.10, 0.13))
    assert Budget(accuracy_drop=drop).judged(made)[0].held is held
    better = report(metric="mean_absolute_error", lite=(0.13, 0.13, 0.10))
    assert Budget(accuracy_drop=0).judged(better)[0].found == pytest.approx(-0.03)


@pytest.mark.parametrize(
    ("metric", "less"),
    [
        ("accuracy", False),
        ("binary_accuracy", False),
        ("auc", False),
        ("mean_absolute_error", True),
        ("mean_squared_error", True),
        ("loss", True),
        ("categorical_crossentropy", True),
    ],
)
def test_which_metrics_tell_how_wrong_a_model_is(metric: str, less: bool) -> None:
    assert less_is_better(metric) is less


@pytest.mark.parametrize(
    ("bound", "changed", "reason"),
    [
        ("accuracy_drop", {"lite": (0.9, 0.9, None)}, "accuracy of the last stage was not measured"),
        ("accuracy_drop", {"lite": (None, 0.9, 0.9)}, "accuracy of the first stage was not measured"),
        ("gzip_ratio", {"gzip": (None, 1, 1)}, "the first stage has no .tflite file"),
        ("raw_bytes", {"gzip": (1, 1, None)}, "the last stage has no .tflite file"),
        ("latency_ms", {"latency": None}, "the last stage was not timed"),
    ],
)
def test_what_was_not_measured_holds_nothing(bound: str, changed: dict[str, Any], reason: str) -> None:
    budget = Budget(**{bound: 1})  # type: ignore[arg-type]  # the bounds' types differ
    (found,) = budget.missed(report(**changed))
    assert found.code == "GB841"
    assert found.message.startswith(f"{bound} was not measured: {reason}")
    assert found.message.endswith("budget 1")


def test_a_model_that_nothing_judges_holds_no_drop() -> None:
    bare = report().model_copy(update={"stages": (Stage(name="as trained"), Stage(name="prune 80 %"))})
    (found,) = Budget(accuracy_drop=1.0).missed(bare)
    assert "no output is judged by a metric" in found.message


def test_a_measure_that_is_no_number_holds_nothing() -> None:
    assert not Budget(accuracy_drop=0.5).judged(report(lite=(0.9, 0.9, math.nan)))[0].held


def test_a_miss_says_both_numbers_and_which_pass_to_weaken() -> None:
    (found,) = Budget(accuracy_drop=0.01).missed(report())
    assert found.message == "accuracy_drop is 0.0178 (0.9889 → 0.9711), budget 0.01"
    assert found.hint is not None
    assert found.hint.startswith("quantize int8 loses most (0.0178)")
    (found,) = Budget(accuracy_drop=0.01).missed(report(lite=(0.9889, 0.9500, 0.9600)))
    assert found.hint is not None
    assert found.hint.startswith("prune 80 % loses most (0.0389): ask it for less sparsity")
    (found,) = Budget(gzip_ratio=20).missed(report())
    assert found.message == "gzip_ratio is 14 (560.0 kB → 40.0 kB), budget 20"
    (found,) = Budget(gzip_bytes=39_000).missed(report())
    assert found.message == "gzip_bytes is 40,000 (40.0 kB), budget 39,000"


def test_a_blueprint_sets_bounds_and_the_command_line_wins() -> None:
    graph = lower(parse(BLUEPRINT, name="phone.yaml"))
    assert budget_of(graph) == Budget(accuracy_drop=0.01, gzip_ratio=14, latency_ms=2.0)
    given = parse_budget(["gzip_ratio=20", "latency_ms=null", "raw_bytes = 1000"])
    assert budget_of(graph, given) == Budget(accuracy_drop=0.01, gzip_ratio=20, raw_bytes=1000)
    with_param = lower(parse(BLUEPRINT, name="phone.yaml"), {"most": 3})
    assert budget_of(with_param).latency_ms == 3


def test_a_miss_stands_where_its_bound_does() -> None:
    graph = lower(parse(BLUEPRINT, name="phone.yaml"))
    drop, ratio = budget_of(graph, parse_budget(["gzip_ratio=20"])).missed(report())
    assert drop.place == "phone.yaml:12:25"
    assert ratio.place == "graphbuilder"


def test_without_a_budget_nothing_is_missed() -> None:
    graph = lower(parse(BLUEPRINT.replace("budget:", "# budget:")))
    assert graph.budget is None
    assert budget_of(graph).missed(report()) == ()


def test_bounds_that_params_make_wrong_are_told_before_anything_runs() -> None:
    document = parse(BLUEPRINT, name="phone.yaml")
    checked = check(document, {"most": 0})
    assert [str(found) for found in checked.diagnostics] == [
        "phone.yaml:12:59: GB203 latency_ms is 0; expected a number above 0"
    ]
    with pytest.raises(BlueprintError, match="latency_ms is 0"):
        budget_of(lower(document, {"most": 0}))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("gzip_ratio", "is not of the form NAME=VALUE"),
        ("=3", "is not of the form NAME=VALUE"),
        ("gzip_rato=3", "did you mean gzip_ratio"),
        ("gzip_ratio=-3", "gzip_ratio is -3; expected a number above 0"),
        ("gzip_bytes=1.5", "gzip_bytes is 1.5; expected an integer of at least 1"),
        ("latency_ms=true", "latency_ms is true; expected a number above 0"),
        ("accuracy_drop=[", "GB104"),
    ],
)
def test_a_bound_that_cannot_be_is_refused_on_the_command_line(written: str, message: str) -> None:
    with pytest.raises(CommandError, match=message.replace("(", r"\(")):
        parse_budget([written])


def test_percent_is_no_drop_of_an_accuracy() -> None:
    graph = lower(parse(BLUEPRINT))
    with pytest.raises(CommandError, match="an accuracy is never above 1"):
        budget_of(graph, {"accuracy_drop": 1})
    numbers = lower(parse(BLUEPRINT.replace("sparse_categorical_crossentropy", "mean_absolute_error")))
    assert budget_of(numbers, {"accuracy_drop": 3}).accuracy_drop == 3


def test_the_verdict_is_kept_in_the_report(tmp_path: Any) -> None:
    judged = report().model_copy(update={"budget": Budget(accuracy_drop=0.01, gzip_ratio=10).judged(report())})
    again = load_report(save_report(judged, tmp_path / "report.json"))
    assert again == judged
    assert [(facts.name, facts.held) for facts in again.budget] == [("accuracy_drop", False), ("gzip_ratio", True)]


@given(st.sampled_from(list(BOUNDS)), st.floats(1e-3, 1e6), st.floats(1e-3, 1e6))
def test_a_looser_bound_is_held_wherever_a_tighter_one_is(name: str, one: float, other: float) -> None:
    """Of two bounds, the looser is the smaller ratio or the larger of everything else."""
    tight, loose = sorted((one, other), reverse=name.endswith("_ratio"))
    made = sample_report()
    held = [
        Budget(**{name: value}).judged(made)[0].held  # type: ignore[arg-type]  # the bounds' types differ
        for value in (tight, loose)
    ]
    assert held[1] or not held[0]


@given(st.sampled_from(list(BOUNDS)), st.one_of(st.integers(), st.floats(), st.booleans(), st.text(max_size=3)))
def test_a_bound_takes_the_same_numbers_wherever_it_is_written(name: str, value: Any) -> None:
    if isinstance(value, str) and "$" in value:
        return
    written = BLUEPRINT.partition("budget:")[0]
    source = parse(written).source.data
    from graphbuilder.blueprint import Blueprint

    accepted = expected_bound(name, value) is None
    try:
        Blueprint.model_validate({**source, "budget": {name: value}})
    except ValueError:
        assert not accepted
    else:
        assert accepted
