"""Boxes stand in rows: edges run down, and nothing touches."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.export.layered import layered


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, float], list[tuple[str, str]]]:
    count = draw(st.integers(1, 14))
    names = [f"n{number}" for number in range(count)]
    widths = {name: float(draw(st.integers(10, 200))) for name in names}
    pairs = list(itertools.combinations(names, 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=30)) if pairs else []
    return widths, edges


@given(graphs())
def test_edges_run_down_and_nothing_touches(graph: tuple[dict[str, float], list[tuple[str, str]]]) -> None:
    widths, edges = graph
    layout = layered(widths, edges)
    for source, target in edges:
        assert layout.rows[source] < layout.rows[target]
        assert len(layout.bends[source, target]) == layout.rows[target] - layout.rows[source] - 1
    rows: dict[int, list[tuple[float, float]]] = {}
    for name, width in widths.items():
        middle = layout.centres[name]
        rows.setdefault(layout.rows[name], []).append((middle - width / 2, middle + width / 2))
    for (source, _), bends in layout.bends.items():
        for number, bend in enumerate(bends, layout.rows[source] + 1):
            rows[number].append((bend, bend))
    for row in rows.values():
        row.sort()
        for (_, right), (left, _) in itertools.pairwise(row):
            assert left >= right - 1e-6
    assert min(left for row in rows.values() for left, _ in row) >= -1e-6


@given(graphs())
def test_the_layout_is_the_same_each_time(graph: tuple[dict[str, float], list[tuple[str, str]]]) -> None:
    assert layered(*graph) == layered(*graph)


def test_a_chain_is_straight() -> None:
    names = [f"n{number}" for number in range(20)]
    layout = layered({name: 10.0 + 7 * (at % 3) for at, name in enumerate(names)}, list(itertools.pairwise(names)))
    assert len({round(layout.centres[name], 6) for name in names}) == 1


def test_a_chain_stays_straight_beside_a_shortcut() -> None:
    layout = layered(dict.fromkeys("abcd", 50.0), [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])
    assert layout.centres["b"] == layout.centres["c"] == layout.centres["d"]
    assert all(abs(bend - layout.centres["b"]) > 25 for bend in layout.bends["a", "d"])


def test_edges_do_not_cross_where_they_need_not() -> None:
    edges = [("a", "x"), ("b", "y"), ("c", "z")]
    layout = layered({**dict.fromkeys("abc", 10.0), **dict.fromkeys("zyx", 10.0)}, edges)
    assert [layout.centres[name] for name in "abc"] == [layout.centres[name] for name in "xyz"]
