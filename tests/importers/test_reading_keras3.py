"""Files that Keras 3 writes, in every form."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import keras
import pytest
from keras import layers

from graphbuilder.errors import BlueprintError
from graphbuilder.importers import import_file
from graphbuilder.importers.reading import read_model
from graphbuilder.text import parse


def small_model() -> keras.Model:
    x = keras.Input((8, 4), name="x")
    shared = layers.Dense(4, activation="relu", name="shared")
    inner = keras.Sequential([keras.Input((8, 4)), layers.Dense(3), layers.Flatten()], name="inner")
    return keras.Model(x, inner(layers.Add(name="sum")([shared(x), shared(shared(x))])), name="small")


def test_every_form_gives_the_same_blueprint(tmp_path: Path) -> None:
    model = small_model()
    (tmp_path / "model.json").write_text(model.to_json(), encoding="utf-8")
    model.save(tmp_path / "model.keras")
    model.save(tmp_path / "model.h5")
    texts = {import_file(tmp_path / f"model.{ending}").text for ending in ("json", "keras", "h5")}
    assert len(texts) == 1


def test_a_compiled_h5_file_keeps_what_it_was_compiled_with(tmp_path: Path) -> None:
    model = small_model()
    model.compile("adam", "mse")
    # In this order: Keras forgets the optimizer when it has written an .h5 file.
    model.save(tmp_path / "model.keras")
    model.save(tmp_path / "model.h5")
    data = [parse(import_file(tmp_path / f"model.{ending}").text).data for ending in ("keras", "h5")]
    assert data[0]["training"] == {"optimizer": "adam", "loss": "mse"}
    assert data[0] == data[1]


def test_an_exported_model_says_why_it_cannot_be_imported(tmp_path: Path) -> None:
    small_model().export(tmp_path / "exported", verbose=False)
    with pytest.raises(BlueprintError, match="GB851 the SavedModel holds no configuration of Keras"):
        import_file(tmp_path / "exported")


def test_weights_alone_are_no_model(tmp_path: Path) -> None:
    small_model().save_weights(tmp_path / "model.weights.h5")
    with pytest.raises(BlueprintError, match="GB851 it holds no configuration: `save_weights`"):
        import_file(tmp_path / "model.weights.h5")


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_changed_bytes_in_a_file_of_keras_are_no_harm(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"model.{ending}"
    small_model().save(path)
    content = path.read_bytes()
    drawn = random.Random(7)
    codes = Counter(read_changed(path, content, drawn) for _ in range(1000))
    assert codes.keys() <= {"", "GB213", "GB851", "GB852", "GB853"}
    # Changes that hit weights are not seen, and others are.
    assert codes[""] > 100
    assert codes["GB852"] > 100


def read_changed(path: Path, content: bytes, drawn: random.Random) -> str:
    """Reads a file of which some bytes are changed, and which may end early; gives the code of what is told."""
    changed = bytearray(content)
    for _ in range(drawn.choice([1, 1, 2, 4, 16])):
        # Half of the changes hit the head, where sizes and addresses stand.
        changed[drawn.randrange(drawn.choice([len(changed), min(len(changed), 4000)]))] = drawn.randrange(256)
    path.write_bytes(changed[: drawn.choice([len(changed)] * 6 + [drawn.randrange(len(changed))])])
    try:
        read_model(path)
    except BlueprintError as error:
        return error.diagnostics[0].code
    return ""
