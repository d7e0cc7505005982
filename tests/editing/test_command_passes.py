"""Commands on passes of compression, and which passes fit which nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.api import load
from graphbuilder.compression.legality import Verdict
from graphbuilder.compression.orders import order_of
from graphbuilder.compression.plan import plan_compression
from graphbuilder.compression.plan_data import predicted_sizes
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.choosing import ExcludeNodes, IncludeNodes
from graphbuilder.editing.commands.passes import (
    AttachPass,
    EditPass,
    MovePass,
    OverrideOption,
    RemovePass,
    UnsetOverride,
    UnsetPass,
)
from graphbuilder.editing.passing import SUGGESTED, passes_that_fit
from graphbuilder.editing.passing_blocks import pass_names
from graphbuilder.editing.session import Session
from graphbuilder.errors import BlueprintError, CommandError
from graphbuilder.lowering import lower
from tests.editing.golden import check_golden

CASES: dict[str, Command] = {
    "attach_cluster": AttachPass("cluster", {"clusters": 16}),
    "attach_in_a_block": AttachPass("cluster", {"clusters": 8}, ["conv"], block="branch"),
    "attach_in_a_block_to_nothing": AttachPass("cluster", {"clusters": 8}, ["cnov"], block="branch"),
    "exclude_in_a_block": ExcludeNodes(1, ["conv"], "branch"),
    "attach_to_a_node": AttachPass("low_rank", {"energy": 0.9}, ["hidden"]),
    "attach_to_nodes_first": AttachPass("prune", {"sparsity": 0.3}, ["seen", "words"], 0),
    "attach_where_it_may_not_stand": AttachPass("cluster", {"clusters": 16}, position=2),
    "attach_a_second_quantize": AttachPass("quantize"),
    "attach_without_its_option": AttachPass("cluster"),
    "attach_to_what_has_no_weights": AttachPass("cluster", {"clusters": 16}, ["flat"]),
    "attach_an_unknown_pass": AttachPass("purne"),
    "edit_pass": EditPass(0, ("sparsity",), 0.75),
    "edit_pass_in_depth": EditPass(0, ("schedule", "polynomial", "end"), 0.5),
    "edit_pass_wrongly": EditPass(0, ("sparsity",), 75),
    "edit_unknown_pass": EditPass(2, ("sparsity",), 0.75),
    "unset_what_a_pass_needs": UnsetPass(0, ("sparsity",)),
    "unset_where": UnsetPass(0, ("where",)),
    "remove_pass": RemovePass(0),
    "move_pass_where_it_may_not_stand": MovePass(0, 1),
    "override_option": OverrideOption(0, "hidden", "sparsity", 0.75),
    "override_for_what_is_not_touched": OverrideOption(0, "words", "sparsity", 0.75),
    "override_what_is_the_same_for_all": OverrideOption(0, "hidden", "schedule", "constant"),
    "include_node": IncludeNodes(0, ["answer"]),
    "include_block": IncludeNodes(0, ["seen", "words"]),
    "include_what_owns_no_layer": IncludeNodes(0, ["nothing"]),
    "exclude_node": ExcludeNodes(0, ["code"]),
    "exclude_all_nodes": ExcludeNodes(0, ["code", "hidden"]),
    "exclude_from_all": ExcludeNodes(1, ["answer"]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_after_a_command_is_exact(name: str) -> None:
    check_golden(name, CASES[name])


HEAD = """\
blueprint: 1
inputs: {x: {shape: [64]}}
nodes:
  a: {layer: Dense, units: 64, activation: relu}
  b: {layer: Dense, units: 64}
  norm: {layer: BatchNormalization}
  c: {layer: Dense, units: 8}
