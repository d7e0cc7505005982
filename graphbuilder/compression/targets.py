"""What a pass is to do to each layer, and what earlier passes made of it that later ones keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from graphbuilder.compression.passes import CompressionPass

__all__ = ["Kept", "Record", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a pass is to do to one layer.

    Arguments:
        layer: its path in the graph.
        options: the pass, with what `overrides` says of this layer put in.
        weights: the paths of the weights that it changes.
    """

    layer: str
    options: CompressionPass
    weights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What earlier passes made of one weight. Where, and which values, is read off the weight itself.

    Arguments:
        zeros: whether its zeros stay.
        values: whether its elements go on sharing their values.
    """

    zeros: bool = False
    values: bool = False


# What is kept of each weight, by the layer's path and the weight's path below it.
Record: TypeAlias = Mapping[tuple[str, str], Kept]
