"""Nodes that become a block, and blocks that become nodes: the text, and that the model stays what it was."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from graphbuilder.blueprint import BlockNode
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands import blocks
from graphbuilder.editing.commands.blocks import ExtractBlock, InlineBlock, RemoveBlock
from graphbuilder.editing.session import Session
from graphbuilder.errors import BlueprintError, CommandError
from graphbuilder.lowering import lower
from tests.editing.golden import check_golden, session_of
from tests.editing.keeping import check_kept, fingerprint

SHIPPED = sorted((Path(__file__).parents[2] / "blueprints").glob("[!.]*.yaml"))

CASES: dict[str, Command] = {
    "extract_chain": ExtractBlock(["asked", "words"], "reader"),
    "extract_from_the_middle": ExtractBlock(["flat", "code"], "coder"),
    "extract_with_several_outputs": ExtractBlock(["merged", "hidden", "answer"], "head", "both"),
    "extract_all": ExtractBlock(
        ["seen", "flat", "words", "asked", "code", "merged", "hidden", "answer", "size"], "whole"
    ),
    "extract_within_a_block": ExtractBlock(["conv"], "look", block="branch"),
    "extract_what_does_not_hang_together": ExtractBlock(["seen", "code"], "both"),
    "extract_with_taken_name": ExtractBlock(["words", "asked"], "branch"),
    "extract_to_taken_node": ExtractBlock(["words", "asked"], "reader", "seen"),
    "extract_an_input": ExtractBlock(["question", "words"], "reader"),
    "extract_unknown_node": ExtractBlock(["word"], "reader"),
    "extract_nothing": ExtractBlock([], "reader"),
    "extract_in_unknown_block": ExtractBlock(["conv"], "look", block="brnach"),
    "inline": InlineBlock("seen"),
    "inline_what_is_no_block": InlineBlock("flat"),
    "remove_used_block": RemoveBlock("branch"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_after_a_command_is_exact(name: str) -> None:
    check_golden(name, CASES[name])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_stretch_of_nodes_can_be_a_block_and_nodes_again(path: Path) -> None:
    names = list(session_of(path).document().blueprint.nodes)
    stretches = [names[start : start + length] for length in (1, 2, 3) for start in range(len(names) - length + 1)]
    done = 0
    for nodes in [names, *stretches[:: max(1, len(stretches) // 3)]]:
        session = session_of(path)
        text = session.text
        if check_kept(session, ExtractBlock(nodes, "extracted")):
            assert check_kept(session, InlineBlock("extracted"))
            assert check_kept(session, RemoveBlock("extracted"))
            done += 1
        while session.done:
            session.undo()
        assert session.text == text
    assert done >= 2


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_block_can_be_inlined_until_none_is_left(path: Path) -> None:
    session = session_of(path)
    before = fingerprint(lower(session.document()))
    refused: set[str] = set()
    for _ in range(60):
        nodes = session.document().blueprint.nodes
        left = [name for name, node in nodes.items() if isinstance(node, BlockNode) and name not in refused]
        if not left:
            break
        if not check_kept(session, InlineBlock(left[0])):
            refused.add(left[0])
    assert fingerprint(lower(session.document())) == before
    # What another node uses again, what has as many copies as a param says, and what is pretrained as a whole, stays.
    for name in refused:
        with pytest.raises(
            CommandError, match=r"uses the weights|as many copies as its params say|which single nodes cannot say"
        ):
            session.run(InlineBlock(name))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(120))
def test_any_extraction_and_inlining_keeps_the_model(seed: int) -> None:
    chance = random.Random(seed)
    session = session_of(chance.choice(SHIPPED))
    before, text = fingerprint(lower(session.document())), session.text
    for _ in range(10):
        command = blocks.draw(session.document(), chance)
        if command is not None:
            check_kept(session, command)
    assert fingerprint(lower(session.document())) == before
    while session.done:
        session.undo()
    assert session.text == text


# Single cases.

HEAD = "blueprint: 1\ninputs: {x: {shape: [8]}, z: {shape: [8]}}\n"


def run(text: str, command: Command) -> str:
    session = Session(HEAD + text, "x.yaml")
    assert check_kept(session, command)
    return session.text.removeprefix(HEAD)


def refusal(text: str, command: Command) -> str:
    session = Session(HEAD + text, "x.yaml")
    with pytest.raises((CommandError, BlueprintError)) as caught:
        session.run(command)
    assert session.text == HEAD + text
    return str(caught.value)


def test_params_that_a_node_cannot_be_given_get_another_name() -> None:
    text = """\
