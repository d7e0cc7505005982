"""Rows of a table fit the blueprint, or the line at which they do not is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.data.support import ROW, TWO, opened, said

SCALAR = """\
blueprint: 1
inputs:
  age: {shape: []}
  city: {shape: [], dtype: int32}
nodes:
  code: {layer: Embedding, from: city, input_dim: 3, output_dim: 2}
  number: {op: expand_dims, from: age, axis: -1}
  all: {layer: Concatenate, from: [code, number]}
  sold: {layer: Dense, units: 1, activation: sigmoid}
training: {loss: binary_crossentropy}
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, name: str = "t.csv") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("width,height,species", None),
        ("row.width,row.height,kind", None),
        ("row[1],row[0],label", None),
        ("width,height,name", {"kind": ["name"]}),
        ("width,height,kind", {"row": ["width", "height"]}),
    ],
)
def test_columns_find_their_places(header: str, columns: dict[str, list[str]] | None) -> None:
    data = opened(ROW, write(f"{header}\n1,2,oak\n3,4,ash\n5,6,oak\n"), columns)
    inputs, outputs = data.train.arrays() or ({}, {})
    rows = [[1, 2], [3, 4], [5, 6]]
    assert inputs["row"].tolist() == ([row[::-1] for row in rows] if "[1]" in header else rows)
    assert outputs["kind"].tolist() == [1, 0, 1]
    assert data.vocabularies == {"kind": ("ash", "oak")}
    assert "kind: ash = 0, oak = 1" in data.facts


def test_a_tab_separates_and_quotes_hold_commas() -> None:
    data = opened(ROW, write('a\tb\tlabel\n1\t2\t"oak, old"\n', "t.tsv"))
    assert data.vocabularies == {"kind": ("oak, old",)}


def test_columns_of_no_use_are_warned_about() -> None:
    data = opened(ROW, write("id,row.a,row.b,kind\n1,2,3,0\n"))
    assert [str(found) for found in data.warnings] == ["t.csv: warning GB704 the column id is not used"]


def test_a_column_for_each_pixel_becomes_an_image() -> None:
    text = ROW.replace("shape: [2]", "shape: [2, 2, 1]").replace("tabular", "image")
    text = text.replace("nodes:", "nodes:\n  flat: {layer: Flatten}")
    inputs, _ = opened(text, write("label,p0,p1,p2,p3\n0,1,2,3,4\n")).train.arrays() or ({}, {})
    assert inputs["row"].shape == (1, 2, 2, 1)
    assert inputs["row"].ravel().tolist() == [1, 2, 3, 4]


def test_words_become_ids_and_two_classes_0_and_1() -> None:
    data = opened(SCALAR, write("city,age,sold\nrome,3,yes\noslo,4,no\n"))
    inputs, outputs = data.train.arrays() or ({}, {})
    assert inputs["city"].tolist() == [1, 0]
    assert outputs["sold"].tolist() == [[1], [0]]
    assert data.vocabularies == {"city": ("oslo", "rome"), "sold": ("no", "yes")}
    more = opened(SCALAR, write("city,age,sold\nrome,3,no\n"), vocabularies=data.vocabularies)
    assert (more.train.arrays() or ({}, {}))[0]["city"].tolist() == [1]
    assert said(SCALAR, write("city,age,sold\npisa,3,no\n"), vocabularies=data.vocabularies) == (
        "t.csv:2:1: GB708 city: the column city holds 'pisa', which was not trained on; expected oslo, rome\n"
    )


def test_one_hot_targets_are_made_of_words() -> None:
    data = opened(ROW.replace("sparse_", ""), write("a,b,kind\n1,2,z\n3,4,x\n3,4,y\n"))
    _, outputs = data.train.arrays() or ({}, {})
    np.testing.assert_array_equal(outputs["kind"], [[0, 0, 1], [1, 0, 0], [0, 1, 0]])


