"""Orders, batches, pieces and parts depend on the seed alone; the digits fit images of any size."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphbuilder.data import ArraySource, Data, IndexedPart, Pieces, parse_columns, parse_spec, wants_of
from graphbuilder.errors import BlueprintError, CommandError
from tests.data.support import IMAGE, TWO, graph_of, opened, said


def part(count: int = 10) -> IndexedPart:
    numbers = np.arange(count)
    return IndexedPart(ArraySource({"x": numbers}, {"y": -numbers}))


def order(found: IndexedPart, **options: Any) -> list[list[int]]:
    return [inputs["x"].tolist() for inputs, _ in found.batches(4, **options)]


def test_batches_hold_every_sample_once_and_belong_together() -> None:
    assert order(part()) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    shuffled = list(part().batches(4, shuffle=True, seed=1))
    assert sorted(number for inputs, _ in shuffled for number in inputs["x"]) == list(range(10))
    assert all((inputs["x"] == -outputs["y"]).all() for inputs, outputs in shuffled)


def test_an_order_depends_on_the_seed_and_the_epoch_alone() -> None:
    first = order(part(), shuffle=True, seed=1, epoch=0)
    assert first == order(part(), shuffle=True, seed=1, epoch=0)
    assert first != order(part(), shuffle=True, seed=1, epoch=1)
    assert first != order(part(), shuffle=True, seed=2, epoch=0)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_pieces_together_are_the_batches(workers: int) -> None:
    taken = 4 // workers
    each = [order(part(), shuffle=True, seed=1, pieces=Pieces(worker * taken, taken, 4)) for worker in range(workers)]
    whole = order(part(), shuffle=True, seed=1)[:2]
    together = [
        [number for pieces in each for piece in pieces[batch * taken : (batch + 1) * taken] for number in piece]
        for batch in range(2)
    ]
    assert together == whole
    assert part().steps(4, whole=True) == 2
    assert part().steps(4) == 3


def test_samples_for_calibration_are_drawn_from_all() -> None:
    drawn = [int(inputs["x"][0]) for inputs in part().samples(5, seed=3)]
    assert len(set(drawn)) == 5
    assert any(later < earlier for earlier, later in pairwise(drawn))
    assert drawn == [int(inputs["x"][0]) for inputs in part().samples(5, seed=3)]
    assert len(list(part().samples(100))) == 10


def test_a_split_takes_its_share_and_keeps_the_order() -> None:
    kept, away = part(20).divided(0.25, seed=1)
    assert (kept.count, away.count) == (15, 5)
    assert sorted([*kept.indices, *away.indices]) == list(range(20))
    assert (np.diff(kept.indices) > 0).all()
    assert away.indices.tolist() == part(20).divided(0.25, seed=1)[1].indices.tolist()
    assert away.indices.tolist() != part(20).divided(0.25, seed=2)[1].indices.tolist()


def test_too_few_samples_for_a_batch_are_told() -> None:
    data = Data("t.npz", wants_of(graph_of(IMAGE)), part(3))
    data.require(3)
    with pytest.raises(BlueprintError) as caught:
        data.require(4)
    assert str(caught.value) == (
        "t.npz: GB710 there are 3 samples to train on; expected at least one batch of 4\n  hint: --batch-size 3"
    )


@pytest.mark.parametrize("shape", ["[8, 8, 1]", "[8, 8]", "[64]", "[12, 16, 3]", "[height, width, 1]"])
def test_the_digits_fit(shape: str) -> None:
    layer = "GlobalMaxPooling2D" if "height" in shape else "Flatten"
    text = IMAGE.replace("[4, 4, 1]", shape).replace("units: 3", "units: 10").replace("Flatten", layer)
    data = opened(text, "digits")
    inputs, outputs = next(data.train.batches(2_000))
    sizes = [8 if word.strip().isalpha() else int(word) for word in shape.strip("[]").split(",")]
    assert list(inputs["image"].shape) == [1348, *sizes]
    assert (float(inputs["image"].min()), float(inputs["image"].max())) == (0, 1)
    assert np.bincount(outputs["scores"]).min() > 100
    assert data.test is not None
    assert data.test.count == 449


def test_what_the_digits_do_not_fit_is_told() -> None:
    text = IMAGE.replace("[4, 4, 1]", "[65]")
    assert said(text, "digits") == (
        "digits: GB705 image: the digits have shape (samples, 8, 8, 1); expected (samples, 65)\n"
        "  hint: give the input the shape [8, 8, 1], [8, 8] or [64]\n"
        "digits: GB708 scores: there are 10 classes: 0, 1, 2, 3, 4, 5, 6, 7 and 2 more; expected at most 3, "
        "for the loss sparse_categorical_crossentropy\n"
        "  hint: scores needs 10 units\n"
    )
    assert "takes words, marks, price" in said(TWO, "digits")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("none.npz", "none.npz: GB701 there is no file none.npz; expected a .npz, .csv"),
        ("rows.cvs", "rows.cvs: GB701 there is no file rows.cvs"),
        ("digit", "graphbuilder: GB702 there is no file digit; expected"),
        ("notes.txt", "notes.txt: GB702 notes.txt does not say by its ending what it holds; expected"),
        ("*.csv", "graphbuilder: GB702 *.csv names 1 files; expected"),
    ],
)
def test_a_kind_that_is_not_known_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("mine")
    Path("rows.csv").write_text("a\n")
    with pytest.raises(BlueprintError) as caught:
        parse_spec(spec)
    assert str(caught.value).startswith(expected)
    if spec == "rows.cvs":
        assert "did you mean rows.csv?" in str(caught.value)


@pytest.mark.parametrize("setting", ["row", "=a", "row=", "row=a,,b"])
def test_columns_of_another_form_are_told(setting: str) -> None:
    with pytest.raises(CommandError, match="is not of the form"):
        parse_columns([setting])
