"""Data that TensorFlow reads: TFRecord files, images, and what functions of the user's make."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphbuilder.backend.datasets import as_dataset, decode_image, open_data
from graphbuilder.errors import BlueprintError
from tests.data.support import IMAGE, graph_of, images

GRAPH = graph_of(IMAGE)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    return tmp_path


def record(**features: Any) -> bytes:
    """One `tf.train.Example`."""
    made: dict[str, Any] = {}
    for name, value in features.items():
        if isinstance(value, bytes):
            made[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        elif np.asarray(value).dtype.kind == "f":
            made[name] = tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(value)))
        else:
            made[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(value)))
    content: bytes = tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()
    return content


def write(path: str, *records: bytes) -> None:
    with tf.io.TFRecordWriter(path) as writer:
        for each in records:
            writer.write(each)


def said(data: Any, **options: Any) -> str:
    with pytest.raises(BlueprintError) as caught:
        open_data(data, GRAPH, **options)
    return str(caught.value)


def test_records_are_read_in_any_order_from_several_files() -> None:
    Path("records").mkdir()
    numbers = images(5)
    write("records/a.tfrecord", *(record(image=numbers[at], label=at % 3) for at in range(3)))
    write("records/b.tfrecord", *(record(image=numbers[at], label=at % 3) for at in range(3, 5)))
    for spec in ("records", "records/*.tfrecord"):
        data = open_data(spec, GRAPH)
        assert data.count == 5
        ((inputs, outputs),) = data.train.batches(5, shuffle=True, seed=1)
        assert outputs["scores"].tolist() != [0, 1, 2, 0, 1]
        order = [int(np.argmin(abs(numbers - image).sum(axis=(1, 2, 3)))) for image in inputs["image"]]
        assert sorted(order) == [0, 1, 2, 3, 4]
        assert outputs["scores"].tolist() == [at % 3 for at in order]
        np.testing.assert_array_equal(inputs["image"], numbers[order])


def test_images_and_bare_bytes_are_read_from_records() -> None:
    pixels = np.arange(16, dtype="uint8").reshape(4, 4, 1)
    write(
        "tiny.tfrecord",
        record(image=bytes(tf.io.encode_png(pixels).numpy()), scores=1),
        record(image=(pixels / np.float32(255)).tobytes(), scores=2),
    )
    inputs, _ = next(open_data("tiny.tfrecord", GRAPH).train.batches(2))
    np.testing.assert_allclose(inputs["image"], np.stack([pixels, pixels]) / 255, rtol=1e-6)


def test_records_that_do_not_fit_are_told() -> None:
    write("tiny.tfrecord", record(image=images(1)[0], scores=1), record(image=[1.0, 2.0], scores=1), record(scores=7))
    assert said("tiny.tfrecord") == (
        "tiny.tfrecord: GB705 image: record 1: the feature image holds 2 numbers and must hold 16; "
        "expected (samples, 4, 4, 1) float32\n"
        "tiny.tfrecord: GB705 image: record 2: the feature image is missing or empty; "
        "expected (samples, 4, 4, 1) float32"
    )
    write("tiny.tfrecord", record(image=images(1)[0], scores=1), record(image=images(1)[0] * np.nan, scores=7))
    assert said("tiny.tfrecord") == (
        "tiny.tfrecord: GB707 image: record 1 holds nan; expected finite numbers\n"
        "  hint: leave those samples out, or fill them in\n"
        "tiny.tfrecord: GB708 scores: record 1 is 7; expected 0 to 2, for the loss sparse_categorical_crossentropy\n"
        "  hint: the labels go up to 7: scores needs 8 units, or the labels are wrong"
    )
    write("tiny.tfrecord", record(picture=images(1)[0], scores=1))
    assert said("tiny.tfrecord") == (
        "tiny.tfrecord: GB703 image: there is no feature image; expected (samples, 4, 4, 1) float32\n"
        "  hint: it holds picture, scores"
    )


def test_damaged_records_are_told(here: Path) -> None:
    path = here / "tiny.tfrecord"
    write("tiny.tfrecord", *(record(image=image, scores=1) for image in images(3)))
    content = path.read_bytes()
    path.write_bytes(content[:-3])
    assert said("tiny.tfrecord").startswith(
        "tiny.tfrecord: GB701 tiny.tfrecord is cut off or no TFRecord file: record 2 is not whole"
    )
    path.write_bytes(content[:60] + bytes([content[60] ^ 1]) + content[61:])
    assert said("tiny.tfrecord").startswith("tiny.tfrecord: GB701 it is damaged: ")
    path.write_bytes(b"\x1f\x8b" + content)
    assert "is compressed" in said("tiny.tfrecord")
    path.write_bytes(b"")
    assert said("tiny.tfrecord").startswith("tiny.tfrecord: GB710 it holds no record")


def test_image_files_are_decoded_and_resized(here: Path) -> None:
    for number, name in enumerate(["cat", "dog", "fox"]):
        (here / "photos" / name).mkdir(parents=True)
        pixels = np.full((8, 6, 3), number * 100, "uint8")
        (here / "photos" / name / "1.png").write_bytes(tf.io.encode_png(pixels).numpy())
        (here / "photos" / name / "2.jpg").write_bytes(tf.io.encode_jpeg(pixels, quality=100).numpy())
    inputs, outputs = next(open_data("photos", GRAPH).train.batches(6))
    assert inputs["image"].shape == (6, 4, 4, 1)
    np.testing.assert_allclose(inputs["image"].mean(axis=(1, 2, 3)) * 255, np.repeat([0, 100, 200], 2), atol=2)
    assert outputs["scores"].tolist() == [0, 0, 1, 1, 2, 2]
    broken = here / "photos" / "cat" / "1.png"
    content = broken.read_bytes()
    broken.write_bytes(content[:40] + b"\0\0\0\0" + content[44:])
    with pytest.raises(BlueprintError, match=r"1\.png: GB701 the image cannot be decoded"):
        next(open_data("photos", GRAPH).train.batches(6))
    with pytest.raises(ValueError, match="Unknown image file format"):
        decode_image(b"nothing", 4, 4, 1)


MINE = """
import numpy as np
import tensorflow as tf

