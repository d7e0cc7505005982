"""Which boxes and edges a document comes to, also where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.blueprint import load, parse_blueprint
from graphbuilder.graph import Value, flatten
from graphbuilder.lowering import try_lower
from graphbuilder.tui.canvas import Scene, foldable_below, scene_of
from tests.tui.canvas.graphs import document_of, efficientnet_b7, nasnet_large

BLUEPRINTS = Path(__file__).resolve().parents[3] / "blueprints"


@pytest.mark.parametrize("path", sorted(BLUEPRINTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_unfolded_all_the_way_a_scene_is_the_graph(path: Path) -> None:
    document = load(path)
    lowered = try_lower(document)
    graph = lowered.graph
    assert graph is not None
    scene = scene_of(document, lowered, unfolded=foldable_below(document))
    # What a fusion adds lies in the fusion's box; what is left out is in the scene alone.
    inside = {call: fusion.name for fusion in graph.fusions.values() for call in fusion.calls}
    calls = {inside.get(name, name) for name in graph.calls}
    shown = {box.id for box in scene.boxes if "left out" not in box.marks and box.family not in ("input", "output")}
    assert shown == calls
    assert {box.id for box in scene.boxes if box.family == "input"} == set(graph.inputs)
    owners = {value.name: inside.get(call.name, call.name) for call in graph.calls.values() for value in call.outputs}
    owners.update({name: name for name in graph.inputs})
    edges = {
        (owners[value.name], inside.get(call.name, call.name))
        for call in graph.calls.values()
        for value in call.inputs()
    }
    edges = {(source, target) for source, target in edges if source != target}
    left_out = {box.id for box in scene.boxes if "left out" in box.marks}
    drawn = {
        (edge.source, edge.target)
        for edge in scene.edges
        if edge.target not in left_out and not edge.target.startswith("outputs:")
    }
    assert drawn == edges
    outputs = {owners[leaf.name] for leaf in flatten(graph.outputs) if isinstance(leaf, Value)}
    assert {edge.source for edge in scene.edges if edge.target.startswith("outputs:")} == outputs
    shapes = {value.name for call in graph.calls.values() for value in call.outputs if value.type is not None}
    assert all(edge.label for edge in scene.edges if edge.value in shapes)
    assert sum(box.parameters or 0 for box in scene.boxes) == graph.parameters


@pytest.mark.parametrize("path", sorted(BLUEPRINTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_without_a_graph_a_scene_has_the_same_boxes_and_edges(path: Path) -> None:
    document = load(path)
    for unfolded in (frozenset[str](), foldable_below(document)):
        known = scene_of(document, try_lower(document), unfolded=unfolded)
        unknown = scene_of(document, unfolded=unfolded)
        assert [box.id for box in known.boxes] == [box.id for box in unknown.boxes]
        assert [(edge.source, edge.target, edge.where) for edge in known.edges] == [
            (edge.source, edge.target, edge.where) for edge in unknown.edges
        ]


@pytest.mark.parametrize(
    ("text", "boxes", "edges"), [(efficientnet_b7, 816, 918), (nasnet_large, 1041, 1256)], ids=["b7", "nasnet"]
)
def test_the_large_graphs_are_those_of_keras(text: object, boxes: int, edges: int) -> None:
    assert callable(text)
    scene = scene_of(document_of(text()))
    # One box and one edge more are those of the output.
    assert (len(scene.boxes) - 1, len(scene.edges) - 1) == (boxes, edges)


def scene(text: str, *unfolded: str) -> Scene:
    document = parse_blueprint(text, name="test.yaml")
    return scene_of(document, try_lower(document), unfolded=unfolded)


REPEATED = """
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  twice:
    params: {units: 8}
    inputs: [x]
    nodes:
      first: {layer: Dense, units: $units}
      second: {layer: Dense, from: first, units: $(units * (index + 1))}
nodes:
  stack: {block: twice, repeat: 2, units: 4}
  tap: {op: relu, from: stack.0.first}
  out: {layer: Concatenate, from: [stack, tap]}
