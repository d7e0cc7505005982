"""What differs between two blueprints, by structure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphbuilder.analysis.diff import ABSENT, Difference, ScopeDifference, diff_files, diff_graphs
from graphbuilder.api import load, lower, parse
from graphbuilder.lowering.resolved import resolved_text
from graphbuilder.text import to_yaml

BLUEPRINTS = Path(__file__).parents[2] / "blueprints"

HEAD = "blueprint: 1\ninputs: {x: {shape: [16]}}\n"
CHAIN = """\
nodes:
  first: {layer: Dense, units: 8, activation: relu}
  norm: {layer: LayerNormalization}
  second: {layer: Dense, units: 8, activation: relu}
  drop: {layer: Dropout, rate: 0.1}
  answer: {layer: Dense, units: 2}
"""


def diff(one: str, two: str, *, names: bool = True, from_model: bool = False) -> Difference:
    return diff_graphs(lower(parse(HEAD + one)), lower(parse(HEAD + two)), names=names, from_model=from_model)


def only(found: Difference) -> ScopeDifference:
    assert len(found.scopes) == 1
    return found.scopes[0]


def told(found: Difference) -> dict[str, tuple[str, ...]]:
    """The names of what was added, removed, renamed, rewired, changed in arguments and in kind."""
    scope = only(found)
    return {
        "added": tuple(node.name for node in scope.added),
        "removed": tuple(node.name for node in scope.removed),
        "renamed": tuple(f"{change.before.name} {change.after.name}" for change in scope.changed if change.renamed),
        "rewired": tuple(change.before.name for change in scope.changed if change.inputs),
        "arguments": tuple(change.before.name for change in scope.changed if change.arguments),
        "kind": tuple(change.before.name for change in scope.changed if change.new_kind),
    }


NOTHING: dict[str, tuple[str, ...]] = {
    "added": (), "removed": (), "renamed": (), "rewired": (), "arguments": (), "kind": ()
}  # fmt: skip


def test_a_blueprint_is_the_same_as_itself() -> None:
    assert diff(CHAIN, CHAIN).count == 0


def test_order_and_layout_make_no_difference() -> None:
    branches = "nodes: {a: {layer: Dense, from: x, units: 4}, b: {layer: Dense, from: x, units: 3}%s"
    joined = ", c: {layer: Concatenate, from: [a, b]}}"
    swapped = "nodes: {b: {layer: Dense, from: x, units: 3}, a: {layer: Dense, from: x, units: 4}" + joined
    assert diff(branches % joined, swapped).count == 0


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("units: 2", "units: 3", {"arguments": ("answer",)}),
        (
            "  drop:",
            "  more: {layer: Dense, units: 8}\n  drop:",
            {"added": ("more",), "rewired": ("drop",)},
        ),
        ("  norm: {layer: LayerNormalization}\n", "", {"removed": ("norm",), "rewired": ("second",)}),
        ("  second:", "  middle:", {"renamed": ("second middle",)}),
        ("layer: LayerNormalization", "layer: BatchNormalization", {"kind": ("norm",)}),
        ("units: 2}", "units: 2, from: second}", {"removed": ("drop",), "rewired": ("answer",)}),
        (
            "  second: {layer: Dense, units: 8, activation: relu}",
            "  middle: {layer: Dense, units: 8, activation: gelu}",
            {"renamed": ("second middle",), "arguments": ("second",)},
        ),
    ],
)
def test_one_edit_is_one_difference(old: str, new: str, expected: dict[str, tuple[str, ...]]) -> None:
    assert CHAIN.count(old) == 1
    found = told(diff(CHAIN, CHAIN.replace(old, new)))
    assert found == {**NOTHING, **expected}


def test_a_swap_of_two_sources_is_told_by_the_ports() -> None:
    nodes = "nodes: {a: {layer: Dense, from: x, units: 4}, b: {layer: Dropout, from: a, rate: 0.5}, c: %s}"
    found = only(diff(nodes % "{layer: Subtract, from: [a, b]}", nodes % "{layer: Subtract, from: [b, a]}"))
    changes = [(change.path, change.before, change.after) for change in found.changed[0].inputs]
    assert changes == [("inputs.0", "a", "b"), ("inputs.1", "b", "a")]


def test_a_default_is_told_as_what_it_is() -> None:
    found = only(diff(CHAIN, CHAIN.replace("units: 2", "units: 2, use_bias: false")))
    change = found.changed[0].arguments[0]
    assert (change.path, change.before, change.after) == ("use_bias", True, False)


def test_a_written_default_and_another_spelling_are_no_difference() -> None:
    written = CHAIN.replace("units: 2", "units: 2, use_bias: true, kernel_initializer: GlorotUniform")
    assert diff(CHAIN, written).count == 0
    one, two = (
        CHAIN.replace("units: 2", f"units: 2, kernel_initializer: {name}") for name in ("he_normal", "HeNormal")
    )
    assert diff(one, two).count == 0


def test_all_names_may_be_new() -> None:
    renamed = CHAIN
    for number, name in enumerate(("first", "norm:", "second", "drop", "answer")):
        renamed = renamed.replace(f"  {name.rstrip(':')}:", f"  n{number}:")
    found = diff(CHAIN, renamed)
    assert found.count == 5
    assert len(told(found)["renamed"]) == 5
    assert diff(CHAIN, renamed, names=False).count == 0


def test_names_that_moved_on_by_one_are_renamed() -> None:
    """Keras numbers layers through a session, so that the second model's first layer is called as the first's third."""
    kinds = [f"{{layer: Dense, units: {units}}}" for units in (8, 4, 9, 3, 7, 5)]
    one = "nodes: {" + ", ".join(f"dense_{number}: {kind}" for number, kind in enumerate(kinds)) + "}"
    two = "nodes: {" + ", ".join(f"dense_{number + 2}: {kind}" for number, kind in enumerate(kinds)) + "}"
    found = told(diff(one, two))
    assert found == {**NOTHING, "renamed": tuple(f"dense_{number} dense_{number + 2}" for number in range(6))}


def test_weights_that_are_shared_no_more_are_told() -> None:
    shared = "nodes: {a: {layer: Dense, from: x, units: 16}, b: {reuse: a, from: a}}"
    own = "nodes: {a: {layer: Dense, from: x, units: 16}, b: {layer: Dense, from: a, units: 16}}"
    change = only(diff(shared, own)).changed[0].inputs[0]
    assert (change.path, change.before, change.after) == ("reuse", "a", ABSENT)
    assert diff(shared, shared).count == 0


def test_twins_among_branches_are_told_apart_by_what_follows() -> None:
    nodes = (
        "nodes: {p: {layer: Dense, from: x, units: 4}, q: {layer: Dense, from: x, units: 4}, "
        "p2: {layer: Dropout, from: p, rate: 0.5}, both: {layer: Subtract, from: [p2, q]}}"
    )
    other = (
        "nodes: {left: {layer: Dense, from: x, units: 4}, right: {layer: Dense, from: x, units: 4}, "
        "late: {layer: Dropout, from: right, rate: 0.5}, end: {layer: Subtract, from: [late, left]}}"
    )
    assert diff(nodes, other, names=False).count == 0
    assert told(diff(nodes, other))["renamed"] == ("p right", "q left", "p2 late", "both end")


def test_inputs_and_outputs_are_compared() -> None:
    one = "nodes: {a: {layer: Dense, units: 4}, b: {layer: Dense, units: 4}}\noutputs: {first: a, last: b}"
    found = only(diff(one, one.replace("first: a", "first: b").replace("outputs: {first: b, ", "outputs: {first: b, ")))
    assert [(change.path, change.before, change.after) for change in found.outputs] == [("first", "a", "b")]
    wide = parse("blueprint: 1\ninputs: {x: {shape: [32]}}\n" + CHAIN)
    changed = only(diff_graphs(lower(parse(HEAD + CHAIN)), lower(wide))).changed
    assert changed[0].before.kind == "input"
    assert changed[0].arguments[0].path == "shape"


def test_shapes_parameters_and_macs_follow() -> None:
    found = diff(CHAIN, CHAIN.replace("units: 8, activation: relu}\n  drop", "units: 4, activation: relu}\n  drop"))
    shapes = [(change.before.name, change.types) for change in only(found).changed if change.types]
    assert [name for name, _ in shapes] == ["second", "drop"]
    before, after = found.totals or pytest.fail("there are no totals")
    assert (before.parameters, after.parameters) == (136 + 16 + 72 + 18, 136 + 16 + 36 + 10)
    assert (before.macs, after.macs) == (128 + 64 + 16, 128 + 32 + 8)
    assert found.count == 1, "what follows from a difference is none"


def test_training_passes_and_budget_are_compared() -> None:
    one = CHAIN + (
        "training: {optimizer: {adam: {learning_rate: 0.1}}, loss: mse}\n"
        "compression: [{pass: prune, sparsity: 0.5}]\nbudget: {params: 1M}\n"
    )
    two = CHAIN + (
        "training: {optimizer: {adam: {learning_rate: 0.2}}, loss: mse}\n"
        "compression: [{pass: prune, sparsity: 0.6}, {pass: quantize}]\n"
    )
    found = {change.path: (change.before, change.after) for change in diff(one, two).sections}
    assert found["training.optimizer.adam.learning_rate"] == (0.1, 0.2)
    assert found["compression.prune.sparsity"] == (0.5, 0.6)
    assert found["compression.quantize"] == (ABSENT, {})
    assert found["budget.params"] == ("1M", ABSENT)
    assert [change.path for change in diff(one, two, from_model=True).sections] == [
        "training.optimizer.adam.learning_rate"
    ], "a model's file says what it was compiled with"


def test_which_of_the_nodes_that_share_weights_comes_first_is_no_difference() -> None:
    end = "y: {op: tanh, from: x}, c: {layer: Add, from: [a, b]}}"
    one = "nodes: {a: {layer: Dense, from: x, units: 16}, b: {reuse: a, from: y}, " + end
    two = "nodes: {b: {layer: Dense, from: y, units: 16}, a: {reuse: b, from: x}, " + end
    assert diff(one, two).count == 0
    parted = two.replace("{reuse: b, from: x}", "{layer: Dense, from: x, units: 16}")
    (change,) = only(diff(one, parted)).changed
    assert [(each.path, each.before, each.after) for each in change.inputs] == [("reuse", "a", ABSENT)]


def test_what_means_the_same_of_training_is_no_difference() -> None:
    one = (
        CHAIN
        + "training: {optimizer: {Adam: {learning_rate: 0.001}}, loss: mse, metrics: [mae, Accuracy], epochs: 1}\n"
    )
    two = CHAIN + "training: {optimizer: adam, loss: {MeanSquaredError: {}}, metrics: [MeanAbsoluteError, accuracy]}\n"
    assert diff(one, two).count == 0
    assert diff(one, CHAIN, from_model=True).count == 0, "a model that was not compiled says nothing of training"
    other = CHAIN + "training: {optimizer: adam, loss: {huber: {delta: 2.0}}, metrics: [mae, {Accuracy: {}}]}\n"
    found = {change.path: (change.before, change.after) for change in diff(one, other).sections}
    assert found == {
        "training.loss": ("mse", {"huber": {"delta": 2.0}}),
        "training.metrics": (["mae", "Accuracy"], ["mae", {"Accuracy": {}}]),
    }


def test_what_a_model_file_cannot_name_is_not_compared_with_one() -> None:
    one = "blueprint: 1\ninputs: {x: {shape: [steps, 4]}}\nnodes: {a: {layer: Dense, units: 4}, b: {reuse: a}}"
    two = "blueprint: 1\ninputs: {x: {shape: [null, 4]}}\nnodes: {a: {layer: Dense, units: 4}, a_again: {reuse: a}}"
    graphs = lower(parse(one)), lower(parse(two))
    assert diff_graphs(*graphs).count == 2
    assert diff_graphs(*graphs, from_model=True).count == 0


@pytest.mark.parametrize("name", ["resnet50", "transformer", "siamese", "video_audio", "three_way_sentiment"])
def test_a_flat_file_is_the_same_as_one_with_blocks(root: Path, name: str) -> None:
    graph = lower(root / "blueprints" / f"{name}.yaml")
    flat = lower(parse(resolved_text(graph)))
    assert diff_graphs(graph, flat, from_model=True).count == 0
    assert diff_graphs(graph, flat, names=False, from_model=True).count == 0


def test_files_are_compared_as_they_are_written(root: Path) -> None:
    one = "blueprint: 1\nparams: {width: 8}\ninputs: {x: {shape: [4]}}\nblocks:\n  part:\n    params: {rate: 0.1}\n"
    one += "    inputs: [x]\n    nodes: {a: {layer: Dense, units: 3}, b: {layer: Dropout, rate: $rate}}\n"
    one += "nodes: {p: {block: part}, q: {layer: Dense, units: $width}}\n"
    two = (
        one.replace("rate: 0.1", "rate: 0.2")
        .replace("units: 3", "units: 5")
        .replace("{block: part}", "{block: part, repeat: 2}")
    )
    found = diff_files(parse(one), parse(two))
    changes = {scope.name: [change.before.name for change in scope.changed] for scope in found.scopes}
    assert changes == {"": ["p"], "part": ["a"]}
    assert [change.path for change in found.sections] == ["blocks.part.params.rate"]
    document = load(root / "blueprints" / "resnet50.yaml")
    assert diff_files(document, document).count == 0


def test_a_thousand_renamed_nodes_with_one_more_are_two_differences() -> None:
    """Every node has another name, and one stands in the middle that was not there."""

    def text(prefix: str, extra: int | None) -> str:
        lines, above, shortcut = ["nodes:"], "x", "x"
        for number in range(999):
            if number == extra:
                lines.append(f"  more: {{layer: Dense, from: {above}, units: 16}}")
                above = "more"
            kind = ("layer: Dense, units: 16", "layer: LayerNormalization", "layer: Add")[number % 3]
            source = f"[{above}, {shortcut}]" if number % 3 == 2 else above
            above = f"{prefix}{number}"
            lines.append(f"  {above}: {{{kind}, from: {source}}}")
            shortcut = above if number % 3 == 2 else shortcut
        return "\n".join(lines)

    found = diff(text("a", None), text("b", 500), names=False)
    assert found.count == 2
    assert told(found)["added"] == ("more",)
    assert len(told(found)["renamed"]) == 999


@given(st.randoms(use_true_random=False), st.sampled_from(["resnet50", "siamese", "visual_question_answering"]))
@settings(max_examples=15)
def test_new_names_in_another_order_are_no_difference_by_graph(random: Random, name: str) -> None:
    """Every node of a flat blueprint gets a name of its own, or another node's, and stands somewhere else."""
    graph = lower(load(BLUEPRINTS / f"{name}.yaml"))
    data = dict(parse(resolved_text(graph)).source.data)
    old = list(data["nodes"])
    new = random.sample([*old, *(f"node_{number}" for number in range(len(old)))], len(old))
    names = dict(zip(old, new, strict=True))
    order = random.sample(old, len(old))
    data["nodes"] = {names[node]: _renamed(_with_source(data["nodes"], node), names) for node in order}
    data["outputs"] = _references(data.get("outputs") or old[-1], names)
    found = diff_graphs(graph, lower(parse(to_yaml(data))), names=False, from_model=True)
    assert found.count == 0


def _with_source(nodes: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A node that says what feeds it, the node above where it did not say."""
    names = list(nodes)
    above = names[names.index(name) - 1] if names.index(name) else None
    return {**({"from": above} if above is not None else {}), **nodes[name]}


def _renamed(node: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    changed = {key: _references(node[key], names) for key in ("from", "reuse") if key in node}
    return {**node, **changed}


def _references(written: Any, names: Mapping[str, str]) -> Any:
    if isinstance(written, str):
        head, dot, part = written.partition(".")
        return f"{names.get(head, head)}{dot}{part}"
    if isinstance(written, Mapping):
        return {key: _references(item, names) for key, item in written.items()}
    return [_references(item, names) for item in written] if isinstance(written, list) else written
