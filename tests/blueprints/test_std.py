"""Every standard block builds in both Kerases, with the same numbers, at every variant named here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import keras
import numpy as np
import pytest

from graphbuilder.api import check, compile, copy_weights
from graphbuilder.blueprint import parse_blueprint
from graphbuilder.blueprint.shipped import blocks_in
from tests.support.inputs import some_input
from tests.support.standard_blocks import VARIANTS, blueprint_of

CASES = [(block, shapes, params) for block, shapes, variants in VARIANTS for params in variants]


def test_every_block_is_tried() -> None:
    assert {block for block, _, _ in VARIANTS} == set(blocks_in("std"))


@pytest.mark.parametrize(("block", "shapes", "params"), CASES, ids=[f"{block}({params})" for block, _, params in CASES])
def test_block(block: str, shapes: list[str], params: str) -> None:
    document = parse_blueprint(blueprint_of(block, shapes, params))
    checked = check(document)
    assert checked.graph is not None, checked.diagnostics
    assert not checked.diagnostics
    model, twin = compile(checked.graph), compile(checked.graph, keras=2)
    assert model.count_params() == checked.graph.parameters
    if model.weights:
        copy_weights(model, twin)
    given = some_input(checked.graph)
    for mine, theirs in zip(keras.tree.flatten(model(given)), keras.tree.flatten(twin(given)), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5)


def test_sinusoidal_positions_are_those_of_the_paper() -> None:
    text = (
        "blueprint: 1\ninputs:\n  x: {shape: [steps, 6]}\nnodes:\n  used: {block: std.sinusoidal_positions, width: 6}\n"
    )
    model = compile(parse_blueprint(text))
    found = np.asarray(model(np.zeros((1, 9, 6), "float32")))[0]
    step, pair = np.arange(9)[:, None], np.arange(3)[None, :]
    angle = step / 10_000 ** (2 * pair / 6)
    np.testing.assert_allclose(found[:, 0::2], np.sin(angle), atol=1e-5)
    np.testing.assert_allclose(found[:, 1::2], np.cos(angle), atol=1e-5)


def test_a_mask_passes_through_the_encoder() -> None:
    graph = check(Path(__file__).parents[2] / "blueprints" / "transformer.yaml").graph
    assert graph is not None
    assert graph.calls["encoder.layers.1.output"].outputs[0].masked


@pytest.mark.parametrize("norm_first", ["false", "true"])
@pytest.mark.parametrize("version", [2, 3])
def test_padding_changes_nothing(norm_first: str, version: Literal[2, 3]) -> None:
    """The mask reaches every layer when the model runs, not only when it is drawn."""
    model = compile(
        parse_blueprint(
            "blueprint: 1\ninputs:\n  tokens: {shape: [steps], dtype: int32}\nnodes:\n"
            "  embedded: {block: std.token_and_position_embedding, vocab_size: 9, max_length: 8, width: 8}\n"
            f"  encoder: {{block: std.transformer_encoder, width: 8, heads: 2, layers: 3, norm_first: {norm_first}}}\n"
            "  again: {block: std.token_and_position_embedding, from: tokens, vocab_size: 9, max_length: 8, width: 8}\n"
            "  decoder: {block: std.transformer_decoder, from: [again, encoder], width: 8, heads: 2, layers: 2,"
            f" norm_first: {norm_first}}}\n"
            "  pooled: {layer: GlobalAveragePooling1D}\n"
        ),
        keras=version,
    )
    short, padded = np.array([[3, 1, 4]], "int32"), np.array([[3, 1, 4, 0, 0, 0]], "int32")
    np.testing.assert_allclose(model(short), model(padded), rtol=0, atol=1e-6)