params: {layer: 4, wide: $(layer * 2)}
nodes:
  a: {layer: Dense, from: x, units: $layer}
  b: {layer: Dense, units: "$(layer + wide)"}
"""
    after = run(text, ExtractBlock(["a", "b"], "both"))
    assert "both: {block: both, from: x, layer_value: $layer, wide: $wide}" in after
    assert 'b: {layer: Dense, units: "$(layer_value + wide)"}' in after
    assert "layer_value: 4" in after
    assert "wide: {}" in after


def test_the_number_of_a_copy_is_handed_on() -> None:
    text = """\
blocks:
  step:
    inputs: [x]
    nodes:
      a: {layer: Dense, units: $(index + 1)}
      b: {layer: Dense, units: 8}
nodes:
  steps: {block: step, from: x, repeat: 3}
"""
    after = run(text, ExtractBlock(["a"], "inner", block="step"))
    assert "inner: {block: inner, from: x, copy: $index}" in after
    assert "a: {layer: Dense, units: $(copy + 1)}" in after


def test_copies_become_nodes_with_their_numbers() -> None:
    text = """\
blocks:
  step:
    params: {units: {type: int}, kind: {default: relu}}
    inputs: [x, c]
    nodes:
      both: {fuse: add, from: [x, c], align: {c: [{project: 8}]}}
      off: {layer: Dropout, rate: 0.5, when: $(index > 0)}
      dense: {layer: Dense, units: $units, activation: $kind}
nodes:
  # All steps.
  steps: {block: step, from: {c: z, x: x}, repeat: 2, units: 8}  # two
  tap: {layer: Dense, from: steps.0.dense, units: 2}
  last: {layer: Dense, from: steps, units: 2}
outputs: {one: tap, two: last, three: steps.1.both}
"""
    assert (
        run(text, InlineBlock("steps")).partition("nodes:\n  # All")[2]
        == """\
 steps.
  steps_0_both: {fuse: add, from: [x, z], align: {z: [{project: 8}]}}  # two
  steps_0_dense: {layer: Dense, units: 8, activation: relu}
  steps_1_both: {fuse: add, from: [steps_0_dense, z], align: {z: [{project: 8}]}}
  steps_1_off: {layer: Dropout, rate: 0.5}
  steps_1_dense: {layer: Dense, units: 8, activation: relu}
  tap: {layer: Dense, from: steps_0_dense, units: 2}
  last: {layer: Dense, from: steps_1_dense, units: 2}
outputs: {one: tap, two: last, three: steps_1_both}
"""
    )


def test_what_is_implied_is_written_out_only_where_it_would_change() -> None:
    text = """\
nodes:
  a: {layer: Dense, from: x, units: 8}
  b: {layer: Dense, units: 8}
  c: {layer: Dense, from: a, units: 8}
  d: {layer: Dense, units: 8}
"""
    after = run(text, ExtractBlock(["a", "b"], "ab"))
    assert (
        "  ab: {block: ab, from: x}\n  c: {layer: Dense, from: ab, units: 8}\n  d: {layer: Dense, units: 8}\n" in after
    )
    after = run(text, ExtractBlock(["b", "d"], "bd"))
    assert "\nnodes:\n  a: {layer: Dense, from: x, units: 8}\n  c: {layer: Dense, from: a, units: 8}\n" in after
    assert "outputs" not in after.partition("\nnodes:\n")[2]
    after = run(text, ExtractBlock(["d"], "last"))
    assert after.endswith("  last: {block: last, from: c}\n")
    after = run(text, ExtractBlock(["a"], "first"))
    assert "  b: {layer: Dense, units: 8}\n  c: {layer: Dense, from: first, units: 8}" in after


def test_a_block_stands_below_what_feeds_it_and_above_what_it_feeds() -> None:
    text = """\
nodes:
  a: {layer: Dense, from: x, units: 8}
  tap: {layer: Dense, from: a, units: 8}
  b: {layer: Dense, from: a, units: 8}
  sum: {layer: Add, from: [tap, b]}
