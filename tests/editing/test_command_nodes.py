"""Commands on nodes and edges: the text after each in every style, what is refused, what stays the same model."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.blueprint import parse_blueprint
from graphbuilder.editing.changes import Insert
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.adding import AddNode, After, AtEnd, Before, Branch, OnEdge
from graphbuilder.editing.commands.arguments import SetArgument, UnsetArgument
from graphbuilder.editing.commands.connecting import Connect, Disconnect, Rewire, SwapInputs, UnsetFrom
from graphbuilder.editing.commands.deleting import DeleteNodes
from graphbuilder.editing.commands.kinds import ChangeKind
from graphbuilder.editing.commands.renaming import RenameNode
from graphbuilder.editing.kinds import kind_of, required_arguments
from graphbuilder.editing.session import Session
from graphbuilder.errors import CommandError
from graphbuilder.lowering import lower, try_lower
from graphbuilder.lowering.resolved_proof import first_difference
from tests.editing.golden import STYLES, check_golden, session_of

CASES: dict[str, Command] = {
    "add_after": AddNode("layer", "Dropout", After("hidden")),
    "add_after_several_takers": AddNode("layer", "LayerNormalization", After("hidden"), "norm", {"about": "a: b # c"}),
    "add_after_an_input": AddNode("op", "multiply", After("image"), "doubled"),
    "add_before": AddNode("layer", "Dense", Before("asked"), arguments={"units": "$half"}),
    "add_on_an_edge": AddNode("layer", "Dropout", OnEdge("hidden", "size"), arguments={"rate": 0.1}),
    "add_on_an_output": AddNode("op", "log", OnEdge("size", "outputs")),
    "add_branch": AddNode("layer", "Dense", Branch("words")),
    "add_branch_that_merges": AddNode("fuse", "gated", Branch("asked")),
    "add_at_the_end": AddNode("block", "std.mlp", AtEnd()),
    "add_in_a_block": AddNode("layer", "BatchNormalization", After("conv"), block="branch"),
    "add_own_block": AddNode("block", "branch", Before("seen"), "twice"),
    "add_block_within_itself": AddNode("block", "branch", After("conv"), block="branch"),
    "add_unknown_layer": AddNode("layer", "Denze", AtEnd()),
    "add_op_as_layer": AddNode("layer", "matmul", AtEnd()),
    "add_refused_layer": AddNode("layer", "Lambda", AtEnd()),
    "add_with_wrong_argument": AddNode("layer", "Dense", AtEnd(), arguments={"units": 0}),
    "add_with_unknown_argument": AddNode("layer", "Dense", AtEnd(), arguments={"unit": 4}),
    "add_with_taken_name": AddNode("layer", "Dense", AtEnd(), "hidden"),
    "add_after_nothing": AddNode("layer", "Dense", After("hiden")),
    "add_before_what_takes_several": AddNode("layer", "Dense", Before("merged")),
    "add_on_no_edge": AddNode("layer", "Dense", OnEdge("words", "size")),
    "add_reuse": AddNode("reuse", "hidden", Branch("merged")),
    "add_reuse_of_a_layer_in_a_block": AddNode("reuse", "seen.conv", Branch("image"), "looked"),
    "add_reuse_of_nothing": AddNode("reuse", "hiden", Branch("merged")),
    "add_reuse_of_a_fusion": AddNode("reuse", "merged", After("merged")),
    "add_reuse_that_feeds_what_it_reuses": AddNode("reuse", "merged", After("flat")),
    "leave_from_out_that_is_not_there": UnsetFrom("asked"),
    "leave_from_out_that_says_more": UnsetFrom("size"),
    "delete": DeleteNodes(["hidden"]),
    "delete_with_its_comment": DeleteNodes(["words"]),
    "delete_several": DeleteNodes(["flat", "code", "merged"]),
    "delete_what_takes_several": DeleteNodes(["merged"]),
    "delete_an_output": DeleteNodes(["answer"]),
    "delete_and_cut": DeleteNodes(["asked", "hidden"], heal=False),
    "delete_in_a_block": DeleteNodes(["pool"], block="branch"),
    "delete_all": DeleteNodes(["seen", "flat", "words", "asked", "code", "merged", "hidden", "answer", "size"]),
    "delete_unknown": DeleteNodes(["hiden"]),
    "rename": RenameNode("hidden", "shared"),
    "rename_what_a_pass_names": RenameNode("code", "image-code"),
    "rename_an_output": RenameNode("size", "how_many"),
    "rename_in_a_block": RenameNode("conv", "first", block="branch"),
    "rename_to_a_taken_name": RenameNode("hidden", "code"),
    "rename_to_no_name": RenameNode("hidden", "2nd"),
    "set_argument": SetArgument("answer", ("units",), 5),
    "set_new_argument": SetArgument("hidden", ("kernel_initializer", "HeNormal", "seed"), 1),
    "set_about": SetArgument("hidden", ("about",), "what: they share # both"),
    "set_when": SetArgument("hidden", ("when",), "$(units > 4)"),
    "set_call": SetArgument("hidden", ("call", "training"), True),
    "set_repeat": SetArgument("seen", ("repeat",), 2),
    "set_block_param": SetArgument("seen", ("filters",), 4),
    "set_wrongly": SetArgument("hidden", ("activation",), "relo"),
    "set_unknown": SetArgument("hidden", ("activaton",), "relu"),
    "set_unknown_param": SetArgument("hidden", ("units",), "$width"),
    "set_call_wrongly": SetArgument("hidden", ("call", "trainin"), True),
    "set_block_param_wrongly": SetArgument("seen", ("filters",), "many"),
    "set_from": SetArgument("hidden", ("from",), "code"),
    "set_kind": SetArgument("hidden", ("layer",), "LSTM"),
    "unset_argument": UnsetArgument("hidden", ("activation",)),
    "unset_needed": UnsetArgument("hidden", ("units",)),
    "unset_argument_that_is_not_set": UnsetArgument("hidden", ("use_bias",)),
    "connect_to_a_list": Connect("words", "merged"),
    "connect_in_place": Connect("flat", "hidden"),
    "connect_to_place": Connect("flat", "merged", 1),
    "connect_in_a_circle": Connect("answer", "code"),
    "connect_to_no_port": Connect("flat", "merged", "query"),
    "connect_unknown": Connect("flatt", "merged"),
    "disconnect": Disconnect("asked", "merged"),
    "disconnect_an_output": Disconnect("size", "outputs"),
    "disconnect_the_only_one": Disconnect("hidden", "size"),
    "disconnect_what_is_implied": Disconnect("words", "asked"),
    "swap_inputs": SwapInputs("merged"),
    "swap_what_takes_one": SwapInputs("hidden"),
    "rewire": Rewire("hidden", "size", "merged"),
    "rewire_what_is_implied": Rewire("words", "asked", "question"),
    "rewire_outputs": Rewire("answer", "outputs", "hidden"),
    "rewire_in_a_circle": Rewire("flat", "code", "hidden"),
    "rewire_no_edge": Rewire("words", "code", "flat"),
    "change_kind": ChangeKind("hidden", "layer", "LSTM"),
    "change_kind_to_op": ChangeKind("answer", "op", "softmax"),
    "change_kind_with_needs": ChangeKind("asked", "layer", "Conv1D"),
    "change_kind_of_fusion": ChangeKind("merged", "layer", "Concatenate", {"axis": -1}),
    "change_block_to_layer": ChangeKind("seen", "layer", "Conv2D"),
    "change_to_unknown_kind": ChangeKind("seen", "fuse", "concatenate"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_after_a_command_is_exact(name: str) -> None:
    check_golden(name, CASES[name])


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_a_renamed_model_is_the_same_but_for_names(path: Path) -> None:
    session = session_of(path)
    before = lower(session.document())
    for name, block in (("hidden", None), ("code", None), ("conv", "branch"), ("seen", None), ("words", None)):
        session.run(RenameNode(name, f"{name}_2", block))
    again = session_of(path)
    for name, block in (("words", None), ("conv", "branch"), ("seen", None), ("hidden", None), ("code", None)):
        again.run(RenameNode(name, f"{name}_2", block))
    assert session.text == again.text
    assert first_difference(before, lower(session.document())) is None


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "where", [After("hidden"), Before("answer"), OnEdge("hidden", "size"), After("words"), AtEnd()]
)
def test_what_is_added_in_a_chain_and_deleted_leaves_the_model(
    path: Path, where: After | Before | OnEdge | AtEnd
) -> None:
    session = session_of(path)
    before = lower(session.document())
    edit = session.run(AddNode("layer", "Dropout", where, arguments={"rate": 0.5}))
    lower(session.document())
    assert edit.focus == "dropout"
    session.run(DeleteNodes(["dropout"]))
    assert first_difference(before, lower(session.document())) is None


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_swapping_twice_restores_every_byte(path: Path) -> None:
    session = session_of(path)
    before = session.text
    session.run(SwapInputs("merged"))
    assert session.text != before
    session.run(SwapInputs("merged"))
    assert session.text == before


def test_every_layer_op_and_fusion_can_be_added_with_what_it_needs() -> None:
    from graphbuilder.catalog import layers, ops
    from graphbuilder.fusion import strategies

    document = parse_blueprint("blueprint: 1\ninputs: {x: {shape: [8, 8, 4]}}\nnodes: {a: {layer: Flatten}}\n")
    for key, table in (("layer", layers), ("op", ops), ("fuse", strategies)):
        for name in table.names():
            needed = required_arguments(kind_of(document, key, name))
            edit = AddNode(key, name, Branch("x")).edit(document)
            (node,) = (each.value for each in edit.changes if isinstance(each, Insert) and each.key == edit.focus)
            assert {field: node[field] for field in needed} == needed


TAPS = """\
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  step:
    inputs: [x]
    nodes:
      dense: {layer: Dense, units: 8}
      inner: {block: deep}
  deep:
    inputs: [x]
    nodes:
      dense: {layer: Dense, units: 8}
      both: {layer: Dense, units: 4}
    outputs: {code: dense, both: both}
