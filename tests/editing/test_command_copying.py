"""Nodes copied as text and pasted: what they need comes along, what is called alike gets another name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from graphbuilder.blueprint import load, parse_blueprint
from graphbuilder.blueprint.shipped import blueprint_names, blueprint_path
from graphbuilder.editing.commands.connecting import Rewire
from graphbuilder.editing.commands.copying import Paste, copied
from graphbuilder.editing.commands.deleting import DeleteNodes
from graphbuilder.editing.sameness import difference
from graphbuilder.editing.session import Session
from graphbuilder.errors import CommandError
from graphbuilder.lowering import lower
from graphbuilder.lowering.resolved_proof import first_difference
from graphbuilder.text import to_yaml
from tests.editing.golden import STYLES, check_golden, session_of

SNIPPETS = {
    "chain": (["code", "merged"], None),
    "what_uses_a_block_and_a_param": (["seen", "flat"], None),
    "inside_a_block": (["conv", "pool"], "branch"),
}


def snippet(name: str, style: str = "flow.yaml") -> str:
    names, block = SNIPPETS[name]
    path = next(path for path in STYLES if path.name == style)
    return copied(session_of(path).document(), names, block)


@pytest.mark.parametrize("name", SNIPPETS)
def test_what_is_pasted_into_its_own_file_is_exact(name: str) -> None:
    check_golden(f"paste_{name}", Paste(snippet(name), "asked"))


def test_what_is_pasted_at_the_end_takes_what_it_took() -> None:
    check_golden("paste_at_the_end", Paste(snippet("chain")))


def test_nodes_of_a_block_can_be_pasted_into_it() -> None:
    check_golden("paste_into_a_block", Paste(snippet("inside_a_block"), "conv", block="branch"))


def test_a_snippet_is_written_as_its_author_wrote_it() -> None:
    assert snippet("what_uses_a_block_and_a_param") == (
        "blueprint: 1\n"
        "params:\n"
        "  units: {default: 8, min: 1, about: width of a vector}\n"
        "blocks:\n"
        "  branch:\n"
        "    params: {filters: {type: int}}\n"
        "    inputs: [x]\n"
        "    nodes: {conv: {layer: Conv2D, filters: $filters, kernel_size: 3}, pool: {layer: MaxPooling2D}}\n"
        "nodes:\n"
        "  # The image.\n"
        "  seen: {block: branch, from: image, filters: $units}  # a block\n"
        "  flat: {layer: Flatten, from: seen}\n"
    )
    assert snippet("chain", "block.yaml").endswith(
        "nodes:\n"
        "  code:\n"
        "      layer: Dense\n"
        "      from: flat\n"
        "      units: $half\n"
        "  merged:\n"
        "      fuse: concat\n"
        "      from:\n"
        "      - code\n"
        "      - asked\n"
    )


OTHER = """\
blueprint: 1
params: {units: 3}
inputs: {photo: {shape: [16, 16, 3]}}
blocks:
  branch: {inputs: [x], nodes: {norm: {layer: BatchNormalization}}}
nodes:
  seen: {block: branch, from: photo}
  pooled: {layer: GlobalAveragePooling2D}