"""


def session(*passes: str) -> Session:
    return Session(HEAD + "compression:\n" + "".join(f"  - {{{written}}}\n" for written in passes))


def test_moving_keeps_comments_and_what_may_stand_there() -> None:
    at = session("pass: low_rank, energy: 0.9, where: {nodes: a}", "pass: prune, sparsity: 0.5, where: {nodes: c}")
    at.run(MovePass(1, 0))
    assert [written["pass"] for written in at.document().source.data["compression"]] == ["prune", "low_rank"]
    assert not plan_compression(lower(at.document()))[1]


def test_overrides_come_and_go() -> None:
    at = session("pass: prune, sparsity: 0.5")
    before = at.text
    at.run(OverrideOption(0, "a", "sparsity", 0.9))
    at.run(OverrideOption(0, "b", "sparsity", 0.25))
    assert "overrides: {a: {sparsity: 0.9}, b: {sparsity: 0.25}}" in at.text
    at.run(UnsetOverride(0, "a"))
    at.run(UnsetOverride(0, "b", "sparsity"))
    assert at.text == before


def test_where_grows_and_shrinks() -> None:
    at = session("pass: prune, sparsity: 0.5")
    before = at.text
    at.run(ExcludeNodes(0, ["a"]))
    assert "where: {except: a}" in at.text
    at.run(ExcludeNodes(0, ["c"]))
    assert "where: {except: [a, c]}" in at.text
    at.run(IncludeNodes(0, ["a", "c"]))
    assert at.text == before
    with pytest.raises(CommandError, match="that changes nothing"):
        at.run(IncludeNodes(0, ["a"]))


def test_a_pattern_stays_and_an_exception_is_named() -> None:
    at = session("pass: prune, sparsity: 0.5, where: {nodes: '[ab]'}")
    at.run(ExcludeNodes(0, ["a"]))
    assert "where: {nodes: '[ab]', except: a}" in at.text


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("{except: '[ab]'}", "[ab] under where.except leaves out a"),
        ("{layers: Dense, except: Dense}", "Dense under where.except leaves out a"),
        ("{layers: BatchNormalization}", "prune touches layers of kind BatchNormalization, and a is Dense"),
    ],
)
def test_patterns_and_kinds_are_not_edited_for_one_node(where: str, message: str) -> None:
    at = session(f"pass: prune, sparsity: 0.5, where: {where}")
    before = at.text
    with pytest.raises(CommandError) as caught:
        at.run(IncludeNodes(0, ["a"]))
    assert message in str(caught.value)
    assert at.text == before


def test_the_last_pass_goes_with_its_section() -> None:
    at = session("pass: quantize")
    at.run(RemovePass(0))
    assert at.text == HEAD


def test_what_was_wrong_before_is_no_reason_to_refuse() -> None:
    at = session("pass: cluster, clusters: 16", "pass: prune, sparsity: 0.5")
    at.run(EditPass(0, ("clusters",), 8))
    assert "clusters: 8" in at.text
    at.run(MovePass(1, 0))
    assert not plan_compression(lower(at.document()))[1]


def test_a_file_with_errors_takes_a_pass_unchecked_and_says_so() -> None:
    at = Session(HEAD.replace("units: 8", "units: 0"))
    edit = at.run(AttachPass("prune", {"sparsity": 0.5}))
    assert edit.told == ("the file has errors, so it is not known whether the pass fits",)


# Which passes fit.


SHIPPED = sorted((Path(__file__).parents[2] / "blueprints").glob("[!.]*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_fits_can_be_attached_and_what_does_not_is_refused(path: Path) -> None:
    document = load(path)
    layers = [name for name, layer in lower(document).layers.items() if layer.weights]
    for nodes in (None, layers[:2], layers[-1:]):
        for fitting in passes_that_fit(document, nodes):
            chosen = None if nodes is None else fitting.changed
            command = AttachPass(fitting.name, fitting.options, chosen if fitting.fits else nodes)
            at = Session(path.read_text(encoding="utf-8"), path.name, path)
            if not fitting.fits:
                with pytest.raises(CommandError):
                    at.run(command)
                continue
            at.run(command)
            plan, found = plan_compression(lower(at.document()))
            assert not found
            stage = plan.stages[fitting.positions[-1]]
            assert stage.declared.name() == fitting.name
            assert {target.layer for target in stage.targets} == set(fitting.changed)
            if fitting.after is not None:
                assert predicted_sizes(plan, lower(at.document()))[1] == fitting.after


def test_positions_are_those_that_the_orders_allow() -> None:
    at = session("pass: low_rank, energy: 0.9", "pass: prune, sparsity: 0.5", "pass: quantize")
    found = {fitting.name: fitting for fitting in passes_that_fit(at.document())}
    names = ["low_rank", "prune", "quantize"]
    for name, fitting in found.items():
        allowed = tuple(
            place
            for place in range(4)
            if all(order_of(each, name).allowed for each in names[:place])
            and all(order_of(name, each).allowed for each in names[place:])
        )
        assert fitting.positions == allowed, name


def test_each_layer_has_its_ruling_with_the_reason() -> None:
    found = {fitting.name: fitting for fitting in passes_that_fit(Session(HEAD).document(), ["a", "norm"])}
    rulings = {one.layer: one.ruling for one in found["prune"].layers}
    assert rulings["a"].verdict is Verdict.LEGAL
    assert (rulings["norm"].verdict, rulings["norm"].reason) == (Verdict.NO_EFFECT, "it has no kernel")
    assert found["prune"].options == SUGGESTED["prune"]
    before, after = found["prune"].before, found["prune"].after
    assert before is not None
    assert after is not None
    assert after.gzip < before.gzip


def test_a_node_without_layers_is_told() -> None:
    text = HEAD + "  sum: {op: add, from: [c, 1]}\n"
    found = passes_that_fit(Session(text).document(), ["sum"])
    assert {(fitting.reason, fitting.without) for fitting in found} == {("sum owns no layer", ("sum",))}
    with pytest.raises(CommandError, match="there is no node smu"):
        passes_that_fit(Session(text).document(), ["smu"])


def test_of_a_file_with_errors_nothing_is_known() -> None:
    with pytest.raises(BlueprintError, match="units is 0"):
        passes_that_fit(Session(HEAD.replace("units: 8", "units: 0")).document())


def test_zeros_that_an_earlier_pass_made_count_in_what_is_predicted() -> None:
    at = session("pass: prune, sparsity: 0.8")
    plan = plan_compression(lower(at.document()))[0]
    alone = predicted_sizes(plan, lower(at.document()))[1]
    at.run(AttachPass("prune", {"sparsity": 0.3}))
    plan = plan_compression(lower(at.document()))[0]
    assert predicted_sizes(plan, lower(at.document()))[1] == alone
    at.run(EditPass(1, ("preserve",), "none"))
    plan = plan_compression(lower(at.document()))[0]
    assert predicted_sizes(plan, lower(at.document()))[1].gzip > alone.gzip


COPIES = """\
blueprint: 1
inputs: {x: {shape: [8]}}
blocks:
  step:
    inputs: [x]
    nodes:
      dense: {layer: Dense, units: 8}
      twice: {op: add, from: [dense, x]}
  outer:
    inputs: [x]
    nodes:
      step: {block: step}
      steps: {block: step, repeat: 2}
  idle: {inputs: [x], nodes: {d: {layer: Dense, units: 2}}}
