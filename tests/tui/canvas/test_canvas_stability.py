"""What was not touched stays where it was."""

from __future__ import annotations

import pytest

from graphbuilder.blueprint import Document, load
from graphbuilder.lowering import try_lower
from graphbuilder.tui.canvas import Density, Scene, foldable_below, scene_of
from graphbuilder.tui.canvas.layout import Layout, layout
from tests.tui.canvas.graphs import document_of, efficientnet_b7, nasnet_large

B7 = efficientnet_b7()


def moved(before: Layout, after: Layout) -> dict[str, tuple[int, int]]:
    """By how much the boxes of both layouts have moved."""
    return {
        box: (after.boxes[box].x - rect.x, after.boxes[box].y - rect.y)
        for box, rect in before.boxes.items()
        if box in after.boxes
    }


def with_node(text: str, above: str) -> Document:
    """A document with a node more between a node and the one that is written below it."""
    lines = text.splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if line.startswith(f"  {above}:"))
    lines.insert(at + 1, f"  added: {{layer: Dropout, from: {above}, rate: 0.5}}\n")
    assert f'"{above}"' in lines[at + 2]
    lines[at + 2] = lines[at + 2].replace(f'"{above}"', '"added"', 1)
    return document_of("".join(lines))


@pytest.mark.parametrize("density", Density)
@pytest.mark.parametrize("above", ["block4d_dwconv", "block4d_se_reduce", "block4d_project_bn", "stem_conv_pad"])
def test_a_node_added_in_the_middle_moves_only_what_is_below_it(density: Density, above: str) -> None:
    before = layout(scene_of(document_of(B7)), density)
    after = layout(scene_of(with_node(B7, above)), density, before)
    added = after.boxes["added"]
    assert after.boxes["added"].y > before.boxes[above].y
    steps = set()
    for box, (aside, down) in moved(before, after).items():
        assert aside == 0, f"{box} moved sideways"
        if before.boxes[box].y <= before.boxes[above].y:
            assert down == 0, f"{box} is not below and moved"
        else:
            steps.add(down)
    # All that is below moves by as much as the node and the gap below it take.
    assert steps == {added.height + 1}
    back = layout(before.scene, density, after)
    assert moved(before, back) == dict.fromkeys(before.boxes, (0, 0))


def test_a_node_added_in_a_branch_of_a_wide_graph_moves_nothing_sideways() -> None:
    text = nasnet_large()
    before = layout(scene_of(document_of(text)))
    for above in ("separable_conv_1_normal_left1_4", "separable_conv_2_bn_normal_right2_7", "normal_bn_1_9"):
        after = layout(scene_of(with_node(text, above)), previous=before)
        aside = [box for box, (step, _) in moved(before, after).items() if step]
        assert not aside, f"{len(aside)} boxes moved sideways for one below {above}"
        assert all(down >= 0 for _, down in moved(before, after).values())


def test_a_branch_and_a_connection_move_nothing() -> None:
    document = document_of(B7)
    before = layout(scene_of(document))
    branch = document_of(
        B7.rstrip("\n") + "\n  beside: {layer: Dropout, from: block3a_bn, rate: 0.5}\noutputs: predictions\n"
    )
    after = layout(scene_of(branch), previous=before)
    assert set(moved(before, after).values()) == {(0, 0)}
    # A long edge over the whole spine goes around at the right rather than to move the spine.
    long = B7.replace(
        "  predictions:", "  far: {layer: Concatenate, from: [top_dropout, stem_bn]}\n  predictions:"
    ).replace('"from": "top_dropout"', '"from": "far"')
    after = layout(scene_of(document_of(long)), previous=before)
    assert {aside for aside, _ in moved(before, after).values()} == {0}


def test_what_is_folded_again_stands_as_it_stood() -> None:
    document = load("blueprints/visual_question_answering.yaml")
    lowered = try_lower(document)

    def scene(*unfolded: str) -> Scene:
        return scene_of(document, lowered, unfolded=unfolded)

    first = layout(scene())
    unfolded = layout(scene("stage_1"), previous=first)
    above = {box: move for box, move in moved(first, unfolded).items() if box in ("image", "stem")}
    assert {down for _, down in above.values()} == {0}
    again = layout(scene(), previous=unfolded)
    assert list(again.plan.column) == list(first.plan.column)
    assert again.plan.columns == first.plan.columns


def test_a_layout_without_an_earlier_one_does_not_depend_on_anything_else() -> None:
    document = load("blueprints/resnet50.yaml")
    scene = scene_of(document, unfolded=foldable_below(document))
    assert layout(scene).boxes == layout(scene).boxes


def test_wide_graphs_stay_usable() -> None:
    found = layout(scene_of(document_of(nasnet_large())))
    # Eleven branches side by side: two screens of 160 cells, where boxes as wide as their names need 660.
    assert found.width < 320
    assert layout(scene_of(document_of(B7))).width < 60