nodes:
  one: {block: step, from: x}
  many: {block: step, from: one.inner.code, repeat: 2}
  again: {reuse: one.inner.dense, from: x}
  twin: {reuse: one, from: x}
  sum: {fuse: add, from: [one.dense, many.1.dense, twin.inner.dense], align: {one.dense: none}}
outputs: {a: sum, b: many.0.inner.both, c: one.inner.dense}
compression:
  - {pass: prune, sparsity: 0.5, where: {nodes: [one.inner.dense, "many.*.dense"], except: [many.0]}}
"""


def test_paths_from_outside_a_block_follow_what_is_renamed_inside() -> None:
    session = Session(TAPS, "taps.yaml")
    edit = session.run(RenameNode("dense", "projection", "deep"))
    data = session.document().source.data
    assert data["nodes"]["again"]["reuse"] == "one.inner.projection"
    assert data["nodes"]["sum"]["from"] == ["one.dense", "many.1.dense", "twin.inner.projection"]
    assert data["outputs"] == {"a": "sum", "b": "many.0.inner.both", "c": "one.inner.projection"}
    assert data["blocks"]["deep"]["outputs"] == {"code": "projection", "both": "both"}
    assert data["compression"][0]["where"]["nodes"] == ["one.inner.projection", "many.*.dense"]
    assert data["blocks"]["step"]["nodes"]["dense"] == {"layer": "Dense", "units": 8}
    assert edit.focus == "projection"


def test_an_output_of_a_block_hides_the_node_of_its_name() -> None:
    session = Session(TAPS, "taps.yaml")
    # many.0.inner.both is the output, whatever the node behind it is called.
    session.run(RenameNode("both", "wide", "deep"))
    data = session.document().source.data
    assert data["outputs"]["b"] == "many.0.inner.both"
    assert data["blocks"]["deep"]["outputs"] == {"code": "dense", "both": "wide"}
    with pytest.raises(CommandError, match=r"code is an output of block deep, which .* would mean then"):
        session.run(RenameNode("dense", "code", "deep"))


def test_patterns_that_choose_otherwise_are_told() -> None:
    session = Session(TAPS, "taps.yaml")
    edit = session.run(RenameNode("many", "copies"))
    assert "many.*.dense of pass 1 (prune) matched many and does not match copies" not in edit.told
    assert session.document().source.data["compression"][0]["where"]["except"] == ["copies.0"]
    pattern = "blueprint: 1\ninputs: {x: {shape: [8]}}\nnodes: {a_1: {layer: Dense, units: 8}}\n"
    session = Session(f'{pattern}compression: [{{pass: prune, sparsity: 0.5, where: {{nodes: ["a_*"]}}}}]\n', "x.yaml")
    assert session.run(RenameNode("a_1", "b")).told[0] == "a_* of pass 1 (prune) matched a_1 and does not match b"


REUSED = """\
blueprint: 1
inputs: {left: {shape: [4]}, right: {shape: [4]}}
nodes:
  a: {layer: Dense, from: left, units: 3, activation: relu}  # shared
  b: {reuse: a, from: right}
  c: {reuse: a, from: left}
  sum: {layer: Add, from: [a, b, c]}
