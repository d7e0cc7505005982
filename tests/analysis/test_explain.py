"""What is told of a node: inputs, layers, ops, blocks, fusions, parts of them; and alternatives that do compile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphbuilder.analysis.explain_alternatives import MOST_TRIED
from graphbuilder.analysis.explain_model import Explanation
from graphbuilder.api import check, explain, lower, parse
from graphbuilder.errors import BlueprintError, CommandError

FOLDER = Path(__file__).parents[2] / "blueprints"

HEAD = """\
blueprint: 1
inputs:
  image: {shape: [62, 62, 3], modality: image}
  text: {shape: [64], dtype: int32, modality: text}
nodes:
  seen: {layer: Conv2D, from: image, filters: 64, kernel_size: 3, activation: relu}
  read: {layer: Embedding, from: text, input_dim: 1000, output_dim: 128}
"""
MERGED = f"{HEAD}  merged: {{fuse: add, from: [seen, read]}}\n  answer: {{layer: Dense, units: 1}}\n"


def explained(text: str, name: str, params: dict[str, Any] | None = None) -> Explanation:
    return explain(parse(text, name="vqa.yaml"), name, params)


def test_a_layer() -> None:
    found = explained(MERGED, "seen")
    assert (found.node, found.kind, found.parameters, found.trainable) == ("layer", "Conv2D", 1792, 1792)
    assert found.does == ("Slides kernels over an image (batch, height, width, channels).",)
    assert found.origin is not None
    assert found.origin.position(key=True).line == 6
    assert found.used is None
    assert {each.name for each in found.arguments if not each.default} == {"filters", "kernel_size", "activation"}
    assert [each.default for each in found.arguments] == sorted(each.default for each in found.arguments)
    assert found.weights is not None
    assert [(node, weight.name, weight.shape) for node, weight in found.weights] == [
        ("seen", "kernel", (3, 3, 3, 64)), ("seen", "bias", (64,))]  # fmt: skip
    assert [(each.value, each.giver) for each in found.inputs] == [("image", "input")]
    assert found.outputs[0].modalities == ("image",)
    assert found.consumers == ("merged.seen.pool",)
    assert not found.is_output


def test_an_input_an_op_and_an_output() -> None:
    text = f"{HEAD}  moved: {{op: add, from: [read, 2.5]}}\n  both: {{layer: Add, from: [read, moved]}}\n"
    assert explained(text, "text").consumers == ("read",)
    assert explained(text, "text").node == "input"
    op = explained(text, "moved")
    assert (op.node, [(each.port, each.value, each.giver) for each in op.inputs]) == (
        "op", [("x1", "read", "Embedding"), ("x2", "2.5", "constant")])  # fmt: skip
    both = explained(text, "both")
    assert both.is_output
    assert [[link.name for link in chain] for chain in both.chains] == [["text", "read"], ["text", "read", "moved"]]


def test_one_of_several_outputs_leads_to_its_node() -> None:
    text = f"{HEAD}  steps: {{layer: LSTM, units: 4, return_state: true}}\n  out: {{op: negative, from: steps.1}}\n"
    found = explained(text, "steps.1")
    assert found.name == "steps"
    assert [value.name for value in found.outputs] == ["steps.0", "steps.1", "steps.2"]


def test_a_tap_leads_to_what_it_names() -> None:
    path = FOLDER / "unet_mobilenet.yaml"
    for name, meant in (("down.stride_8", "down.block_6.expand_relu"), ("down.stride_32", "down.out_relu")):
        assert explain(path, name).name == meant
    text = f"{MERGED}outputs: answer\ntaps: {{map: seen}}\n"
    assert explained(text, "map").name == "seen"


def test_shared_weights_are_told_on_both_sides() -> None:
    text = f"{HEAD}  again: {{reuse: read, from: text}}\n  both: {{layer: Add, from: [read, again]}}\n"
    assert explained(text, "again").shares == "read"
    assert explained(text, "read").shared_by == ("again",)
    assert explained(text, "again").parameters == 0


def test_a_custom_layer_is_told_as_far_as_it_is_known() -> None:
    text = f'{HEAD}  out: {{layer: "mine.layers:Strange", args: {{factor: 2}}}}\n'
    found = explained(text, "out")
    assert (found.kind, found.weights, found.parameters, found.outputs[0].type) == (
        "mine.layers:Strange", None, None, None)  # fmt: skip
    assert [(each.name, each.value) for each in found.arguments] == [("factor", 2)]


def test_a_wrapper_tells_what_it_wraps() -> None:
    text = f"{HEAD}  out: {{layer: Bidirectional, wraps: {{layer: LSTM, units: 4}}}}\n"
    wraps = next(each for each in explained(text, "out").arguments if each.name == "wraps")
    assert wraps.value == {"layer": "LSTM", "units": 4}


def test_a_block_its_copies_and_what_lies_inside() -> None:
    transformer = FOLDER / "transformer.yaml"
    block = explain(transformer, "encoder")
    assert (block.node, block.kind) == ("block", "std.transformer_encoder")
    assert block.parameters == sum(
        layer.parameters or 0 for name, layer in lower(transformer).layers.items() if name.startswith("encoder.")
    )
    assert [value.name for value in block.outputs] == ["encoder.layers.1.output"]
    copy = explain(transformer, "encoder.layers.1")
    assert (copy.kind, copy.consumers) == ("std.transformer_encoder_layer", ("pooled",))
    inner = explain(transformer, "encoder.layers.0.attention")
    assert inner.part_of == ("encoder", "encoder.layers", "encoder.layers.0")
    assert inner.origin is not None
    assert inner.origin.source.name == "<std.transformer_encoder_layer>"
    assert inner.used is not None
    assert inner.used.source.name == str(transformer)
    assert [link.name for link in inner.chains[0]] == [
        "tokens", "embedded", "encoder.dropped", "encoder.layers.0.attention_input"]  # fmt: skip


def test_a_block_that_is_reused_owns_nothing() -> None:
    found = explain(FOLDER / "siamese.yaml", "right_code")
    assert (found.node, found.shares, found.parameters) == ("block", "left_code", 0)


def test_a_fusion_its_adapters_and_their_costs() -> None:
    found = explained(MERGED, "merged")
    fusion = found.fusion
    assert fusion is not None
    assert (found.node, found.kind, str(found.outputs[0].type), found.parameters) == (
        "fusion", "add", "(batch, 128)", 8320)  # fmt: skip
    assert "y = Σᵢ xᵢ" in " ".join(fusion.does)
    assert fusion.source is not None
    assert fusion.source.startswith("He et al. 2015")
    assert [call.name for call in fusion.own] == ["merged"]
    assert (fusion.parameters, fusion.macs) == (0, 0)
    image, text = fusion.branches
    assert [(each.call, each.written, each.parameters, each.elements) for each in image.adapters] == [
        ("merged.seen.pool", "pool", 0, (230400, 64)),
        ("merged.seen.project", "{project: 128}", 8320, (64, 128)),
    ]
    assert "no positions in common" in image.adapters[0].reason
    assert (str(image.arrives), str(image.merged)) == ("(batch, 60, 60, 64)", "(batch, 128)")
    assert text.modalities == ("text",)


def test_a_fusion_that_is_reused_leaves_alternatives_to_the_first() -> None:
    found = explained(f"{MERGED}  again: {{reuse: merged, from: [seen, read]}}\noutputs: [answer, again]\n", "again")
    assert (found.kind, found.shares, found.parameters) == ("add", "merged", 0)
    assert found.fusion is not None
    # They are told of the node that writes them.
    assert all(branch.alternatives == () for branch in found.fusion.branches)


def test_what_lies_inside_a_fusion() -> None:
    pool = explained(MERGED, "merged.seen.pool")
    assert (pool.kind, pool.part_of) == ("GlobalAveragePooling2D", ("merged",))
    assert pool.reason is not None
    branch = explained(MERGED, "merged.seen")
    assert (branch.node, branch.parameters, [call.name for call in branch.calls]) == (
        "part", 8320, ["merged.seen.pool", "merged.seen.project"])  # fmt: skip


def written_with(text: str, line: str) -> str:
    return text.replace("from: [seen, read]", f"from: [seen, read], {line}")


@pytest.mark.parametrize("strategy", ["add", "concat", "multiply", "gated", "cross_attention"])
def test_every_alternative_compiles_and_costs_what_is_told(strategy: str) -> None:
    text = MERGED.replace("fuse: add", f"fuse: {strategy}")
    before = lower(parse(text))
    fusion = explained(text, "merged").fusion
    assert fusion is not None
    count = 0
    for branch in fusion.branches:
        assert len(branch.alternatives) <= MOST_TRIED
        assert len({other.written for other in branch.alternatives}) == len(branch.alternatives)
        for other in branch.alternatives:
            count += 1
            after = lower(parse(written_with(text, other.written)))
            found = after.fusions["merged"]
            here = next(each for each in found.branches if each.name == branch.name)
            assert here.adapted.type == other.branch
            assert found.gives.type == other.merged
            assert tuple(adapter.written for adapter in here.adapters) == other.adapters
            assert after.parameters is not None
            assert before.parameters is not None
            assert after.parameters - before.parameters == other.parameters
            for each in found.branches:
                if each.name in other.others:
                    assert each.adapted.type == other.others[each.name]
    assert count


def test_an_alternative_of_the_same_shape_leaves_the_others_alone() -> None:
    fusion = explained(MERGED, "merged").fusion
    assert fusion is not None
    other = next(each for each in fusion.branches[0].alternatives if each.adapters == ("max_pool", "{project: 128}"))
    assert other.written == "align: {seen: [max_pool, {project: 128}], read: pool}"
    assert (str(other.merged), dict(other.others), other.parameters) == ("(batch, 128)", {}, 0)


def test_what_is_stated_stays_and_what_follows_must_fit() -> None:
    text = written_with(MERGED, "align: {read: max_pool}")
    fusion = explained(text, "merged").fusion
    assert fusion is not None
    assert [branch.stated for branch in fusion.branches] == [False, True]
    assert all("read: " in other.written for branch in fusion.branches for other in branch.alternatives)
    # Behind the fusion stands what takes vectors alone, so no sequence is offered.
    narrow = text.replace("{layer: Dense, units: 1}", "{layer: RepeatVector, n: 2}")
    fusion = explained(narrow, "merged").fusion
    assert fusion is not None
    assert all(other.merged.rank == 2 for branch in fusion.branches for other in branch.alternatives)


def test_a_spectrogram_is_never_offered_what_is_warned_about() -> None:
    text = MERGED.replace("modality: image", "modality: audio")
    fusion = explained(text, "merged").fusion
    assert fusion is not None
    assert all(other.adapters[0] not in ("pool", "max_pool") for other in fusion.branches[0].alternatives)


def test_a_fusion_inside_a_block_has_alternatives_too() -> None:
    text = f"""{
        HEAD.replace(
            "nodes:",
            '''blocks:
  join:
    inputs: [a, b]
    nodes:
      merged: {fuse: add, from: [a, b]}
nodes:''',
        )
    }  both: {{block: join, from: [seen, read]}}
