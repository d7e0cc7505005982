"""`align: auto` makes branches fit that Keras refuses; `align: none` refuses them and offers what auto would do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
import yaml

from graphbuilder.api import check, compile, lower
from graphbuilder.catalog import OpEntry
from graphbuilder.errors import Diagnostic
from graphbuilder.graph import Call, Graph
from tests.fusion.misfits import Misfit, misfits
from tests.fusion.models import STRATEGIES, document

# The mask of texts in several axes is lost where they become vectors, of which Keras warns.
pytestmark = pytest.mark.filterwarnings("ignore:.*input with a mask attached:UserWarning")

COMPILED = ("concat", "add", "gated", "cross_attention")
PARTS = 4


def node_of(misfit: Misfit, strategy: str, **options: Any) -> dict[str, Any]:
    """The fusion of a misfit; heads of width 1 are none."""
    heads = {"heads": 1} if strategy in ("cross_attention", "tokens", "bottleneck") else {}
    return {"fuse": strategy, "from": misfit.names, **heads, **options}


def graph_of(misfit: Misfit, node: dict[str, Any]) -> Graph | None:
    """The graph of one fusion, or None when it is refused."""
    return check(document(misfit.inputs, {**misfit.nodes, "merged": node})).graph


def test_there_are_two_hundred_misfits_of_all_kinds() -> None:
    found = misfits()
    kinds = [kind for misfit in found for kind in misfit.inputs.values()]
    assert len(found) == 200
    assert {len(misfit.branches) for misfit in found} == {2, 3}
    assert {len(kind["shape"]) for kind in kinds} == {0, 1, 2, 3, 4}
    assert {kind.get("modality") for kind in kinds} == {"image", "text", "audio", "video", "tabular", None}
    assert {kind.get("dtype", "float32") for kind in kinds} >= {
        "float32",
        "float16",
        "int32",
        "uint8",
        "bool",
        "string",
    }
    assert sum(None in kind["shape"] for kind in kinds) > 40
    assert sum(any(isinstance(axis, str) for axis in kind["shape"]) for kind in kinds) > 40


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_auto_makes_nearly_all_misfits_fit(strategy: str, record_property: Any) -> None:
    made = sum(graph_of(misfit, node_of(misfit, strategy)) is not None for misfit in misfits())
    record_property("fitting", f"{made} of {len(misfits())}")
    assert made / len(misfits()) >= 0.95


def compiled(strategy: str, part: int) -> None:
    """Compiles every misfit of a part that the check accepts, all in one model."""
    inputs: dict[str, Any] = {}
    nodes: dict[str, Any] = {}
    chosen = misfits()[part::PARTS]
    accepted = [misfit for misfit in chosen if graph_of(misfit, node_of(misfit, strategy)) is not None]
    assert len(accepted) / len(chosen) >= 0.9
    for number, misfit in enumerate(accepted):
        inputs |= misfit.inputs
        nodes |= misfit.nodes | {f"merged_{number}": node_of(misfit, strategy)}
    model = compile(document(inputs, nodes))
    assert len(model.outputs) == len(accepted)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("strategy", ["concat", "add", "gated"])
def test_what_auto_makes_fit_compiles(strategy: str, part: int) -> None:
    compiled(strategy, part)


def test_some_of_what_auto_makes_fit_attention_compiles() -> None:
    compiled("cross_attention", 0)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("strategy", [name for name in STRATEGIES if name not in ("concat", "add", "gated")])
def test_what_auto_makes_fit_compiles_with_every_strategy(strategy: str, part: int) -> None:
    compiled(strategy, part)


@pytest.mark.parametrize("strategy", COMPILED)
def test_what_auto_refuses_is_offered_a_way_that_compiles(strategy: str) -> None:
    refused = [misfit for misfit in misfits() if graph_of(misfit, node_of(misfit, strategy)) is None]
    assert refused
    for misfit in refused:
        compile(document(*_mended(misfit, node_of(misfit, strategy))))


def _mended(misfit: Misfit, node: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs and nodes after doing what the hints say, as often as one is told."""
    inputs, nodes = misfit.inputs, {**misfit.nodes, "merged": dict(node)}
    for _ in range(2 * len(misfit.branches)):
        errors = check(document(inputs, nodes)).errors
        if not errors:
            return inputs, nodes
        (error,) = errors
        assert error.hint is not None
        (branch,) = [name for name in misfit.names if error.message.startswith(f"{name} ")]
        if "dtype: int32" in error.hint:
            inputs = inputs | {branch: inputs[branch] | {"dtype": "int32"}}
        else:
            (written,) = re.findall(r"align: (\{.*\})", error.hint)
            nodes["merged"]["align"] = nodes["merged"].get("align", {}) | yaml.safe_load(written)
    raise AssertionError(f"the hints lead nowhere: {misfit}")


def refusal(misfit: Misfit, strategy: str) -> Diagnostic:
    """The one error of a misfit with `align: none`."""
    nodes = {**misfit.nodes, "merged": node_of(misfit, strategy, align="none")}
    errors = check(document(misfit.inputs, nodes)).errors
    assert len(errors) == 1, f"{misfit}: {errors}"
    return errors[0]