"""


def test_the_first_user_of_a_deleted_layer_inherits_it() -> None:
    session = Session(REUSED, "reused.yaml")
    edit = session.run(DeleteNodes(["a"]))
    assert session.text == (
        "blueprint: 1\ninputs: {left: {shape: [4]}, right: {shape: [4]}}\nnodes:\n"
        "  b: {layer: Dense, from: right, units: 3, activation: relu}\n"
        "  c: {reuse: b, from: left}\n"
        "  sum: {layer: Add, from: [left, b, c]}\n"
    )
    assert edit.told == ("b has the layer of a from now on", "sum now takes left instead of a")


def test_what_lies_inside_a_deleted_node_cannot_be_used_again() -> None:
    with pytest.raises(CommandError, match=r"again uses one\.inner\.dense again, which would be gone"):
        Session(TAPS, "taps.yaml").run(DeleteNodes(["one"]))


PORTS = """\
blueprint: 1
inputs: {x: {shape: [6, 8]}, y: {shape: [5, 8]}}
nodes:
  named: {layer: MultiHeadAttention, from: {query: x, value: y}, num_heads: 2, key_dim: 4}
  listed: {layer: MultiHeadAttention, from: [x, y], num_heads: 2, key_dim: 4}
  single: {layer: Dense, from: x, units: 8}
  lists: {layer: LSTM, from: {sequences: x, initial_state: [single]}, units: 8}
