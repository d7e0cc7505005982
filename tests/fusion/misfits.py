"""Branches that Keras refuses to merge, drawn over ranks, modalities and dtypes, the same ones in every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import keras

from tests.fusion.branches import Drawn

__all__ = ["Misfit", "misfits"]

# A strategy that refuses everything is useless, and one that takes words for numbers is wrong: few branches are such.
_KINDS: list[tuple[int, list[dict[str, Any]]]] = [
    (5, [{"modality": "image", "shape": [None, None, 3]}, {"modality": "image", "shape": [6, 6, 3]}]),
    (4, [{"modality": "image", "shape": [8, 4, 2]}, {"modality": "image", "shape": ["height", "width", 4]}]),
    (3, [{"modality": "audio", "shape": [10, 5]}, {"modality": "audio", "shape": ["moments", 4, 2]}]),
    (3, [{"modality": "audio", "shape": [12, 4, 1]}, {"modality": "audio", "shape": [9]}]),
    (2, [{"modality": "video", "shape": [3, 4, 4, 2]}, {"modality": "video", "shape": [None, 4, 4, 3]}]),
    (4, [{"modality": "tabular", "shape": [7]}, {"modality": "tabular", "shape": [5], "dtype": "int32"}]),
    (3, [{"shape": []}, {"shape": [2], "dtype": "bool"}, {"shape": [3], "dtype": "uint8"}]),
    (3, [{"shape": [4, 6]}, {"shape": ["steps", 3]}, {"shape": [None, 8]}, {"shape": [5, 2], "dtype": "float16"}]),
    (2, [{"shape": [3, 3, 3, 2]}, {"shape": [2, 5, 4]}, {"shape": [4, 3, 2], "dtype": "int64"}]),
    (1, [{"shape": [None]}, {"shape": [4, None]}, {"shape": ["width"]}]),
]
_TEXTS = [([8], 6), ([None], 4), (["words"], 3), ([3, 5], 4)]


@dataclass(frozen=True)
class Misfit:
    """Branches that neither Concatenate nor Add takes as they are."""

    branches: tuple[Drawn, ...]

    @property
    def names(self) -> list[str]:
        """Of the branches."""
        return [branch.name for branch in self.branches]

    @property
    def inputs(self) -> dict[str, Any]:
        """As under `inputs`."""
        return {name: kind for branch in self.branches for name, kind in branch.inputs.items()}

    @property
    def nodes(self) -> dict[str, Any]:
        """As under `nodes`, without the fusion."""
        return {name: made for branch in self.branches for name, made in branch.nodes.items()}


def _draw(random: Random, name: str) -> Drawn:
    kind = random.random()
    if kind < 0.22:
        shape, width = random.choice(_TEXTS)
        ids = {"shape": shape, "dtype": "int32", "modality": "text"}
        layer = {"layer": "Embedding", "from": f"{name}_ids", "input_dim": 9, "output_dim": width}
        return Drawn(name, {f"{name}_ids": ids}, {name: layer | {"mask_zero": random.random() < 0.5}})
    if kind < 0.23:
        return Drawn(name, {name: {"shape": [6], "dtype": "int32", "modality": "text"}})
    if kind < 0.233:
        return Drawn(name, {name: {"shape": [2], "dtype": "string"}})
    weights = [weight for weight, _ in _KINDS]
    (_, kinds), *_ = random.choices(_KINDS, weights)
    chosen = dict(random.choice(kinds))
    chosen["shape"] = [f"{axis}_{name}" if isinstance(axis, str) else axis for axis in chosen["shape"]]
    return Drawn(name, {name: chosen})


def _refused_by_keras(branches: tuple[Drawn, ...]) -> bool:
    """Whether both Concatenate and Add refuse the branches as they are."""
    tensors = []
    for branch in branches:
        (kind,) = branch.inputs.values()
        width = [made["output_dim"] for made in branch.nodes.values()]
        shape = [axis if isinstance(axis, int) else None for axis in (*kind["shape"], *width)]
        tensors.append(
            keras.KerasTensor((None, *shape), dtype=kind.get("dtype", "float32") if not width else "float32")
        )
    for layer in (keras.layers.Concatenate(), keras.layers.Add()):
        try:
            layer(tensors)
        except Exception:  # whatever Keras raises: that it refuses is the answer
            continue
        return False
    return True


@cache
def misfits(count: int = 200) -> tuple[Misfit, ...]:
    """So many misfits, three in ten of them of three branches."""
    return tuple(found for found, _ in zip(_all(), range(count), strict=False))


def _all() -> Iterator[Misfit]:
    random = Random(200)
    number = 0
    while True:
        names = [f"b{number}_{letter}" for letter in ("ab" if random.random() < 0.7 else "abc")]
        branches = tuple(_draw(random, name) for name in names)
        number += 1
        if _refused_by_keras(branches):
            yield Misfit(branches)