def offered(hint: str) -> dict[str, list[Any]]:
    """The adapters that a hint offers, by branch, as `align:` takes them."""
    assert hint.startswith("with align: auto ")
    parts = re.findall(r"(\S+) becomes \(.*?\)(?: \w+)? by (.*?)(?= and \S+ becomes |$)", hint)
    assert parts, hint
    return {branch: yaml.safe_load(f"[{adapters}]") for branch, adapters in parts}


def outline(graph: Graph) -> list[tuple[Any, ...]]:
    """What a graph does: its calls with their layers, arguments, options and results."""
    return [_outline(call) for call in graph.calls.values()]


def _outline(call: Call) -> tuple[Any, ...]:
    entry = call.target if isinstance(call.target, OpEntry) else call.target.entry
    feeds = [value.name for value in call.inputs()]
    return call.name, call.kind, entry, feeds, dict(call.options), [value.type for value in call.outputs]


@pytest.mark.parametrize("strategy", ["concat", "add", "gated", "cross_attention", "tensor", "weighted"])
def test_none_refuses_with_shapes_and_an_offer_that_is_what_auto_does(strategy: str) -> None:
    compared = 0
    for misfit in misfits():
        automatic = graph_of(misfit, node_of(misfit, strategy))
        if automatic is None:
            continue
        branches = automatic.fusions["merged"].branches
        if not any(branch.adapters for branch in branches):
            # Attention takes sequences of any lengths and widths.
            assert strategy == "cross_attention"
            assert graph_of(misfit, node_of(misfit, strategy, align="none")) is not None
            continue
        error = refusal(misfit, strategy)
        assert error.code in ("GB304", "GB305"), error
        assert re.search(r"\(batch[,)]", error.message), error
        assert error.node == "merged"
        assert error.hint is not None, error
        align = offered(error.hint)
        auto = {branch.name: [adapter.written for adapter in branch.adapters] for branch in branches if branch.adapters}
        assert align == {name: yaml.safe_load(f"[{', '.join(written)}]") for name, written in auto.items()}
        stated = graph_of(misfit, node_of(misfit, strategy, align=align))
        assert stated is not None
        assert outline(stated) == outline(automatic)
        assert all(branch.stated == (branch.name in align) for branch in stated.fusions["merged"].branches)
        compared += 1
    assert compared > 100


def test_stated_adapters_are_heeded_and_the_others_follow() -> None:
    inputs = {"image": {"shape": [8, 8, 3]}, "sound": {"shape": [12, 5]}, "table": {"shape": [4]}}
    align = {"image": ["max_pool", {"project": 6}], "table": "none"}
    node = {"fuse": "add", "from": ["image", "sound", "table"], "align": align}
    errors = check(document(inputs, {"merged": node})).errors
    assert [error.code for error in errors] == ["GB304"]
    assert "table is (batch, 4)" in errors[0].message
    node["align"] = {"image": ["max_pool", {"project": 6}]}
    fusion = lower(document(inputs, {"merged": node})).fusions["merged"]
    done = {branch.name: [adapter.written for adapter in branch.adapters] for branch in fusion.branches}
    assert done == {"image": ["max_pool", "{project: 6}"], "sound": ["pool", "{project: 6}"], "table": ["{project: 6}"]}
    assert [branch.stated for branch in fusion.branches] == [True, False, False]


@pytest.mark.parametrize("strategy", ["add", "max", "concat", "gated", "weighted", "bilinear", "mixture"])
@pytest.mark.parametrize("axes", [*permutations([6, None, 4]), *permutations(["moments", None, "frames"])])
def test_an_unknown_axis_hides_no_two_that_differ(strategy: str, axes: tuple[int | str | None, ...]) -> None:
    inputs = {f"b{number}": {"shape": [axis, 3]} for number, axis in enumerate(axes)}
    fusion = lower(document(inputs, {"merged": {"fuse": strategy, "from": [*inputs]}})).fusions["merged"]
    assert [branch.adapters[0].written for branch in fusion.branches] == ["pool"] * 3


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_branch_that_is_to_stay_as_it_is_stays(strategy: str) -> None:
    """What must not be touched is not: either the others follow, or the fusion is refused."""
    followed = 0
    for misfit in misfits()[:60]:
        if graph_of(misfit, node_of(misfit, strategy)) is None:
            continue
        kept = misfit.names[0]
        checked = check(
            document(misfit.inputs, {**misfit.nodes, "merged": node_of(misfit, strategy, align={kept: "none"})})
        )
        if checked.graph is None:
            (error,) = checked.errors
            assert re.match(rf"{kept} is .*, and nothing is to be done to it, and ", error.message), error
            continue
        branch = checked.graph.fusions["merged"].branches[0]
        assert branch.adapted is branch.value
        followed += 1
    assert followed > 5


def test_every_adapter_has_a_reason() -> None:
    graphs: Sequence[Graph | None] = [
        graph_of(misfit, node_of(misfit, strategy)) for misfit in misfits() for strategy in ("gated", "tokens")
    ]
    adapters = [
        adapter
        for graph in graphs
        if graph is not None
        for branch in graph.fusions["merged"].branches
        for adapter in branch.adapters
    ]
    assert len(adapters) > 300
    assert all(adapter.reason and not adapter.reason.endswith(".") for adapter in adapters)
