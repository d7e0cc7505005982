"""Blueprints that use each standard block, in every variant that is tried."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["VARIANTS", "blueprint_of"]

IMAGE, SEQUENCE, VECTOR = "[16, 16, 8]", "[steps, 8]", "[6]"
TOKENS = "[steps], dtype: int32"

# The block, the shapes of its inputs, and the params to try.
VARIANTS: list[tuple[str, list[str], list[str]]] = [
    ("conv_bn_activation", [IMAGE], ["filters: 4", "filters: 4, kernel_size: 1, strides: 2, activation: relu6"]),
    ("dense_block", [IMAGE], ["layers: 3, growth_rate: 4"]),
    ("inception", [IMAGE], ["filters: 2, reduced_3: 2, filters_3: 3, reduced_5: 2, filters_5: 3, filters_pool: 2"]),
    (
        "inverted_residual",
        [IMAGE],
        ["filters: 8, expanded: 16, residual: true", "filters: 4, expanded: 8, expand: false, strides: 2"],
    ),
    ("learned_positions", [SEQUENCE], ["max_length: 12, width: 8"]),
    ("mlp", [VECTOR], ["units: 3", "units: 3, hidden: 5, layers: 3, dropout: 0.5", "units: 3, layers: 0"]),
    (
        "recurrent_encoder",
        [SEQUENCE],
        [
            "units: 4",
            "units: 4, layers: 2, cell: GRU, bidirectional: true",
            "units: 4, layers: 2, return_sequences: true",
        ],
    ),
    ("residual_basic", [IMAGE], ["filters: 8", "filters: 4, strides: 2, project: true"]),
    ("residual_bottleneck", [IMAGE], ["filters: 2", "filters: 4, strides: 2, project: true, use_bias: true"]),
    (
        "residual_preactivation",
        [IMAGE],
        ["filters: 2", "filters: 2, strides: 2", "filters: 4, strides: 2, project: true"],
    ),
    ("sinusoidal_positions", [SEQUENCE], ["width: 8"]),
    ("squeeze_excite", [IMAGE], ["filters: 8, ratio: 4"]),
    (
        "transformer_decoder",
        [SEQUENCE, "[others, 8]"],
        ["width: 8, heads: 2, positions: sinusoidal", "width: 8, heads: 2, norm_first: true, layers: 1"],
    ),
    ("transformer_decoder_layer", [SEQUENCE, "[others, 8]"], ["width: 8, heads: 2, dropout: 0.0"]),
    (
        "transformer_encoder",
        [SEQUENCE],
        [
            "width: 8, heads: 2, positions: sinusoidal",
            "width: 8, heads: 2, positions: learned, max_length: 16, causal: true, dropout: 0.0",
            "width: 8, heads: 2, positions: none, norm_first: true, layers: 1",
        ],
    ),
    ("token_and_position_embedding", [TOKENS], ["vocab_size: 9, max_length: 6, width: 4"]),
    ("transformer_encoder_layer", [SEQUENCE], ["width: 8, heads: 2, causal: true"]),
    ("unet_down", [IMAGE], ["filters: 4", "filters: 4, dropout: 0.5"]),
    ("unet_up", ["[8, 8, 6]", IMAGE], ["filters: 4"]),
]


def blueprint_of(block: str, shapes: Sequence[str], params: str) -> str:
    """The text of a blueprint that uses one block.

    Arguments:
        block: its name below `std`.
        shapes: of its inputs, as YAML.
        params: of the block, as YAML.
    """
    names = [f"x{index}" for index in range(len(shapes))]
    inputs = "\n".join(f"  {name}: {{shape: {shape}}}" for name, shape in zip(names, shapes, strict=True))
    outputs = "outputs: [used.pooled, used.skip]\n" if block == "unet_down" else ""
    return (
        f"blueprint: 1\ninputs:\n{inputs}\nnodes:\n"
        f"  used: {{block: std.{block}, from: [{', '.join(names)}], {params}}}\n{outputs}"
    )