outputs: pooled
"""


def test_what_is_called_alike_in_another_file_gets_another_name() -> None:
    session = Session(OTHER, "other.yaml")
    edit = session.run(Paste(snippet("what_uses_a_block_and_a_param"), "photo"))
    assert session.text == (
        "blueprint: 1\n"
        "params: {units: 3}\n"
        "inputs: {photo: {shape: [16, 16, 3]}}\n"
        "blocks:\n"
        "  branch: {inputs: [x], nodes: {norm: {layer: BatchNormalization}}}\n"
        "  branch_2:\n"
        "    params: {filters: {type: int}}\n"
        "    inputs: [x]\n"
        "    nodes: {conv: {layer: Conv2D, filters: $filters, kernel_size: 3}, pool: {layer: MaxPooling2D}}\n"
        "nodes:\n"
        "  # The image.\n"
        "  seen_2: {block: branch_2, from: photo, filters: $units}  # a block\n"
        "  flat: {layer: Flatten, from: seen_2}\n"
        "  seen: {block: branch, from: photo}\n"
        "  pooled: {layer: GlobalAveragePooling2D}\n"
        "outputs: pooled\n"
    )
    assert edit.told == (
        "seen is called seen_2 here",
        "block branch is added, called branch_2 here",
        "units is the param that stands here, which says something else than the pasted one",
        "what took image takes photo",
    )
    lower(session.document())


def test_what_is_pasted_into_an_empty_file_makes_its_sections() -> None:
    session = Session("blueprint: 1\ninputs: {image: {shape: [16, 16, 3]}}\n", "x.yaml")
    session.run(Paste(snippet("what_uses_a_block_and_a_param"), "image"))
    assert list(session.document().source.data) == ["blueprint", "params", "inputs", "blocks", "nodes"]
    lower(session.document())


def test_nodes_without_a_place_for_what_they_take_are_refused() -> None:
    session = Session(OTHER, "other.yaml")
    with pytest.raises(CommandError, match="the pasted nodes take image, which this file does not have"):
        session.run(Paste(snippet("what_uses_a_block_and_a_param")))
    assert session.text == OTHER


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nodes: [", r"what is pasted is no blueprint: "),
        ("just words", r"what is pasted is no blueprint: "),
        ("blueprint: 1\n", r"what is pasted has no nodes"),
        ("blueprint: 1\nnodes: {a: {layer: Dense, units: $u}}\n", r"the pasted nodes name u, which is no param here"),
        ("blueprint: 1\nimports: {b: ./b.yaml}\nnodes: {a: {block: b.p}}\n", r"need \./b\.yaml, imported as b"),
    ],
)
def test_what_cannot_be_pasted_is_refused(text: str, message: str) -> None:
    session = Session(OTHER, "other.yaml")
    with pytest.raises(CommandError, match=message):
        session.run(Paste(text, "photo"))
    assert session.text == OTHER


def test_weights_of_what_is_not_copied_cannot_be_used_again() -> None:
    document = parse_blueprint(
        "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes: {a: {layer: Dense, units: 4}, b: {reuse: a}}\n"
    )
    with pytest.raises(CommandError, match="b uses the weights of a again, which is not copied"):
        copied(document, ["b"])
    assert parse_blueprint(copied(document, ["b", "a"])).source.data["nodes"]["b"] == {"reuse": "a", "from": "a"}


def test_imports_come_along_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "b.yaml").write_text(
        "blueprint: 1\nblocks: {p: {inputs: [x], nodes: {d: {layer: Dense, units: 1}}}}\n"
    )
    here = tmp_path / "parts" / "m.yaml"
    text = "blueprint: 1\nimports: {b: ./b.yaml}\ninputs: {x: {shape: [4]}}\nnodes: {a: {block: b.p}}\n"
    taken = copied(Session(text, "m.yaml", here).document(), ["a"])
    other = "blueprint: 1\nimports: {b: ./c.yaml}\ninputs: {x: {shape: [4]}}\nnodes: {c: {layer: ReLU}}\n"
    (tmp_path / "c.yaml").write_text("blueprint: 1\nblocks: {q: {inputs: [x], nodes: {d: {layer: ReLU}}}}\n")
    session = Session(other, "n.yaml", tmp_path / "n.yaml")
    edit = session.run(Paste(taken, "c", here.parent))
    data = session.document().source.data
    assert data["imports"] == {"b": "./c.yaml", "b_2": "./parts/b.yaml"}
    assert data["nodes"]["a"] == {"block": "b_2.p", "from": "c"}
    assert "./parts/b.yaml is imported as b_2" in edit.told
    again = session.run(Paste(taken, "c", here.parent))
    assert not any("imported" in told for told in again.told)
    lower(session.document())
    deeper = Session("blueprint: 1\ninputs: {x: {shape: [4]}}\n", "n.yaml", tmp_path / "deep" / "n.yaml")
    with pytest.raises(CommandError, match="does not lie in the folder of this file"):
        deeper.run(Paste(taken, "x", here.parent))


@pytest.mark.parametrize("name", blueprint_names())
def test_a_whole_model_pasted_into_an_empty_file_is_the_same_model(name: str) -> None:
    path = blueprint_path(name)
    assert path is not None
    document = load(path)
    empty = {key: value for key, value in document.source.data.items() if key not in ("blocks", "nodes")}
    outputs = document.source.data.get("outputs", list(document.blueprint.nodes)[-1])
    session = Session(to_yaml({**empty, "outputs": outputs}), path.name, path)
    session.run(Paste(copied(document, list(document.blueprint.nodes)), None, path.parent))
    assert first_difference(lower(document), lower(session.document())) is None


@pytest.mark.parametrize("style", [path.name for path in STYLES])
def test_what_is_copied_from_any_style_says_the_same(style: str) -> None:
    for name in SNIPPETS:
        assert parse_blueprint(snippet(name, style)).source.data == parse_blueprint(snippet(name)).source.data


def test_what_was_cut_can_be_pasted_where_it_was() -> None:
    path = next(path for path in STYLES if path.name == "flow.yaml")
    session = session_of(path)
    before = replace(lower(session.document()), compression=())
    taken = copied(session.document(), ["hidden"])
    session.run(DeleteNodes(["hidden"]))
    session.run(Paste(taken, "merged"))
    for target in ("answer", "size"):
        session.run(Rewire("merged", target, "hidden"))
    # What passes touched it is told when it is deleted, and does not come back.
    after = replace(lower(session.document()), compression=())
    assert difference(before, after, lambda name: name) is None
