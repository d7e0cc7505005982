"""Tables fit their width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from graphbuilder.cli.table import Column, cut, layout

COLUMNS = [
    Column("node", least=6, keeps="end"),
    Column("kind", least=4, keeps="both"),
    Column("parameters", right=True),
    Column("from", least=10, optional=True),
]


def test_columns_give_way_in_turn() -> None:
    rows = [["encoder.attention", "MultiHeadAttention", "1,050,624", "encoder.dropped"]]
    assert layout(COLUMNS, rows, 80)[1] == "encoder.attention  MultiHeadAttention   1,050,624  encoder.dropped"
    assert (
        layout(COLUMNS, rows, 60, narrow_first=("from",))[1] == "encoder.attention  MultiHeadAttention   1,050,624"[:60]
    )
    assert layout(COLUMNS, rows, 40, narrow_first=("from", "node"))[1] == "…tention  MultiHeadAttention   1,050,624"
    assert layout(COLUMNS, [], 40) == ["node  kind  parameters  from"]


@given(
    st.lists(st.lists(st.text("abc.", max_size=30), min_size=4, max_size=4), max_size=5),
    st.integers(min_value=1, max_value=120),
)
def test_no_line_is_too_long(rows: list[list[str]], width: int) -> None:
    lines = layout(COLUMNS, rows, width, narrow_first=("from",))
    assert len(lines) == len(rows) + 1
    assert all(len(line) <= width for line in lines)


@given(st.text(max_size=40), st.integers(min_value=1, max_value=50), st.sampled_from(["start", "end", "both"]))
def test_what_fits_is_not_cut(text: str, width: int, keeps: str) -> None:
    shown = cut(text, width, keeps=keeps)  # type: ignore[arg-type]  # hypothesis draws plain strings
    assert shown == text if len(text) <= width else len(shown) == width