def test_missing_columns_are_told() -> None:
    assert said(TWO, write("words,price,god\n1,2,3\n")) == (
        "t.csv:1:1: GB703 marks: no column is called marks or marks.…; expected (samples, length, 2) float32\n"
        "  hint: --columns marks=… takes some of god\n"
        "t.csv:1:1: GB703 good: no column is called good; expected 1 column\n"
        "  hint: did you mean god?\n"
        "t.csv:1:1: GB703 stars: no column is called stars; expected 1 column\n"
        "  hint: --columns stars=… takes some of god\n"
    )


def test_a_wrong_number_of_columns_is_told() -> None:
    assert said(ROW, write("a,b,c,kind\n1,2,3,0\n")) == (
        "t.csv:1:1: GB705 row: 3 columns are given to it: a, b, c; expected 2, for shape (2,)\n"
        "  hint: --columns row=… names the columns to take\n"
    )


def test_columns_that_are_not_there_are_told() -> None:
    assert said(ROW, write("a,b,kind\n1,2,0\n"), {"row": ["a", "c"], "rwo": ["a"]}) == (
        "t.csv:1:1: GB703 row: there is no column c\n"
        "  hint: the columns are a, b, kind\n"
        "t.csv:1:1: GB705 row: 1 column is given to it: a; expected 2, for shape (2,)\n"
        "  hint: --columns row=… names the columns to take\n"
        "t.csv: GB703 --columns rwo=… names no input or output\n"
        "  hint: did you mean row?\n"
    )


def test_cells_are_told_at_their_lines() -> None:
    rows = "a,b,kind\n1,2,0\nx,2,1\n3,,2\n4,inf,7\n5,,0\n"
    assert said(ROW, write(rows)) == (
        "t.csv:3:1: GB706 row: the column a holds 'x'; expected a number\n"
        "  hint: --columns row=… names the columns to take\n"
        "t.csv:4:1: GB707 row: the column b has no value, as in 1 other row; expected a value in every row\n"
        "  hint: fill it in, or leave the row out\n"
        "t.csv:5:1: GB707 row: the column b holds inf; expected finite numbers\n"
        "t.csv:5:1: GB708 kind: the column kind is 7; expected 0 to 2, for the loss sparse_categorical_crossentropy\n"
        "  hint: the labels go up to 7: kind needs 8 units, or the labels are wrong\n"
    )
    assert said(ROW, write("a,b,kind\n1,2,0\n4,inf,1\n")) == (
        "t.csv:3:1: GB707 row: the column b holds inf; expected finite numbers\n"
    )


def test_too_many_classes_are_told() -> None:
    assert said(ROW, write("a,b,kind\n1,2,w\n1,2,x\n1,2,y\n1,2,z\n")) == (
        "t.csv: GB708 kind: there are 4 classes: w, x, y, z; expected at most 3, "
        "for the loss sparse_categorical_crossentropy\n"
        "  hint: kind needs 4 units\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "t.csv: GB710 the table is empty; expected a line with the columns' names, and rows below it\n"),
        ("a,b,kind\n", "t.csv: GB710 the table has no row below its header; expected at least one sample\n"),
        (
            "1,2,0\n3,4,1\n",
            (
                "t.csv:1:1: GB701 the first line holds numbers and no names of columns\n"
                "  hint: put a first line on top that names the columns\n"
            ),
        ),
        ("a,a,kind\n1,2,0\n", "t.csv:1:1: GB701 columns stand twice in the header: a\n"),
        (
            "a,b,kind\n1,2,0\n1,2\n1,2,0,4\n",
            (
                "t.csv:3:1: GB705 the row has 2 cells; expected 3, as the header has\n"
                "t.csv:4:1: GB705 the row has 4 cells; expected 3, as the header has\n"
                "  hint: put text that holds commas in quotes\n"
            ),
        ),
        ("a,b,kind\n1,2,0\n1,\0,0\n", "t.csv:3:1: GB701 the table holds a zero byte, so it is no text\n"),
    ],
)
def test_what_is_no_table_is_told(text: str, expected: str) -> None:
    assert said(ROW, write(text)) == expected


def test_bytes_that_are_no_utf8_are_told(here: Path) -> None:
    (here / "t.csv").write_bytes(b"a,b,kind\n1,2,\xe4\n")
    assert said(ROW, "t.csv") == "t.csv:2:5: GB701 the table is not UTF-8 text\n"