"""
    after = run(text, ExtractBlock(["a", "b"], "ab"))
    assert after.partition("\nnodes:\n")[2].startswith("  ab: {block: ab, from: x}\n  tap: {layer: Dense, from: ab.a")


def test_reuse_from_outside_follows_and_from_inside_is_refused() -> None:
    text = """\
nodes:
  a: {layer: Dense, from: x, units: 8}
  b: {layer: Dense, units: 8}
  again: {reuse: a, from: z}
  sum: {layer: Add, from: [b, again]}
"""
    assert "again: {reuse: ab.a, from: z}" in run(text, ExtractBlock(["a", "b"], "ab"))
    assert refusal(text, ExtractBlock(["again", "sum"], "late")).splitlines() == [
        "x.yaml:6:18: GB310 again uses the weights of a, which a block cannot see",
        "  x.yaml:4:3: a stands here",
        "  hint: take a in, or leave again out",
    ]
    text = text.replace("a: {layer: Dense, from: x, units: 8}", "a: {block: std.mlp, from: x, units: 8, hidden: 8}")
    inlined = run(text.replace("reuse: a,", "reuse: a.output,").replace("from: z", "from: b"), InlineBlock("a"))
    assert "again: {reuse: a_output, from: b}" in inlined


def test_a_block_that_is_used_again_as_a_whole_stays() -> None:
    text = """\
blocks: {one: {inputs: [x], nodes: {a: {layer: Dense, units: 8}}}}
nodes:
  left: {block: one, from: x}
  right: {reuse: left, from: z}
  sum: {layer: Add, from: [left, right]}
"""
    assert refusal(text, InlineBlock("left")).startswith("x.yaml:5:3: GB310 right uses the weights of left as a whole")
    assert "right_a" not in text
    assert "kind reuse" in refusal(text, InlineBlock("right"))


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("{block: one, from: x, repeat: $n}", "b has as many copies as its params say, $n"),
        ("{block: one, from: x, repeat: 0}", "b stands for no nodes, so nothing could take its place"),
        ("{block: one, from: x, when: $(n > 1)}", "b has a when, which leaves the whole block out at once"),
    ],
)
def test_what_nodes_cannot_say_is_refused(node: str, message: str) -> None:
    text = "params: {n: 2}\nblocks: {one: {inputs: [x], nodes: {a: {layer: Dense, units: 8}}}}\n"
    assert message in refusal(f"{text}nodes: {{b: {node}, c: {{layer: Dense, units: $n}}}}\n", InlineBlock("b"))


def test_values_of_params_are_written_out_with_what_they_name_outside() -> None:
    text = """\