outputs: [named, listed, single, lists]
"""


@pytest.mark.parametrize(
    ("command", "node", "expected"),
    [
        (Connect("y", "named", "key"), "named", {"query": "x", "value": "y", "key": "y"}),
        (Connect("y", "named"), "named", {"query": "x", "value": "y", "key": "y"}),
        (Connect("y", "named", 0), "named", {"query": "y", "value": "y"}),
        (Connect("y", "listed", "query"), "listed", ["y", "y"]),
        (Connect("y", "listed"), "listed", ["x", "y", "y"]),
        (Connect("y", "listed", "attention_mask"), "listed", {"query": "x", "value": "y", "attention_mask": "y"}),
        (Connect("y", "single"), "single", "y"),
        (Connect("y", "lists", "initial_state"), "lists", {"sequences": "x", "initial_state": ["single", "y"]}),
        (SwapInputs("named", "query", "value"), "named", {"query": "y", "value": "x"}),
        (SwapInputs("named"), "named", {"query": "y", "value": "x"}),
        (SwapInputs("listed", "query", "value"), "listed", ["y", "x"]),
        (Disconnect("y", "named"), "named", {"query": "x"}),
        (Disconnect("single", "lists"), "lists", {"sequences": "x"}),
        (Rewire("x", "lists", "y"), "lists", {"sequences": "y", "initial_state": ["single"]}),
    ],
)  # fmt: skip
def test_ports_are_connected_by_name_and_by_place(command: Command, node: str, expected: object) -> None:
    session = Session(PORTS, "ports.yaml")
    session.run(command)
    assert session.document().source.data["nodes"][node]["from"] == expected


FUSED = """\
blueprint: 1
inputs: {p: {shape: [8, 8, 3], modality: image}, t: {shape: [5, 4], modality: text}, there: {shape: [], dtype: bool}}
nodes:
  seen: {layer: Conv2D, from: p, filters: 4, kernel_size: 3}
  read: {layer: LSTM, from: t, units: 4}
  merged:
    fuse: gated
    from: {inputs: [seen, read], presence: {read: there}}
    align: {seen: pool}
  out: {layer: Dense, units: 1}