"""


def test_a_repeated_block_unfolds_to_its_copies_and_they_to_their_nodes() -> None:
    folded = scene(REPEATED)
    assert [box.id for box in folded.boxes] == ["x", "stack", "tap", "out", "outputs:"]
    assert folded.box["stack"].kind == "twice ×2"
    assert folded.box["stack"].marks == {"folded"}
    assert [(edge.source, edge.value) for edge in folded.arriving["tap"]] == [("stack", "stack.0.first")]
    copies = scene(REPEATED, "stack")
    assert [box.id for box in copies.boxes][1:3] == ["stack.0", "stack.1"]
    assert [(edge.source, edge.target) for edge in copies.edges][:3] == [
        ("x", "stack.0"),
        ("stack.0", "stack.1"),
        ("stack.0", "tap"),
    ]
    one = scene(REPEATED, "stack", "stack.1")
    assert [box.id for box in one.boxes][1:4] == ["stack.0", "stack.1.first", "stack.1.second"]
    assert one.box["stack.1.second"].arguments == ("units 8",)
    assert [(group.id, group.group) for group in one.groups] == [("stack", None), ("stack.1", "stack")]
    assert one.box["stack.1.first"].where == ("blocks", "twice", "nodes", "first")
    assert one.shown("stack.0.second") == "stack.0"
    # A copy cannot be unfolded before the node is.
    assert scene(REPEATED, "stack.1") == folded


def test_everything_below_a_path_is_found_to_be_unfolded() -> None:
    document = parse_blueprint(REPEATED, name="test.yaml")
    assert foldable_below(document) == {"stack", "stack.0", "stack.1"}
    assert foldable_below(document, "stack.1") == {"stack.1"}
    assert foldable_below(document, "stack.7") == frozenset()
    assert foldable_below(document, "nowhere") == frozenset()
    assert len(foldable_below(document, most=2)) == 2


def test_edges_tell_where_they_are_written() -> None:
    found = scene(REPEATED)
    assert [(edge.port, edge.where, edge.reference, edge.implied) for edge in found.edges] == [
        ("", ("nodes", "stack", "from"), "x", True),
        ("", ("nodes", "tap", "from"), "stack.0.first", False),
        ("0", ("nodes", "out", "from", 0), "stack", False),
        ("1", ("nodes", "out", "from", 1), "tap", False),
        ("", ("outputs",), "out", True),
    ]


WRONG = """
blueprint: 1
inputs: {x: {shape: [8]}}
nodes:
  circle: {layer: Add, from: [x, unknown]}
  unknown: {layer: Dens, units: 8}
  nowhere: {layer: Dense, from: missing, units: 8}
  lost: {block: none_such}
  last: {layer: Dense, from: lost.inner, units: -1}
  again: {reuse: again_not, from: last}
outputs: [last, gone]
"""


def test_a_wrong_document_has_a_scene_that_says_so() -> None:
    found = scene(WRONG)
    assert [box.id for box in found.boxes] == [
        "x", "circle", "unknown", "nowhere", "lost", "last", "again", "outputs:0", "outputs:1"
    ]  # fmt: skip
    assert ("unknown", "circle") in [(edge.source, edge.target) for edge in found.edges]
    assert "nowhere" not in found.arriving
    assert found.box["unknown"].family == "unknown"
    assert "error" in found.box["circle"].marks
    alone = scene(WRONG.replace("[x, unknown]", "[x, x]"))
    assert {box.id for box in alone.boxes if "error" in box.marks} >= {"unknown", "nowhere", "lost", "again"}


def test_an_error_in_a_folded_block_marks_what_shows_it() -> None:
    text = REPEATED.replace("$(units * (index + 1))", "$(units * -index)")
    assert "error" in scene(text).box["stack"].marks
    unfolded = scene(text, "stack", "stack.0", "stack.1")
    assert [box.id for box in unfolded.boxes if "error" in box.marks] == ["stack.0.second", "stack.1.second"]


def test_marks_that_are_given_go_to_what_shows_the_nodes() -> None:
    document = parse_blueprint(REPEATED, name="test.yaml")
    marks = {"stack.1.first": {"compressed"}, "no.such": {"compressed"}}
    assert scene_of(document, marks=marks).box["stack"].marks == {"folded", "compressed"}
    assert scene_of(document, unfolded={"stack"}, marks=marks).box["stack.1"].marks == {"folded", "compressed"}


def test_a_block_that_uses_itself_can_be_unfolded_as_far_as_one_likes() -> None:
    text = """
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  itself: {inputs: [x], nodes: {inner: {block: itself}}}
nodes: {a: {block: itself}, b: {op: relu}}
"""
    found = scene(text, "a", "a.inner", "a.inner.inner")
    assert [box.id for box in found.boxes] == ["x", "a.inner.inner.inner", "b", "outputs:"]
    assert ("a.inner.inner.inner", "b") in [(edge.source, edge.target) for edge in found.edges]


def test_a_node_that_is_left_out_passes_its_input_on() -> None:
    found = scene(
        """
blueprint: 1
params: {deep: false}
inputs: {x: {shape: [8]}}
nodes:
  a: {layer: Dense, units: 8}
  b: {layer: Dense, units: 8, when: $deep}
  c: {op: relu}
"""
    )
    assert found.box["b"].marks == {"left out"}
    assert [(edge.source, edge.target) for edge in found.edges] == [
        ("x", "a"), ("a", "b"), ("a", "c"), ("c", "outputs:")
    ]  # fmt: skip


def test_several_outputs_are_several_values() -> None:
    found = scene(
        """
blueprint: 1
inputs: {x: {shape: [5, 8]}}
nodes:
  rnn: {layer: LSTM, units: 4, return_sequences: true, return_state: true}
  sum: {layer: Add, from: [rnn.1, rnn.2]}
outputs: {steps: rnn.0, state: sum}
"""
    )
    assert found.box["rnn"].shape == "5×4 +2"
    assert [(edge.value, edge.label) for edge in found.leaving["rnn"]] == [
        ("rnn.1", "4"), ("rnn.2", "4"), ("rnn.0", "5×4")
    ]  # fmt: skip
    assert [box.title for box in found.boxes if box.family == "output"] == ["steps", "state"]


def test_upstream_and_downstream_of_a_box() -> None:
    found = scene(REPEATED)
    assert found.reached("tap", upstream=True) == {"stack", "x"}
    assert found.reached("tap", upstream=False) == {"out", "outputs:"}
