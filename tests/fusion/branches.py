"""Branches and fusions drawn at random, in tiny sizes, and numbers to feed them with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

import numpy as np

from graphbuilder.graph import Graph
from tests.fusion.layers_by_hand import Array

__all__ = ["Case", "Drawn", "draw_branch", "draw_case", "draw_options", "feed", "joined_cases"]

Axis: TypeAlias = "int | str | None"

_WIDTHS = (1, 2, 3, 4, 6)
_DTYPES = ("float32", "float32", "float32", "float32", "int32", "bool", "float16", "uint8", "int64")
_MODALITIES = {1: ("tabular", "audio", None), 2: ("audio", "text", None), 3: ("image", "audio", None),
               4: ("video", "image", None)}  # fmt: skip

_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "concat": [{}, {}, {}, {}, {"axis": 1}, {"axis": -2}, {"axis": 2}],
    "gated": [{}, {"units": 5}],
    "bilinear": [{}, {"units": 1}, {"rank": 7, "activation": "relu"}, {"units": 5, "rank": 1}],
    "low_rank_tensor": [{}, {"rank": 1}, {"units": 3, "rank": 2}],
    "mixture": [{}, {"experts": 3}, {"units": 5, "experts": 2, "activation": "gelu"}],
    "cross_attention": [
        {"direction": direction, **more}
        for direction in ("first", "last", "both")
        for more in ({"heads": 1}, {"layers": 2, "heads": 2, "units": 4}, {"pool": "none", "heads": 1})
    ],
    "tokens": [{"heads": 1}, {"heads": 2, "layers": 2, "units": 4}, {"positions": False}, {"pool": "none"}],
    "bottleneck": [{"heads": 1}, {"bottlenecks": 1, "layers": 1}, {"units": 4, "heads": 2, "pool": "none"}],
}


@dataclass(frozen=True)
class Drawn:
    """A branch: an input, and perhaps a layer behind it.

    Arguments:
        name: what the fusion calls it.
        inputs: by name, as under `inputs`.
        nodes: by name, as under `nodes`.
    """

    name: str
    inputs: dict[str, Any]
    nodes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A fusion of drawn branches.

    Arguments:
        name: of the node.
        node: as under `nodes`.
        branches: what it merges.
    """

    name: str
    node: dict[str, Any]
    branches: tuple[Drawn, ...]

    @property
    def inputs(self) -> dict[str, Any]:
        """As under `inputs`."""
        return {name: kind for branch in self.branches for name, kind in branch.inputs.items()}

    @property
    def shapes(self) -> dict[str, list[Any]]:
        """What arrives at the fusion from each input, without the batch axis."""
        width = {made["from"]: made["output_dim"] for branch in self.branches for made in branch.nodes.values()}
        return {name: [*kind["shape"], *([width[name]] if name in width else [])] for name, kind in self.inputs.items()}

    @property
    def nodes(self) -> dict[str, Any]:
        """As under `nodes`."""
        return {name: made for branch in self.branches for name, made in branch.nodes.items()} | {self.name: self.node}


def draw_branch(random: Random, name: str, rank: int, *, unknown: float = 0.15, last: float = 0.0) -> Drawn:
    """A branch with so many axes besides the batch; of texts some are embedded ids, with or without a mask.

    Arguments:
        random: draws.
        name: of the branch.
        rank: 1 to 4.
        unknown: how likely each axis but the last is unknown; half of those have a name.
        last: how likely the last is.
    """
    shape: list[Axis] = [random.choice(_WIDTHS) for _ in range(rank)]
    for place in range(rank - 1):
        if random.random() < unknown:
            shape[place] = random.choice([None, f"axis_{place}_of_{name}"])
    if random.random() < last:
        shape[-1] = None
    if rank in (2, 3) and random.random() < 0.3:
        ids = {"shape": shape[:-1], "dtype": random.choice(["int32", "int64"]), "modality": "text"}
        embedding = {"layer": "Embedding", "from": f"{name}_ids", "input_dim": 7, "output_dim": random.choice(_WIDTHS)}
        return Drawn(name, {f"{name}_ids": ids}, {name: embedding | {"mask_zero": random.random() < 0.7}})
    kind: dict[str, Any] = {"shape": shape, "dtype": random.choice(_DTYPES)}
    modality = random.choice(_MODALITIES[rank])
    if modality is not None and not (modality == "text" and "float" not in kind["dtype"]):
        kind["modality"] = modality
    return Drawn(name, {name: kind})


def draw_options(random: Random, strategy: str) -> dict[str, Any]:
    """Some of the options of a strategy."""
    chosen = dict(random.choice(_OPTIONS.get(strategy, [{}])))
    if random.random() < 0.2:
        chosen["modality_dropout"] = 0.5
    return chosen


def draw_case(random: Random, strategy: str, name: str, *, count: int | None = None, alike: float = 0.3) -> Case:
    """A fusion of two to four branches.

    Arguments:
        random: draws.
        strategy: as after `fuse:`.
        name: of the node; the branches' names begin with it.
        count: of the branches.
        alike: how likely all branches have as many axes.
    """
    count = count or random.choice([2, 2, 3, 4])
    rank = random.randint(1, 4) if random.random() < alike else None
    branches = tuple(
        draw_branch(random, f"{name}_{letter}", rank or random.choice([1, 1, 2, 2, 3, 4])) for letter in "abcd"[:count]
    )
    names = [branch.name for branch in branches]
    source: Any = names
    if strategy == "film" and random.random() < 0.5:
        source = {"features": names[0], "condition": names[1:] if count > 2 else names[1]}
    return Case(name, {"fuse": strategy, "from": source, **draw_options(random, strategy)}, branches)


def joined_cases(cases: Sequence[Case]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs and nodes of several cases in one blueprint."""
    inputs: dict[str, Any] = {}
    nodes: dict[str, Any] = {}
    for case in cases:
        inputs |= case.inputs
        nodes |= case.nodes
    return inputs, nodes


def feed(graph: Graph, cases: Sequence[Case], samples: int = 2, seed: int = 0) -> dict[str, Array]:
    """Numbers for the inputs of some cases.

    Unknown axes may well have to be equal: one has the size that another branch has at its place, counted from the
    end as broadcasting does, or the same random one.
    """
    random = np.random.default_rng(seed)
    found = {}
    for case in cases:
        shapes = case.shapes
        unknown = [int(size) for size in random.integers(2, 6, 4)]
        for place in range(1, 5):
            axes = [shape[-place] for shape in shapes.values() if len(shape) >= place]
            unknown[-place] = max((axis for axis in axes if isinstance(axis, int)), default=unknown[-place])
        for name, kind in case.inputs.items():
            sizes = zip(shapes[name], unknown[4 - len(shapes[name]) :], strict=True)
            shape = [size if isinstance(size, int) else other for size, other in sizes][: len(kind["shape"])]
            numbers: Array = random.normal(size=(samples, *shape))
            if kind.get("dtype", "float32") == "bool":
                numbers = numbers > 0
            elif "int" in kind.get("dtype", "float32"):
                numbers = random.integers(1, 7, (samples, *shape))
                numbers[..., -1:] = 0 if shape and shape[-1] > 1 else 1
            found[name] = numbers.astype(kind.get("dtype", "float32"))
    assert set(found) >= set(graph.inputs)
    return found
