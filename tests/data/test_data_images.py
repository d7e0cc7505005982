"""Folders of images: classes by their names, parts, pixels, and files that are no whole images."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphbuilder.data import pixels_for
from graphbuilder.data.image_files import header_fault
from tests.data.support import IMAGE, TWO, graph_of, opened, said


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def png(size: int = 4, shade: int = 0) -> bytes:
    """A grey PNG image, written by hand."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + bytes([shade]) * size for _ in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def fill(folder: str, **classes: int) -> None:
    for number, (name, count) in enumerate(classes.items()):
        place = Path(folder, name)
        place.mkdir(parents=True, exist_ok=True)
        for at in range(count):
            (place / f"{at}.png").write_bytes(png(shade=number * 10 + at))


def grey(content: bytes, height: int, width: int, channels: int) -> Any:
    """Stands for a decoder: an image of the first pixel's shade."""
    rows = zlib.decompress(content[content.index(b"IDAT") + 4 : -16])
    return np.full((height, width, channels), rows[1], "float32")


def test_folders_are_classes_in_alphabetical_order() -> None:
    fill("photos", dog=2, cat=3, ant=1)
    data = opened(IMAGE, "photos", decode=grey, pixels="0..255")
    assert data.vocabularies == {"scores": ("ant", "cat", "dog")}
    inputs, outputs = next(data.train.batches(10))
    assert outputs["scores"].tolist() == [0, 1, 1, 1, 2, 2]
    assert inputs["image"].shape == (6, 4, 4, 1)
    assert inputs["image"][:, 0, 0, 0].tolist() == [20, 10, 11, 12, 0, 1]
    assert data.train.arrays() is None
    assert data.facts == (
        "photos: 6 images to train on",
        "classes: ant = 0, cat = 1, dog = 2",
        "pixels: 0..255, in images of 4×4",
    )


@pytest.mark.parametrize(("pixels", "expected"), [("0..1", 10 / 255), ("-1..1", 10 / 127.5 - 1), ("0..255", 10)])
def test_pixels_are_told_as_asked(pixels: Any, expected: float) -> None:
    fill("photos", a=0, b=1)
    inputs, _ = next(opened(IMAGE, "photos", decode=grey, pixels=pixels).train.batches(1))
    np.testing.assert_allclose(inputs["image"], expected, rtol=1e-6)


def test_a_model_that_scales_pixels_itself_gets_them_as_they_are() -> None:
    scaled = IMAGE.replace("nodes:", "nodes:\n  scaled: {layer: Rescaling, scale: 0.00392}")
    assert pixels_for("auto", graph_of(scaled)) == "0..255"
    assert pixels_for("auto", graph_of(IMAGE)) == "0..1"
    assert pixels_for("-1..1", graph_of(scaled)) == "-1..1"


def test_parts_are_found_by_their_folders() -> None:
    fill("photos/train", cat=3, dog=2)
    fill("photos/val", cat=1, dog=1)
    fill("photos/test", dog=1)
    data = opened(IMAGE, "photos", decode=grey)
    assert data.validation is not None
    assert data.test is not None
    assert [data.train.count, data.validation.count, data.test.count] == [5, 2, 1]
    assert next(data.test.batches(9))[1]["scores"].tolist() == [1]
    assert [str(found) for found in data.warnings] == ["photos: warning GB710 there is no image of cat in test"]


def test_everything_odd_in_a_folder_is_told() -> None:
    fill("photos/train", cat=2, dog=1)
    fill("photos/test", cow=1)
    Path("photos/train/cat/0.png").write_bytes(png()[:-20])
    Path("photos/train/cat/1.png").write_bytes(b"GIF89a")
    Path("photos/train/dog/0.png").write_bytes(b"")
    Path("photos/train/dog/notes.txt").write_text("mine")
    assert said(IMAGE, "photos", decode=grey) == (
        "photos: warning GB704 dog holds what is no image: notes.txt\n"
        "photos/train/cat/0.png: GB701 the PNG image is cut off\n"
        "  hint: mend it or take it away\n"
        "photos/train/cat/1.png: GB701 it is no PNG, JPEG or BMP image, whatever its name says\n"
        "  hint: mend it or take it away\n"
        "photos/train/dog/0.png: GB701 the file is empty\n"
        "  hint: mend it or take it away\n"
        "photos: GB708 test has classes that are not trained on: cow; expected cat, dog\n"
        "photos: warning GB710 there is no image of cat in test\n"
        "photos: warning GB710 there is no image of dog in test\n"
        "photos: GB710 test holds no images; expected files that end in .bmp, .jpeg, .jpg, .png\n"
    )


def test_more_classes_than_the_model_tells_apart_are_told() -> None:
    fill("photos", a=1, b=1, c=1, d=1)
    assert said(IMAGE, "photos", decode=grey) == (
        "photos: GB708 scores: there are 4 classes: a, b, c, d; expected at most 3, "
        "for the loss sparse_categorical_crossentropy\n"
        "  hint: scores needs 4 units\n"
    )


def test_a_folder_without_classes_is_told() -> None:
    Path("photos").mkdir()
    assert said(IMAGE, "photos", decode=grey) == (
        "photos: GB710 the folder holds no folder of a class; expected one folder for each class, with images\n"
    )


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (
            "[16]",
            (
                "photos: GB705 image: image takes (samples, 16) float32; "
                "expected an image, (samples, height, width, channels) with 1, 3 or 4 channels\n"
            ),
        ),
        (
            "[height, 4, 1]",
            (
                "photos: GB705 image: images are resized to the size of image, and (height, 4, 1) does not say which\n"
                "  hint: write its height and width in the blueprint\n"
            ),
        ),
    ],
)
def test_an_input_that_is_no_image_is_told(shape: str, expected: str) -> None:
    fill("photos", a=1)
    text = IMAGE.replace("[4, 4, 1]", shape).replace("{layer: Flatten}", "{layer: GlobalMaxPooling2D}")
    text = text if "height" in shape else text.replace("GlobalMaxPooling2D", "Flatten")
    assert said(text, "photos", decode=grey) == expected


def test_a_model_of_several_inputs_is_told() -> None:
    fill("photos", a=1)
    assert said(TWO, "photos", decode=grey) == (
        "photos: GB703 it holds images with one class each, and two takes words, marks, price and gives good, stars; "
        "expected a blueprint with one input and one output\n"
        "  hint: put the arrays into a .npz file, each under the name of its input or output\n"
    )


def test_an_image_that_would_fill_the_memory_is_refused(here: Path) -> None:
    content = png()
    huge = content[:16] + struct.pack(">II", 200_000, 200_000) + content[24:]
    (here / "huge.png").write_bytes(huge)
    assert header_fault(here / "huge.png") == "the image has 200,000×200,000 pixels, more than 100,000,000"
