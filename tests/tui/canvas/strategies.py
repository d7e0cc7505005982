"""Scenes of any shape: chains, forks and joins, several outputs, unfolded blocks within blocks, circles."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from graphbuilder.tui.canvas.scene import FAMILIES, MARKS, Box, Edge, Group, Scene

__all__ = ["edited", "scenes"]

_WORDS = ("a", "conv", "norm_1", "a_rather_long_name_of_a_node_that_is_cut", "層", "אבג")


@st.composite
def scenes(draw: st.DrawFn, most: int = 24, *, circles: bool = True) -> Scene:
    """A scene of at most so many boxes."""
    count = draw(st.integers(0, most))
    groups: list[Group] = []
    for number in range(draw(st.integers(0, 4)) if count else 0):
        around = draw(st.sampled_from([None, *(group.id for group in groups)]))
        groups.append(Group(f"group_{number}", f"group_{number}", "block", group=around))
    boxes = []
    inside: str | None = None
    for number in range(count):
        # Runs of boxes lie in one block, as the nodes of a block follow each other.
        if groups and draw(st.integers(0, 2)) == 0:
            inside = draw(st.sampled_from([None, *(group.id for group in groups)]))
        boxes.append(
            Box(
                f"box_{number}",
                draw(st.sampled_from(_WORDS)),
                draw(st.sampled_from(["Dense", "BatchNormalization", "add"])),
                draw(st.sampled_from(FAMILIES)),
                tuple(draw(st.lists(st.sampled_from(["units 64", "activation relu"]), max_size=3))),
                draw(st.sampled_from(["", "64", "224×224×64"])),
                draw(st.sampled_from([None, 0, 1_000_000])),
                frozenset(draw(st.lists(st.sampled_from(list(MARKS)), max_size=2))),
                inside,
            )
        )
    edges = []
    for target in range(1 if count else 0, count):
        for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
            near = draw(st.booleans())
            source = target - 1 if near else draw(st.integers(0, target - 1))
            port = draw(st.sampled_from(["", "", "", ".0", ".1", ".2"]))
            edges.append(_edge(source, target, port, draw(st.sampled_from(["", "64", "20×128 int32"]))))
    if circles and count and draw(st.integers(0, 3)) == 0:
        first = draw(st.integers(0, count - 1))
        edges.append(_edge(draw(st.integers(first, count - 1)), first, "", "64"))
    return _used(Scene(tuple(boxes), tuple(edges), tuple(groups)))


def _edge(source: int, target: int, port: str, label: str) -> Edge:
    return Edge(f"box_{source}", f"box_{target}", f"box_{source}{port}", label)


def _used(scene: Scene) -> Scene:
    """The scene without groups in which there is no box."""
    kept: set[str] = set()
    for box in scene.boxes:
        group = box.group
        while group is not None:
            kept.add(group)
            group = scene.group[group].group
    return replace(scene, groups=tuple(group for group in scene.groups if group.id in kept))


@st.composite
def edited(draw: st.DrawFn, scene: Scene) -> Scene:
    """A scene after an edit: a box added on an edge or beside, one taken out, or an edge more or less."""
    boxes, edges = list(scene.boxes), list(scene.edges)
    kind = draw(st.sampled_from(["insert", "branch", "delete", "connect", "cut"]))
    if kind == "insert" and edges:
        edge = edges.pop(draw(st.integers(0, len(edges) - 1)))
        at = next(number for number, box in enumerate(boxes) if box.id == edge.target)
        boxes.insert(at, Box("new", "new", "Dense", "core", group=boxes[at].group))
        edges += [edge._replace(target="new"), Edge("new", edge.target, "new", edge.label)]
    elif kind == "branch" and boxes:
        beside = draw(st.sampled_from(boxes))
        boxes.append(Box("new", "new", "Dense", "core", group=beside.group))
        edges.append(Edge(beside.id, "new", beside.id))
    elif kind == "delete" and boxes:
        gone = boxes.pop(draw(st.integers(0, len(boxes) - 1))).id
        edges = [edge for edge in edges if gone not in (edge.source, edge.target)]
    elif kind == "connect" and len(boxes) > 1:
        source = draw(st.integers(0, len(boxes) - 2))
        target = draw(st.integers(source + 1, len(boxes) - 1))
        edges.append(Edge(boxes[source].id, boxes[target].id, boxes[source].id))
    elif edges:
        edges.pop(draw(st.integers(0, len(edges) - 1)))
    return _used(Scene(tuple(boxes), tuple(edges), scene.groups))
