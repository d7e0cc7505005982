"""Arrays in a `.npz` file fit the blueprint, or everything that does not is told at once."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphbuilder.data import given_arrays, wants_of
from tests.data.support import IMAGE, TWO, graph_of, images, opened, said


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("label", ["scores", "y", "label", "labels", "target", "targets"])
@pytest.mark.parametrize("given", ["image", "x"])
def test_arrays_are_found_by_their_names(label: str, given: str) -> None:
    np.savez("tiny.npz", **{given: images(), label: [0, 1, 2, 0]})
    data = opened(IMAGE, "tiny.npz")
    inputs, outputs = data.train.arrays() or ({}, {})
    np.testing.assert_array_equal(inputs["image"], images())
    assert outputs["scores"].tolist() == [0, 1, 2, 0]
    assert outputs["scores"].dtype == "int32"
    assert data.facts == ("tiny.npz: 4 samples",)


def test_an_array_of_another_name_is_named_by_the_user() -> None:
    np.savez("tiny.npz", pixels=images(), digit=[0, 1, 2, 0])
    data = opened(IMAGE, "tiny.npz", {"image": ["pixels"], "scores": ["digit"]})
    assert data.count == 4


@pytest.mark.parametrize(
    "array",
    [images()[..., 0], images().astype("float64"), np.ones((4, 4, 4, 1), "uint8"), np.ones((4, 4, 4), bool)],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_what_stays_the_same_is_cast_and_a_last_axis_of_one_is_added(array: Any) -> None:
    np.savez("tiny.npz", image=array, scores=np.array([[0.0], [1.0], [2.0], [0.0]]))
    inputs, outputs = opened(IMAGE, "tiny.npz").train.arrays() or ({}, {})
    assert inputs["image"].shape == (4, 4, 4, 1)
    assert inputs["image"].dtype == "float32"
    np.testing.assert_allclose(inputs["image"][..., 0], array.reshape(4, 4, 4))
    assert outputs["scores"].shape == (4,)


def test_everything_that_is_missing_is_told_with_what_it_may_be_called() -> None:
    np.savez("tiny.npz", imge=images(), scores=[0, 1, 2, 0])
    assert said(IMAGE, "tiny.npz") == (
        "tiny.npz: GB703 image: there is no array image; expected (samples, 4, 4, 1) float32\n"
        "  hint: did you mean imge?\n"
    )


def test_a_superfluous_array_is_a_warning() -> None:
    np.savez("tiny.npz", image=images(), scores=[0, 1, 2, 0], names=["a", "b", "c", "d"])
    (warning,) = opened(IMAGE, "tiny.npz").warnings
    assert str(warning) == (
        "tiny.npz: warning GB704 the array names is not used\n  hint: the blueprint takes image, scores"
    )


def test_wrong_shapes_are_told_axis_by_axis_and_before_anything_is_read() -> None:
    np.savez("tiny.npz", image=np.zeros((4, 5, 4, 3)), scores=np.zeros((4, 3)))
    assert said(IMAGE, "tiny.npz") == (
        "tiny.npz: GB705 image: the array image has shape (4, 5, 4, 3); expected (samples, 4, 4, 1)\n"
        "  hint: axis 1 is 5 and must be 4; axis 3 is 3 and must be 1\n"
        "tiny.npz: GB705 scores: the array scores has shape (4, 3); expected (samples,)\n"
        "  hint: these look one-hot: take the loss categorical_crossentropy, or labels.argmax(axis=-1)\n"
    )


def test_class_numbers_where_one_hot_rows_are_wanted_are_told() -> None:
    np.savez("tiny.npz", image=images(), scores=[0, 1, 2, 0])
    assert said(IMAGE.replace("sparse_", ""), "tiny.npz") == (
        "tiny.npz: GB705 scores: the array scores has shape (4,); expected (samples, 3)\n"
        "  hint: these look like class numbers: take the loss sparse_categorical_crossentropy\n"
    )


def test_several_faults_of_values_are_told_together() -> None:
    broken = images()
    broken[2, 1, 1, 0] = np.nan
    broken[3] = np.inf
    np.savez("tiny.npz", image=broken, scores=[1, 2, 3])
    assert said(IMAGE, "tiny.npz") == (
        "tiny.npz: GB707 image: sample 2 of the array image holds nan, as does 1 other; expected finite numbers\n"
        "  hint: leave those samples out, or fill them in\n"
        "tiny.npz: GB708 scores: sample 2 of the array scores is 3; expected 0 to 2, "
        "for the loss sparse_categorical_crossentropy\n"
        "  hint: they seem to count from 1: subtract 1\n"
        "tiny.npz: GB709 the arrays hold unequal numbers of samples: image has 4, scores has 3\n"
        "  hint: every array needs one entry for each sample\n"
    )


@pytest.mark.parametrize(
    ("loss", "targets", "expected"),
    [
        (
            "categorical_crossentropy",
            [[1, 0, 0], [0, 1, 1]],
            (
                "GB708 scores: sample 1 of the array y adds up to 2; expected parts from 0 to 1 that add up to 1, "
                "for the loss categorical_crossentropy"
            ),
        ),
        (
            "bce",
            [[1, 0, 0], [0, 2, 1]],
            "GB708 scores: sample 1 of the array y is 2; expected from 0 to 1, for the loss bce",
        ),
        (
            "hinge",
            [[1, 0, -1], [0, 3, 1]],
            "GB708 scores: sample 1 of the array y is 3; expected -1 or 1, or 0 or 1, for the loss hinge",
        ),
        (
            "{poisson: {}}",
            [[1, 0, 4], [0, -1, 1]],
            "GB708 scores: sample 1 of the array y is -1; expected 0 or more, for the loss poisson",
        ),
    ],
)
def test_targets_must_suit_the_loss(loss: str, targets: Any, expected: str) -> None:
    np.savez("tiny.npz", image=images(2), y=targets)
    text = IMAGE.replace("sparse_categorical_crossentropy", loss)
    assert said(text, "tiny.npz").splitlines()[0] == f"tiny.npz: {expected}"


def test_an_ignored_class_is_no_fault() -> None:
    np.savez("tiny.npz", image=images(2), y=[0, 255])
    text = IMAGE.replace("loss: sparse_categorical_crossentropy", "loss: {SparseCategoricalCrossentropy: OPTIONS}")
    assert opened(text.replace("OPTIONS", "{ignore_class: 255}"), "tiny.npz").count == 2
    assert "is 255" in said(text.replace("OPTIONS", "{}"), "tiny.npz")


def test_ids_and_named_axes_of_several_inputs_are_checked() -> None:
    np.savez(
        "two.npz",
        words=np.full((3, 5), 10),
        marks=np.zeros((3, 6, 2)),
        price=["cheap", "dear", "dear"],
        good=[0, 1, 1],
        stars=np.array([1 + 1j, 2, 3]),
    )
    assert said(TWO, "two.npz") == (
        "two.npz: GB705 marks: the array marks has shape (3, 6, 2); expected (samples, length, 2)\n"
        "  hint: axis 1, length, is 6 here and 5 in words\n"
    )
    np.savez(
        "two.npz",
        words=np.full((3, 5), 10),
        marks=np.zeros((3, 5, 2)),
        price=["cheap", "dear", "dear"],
        good=[0, 1, 1],
        stars=np.array([1 + 1j, 2, 3]),
    )
    assert said(TWO, "two.npz") == (
        "two.npz: GB708 words: sample 0 of the array words holds 10, as do 2 others; expected 0 to 9, "
        "for the Embedding codes\n"
        "  hint: the ids go up to 10: input_dim must be 11 or more\n"
        "two.npz: GB706 price: the array price holds text (<U5); expected float32\n"
        "  hint: give numbers; text must be turned into ids first\n"
        "two.npz: GB706 stars: the array stars holds complex numbers (complex128); expected float32\n"
        "  hint: give numbers\n"
    )


def test_floats_that_are_no_whole_numbers_do_not_become_ids() -> None:
    arrays: dict[str, Any] = {"marks": np.zeros((2, 3, 2)), "price": [1, 2], "good": [0, 1], "stars": [1.5, 2]}
    np.savez("two.npz", words=np.array([[1, 2, 3], [1, 2, 3.5]]), **arrays)
    assert said(TWO, "two.npz") == (
        "two.npz: GB706 words: the array words holds floats (float64); expected int32\n"
        "  hint: only whole numbers become integers; sample 1 holds others\n"
    )
    np.savez("two.npz", words=np.array([[1, 2, 3], [1, 2, 2**40]]), **arrays)
    assert "its numbers go from 1 to 1099511627776, and int32 ends at 2147483647" in said(TWO, "two.npz")


def test_objects_are_refused_and_never_unpickled() -> None:
    np.savez("tiny.npz", image=np.array([print, None], dtype=object), scores=[0, 1])
    assert said(IMAGE, "tiny.npz") == (
        "tiny.npz: GB706 image: the array image holds Python objects, which are code when they are read; "
        "expected float32\n"
        "  hint: save it with a dtype of numbers or text; lists of unequal lengths must be padded\n"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "GB701 it is no .npz file, or damaged: File is not a zip file"),
        (b"PK\x05\x06" + b"\0" * 18, "GB710 it holds no array"),
    ],
    ids=["empty", "no array"],
)
def test_a_file_that_is_none_is_told(here: Path, content: bytes, expected: str) -> None:
    (here / "tiny.npz").write_bytes(content)
    assert said(IMAGE, "tiny.npz").splitlines()[0] == f"tiny.npz: {expected}"


def test_a_cut_off_file_is_told(here: Path) -> None:
    np.savez("tiny.npz", image=images(), scores=[0, 1, 2, 0])
    content = (here / "tiny.npz").read_bytes()
    (here / "tiny.npz").write_bytes(content[: len(content) // 2])
    assert said(IMAGE, "tiny.npz").startswith("tiny.npz: GB701 it is no .npz file, or damaged")


def test_an_array_that_is_shorter_than_it_says_is_told(here: Path) -> None:
    np.save("image.npy", images())
    np.save("scores.npy", np.array([0, 1, 2, 0]))
    with zipfile.ZipFile("tiny.npz", "w") as archive:
        archive.writestr("image.npy", (here / "image.npy").read_bytes()[:-16])
        archive.write("scores.npy")
    assert said(IMAGE, "tiny.npz") == (
        "tiny.npz: GB701 image: the array image is cut off: 240 bytes of 256 bytes are there\n"
    )


def test_empty_arrays_are_told() -> None:
    np.savez("tiny.npz", image=images(0), scores=np.zeros(0, int))
    assert said(IMAGE, "tiny.npz") == "tiny.npz: GB710 the arrays are empty; expected at least one sample\n"


def test_arrays_in_memory_are_checked_alike() -> None:
    wants = wants_of(graph_of(IMAGE))
    data = given_arrays({"image": images(), "y": np.array([0, 1, 2, 0])}, wants)
    assert data.count == 4
    other = given_arrays({"image": images() + 1, "y": np.array([0, 1, 2, 0])}, wants)
    assert data.fingerprint != other.fingerprint
