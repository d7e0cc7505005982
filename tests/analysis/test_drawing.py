"""Graphs as lanes, and blocks as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.analysis import ASCII, BOX, draw, fold, fold_to_fit, rows_of, summarize
from graphbuilder.api import lower, parse


@dataclass(frozen=True)
class Node:
    name: str
    sources: tuple[str, ...] = ()
    is_input: bool = False
    output: bool = False


def nodes(text: str) -> list[Node]:
    """Nodes written as `name < sources`; `name.` is an input and `name!` gives an output."""
    found = []
    for line in text.split("\n"):
        name, _, sources = line.strip().partition(" < ")
        found.append(Node(name.rstrip(".!"), tuple(sources.split()), name.endswith("."), name.endswith("!")))
    return found


def test_a_chain() -> None:
    assert draw(nodes("x.\na < x\nb! < a")) == ["○", "●", "◆"]


def test_a_shortcut() -> None:
    assert draw(nodes("x.\na < x\nb < a\nc < b\nsum < a c\nd! < sum")) == ["○", "●", "├─●", "│ ●", "●─╯", "◆"]


def test_a_shortcut_with_a_projection() -> None:
    drawn = draw(nodes("x.\nproject < x\nnorm < project\na < x\nb < a\nsum! < norm b"))
    assert drawn == ["○", "├─●", "│ ●", "● │", "● │", "◆─╯"]


def test_two_inputs_and_two_outputs() -> None:
    drawn = draw(nodes("x.\na < x\ny.\nb < y\nmerged < a b\none! < merged\ntwo! < merged"))
    assert drawn == ["○", "●", "│ ○", "│ ●", "●─╯", "├─◆", "◆"]


def test_lines_pass_lanes_that_they_do_not_meet() -> None:
    drawn = draw(nodes("x.\na < x\nb < x\nc < x\nfirst! < a c\nlast! < b x"))
    assert drawn == ["○", "├─●", "├─│─●", "├─│─│─●", "│ ◆─│─╯", "◆───╯"]


def test_a_lane_that_is_read_on_the_way_is_joined() -> None:
    drawn = draw(nodes("x.\na < x\nb < x\nc < x a b\nd! < a b c"))
    assert drawn == ["○", "├─●", "├─│─●", "●─┼─┤", "◆─┴─╯"]


def test_what_ends_and_begins_is_not_one_lane() -> None:
    # b is an output that nobody reads; y begins on the line below it, and on another lane.
    assert draw(nodes("x.\nb! < x\ny.\nc! < y")) == ["○", "◆", "  ○", "  ◆"]


def test_ascii() -> None:
    drawn = draw(nodes("x.\na < x\nb < x\nc < x a b\nd! < a b c"), ASCII)
    assert drawn == ["o", "|-*", "|-|-*", "*-+-|", "@-'-'"]
    assert "".join(drawn).isascii()


def test_a_wide_graph_is_cut_off() -> None:
    many = [Node(f"i{index}", (), True) for index in range(30)]
    drawn = draw([*many, Node("merged", tuple(node.name for node in many), False, True)], widest=5)
    assert all(len(line) <= 10 for line in drawn)
    assert drawn[-1] == "◆─┴─┴─┴─┴…"
    assert drawn[20].endswith("…")


def test_a_chain_of_thousands_and_a_ladder_are_drawn() -> None:
    chain = [Node("0"), *(Node(str(index), (str(index - 1),)) for index in range(1, 5000))]
    assert draw(chain) == ["●"] * 5000
    ladder = [Node("0"), *(Node(str(index), tuple(str(before) for before in range(index))) for index in range(1, 200))]
    assert len(draw(ladder)) == 200


@st.composite
def graphs(draw_: st.DrawFn) -> list[Node]:
    count = draw_(st.integers(1, 25))
    found = []
    for index in range(count):
        sources = draw_(st.lists(st.integers(0, index - 1), max_size=4)) if index else []
        found.append(Node(str(index), tuple(map(str, sources)), not sources, draw_(st.booleans())))
    return found


def connected(lines: Sequence[str]) -> list[set[int]]:
    """Which rows each row's node is fed by, read from the drawing alone."""
    feeding: dict[int, int] = {}  # the row whose value runs down each column
    found = []
    for row, line in enumerate(lines):
        cells = dict(enumerate(line))
        own = next(column for column, cell in cells.items() if cell in "○●◆")
        met = set()
        for step in (-2, 2):
            column = own
            while cells.get(column + step // 2) == "─":
                column += step
                if cells[column] in "┤├┼╯╰┴":
                    met.add(column)
        above = own in feeding
        found.append({feeding[column] for column in met} | ({feeding[own]} if above else set()))
        for column in list(feeding):
            if cells.get(column, " ") in " ╯╰┴─":
                del feeding[column]
        feeding[own] = row
        below = lines[row + 1] if row + 1 < len(lines) else ""
        for column in list(feeding):
            if below[column : column + 1] in ("", " ", "─"):
                del feeding[column]
    return found


@given(graphs())
def test_the_drawing_tells_what_feeds_what(graph: list[Node]) -> None:
    drawn = draw(graph, BOX, widest=100)
    told = [{int(name) for name in node.sources} for node in graph]
    assert connected(drawn) == told


def test_folding_sums_and_keeps_the_order(root: Path) -> None:
    summary = summarize(lower(root / "blueprints" / "resnet50.yaml"))
    for depth in (0, 1, 2, 3, 9):
        rows = fold(summary, depth)
        assert sum(row.parameters or 0 for row in rows) == summary.totals.parameters
        assert sum(row.macs or 0 for row in rows) == summary.totals.macs
        assert [call.name for row in rows for call in row.calls] == [call.name for call in summary.calls]
        above: set[str] = set()
        for row in rows:
            assert above >= set(row.sources)
            above.add(row.name)
    assert [row.name for row in fold(summary, 1)][7:11] == ["conv2", "conv3", "conv4", "conv5"]
    assert fold(summary, 9) == rows_of(summary)


def test_a_row_of_a_block_gives_what_leaves_it(root: Path) -> None:
    summary = summarize(lower(root / "blueprints" / "transformer.yaml"))
    encoder = next(row for row in fold(summary, 1) if row.name == "encoder")
    assert encoder.kind == f"{len(encoder.calls)} nodes"
    assert encoder.sources == ("embedded",)
    assert str(encoder.type) == "(batch, 128, 512)"
    assert encoder.several == 1


def test_only_long_graphs_are_folded(root: Path) -> None:
    summary = summarize(lower(root / "blueprints" / "resnet50.yaml"))
    assert fold_to_fit(summary, 1000) == (rows_of(summary), 0)
    assert fold_to_fit(summary)[1] == 2
    assert fold_to_fit(summary, 14)[1] == 1
    text = "blueprint: 1\ninputs: {x: {shape: [2]}}\nnodes:\n"
    chain = parse(text + "".join(f"  n{index}: {{layer: Dense, units: 2}}\n" for index in range(80)))
    assert fold_to_fit(summarize(lower(chain)))[1] == 0


def test_runs_of_one_path_are_told_apart() -> None:
    text = """\
blueprint: 1
inputs: {x: {shape: [4]}}
blocks:
  pair: {inputs: [x], nodes: {first: {layer: Dense, units: 4}, second: {layer: Dense, units: 4}}}
nodes:
  pair: {block: pair}
  tapped: {layer: Add, from: [pair.first, pair]}
"""
    rows = fold(summarize(lower(parse(text))), 1)
    assert [(row.name, row.sources) for row in rows] == [("x", ()), ("pair", ("x",)), ("tapped", ("pair",))]
    assert rows[1].several == 2