"""


def test_what_a_fusion_says_of_its_branches_follows() -> None:
    session = Session(FUSED, "fused.yaml")
    lower(session.document())
    session.run(AddNode("layer", "ReLU", After("seen"), "relu"))
    session.run(RenameNode("read", "heard"))
    merged = session.document().source.data["nodes"]["merged"]
    assert merged["from"] == {"inputs": ["relu", "heard"], "presence": {"heard": "there"}}
    assert merged["align"] == {"relu": "pool"}
    lower(session.document())
    session.run(DeleteNodes(["relu"]))
    assert session.document().source.data["nodes"]["merged"]["align"] == {"seen": "pool"}
    session.run(Rewire("heard", "merged", "t"))
    assert session.document().source.data["nodes"]["merged"]["from"]["presence"] == {"t": "there"}
    lower(session.document())


def test_a_node_that_is_deleted_between_lists_gives_its_inputs_to_them() -> None:
    text = (
        "blueprint: 1\ninputs: {a: {shape: [4]}, b: {shape: [4]}}\nnodes:\n"
        "  inner: {layer: Add, from: [a, b]}\n  outer: {layer: Add, from: [inner, a]}\n"
    )
    session = Session(text, "x.yaml")
    edit = session.run(DeleteNodes(["inner"]))
    assert session.document().source.data["nodes"] == {"outer": {"layer": "Add", "from": ["a", "b", "a"]}}
    assert edit.told == ("outer now takes a and b instead of inner",)


def test_shared_text_is_not_changed() -> None:
    text = (
        "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n"
        "  a: &dense {layer: Dense, units: 4}\n  b: *dense\n  c: {layer: Dense, units: 2}\n"
    )
    session = Session(text, "x.yaml")
    for command in (SetArgument("a", ("units",), 3), SetArgument("b", ("units",), 3), DeleteNodes(["a"])):
        with pytest.raises(Exception, match=r"is shared through [*&]dense"):
            session.run(command)
        assert session.text == text
    session.run(SetArgument("c", ("units",), 3))
    session.run(RenameNode("a", "z"))
    session.run(DeleteNodes(["b"]))
    assert session.text == (
        "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n"
        "  z: &dense {layer: Dense, units: 4}\n  c: {layer: Dense, units: 3}\n"
    )


def test_an_edit_of_a_file_whose_graph_is_wrong_is_possible() -> None:
    text = "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  a: {layer: Conv2D, filters: 2, kernel_size: 3}\n"
    session = Session(text, "x.yaml")
    assert try_lower(session.document()).errors
    session.run(ChangeKind("a", "layer", "Dense"))
    assert session.text.endswith("  a: {layer: Dense, units: 10}\n") or "units:" in session.text
    assert not try_lower(session.document()).errors
