"""The warnings about modalities: each rule, and what looks like a fault and is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphbuilder.api import check, parse
from graphbuilder.errors import Diagnostic

BLUEPRINTS = Path(__file__).parents[2] / "blueprints"


def warnings_of(inputs: str, nodes: str) -> list[Diagnostic]:
    """The warnings about modalities; the blueprint must have no error."""
    lines = "\n".join(f"  {line}" for line in nodes.strip().splitlines())
    checked = check(parse(f"blueprint: 1\ninputs:\n  {inputs}\nnodes:\n{lines}\n"))
    assert checked.ok, checked.diagnostics
    return [found for found in checked.warnings if found.code in ("GB311", "GB312")]


IDS = "text: {shape: [64], dtype: int32, modality: text}"
SOUND = "sound: {shape: [96, 64, 1], modality: audio}"
TABLE = "table: {shape: [40], modality: tabular}"
IMAGE = "image: {shape: [28, 28], modality: image}"
VIDEO = "video: {shape: [16, 64, 64, 3], modality: video}"

WRONG = {
    "a dense layer of ids": (IDS, "out: {layer: Dense, units: 4}", "GB311", "out"),
    "a dense layer of ids that were cast": (
        IDS,
        "a: {op: cast, dtype: float32}\nout: {layer: Dense, units: 4}",
        "GB311",
        "out",
    ),
    "an lstm of ids": (IDS, "a: {op: expand_dims, axis: -1}\nout: {layer: LSTM, units: 4}", "GB311", "out"),
    "both directions of ids": (
        IDS,
        "a: {op: expand_dims, axis: -1}\nout: {layer: Bidirectional, wraps: {layer: GRU, units: 4}}",
        "GB311",
        "out",
    ),
    "a convolution of ids": (
        IDS,
        (
            "a: {layer: Reshape, target_shape: [64, 1]}\nb: {op: cast, dtype: float32}\n"
            "out: {layer: Conv1D, filters: 4, kernel_size: 3}"
        ),
        "GB311",
        "out",
    ),
    "attention of ids": (
        IDS,
        (
            "a: {op: expand_dims, axis: -1}\nb: {op: cast, dtype: float32}\n"
            "out: {layer: MultiHeadAttention, from: [b, b], num_heads: 2, key_dim: 4}"
        ),
        "GB311",
        "out",
    ),
    "global pooling of a spectrogram": (SOUND, "out: {layer: GlobalAveragePooling2D}", "GB311", "out"),
    "the largest of a spectrogram": (SOUND, "out: {layer: GlobalMaxPooling2D}", "GB311", "out"),
    "the mean of a spectrogram": (SOUND, "out: {op: mean, axis: [1, 2]}", "GB311", "out"),
    "an embedding of pixels": (VIDEO, "out: {layer: Embedding, input_dim: 256, output_dim: 2}", "GB311", "out"),
    "an embedding of a sound's features": (
        "sound: {shape: [100, 40], modality: audio}",
        (
            "a: {layer: Conv1D, filters: 4, kernel_size: 3, activation: relu}\n"
            "out: {layer: Embedding, input_dim: 256, output_dim: 2}"
        ),
        "GB311",
        "out",
    ),
    "a convolution of columns": (
        TABLE,
        (
            "a: {layer: Normalization}\nb: {layer: Reshape, target_shape: [40, 1]}\n"
            "out: {layer: Conv1D, filters: 4, kernel_size: 3}"
        ),
        "GB311",
        "out",
    ),
    "window pooling of columns": (
        TABLE,
        "a: {op: expand_dims, axis: -1}\nout: {layer: MaxPooling1D, pool_size: 2}",
        "GB311",
        "out",
    ),
    "a gru of columns": (TABLE, "a: {op: expand_dims, axis: -1}\nout: {layer: GRU, units: 4}", "GB311", "out"),
    "rows of an image as steps": (IMAGE, "out: {layer: Conv1D, filters: 4, kernel_size: 3}", "GB312", "image"),
    "rows of an image averaged": (
        IMAGE,
        "a: {layer: Rescaling, scale: 0.1}\nout: {layer: GlobalAveragePooling1D}",
        "GB312",
        "image",
    ),
    "channels in front": (
        "image: {shape: [3, 64, 64], modality: image}",
        "out: {layer: MaxPooling2D}",
        "GB312",
        "image",
    ),
    "a video without frames": (
        "video: {shape: [64, 64, 3], modality: video}",
        "out: {layer: Conv2D, filters: 4, kernel_size: 3}",
        "GB312",
        "video",
    ),
    "floats that are looked up": (
        "text: {shape: [64], modality: text}",
        "out: {layer: Embedding, input_dim: 9, output_dim: 2}",
        "GB312",
        "text",
    ),
    "floats one after the other": (
        "text: {shape: [64], modality: text}",
        "a: {op: expand_dims, axis: -1}\nout: {layer: LSTM, units: 4}",
        "GB312",
        "text",
    ),
    "a sound of one number": (
        "sound: {shape: [], modality: audio}",
        "out: {op: expand_dims, axis: -1}",
        "GB312",
        "sound",
    ),
    "a sound of many axes": (
        "sound: {shape: [2, 3, 4, 5, 6], modality: audio}",
        "out: {layer: Flatten}",
        "GB312",
        "sound",
    ),
    "a misspelt modality": ("x: {shape: [4], modality: vidoe}", "out: {layer: Dense, units: 4}", "GB312", "x"),
    "a modality with a capital": ("x: {shape: [4], modality: Text}", "out: {layer: Dense, units: 4}", "GB312", "x"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_suit_is_warned_about(case: str) -> None:
    inputs, nodes, code, node = WRONG[case]
    (found,) = warnings_of(inputs, nodes)
    assert (found.code, found.node) == (code, node)
    assert found.hint
    assert found.position is not None


RIGHT = {
    "ids that are looked up": (IDS, "out: {layer: Embedding, input_dim: 9, output_dim: 2}"),
    "ids by number": (IDS, "a: {op: one_hot, num_classes: 9}\nout: {layer: LSTM, units: 4}"),
    "a mask of ids": (
        IDS,
        "a: {op: not_equal, from: [text, 0]}\nb: {op: cast, dtype: float32}\nout: {layer: Dense, units: 4}",
    ),
    "how long a text is": (
        IDS,
        "a: {op: not_equal, from: [text, 0]}\nb: {op: sum, axis: 1, keepdims: true}\nout: {layer: Dense, units: 4}",
    ),
    "positions of ids": (
        IDS,
        "a: {op: ones_like}\nb: {op: cumsum, axis: 1}\nc: {op: cast, dtype: float32}\nout: {layer: Dense, units: 4}",
    ),
    "ids as the mask of attention": (
        IDS,
        (
            "a: {layer: Embedding, from: text, input_dim: 9, output_dim: 2}\n"
            "out: {layer: LSTM, from: {sequences: a, mask: text}, units: 4}"
        ),
    ),
    "one number that goes with a text": (
        "length: {shape: [1], dtype: int32, modality: text}",
        "out: {layer: Dense, units: 4}",
    ),
    "a vector of a sentence": ("text: {shape: [768], modality: text}", "out: {layer: Dense, units: 4}"),
    "vectors of words": ("text: {shape: [64, 300], modality: text}", "out: {layer: LSTM, units: 4}"),
    "whole numbers of another modality": ("x: {shape: [4], dtype: int32}", "out: {layer: Dense, units: 4}"),
    "ids that are cast because the author says so": (
        f"{IDS}\n  other: {{shape: [8]}}",
        "sum: {fuse: concat, from: [text, other], align: {text: cast}}\nout: {layer: Dense, units: 4}",
    ),
    "time alone is pooled": (
        SOUND,
        "a: {layer: Reshape, target_shape: [96, 64]}\nout: {layer: GlobalAveragePooling1D}",
    ),
    "the mean of each frequency": (SOUND, "out: {op: mean, axis: 1}"),
    "the level of the whole sound": (
        SOUND,
        "a: {op: mean, axis: [1, 2], keepdims: true}\nout: {op: subtract, from: [sound, a]}",
    ),
    "few frequencies are left": (SOUND, "a: {layer: MaxPooling2D, pool_size: 8}\nout: {layer: GlobalAveragePooling2D}"),
    "squeeze and excitation of a spectrogram": (
        SOUND,
        (
            "map: {layer: Conv2D, filters: 4, kernel_size: 3}\nall: {layer: GlobalAveragePooling2D}\n"
            "gate: {layer: Dense, units: 4, activation: sigmoid}\nat: {layer: Reshape, target_shape: [1, 1, 4]}\n"
            "weighed: {layer: Multiply, from: [map, at]}\nout: {layer: Flatten}"
        ),
    ),
    "the standard block of squeeze and excitation": (
        SOUND,
        (
            "map: {layer: Conv2D, filters: 4, kernel_size: 3}\na: {block: std.squeeze_excite, filters: 4}\n"
            "out: {layer: Flatten}"
        ),
    ),
    "the standard embedding of tokens and positions": (
        IDS,
        "out: {block: std.token_and_position_embedding, vocab_size: 9, max_length: 64, width: 4}",
    ),
    "an image that is pooled": ("image: {shape: [64, 64, 3], modality: image}", "out: {layer: GlobalAveragePooling2D}"),
    "a sound and an image that are pooled": (
        f"{SOUND}\n  image: {{shape: [96, 64, 1], modality: image}}",
        "both: {layer: Add, from: [sound, image]}\nout: {layer: GlobalAveragePooling2D}",
    ),
    "pixels as whole numbers that are looked up": (
        "image: {shape: [8, 8, 1], dtype: uint8, modality: image}",
        "out: {layer: Embedding, input_dim: 256, output_dim: 2}",
    ),
    "positions of patches that are looked up": (
        "image: {shape: [49, 64], modality: image}",
        "out: {block: std.learned_positions, max_length: 49, width: 64}",
    ),
    "the numbers of the nearest code": (
        "image: {shape: [16, 8], modality: image}",
        "a: {layer: Dense, units: 32}\nb: {op: argmax, axis: 2}\nout: {layer: Embedding, input_dim: 32, output_dim: 8}",
    ),
    "a table of steps": ("table: {shape: [24, 6], modality: tabular}", "out: {layer: LSTM, units: 4}"),
    "a row that is made steps on purpose": (
        TABLE,
        "a: {layer: Reshape, target_shape: [10, 4]}\nout: {layer: LSTM, units: 4}",
    ),
    "features of a table": (
        TABLE,
        (
            "a: {layer: Dense, units: 16}\nb: {layer: Reshape, target_shape: [16, 1]}\n"
            "out: {layer: Conv1D, filters: 4, kernel_size: 3}"
        ),
    ),
    "digits that are flattened": (IMAGE, "a: {layer: Flatten}\nout: {layer: Dense, units: 4}"),
    "digits that get a channel": (
        IMAGE,
        "a: {op: expand_dims, axis: -1}\nout: {layer: Conv2D, filters: 4, kernel_size: 3}",
    ),
    "digits read row by row": (IMAGE, "out: {layer: LSTM, units: 4}"),
    "features of another model": ("image: {shape: [2048], modality: image}", "out: {layer: Dense, units: 4}"),
    "patches of another model": ("image: {shape: [196, 768], modality: image}", "out: {layer: Dense, units: 4}"),
    "channels in front, and said so": (
        "image: {shape: [3, 64, 64], modality: image}",
        "out: {layer: MaxPooling2D, data_format: channels_first}",
    ),
    "frames of another model": ("video: {shape: [20, 2048], modality: video}", "out: {layer: GRU, units: 4}"),
    "a whole video": (VIDEO, "out: {layer: Conv3D, filters: 4, kernel_size: 3}"),
    "a wave": (
        "sound: {shape: [16000, 1], modality: audio}",
        "out: {layer: Conv1D, filters: 4, kernel_size: 9, strides: 4}",
    ),
    "loudness as whole numbers": (
        "sound: {shape: [96, 64, 1], dtype: uint8, modality: audio}",
        "out: {layer: Flatten}",
    ),
    "a word of the author's own": ("x: {shape: [4], modality: radio}", "out: {layer: Dense, units: 4}"),
    "no modality at all": ("x: {shape: [64], dtype: int32}", "out: {layer: Dense, units: 4}"),
    "text as strings": ("x: {shape: [], dtype: string, modality: text}", "out: {op: expand_dims, axis: -1}"),
}


@pytest.mark.parametrize("case", RIGHT)
def test_what_is_done_on_purpose_is_not_blamed(case: str) -> None:
    assert warnings_of(*RIGHT[case]) == []


@pytest.mark.parametrize("path", sorted(BLUEPRINTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_blueprints_are_not_blamed(path: Path) -> None:
    assert check(path).warnings == ()


def test_auto_keeps_frequencies_and_a_stated_pool_is_blamed_where_it_stands() -> None:
    inputs = f"{SOUND}\n  other: {{shape: [8]}}"
    assert warnings_of(inputs, "out: {fuse: concat, from: [sound, other]}") == []
    (found,) = warnings_of(inputs, "out: {fuse: concat, from: [sound, other], align: {sound: max_pool}}")
    assert found.node == "out.sound.max_pool"
    assert found.position is not None
    assert found.position.column == len("  out: {fuse: concat, from: [sound, other], align: {") + 1
    assert "align: {sound: [steps, pool]}" in (found.hint or "")


def test_what_feeds_no_output_is_not_blamed() -> None:
    nodes = (
        "lost: {layer: Dense, from: text, units: 4}\nout: {layer: Embedding, from: text, input_dim: 9, output_dim: 2}"
    )
    assert warnings_of(IDS, nodes) == []


def test_one_fault_of_many_layers_is_one_warning() -> None:
    nodes = "\n".join(f"d{number}: {{layer: Dense, from: text, units: 4}}" for number in range(6))
    nodes += "\nout: {layer: Add, from: [d0, d1, d2, d3, d4, d5]}"
    (found,) = warnings_of(IDS, nodes)
    assert [other.message for other in found.related] == [
        "and here: d1, Dense", "and here: d2, Dense", "and here: d3, Dense", "and 2 more"]  # fmt: skip


def test_a_fault_in_a_repeated_block_is_one_warning_at_its_place() -> None:
    text = """
blueprint: 1
inputs: {text: {shape: [4], dtype: int32, modality: text}}
blocks:
  step:
    inputs: [x]
    nodes:
      moved: {op: flip, axis: 1}
      dense: {layer: Dense, from: moved, units: 4}
nodes:
  out: {block: step}
"""
    (found,) = check(parse(text)).warnings
    assert found.node == "out.dense"
    assert found.position is not None
    assert found.position.line == 9


def test_a_misspelt_modality_has_a_fix() -> None:
    (found,) = warnings_of("x: {shape: [4, 4, 3], modality: imgae}", "out: {layer: Flatten}")
    assert (found.fix, found.hint) == ("image", "did you mean image?")