nodes:
  first: {block: step}
  many: {block: outer, repeat: 2}
  other: {layer: Dense, units: 8}
"""


def touched(session: Session) -> list[str]:
    plan, errors = plan_compression(lower(session.document()))
    assert not errors
    return [target.layer for target in plan.stages[0].targets]


def test_a_node_of_a_block_is_compressed_in_every_copy() -> None:
    session = Session(COPIES, "x.yaml")
    session.run(AttachPass("prune", {"sparsity": 0.5}, ["dense"], block="step"))
    inner = ("step", "steps.0", "steps.1")
    every = ["first.dense", *(f"many.{number}.{each}.dense" for number in range(2) for each in inner)]
    assert touched(session) == every
    where = session.document().source.data["compression"][0]["where"]
    assert where == {"nodes": ["first.dense", "many.*.step.dense", "many.*.steps.*.dense"]}
    session.run(ExcludeNodes(0, ["steps"], "outer"))
    assert touched(session) == ["first.dense", "many.0.step.dense", "many.1.step.dense"]
    session.run(IncludeNodes(0, ["steps"], "outer"))
    assert touched(session) == every


def test_a_pattern_that_would_match_others_is_not_written() -> None:
    text = COPIES.replace("nodes:\n      step:", "nodes:\n      t: {block: deep}\n      step:")
    text = text.replace("  outer:", "  deep: {inputs: [x], nodes: {step: {layer: Dense, units: 8}}}\n  outer:")
    document = Session(text, "x.yaml").document()
    assert pass_names(document, ["step"], "outer") == ("many.0.step", "many.1.step")
    assert pass_names(document, ["step"], "deep") == ("many.*.t.step",)


@pytest.mark.parametrize(
    ("node", "block", "message"),
    [
        ("twice", "step", "GB301 twice of block step owns no layer"),
        ("denes", "step", "GB301 there is no node denes in block step"),
        ("d", "idle", "GB303 no node uses idle, so there are no layers of it to compress"),
        ("dense", "stpe", "GB205 stpe is no block of this file"),
    ],
)
def test_what_passes_cannot_name_in_a_block_is_refused(node: str, block: str, message: str) -> None:
    session = Session(COPIES, "x.yaml")
    with pytest.raises(CommandError) as caught:
        session.run(AttachPass("prune", {"sparsity": 0.5}, [node], block=block))
    assert message in str(caught.value)
    assert session.text == COPIES