"""
    fusion = explained(text, "both.merged").fusion
    assert fusion is not None
    assert "align: {b: max_pool}" in [other.written for other in fusion.branches[1].alternatives]


def test_params_are_used() -> None:
    text = "blueprint: 1\nparams: {units: 4}\ninputs: {x: {shape: [8]}}\nnodes: {out: {layer: Dense, units: $units}}\n"
    assert explained(text, "out", {"units": 3}).parameters == 27


def test_the_warnings_about_a_node_are_told_with_it() -> None:
    text = MERGED.replace("modality: image", "modality: audio").replace("merged: {fuse: add", "other: {fuse: add")
    text = text.replace("from: [seen, read]", "from: [seen, read], align: {seen: [pool, {project: 128}]}")
    assert [found.code for found in explained(text, "other").warnings] == ["GB311"]
    assert [found.code for found in explained(text, "other.seen.pool").warnings] == ["GB311"]
    assert explained(text, "read").warnings == ()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("merge", "did you mean merged?"),
        ("merged.sen", "did you mean merged.seen?"),
        ("merged.zzzzz", "merged has merged.seen, merged.read"),
        ("pool", "did you mean merged.seen.pool?"),
        ("qqqqqq", "known here: image, text, seen, read, merged, answer"),
        ("seen.kernel", "seen has nothing inside"),
    ],
)
def test_a_name_that_stands_for_nothing(name: str, hint: str) -> None:
    with pytest.raises(CommandError) as error:
        explained(MERGED, name)
    (found,) = error.value.diagnostics
    assert (found.code, found.found, found.hint) == ("GB301", name, hint)


def test_a_node_that_is_not_in_the_model() -> None:
    with pytest.raises(CommandError, match="feeds no output"):
        explained(f"{MERGED}  lost: {{layer: Flatten, from: image}}\noutputs: answer\n", "lost")


def test_a_wrong_blueprint_is_told_instead() -> None:
    with pytest.raises(BlueprintError) as error:
        explained(written_with(MERGED, "align: none"), "merged")
    assert error.value.diagnostics[0].code == "GB304"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_everything_in_the_shipped_blueprints_can_be_explained(path: Path) -> None:
    graph = check(path).graph
    assert graph is not None
    some = [*graph.inputs, *list(graph.calls)[:: max(1, len(graph.calls) // 20)], *graph.fusions]
    some += [name.rpartition(".")[0] for name in some if "." in name]
    for name in some:
        found = explain(path, name)
        assert found.name == name
        assert found.does
        assert found.parameters is not None
