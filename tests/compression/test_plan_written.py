"""A plan that was written is read back as it was, and what is planned otherwise is told in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.api import check, parse
from graphbuilder.compression.passes import Cluster, LowRank, Prune, Quantize
from graphbuilder.compression.plan import plan_compression
from graphbuilder.compression.plan_data import plan_data, plan_differences, read_plan, require_plan
from graphbuilder.errors import BlueprintError
from graphbuilder.graph import Graph
from graphbuilder.text import to_json
from tests.compression.test_plan import NODES, graph_of

BLUEPRINTS = Path(__file__).parent.parent.parent / "blueprints"
COMPRESSED = sorted(path.stem for path in BLUEPRINTS.glob("[!.]*.yaml") if "\ncompression:" in path.read_text())

wheres = st.sampled_from(
    [{}, {"nodes": "conv_*"}, {"layers": ["Dense"]}, {"except": ["conv_2", "head"]}, {"nodes": ["conv_1", "head"]}]
)
structures = st.sampled_from(["unstructured", {"block": [2, 2]}, {"block": [1, 2], "pooling": "max"}])
schedules = st.sampled_from(["constant", "polynomial", {"polynomial": {"initial": 0.1, "end": 0.5}}])
shares = st.floats(0.05, 0.95)
common = {"where": wheres, "preserve": st.sampled_from(["auto", "none"]), "epochs": st.integers(0, 9)}
passes = st.one_of(
    st.fixed_dictionaries(
        {"pass": st.just("prune"), "sparsity": shares},
        optional={**common, "structure": structures, "schedule": schedules},
    ),
    st.fixed_dictionaries({"pass": st.just("prune"), "structure": st.just("2:4")}, optional=common),
    st.fixed_dictionaries({"pass": st.just("cluster"), "clusters": st.integers(2, 30)}, optional=common),
    st.fixed_dictionaries({"pass": st.just("low_rank"), "energy": shares}, optional=common),
    st.fixed_dictionaries({"pass": st.just("quantize")}, optional=common),
    st.fixed_dictionaries({"pass": st.just("quantize"), "scheme": st.sampled_from(["dynamic", "float16", "int16x8"])}),
)


def written_again(graph: Graph, folder: Path) -> tuple[dict[str, Any], Any]:
    """The plan of a graph, and the same as it is written and read."""
    data = plan_data(plan_compression(graph)[0], graph)
    path = folder / "plan.json"
    path.write_text(to_json(data))
    return data, read_plan(path)


@pytest.mark.parametrize("name", COMPRESSED)
def test_the_plans_of_the_shipped_blueprints_are_read_back_as_written(name: str, tmp_path: Path) -> None:
    graph = check(BLUEPRINTS / f"{name}.yaml").graph
    assert graph is not None
    data, read = written_again(graph, tmp_path)
    assert read == data
    assert plan_differences(read, data) == ()
    require_plan(tmp_path / "plan.json", plan_compression(graph)[0], graph)


@given(st.lists(passes, min_size=1, max_size=3), st.lists(passes, min_size=1, max_size=3))
def test_a_plan_differs_from_itself_in_nothing_and_from_others_in_something(
    tmp_path_factory: pytest.TempPathFactory, one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("plans")
    data, read = written_again(_declaring(one), folder)
    assert read == data
    assert plan_differences(read, data) == ()
    another, _ = written_again(_declaring(other), folder)
    ignored = ("plan", "model", "predicted")
    same = _without_reasons([value for key, value in data.items() if key not in ignored]) == _without_reasons(
        [value for key, value in another.items() if key not in ignored]
    )
    assert (plan_differences(read, another) == ()) == same


def _declaring(passes: list[dict[str, Any]]) -> Graph:
    """The graph, whether its passes are right or not: a plan is made of what is right in them."""
    from graphbuilder.api import lower

    document = {"blueprint": 1, "inputs": {"image": {"shape": [12, 12, 3]}}, "nodes": NODES, "compression": passes}
    return lower(parse(to_json(document), name="plan.json"))


def _without_reasons(value: Any) -> Any:
    """Plain data without what is not compared: the wording of reasons, verdicts, and what was left out."""
    if isinstance(value, dict):
        return {k: _without_reasons(v) for k, v in value.items() if k not in ("reason", "fix", "verdict", "left_out")}
    return [_without_reasons(item) for item in value] if isinstance(value, list) else value


CLUSTER = {"pass": "cluster", "clusters": 16, "where": {"nodes": "conv_*"}}
PRUNE = {"pass": "prune", "sparsity": 0.5, "where": {"nodes": "conv_*"}}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (
            [CLUSTER],
            [{**CLUSTER, "overrides": {"conv_1": {"clusters": 32}}}],
            "stage 1, conv_1: clusters was 16 and is 32 now",
        ),
        (
            [CLUSTER],
            [{**CLUSTER, "initialization": "linear"}],
            "stage 1: initialization was 'kmeans++' and is 'linear' now",
        ),
        ([CLUSTER], [CLUSTER, {"pass": "quantize"}], "stage 2, quantize int8, aware in training, was not there"),
        ([PRUNE, CLUSTER], [PRUNE], "stage 2, cluster 16, is gone"),
        ([PRUNE], [CLUSTER], "stage 1 was prune 50 % and is cluster 16 now"),
        ([CLUSTER], [{**CLUSTER, "where": {"nodes": "conv_2"}}], "stage 1, conv_1: was changed and is not touched now"),
        ([{**CLUSTER, "where": {"nodes": "conv_2"}}], [CLUSTER], "stage 1, conv_1: was not touched and is changed now"),
        (
            [CLUSTER],
            [{**CLUSTER, "overrides": {"conv_1": {"clusters": 4000}}}],
            "stage 1, conv_1: was changed and is skipped now: it has 432 weights, and 4000 clusters were asked for",
        ),
        (
            [PRUNE, CLUSTER],
            [PRUNE, {**CLUSTER, "preserve": "none"}],
            "stage 2: no longer keeps what earlier passes made of conv_1, conv_2",
        ),
        (
            [PRUNE],
            [{**PRUNE, "structure": {"block": [1, 2]}}],
            "stage 1, conv_1: structure was null and is {block: [1, 2], pooling: 'average'} now",
        ),
    ],
)
def test_differences_are_told_in_words(
    before: list[dict[str, Any]], after: list[dict[str, Any]], words: str, tmp_path: Path
) -> None:
    _, written = written_again(graph_of(*before), tmp_path)
    graph = graph_of(*after)
    plan = plan_compression(graph)[0]
    assert words in plan_differences(written, plan_data(plan, graph))
    with pytest.raises(BlueprintError) as raised:
        require_plan(tmp_path / "plan.json", plan, graph)
    found = raised.value.diagnostics
    assert {one.code for one in found} == {"GB819"}
    assert words in [one.message for one in found]
    assert all(one.position is not None and one.hint for one in found)


def test_a_difference_stands_at_what_was_written(tmp_path: Path) -> None:
    _, _ = written_again(graph_of(CLUSTER), tmp_path)
    graph = graph_of({**CLUSTER, "overrides": {"conv_2": {"clusters": 8}}})
    with pytest.raises(BlueprintError) as raised:
        require_plan(tmp_path / "plan.json", plan_compression(graph)[0], graph)
    (found,) = raised.value.diagnostics
    assert found.position is not None
    line = (tmp_path / "plan.json").read_text().splitlines()[found.position.line - 1]
    assert line[found.position.column - 1 : found.position.end_column - 1] == "16"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "GB1"),
        ("[1, 2]", "GB818 it is no plan of a compression"),
        ('{"model": "m"}', "GB818 it is no plan of a compression"),
        ('{"plan": 99, "model": "m", "stages": []}', "GB818 the plan is of version 99; expected version 1"),
        ('{"plan": 1, "stages": []}', "GB818 model is missing"),
        ('{"plan": 1, "model": "m", "stages": [{"stage": "one"}]}', "GB818 stages.0.stage is wrong"),
        ('{"plan": 1, "model": "m", "stages": [7]}', "GB818 stages.0 is wrong"),
    ],
)
def test_what_is_no_plan_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(BlueprintError) as raised:
        read_plan(path)
    assert message in str(raised.value)
    assert raised.value.diagnostics[0].position is not None


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BlueprintError, match="GB101"):
        read_plan(tmp_path / "none.json")


def test_every_option_of_every_pass_is_compared() -> None:
    compared = {key for kind in (Prune, Cluster, Quantize, LowRank) for key in kind.model_fields}
    graph = graph_of({"pass": "prune", "sparsity": 0.5}, {"pass": "cluster", "clusters": 8}, {"pass": "quantize"})
    thin = graph_of({"pass": "low_rank", "energy": 0.9})
    stages = [
        *plan_data(plan_compression(graph)[0], graph)["stages"],
        *plan_data(plan_compression(thin)[0], thin)["stages"],
    ]
    found = {key for stage in stages for key in stage["options"]}
    assert compared - found == {"where", "overrides", "search", "about"}