params: {n: 2, rate: 0.1}
blocks:
  one:
    params: {units: {type: int}, half: $(units // 2), label: plain, drop: 0.0, options: {default: null}}
    inputs: [x]
    nodes:
      a: {layer: Dense, units: $(units + half), activation: $options}
      d: {layer: Dropout, rate: $drop, when: $(drop > 0)}
      e: {layer: Dense, units: $half, when: $(label == 'plain')}
nodes:
  b: {block: one, from: x, units: $(n * 4), drop: $rate, options: {leaky_relu: {negative_slope: 0.5}}}
"""
    after = run(text, InlineBlock("b"))
    assert "b_a: {layer: Dense, from: x, units: $((n * 4) + ((n * 4) // 2)), activation: {leaky_relu:" in after
    assert "b_d: {layer: Dropout, rate: $rate, when: $(rate > 0)}" in after
    assert "b_e: {layer: Dense, units: $((n * 4) // 2)}" in after


def test_passes_follow_what_they_touch() -> None:
    text = """\
nodes:
  conv_a: {layer: Dense, from: x, units: 8}
  conv_b: {layer: Dense, units: 8}
  other: {layer: Dense, units: 8}
compression:
  - {pass: prune, sparsity: 0.5, where: {nodes: conv_*, except: conv_b}, overrides: {"*_a": {sparsity: 0.25}}}
  - {pass: cluster, clusters: 4, where: {nodes: [other, conv_*]}}
"""
    after = run(text, ExtractBlock(["conv_a", "conv_b"], "stem"))
    assert 'where: {nodes: stem.conv_*, except: stem.conv_b}, overrides: {"*_a": {sparsity: 0.25}}' in after
    assert "where: {nodes: [other, stem.conv_*]}" in after
    after = run(text, ExtractBlock(["conv_b"], "stem"))
    assert "where: {nodes: [conv_*, stem.conv_*], except: stem.conv_b}" in after
    block = """\
blocks: {one: {inputs: [x], nodes: {a: {layer: Dense, units: 8}, n: {layer: LayerNormalization}}}}
nodes:
  b: {block: one, from: x}
  c: {layer: Dense, units: 8}
compression:
  - {pass: prune, sparsity: 0.5, where: {nodes: [b, c]}, overrides: {b.a: {sparsity: 0.25}}}
"""
    after = run(block, InlineBlock("b"))
    assert "where: {nodes: [b_*, c]}, overrides: {b_a: {sparsity: 0.25}}" in after
    after = run(block.replace("c:", "b_c:").replace("[b, c]", "[b]"), InlineBlock("b"))
    assert "where: {nodes: [b_a]}" in after


def test_a_pattern_that_would_touch_what_moves_is_a_reason_to_refuse() -> None:
    text = """\
nodes:
  conv: {layer: Dense, from: x, units: 8}
  stem_1: {layer: Dense, units: 8}
compression:
  - {pass: prune, sparsity: 0.5, where: {nodes: stem*}}
"""
    found = refusal(text, ExtractBlock(["conv"], "stem"))
    assert "would change the model: prune would touch conv" in found


def test_losses_follow_outputs_that_have_no_names_of_their_own() -> None:
    text = """\
nodes:
  a: {layer: Dense, from: x, units: 1}
  b: {layer: Dense, from: x, units: 1}
outputs: [a, b]
training: {loss: {a: mse, b: mae}}
"""
    after = run(text, ExtractBlock(["b"], "head"))
    assert "outputs: [a, head]\ntraining: {loss: {a: mse, head.b: mae}}" in after
    after = run(after, InlineBlock("head"))
    assert "outputs: [a, head_b]\ntraining: {loss: {a: mse, head_b: mae}}" in after


def test_a_block_of_another_file_is_named_by_its_import_or_comes_along(tmp_path: Path) -> None:
    (tmp_path / "lib.yaml").write_text(
        "blueprint: 1\nblocks:\n"
        "  inner: {inputs: [x], nodes: {i: {layer: Dense, units: 8}}}\n"
        "  outer: {inputs: [x], nodes: {a: {block: inner}, b: {block: std.mlp, units: 2}}}\n"
    )
    path = tmp_path / "main.yaml"
    text = (
        "blueprint: 1\nimports: {lib: ./lib.yaml}\ninputs: {x: {shape: [8]}}\n"
        "nodes:\n  o: {block: lib.outer}\n  m: {block: std.mlp, units: 4, layers: 2}\n"
    )
    path.write_text(text)
    session = Session(text, "main.yaml", path)
    assert check_kept(session, InlineBlock("o"))
    assert "o_a: {block: lib.inner}\n  o_b: {block: std.mlp, units: 2}" in session.text
    assert check_kept(session, InlineBlock("m"))
    assert "hidden_layer:" in session.text
    assert "m_hidden: {block: hidden_layer, repeat: 2" in session.text


def test_what_an_anchor_shares_is_moved_together_or_refused() -> None:
    text = """\
nodes:
  a: {layer: Dense, from: x, units: 8, kernel_initializer: &init {Constant: {value: 0.5}}}
  b: {layer: Dense, units: 8, kernel_initializer: *init}
  c: {layer: Dense, units: 8}
"""
    after = run(text, ExtractBlock(["a", "b"], "ab"))
    assert "kernel_initializer: &init {Constant: {value: 0.5}}}" in after
    assert "kernel_initializer: *init}" in after
    assert "GB203" in refusal(text, ExtractBlock(["a"], "one"))
    after = run(text, ExtractBlock(["b", "c"], "bc"))
    assert after.count("Constant: {value: 0.5}") == 2


def test_of_a_file_with_errors_nothing_is_made_a_block() -> None:
    assert "units is 0" in refusal("nodes: {a: {layer: Dense, from: x, units: 0}}\n", ExtractBlock(["a"], "b"))
