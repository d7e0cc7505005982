"""Who takes the merged value, what is told, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphbuilder.blueprint import load, parse_blueprint
from graphbuilder.editing import Edited, merge
from graphbuilder.errors import BlueprintError, CommandError, GraphbuilderError
from graphbuilder.lowering import lower

HEAD = """\
blueprint: 1
inputs:
  x: {shape: [8]}
  z: {shape: [8]}
nodes:
"""

TWO = """\
  a: {layer: Dense, from: x, units: 4}
  b: {layer: Dense, from: z, units: 4}
"""


def merged(body: str, branches: list[str], strategy: str = "add", **more: Any) -> Edited:
    return merge(parse_blueprint(HEAD + body, name="x.yaml"), branches, strategy, **more)


def data(edited: Edited) -> Any:
    return edited.document.source.data


@pytest.mark.parametrize(
    ("node", "after", "told"),
    [
        ("{layer: Dense, from: a, units: 1}", "merged", "c now takes merged instead of a"),
        ("{op: multiply, from: [a, a]}", ["merged", "merged"], "c now takes merged instead of a"),
        ("{op: multiply, from: {x1: a, x2: 2.0}}", {"x1": "merged", "x2": 2.0}, "c now takes merged instead of a"),
        ("{layer: Add, from: [x, a, b]}", ["x", "merged"], "c now takes merged instead of a and b"),
        ("{fuse: concat, from: [b, x, a, z]}", ["merged", "x", "z"], "c now takes merged instead of b and a"),
        ("{op: concatenate, from: {xs: [a, x, b]}}", {"xs": ["merged", "x"]}, "c now takes merged instead of a and b"),
        ("{layer: Add, from: [a, b]}", ["a", "b"], "c still takes a and b: merged would be alone there"),
        (
            "{op: multiply, from: {x1: a, x2: b}}",
            {"x1": "a", "x2": "b"},
            "c still takes a and b: each has a place of its own there",
        ),
        ("{op: multiply, from: [a, b]}", ["a", "b"], "c still takes a and b: each has a place of its own there"),
        (
            "{fuse: add, from: [a, x], align: {a: none}}",
            ["a", "x"],
            "c still takes a: its align or presence names a",
        ),
        ("{layer: Dense, from: a, when: $(1 > 0), units: 1}", "merged", "c now takes merged instead of a"),
        ("{block: std.mlp, from: a, units: 2}", "merged", "c now takes merged instead of a"),
        ("{reuse: d, from: a}", "merged", "c now takes merged instead of a"),
        ("{layer: Dense, from: a.0, units: 1}", "merged", "c now takes merged instead of a"),
        ("{op: add, from: [a, {constant: [1, 2, 3, 4]}]}", ["merged", {"constant": [1, 2, 3, 4]}],
         "c now takes merged instead of a"),
        ("{layer: Dense, from: x, units: 1}", "x", "nothing takes merged yet"),
    ],
)  # fmt: skip
def test_what_a_consumer_takes_afterwards(node: str, after: Any, told: str) -> None:
    body = f"{TWO}  d: {{layer: Dense, from: x, units: 4}}\n  c: {node}\noutputs: {{c: c, d: d}}\n"
    edited = merge(parse_blueprint(HEAD.replace("[8]", "[4]") + body), ["a", "b"], "add")
    assert data(edited)["nodes"]["c"]["from"] == after
    assert any(change.startswith(told) for change in edited.changes), edited.changes


def test_a_skip_connection_makes_no_circle() -> None:
    edited = merged(
        "  d: {layer: Dense, from: x, units: 8}\n  e: {layer: LayerNormalization}\n  s: {layer: Dense, units: 1}\n",
        ["e", "x"],
    )
    nodes = data(edited)["nodes"]
    assert list(nodes) == ["d", "e", "merged", "s"]
    assert (nodes["d"]["from"], "from" in nodes["s"]) == ("x", False)
    assert edited.changes == (
        "merged is added below e: add of e, x",
        "s now takes merged instead of e",
        "d still takes x: it feeds e, and nodes cannot feed each other in a circle",
    )
    assert lower(edited.document).calls["s"].arguments["inputs"].name == "merged"  # type: ignore[union-attr]


def test_whose_weights_are_used_again_comes_first() -> None:
    """`c` takes `a`, and `b` has the weights of `c`: were `c` to take the merged value, there would be a circle."""
    body = "  a: {layer: Dense, from: x, units: 8}\n  c: {layer: Dense, from: a, units: 8}\n  b: {reuse: c, from: z}\n"
    edited = merged(body, ["a", "b"])
    assert data(edited)["nodes"]["c"]["from"] == "a"
    assert "c still takes a: it feeds b, and nodes cannot feed each other in a circle" in edited.changes


def test_only_what_into_names_is_rewired() -> None:
    body = TWO + "  c: {layer: Dense, from: a, units: 1}\n  d: {layer: Dense, from: a, units: 1}\noutputs: [c, d, b]\n"
    edited = merged(body, ["a", "b"], into=["d", "outputs"])
    assert [data(edited)["nodes"][name]["from"] for name in "cd"] == ["a", "merged"]
    assert data(edited)["outputs"] == ["c", "d", "merged"]
    assert data(merged(body, ["a", "b"], into=[]))["outputs"] == ["c", "d", "b"]


@pytest.mark.parametrize(
    ("outputs", "after", "told"),
    [
        ("a", "merged", "the outputs now name merged instead of a"),
        ("[x, a]", ["x", "merged"], "the outputs now name merged instead of a"),
        ("[a, x, b]", ["merged", "x"], "the model now gives 2 tensors, not 3"),
        ("[a, b]", ["merged"], "the model now gives a list of one tensor, not 2"),
        ("{p: a, q: x}", {"p": "merged", "q": "x"}, "the outputs now name merged instead of a"),
        ("{p: a, q: b}", {"p": "a", "q": "b"}, "the outputs still name a and b: each has a place of its own there"),
    ],
)
def test_what_the_outputs_are_afterwards(outputs: str, after: Any, told: str) -> None:
    edited = merged(f"{TWO}outputs: {outputs}\n", ["a", "b"])
    assert data(edited)["outputs"] == after
    assert told in edited.changes


def test_implied_outputs() -> None:
    edited = merged(TWO, ["a", "b"])
    assert "outputs" not in data(edited)
    assert edited.changes[-1] == "the model's output is now merged instead of b"
    # Nothing took the two, and something else is last: it stays the output, and that is told.
    edited = merged(TWO + "  c: {layer: Dense, from: x, units: 1}\n", ["a", "b"])
    assert list(data(edited)["nodes"])[-1] == "c"
    assert edited.changes[-1] == "nothing takes merged yet: name it in the from of a node, or under outputs"
    # Nor did anything take this, a tap of the last node; what was asked for is the merged value.
    block = "  m: {block: std.mlp, from: x, units: 8, hidden: 8, layers: 1}\n"
    tap = next(name for name in lower(parse_blueprint(HEAD + block)).calls if name.startswith("m."))
    edited = merged(block, [tap, "z"])
    assert edited.changes[-1] == "the model's output is now merged, the last node, instead of m"
    edited = merged(block, [tap, "z"], into=[])
    assert data(edited)["outputs"] == "m"
    assert "outputs names m from now on, because merged is the last node" in edited.changes


def test_parts_of_nodes_are_merged_and_rewired_by_their_names() -> None:
    body = (
        "  up: {op: expand_dims, from: x, axis: -1}\n"
        "  l: {layer: LSTM, units: 8, return_state: true}\n"
        "  c: {layer: Dense, from: l.1, units: 1}\n"
        "  d: {layer: Dense, from: l.2, units: 1}\n"
        "outputs: [c, d, l.0]\n"
    )
    edited = merged(body, ["l.1", "z"])
    nodes = data(edited)["nodes"]
    assert list(nodes) == ["up", "l", "merged", "c", "d"]
    assert (nodes["c"]["from"], nodes["d"]["from"]) == ("merged", "l.2")


def test_names_and_options() -> None:
    edited = merged(TWO + "  merged: {layer: Dense, from: x, units: 4}\noutputs: [a, merged]\n", ["a", "b"])
    assert edited.name == "merged_2"
    assert data(edited)["outputs"] == ["merged_2", "merged"]
    edited = merged(TWO, ["a", "b"], "concat", name="side_by-side", options={"axis": 1})
    assert data(edited)["nodes"]["side_by-side"] == {"fuse": "concat", "from": ["a", "b"], "axis": 1}
    with_params = HEAD.replace("inputs:", "params: {where: 1}\ninputs:") + TWO
    edited = merge(parse_blueprint(with_params), ["a", "b"], "concat", options={"axis": "$where"})
    assert lower(edited.document).calls["merged"].outputs[0].type is not None


@pytest.mark.parametrize(
    ("branches", "more", "kind", "message"),
    [
        (["a", "bb"], {}, CommandError, "x.yaml: GB301 there is no node or input bb\n  hint: did you mean b?"),
        (["a", "b.mean"], {}, CommandError, "x.yaml: GB301 b has one output and nothing inside\n  hint: write b"),
        (["a", "first"], {}, CommandError, (
            "x.yaml: GB301 there is no node or input first\n"
            "  hint: first stands inside the block stage; `merge --block stage` merges the nodes in it")),
        (["a", "stage.first"], {}, CommandError, (
            "x.yaml: GB301 there is no node or input stage\n"
            "  hint: stage is a block; `merge --block stage` merges the nodes in it")),
        (["a", "a"], {}, CommandError, "x.yaml: GB303 a stands twice among the branches; expected different branches"),
        (["a", "b", "a.0"], {}, CommandError,
         "x.yaml: GB303 a and a.0 are the same among the branches; expected different branches"),
        (["a"], {}, CommandError, "x.yaml: GB303 there is a alone to merge; expected two nodes or more"),
        ([], {}, CommandError, "x.yaml: GB303 there is nothing to merge; expected two nodes or more"),
        (["a", "b"], {"strategy": "cocat"}, CommandError,
         "graphbuilder: GB205 cocat is not a fusion\n  hint: did you mean concat?"),
        (["a", "b"], {"name": "a b"}, CommandError,
         "graphbuilder: GB206 a b is not a legal name; expected a letter or _, then letters, digits, _ or -"),
        (["a", "b"], {"name": "x"}, CommandError, (
            "x.yaml: GB206 there is an input x already; expected a new name\n"
            "  x.yaml:3:3: it stands here\n  hint: leave the name out to have merged")),
        (["a", "b"], {"options": {"axes": 1}}, CommandError,
         "graphbuilder: GB201 merged: add has no option axes\n"),
        (["a", "b"], {"strategy": "concat", "options": {"axis": "last"}}, CommandError,
         "graphbuilder: GB204 merged: axis is 'last'; expected an integer"),
        (["a", "b"], {"into": ["cc"]}, CommandError,
         "x.yaml: GB301 there is no node cc that could take merged\n  hint: did you mean c?"),
        (["x", "z"], {"into": ["c"]}, CommandError,
         "x.yaml:15:3: GB303 c takes none of x and z\n  hint: what takes one of them: a, b"),
        (["a", "x"], {"into": ["a"]}, CommandError, "x.yaml:13:3: GB303 a cannot take merged: it is merged itself"),
        (["a", "b"], {"into": ["c"]}, CommandError,
         "x.yaml:15:3: GB303 c cannot take merged: merged would be alone there"),
        (["a", "x"], {"options": {"align": "none"}}, BlueprintError, "x.yaml: GB304 merged: "),
        (["a", "x"], {"strategy": "concat", "options": {"axis": 5}}, BlueprintError, "x.yaml: GB"),
        (["x", "z"], {"strategy": "concat", "into": ["a"]}, BlueprintError, "x.yaml:16:3: GB310 s"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    branches: list[str], more: dict[str, Any], kind: type[GraphbuilderError], message: str
) -> None:
    head = HEAD.replace(
        "nodes:\n",
        "blocks:\n  stage:\n    inputs: [v]\n    nodes:\n      first: {layer: Dense, units: 1}\n"
        "      second: {layer: Dense, units: 1}\n    outputs: second\nnodes:\n",
    )
    body = TWO + "  c: {layer: Add, from: [a, b]}\n  s: {reuse: a, from: z}\n  t: {block: stage, from: c}\n"
    body += "outputs: [c, s, t]\n"
    more = dict(more)
    with pytest.raises(kind) as caught:
        merge(parse_blueprint(head + body, name="x.yaml"), branches, more.pop("strategy", "add"), **more)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(message)


def test_a_blueprint_that_is_wrong_already_is_told_as_it_is() -> None:
    with pytest.raises(BlueprintError) as caught:
        merged(TWO + "  c: {layer: Dense, units: 0}\n", ["a", "bb"])
    assert str(caught.value) == "x.yaml:8:28: GB203 c: units is 0; expected at least 1"


def test_a_consumer_that_does_not_fit_is_located_in_the_text_that_stands_there() -> None:
    body = "  a: {layer: Dense, from: x, units: 4}\n  b: {layer: Dense, from: z, units: 4}\n"
    body += "  c: {layer: Reshape, from: a, target_shape: [2, 2]}\n"
    with pytest.raises(BlueprintError) as caught:
        merged(body, ["a", "b"], "concat")
    assert str(caught.value).startswith("x.yaml:8:")
    told = "merged is added below b: concat of a, b; c now takes merged instead of a"
    assert f"\n  so it would be after the edit, which was not made: {told}" in str(caught.value)


def test_shared_text_is_not_changed() -> None:
    body = "  a: &n {layer: Dense, from: x, units: 4}\n  b: *n\n"
    with pytest.raises(BlueprintError) as caught:
        merged(body, ["x", "z"])
    assert str(caught.value).startswith("x.yaml:6:3: GB203 a is shared through &n")
    assert data(merged(body, ["x", "z"], into=[]))["nodes"]["merged"] == {"fuse": "add", "from": ["x", "z"]}


def test_what_is_given_stays_as_it_is_and_imports_are_found(tmp_path: Path) -> None:
    (tmp_path / "parts.yaml").write_text(
        "blueprint: 1\nblocks:\n  half: {inputs: [v], nodes: {d: {layer: Dense, units: 4}}}\n"
    )
    path = tmp_path / "model.yaml"
    path.write_text(HEAD.replace("inputs:", "imports: {p: parts.yaml}\ninputs:") + "  h: {block: p.half, from: x}\n")
    document = load(path)
    before = document.source.text
    edited = merge(document, ["h", "z"], "concat")
    assert document.source.text == before == path.read_text()
    assert list(edited.document.blueprint.nodes) == ["h", "merged"]
    assert edited.document.path == path