X, Y = np.linspace(0, 1, 160, dtype="float32").reshape(10, 4, 4, 1), np.arange(10) % 3

def samples():
    return tf.data.Dataset.from_tensor_slices((X, Y))

def batches():
    return samples().batch(4), samples().take(2).batch(2)

def named():
    given = samples().map(lambda x, y: ({"image": x}, {"scores": y}))
    return {"train": given, "test": given.take(3)}

def arrays():
    return {"image": X, "y": Y}

def wrong():
    return tf.data.Dataset.from_tensor_slices((X[:, :3], Y + 1))

def endless():
    return samples().repeat()

def alone():
    return tf.data.Dataset.from_tensor_slices(X)

def number():
    return 7

def failing():
    raise RuntimeError("no disk")
"""


@pytest.mark.parametrize(
    ("function", "counts"),
    [
        ("samples", (10, None, None)),
        ("batches", (None, None, None)),
        ("named", (10, None, 3)),
        ("arrays", (10, None, None)),
    ],
)
def test_what_a_function_makes_is_read(here: Path, function: str, counts: Any) -> None:
    (here / "mine.py").write_text(MINE)
    data = open_data(f"mine:{function}", GRAPH, trust=["mine"])
    parts = (data.train, data.validation, data.test)
    assert tuple(part.count if part is not None else None for part in parts) == counts
    read = list(data.train.batches(4))
    assert np.concatenate([outputs["scores"] for _, outputs in read]).tolist() == [at % 3 for at in range(10)]
    first, again, other = (
        np.concatenate([inputs["image"][:, 0, 0, 0] for inputs, _ in data.train.batches(4, shuffle=True, seed=seed)])
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert first.tolist() != other.tolist()
    assert sorted(first) == sorted(other)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (
            "wrong",
            (
                "mine:wrong: GB705 image: the array image has shape (10, 3, 4, 1); expected (samples, 4, 4, 1)\n"
                "  hint: axis 1 is 3 and must be 4\n"
                "mine:wrong: GB708 scores: sample 2 to train is 3; expected 0 to 2, "
                "for the loss sparse_categorical_crossentropy\n"
                "  hint: they seem to count from 1: subtract 1"
            ),
        ),
        ("endless", "mine:endless: GB702 the dataset to train never ends\n  hint: leave out repeat(), or end it with"),
        ("alone", "mine:alone: GB703 the elements of the dataset to train are no pairs; expected (inputs, targets)"),
        ("number", "mine:number: GB702 the function gives int; expected a tf.data.Dataset, (train,"),
        ("failing", "graphbuilder: GB701 mine:failing failed: RuntimeError: no disk"),
        ("absent", "graphbuilder: GB701 mine:absent cannot be imported: module 'mine' has no attribute 'absent'"),
    ],
)
def test_what_a_function_makes_and_does_not_fit_is_told(here: Path, function: str, expected: str) -> None:
    (here / "mine.py").write_text(MINE)
    assert said(f"mine:{function}", trust=["mine"]).startswith(expected)


def test_a_function_that_is_not_trusted_is_not_imported(here: Path) -> None:
    (here / "mine.py").write_text("raise SystemExit('run')")
    assert said("mine:samples", trust=["mine.data", "min"]) == (
        "graphbuilder: GB711 mine:samples is code that is not trusted, so it was not imported\n"
        "  hint: if you trust it: --trust mine"
    )


def test_batches_become_a_dataset_of_known_length() -> None:
    data = open_data({"image": images(5), "y": np.array([0, 1, 2, 0, 1])}, GRAPH)
    dataset = as_dataset(data.train, data.wants, 2)
    assert int(dataset.cardinality()) == 3
    assert [tuple(x.shape) for x, _ in dataset] == [(2, 4, 4, 1), (2, 4, 4, 1), (1, 4, 4, 1)]


def test_validation_data_take_over_the_classes() -> None:
    text = IMAGE.replace("[4, 4, 1]", "[2]")
    Path("a.csv").write_text("x,y,label\n1,2,oak\n1,2,ash\n")
    Path("b.csv").write_text("x,y,label\n1,2,oak\n1,2,oak\n")
    first = open_data("a.csv", graph_of(text), columns={"image": ["x", "y"], "scores": ["label"]})
    options: Mapping[str, Any] = {"columns": {"image": ["x", "y"], "scores": ["label"]}}
    second = open_data("b.csv", graph_of(text), like=first, **options)
    assert (second.train.arrays() or ({}, {}))[1]["scores"].tolist() == [1, 1]
