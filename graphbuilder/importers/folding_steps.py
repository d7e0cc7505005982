"""The nodes of a flat blueprint as steps, whose references can be followed and rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Moves", "Scope", "Step", "first_of", "head_of", "map_references", "references_in", "rewritten", "step_of"]

_KINDS = ("layer", "op", "fuse", "block", "reuse")


@dataclass(frozen=True, slots=True)
class Step:
    """A node.

    Arguments:
        name: the node's name.
        kind: the key that says what it is, and its value: `("layer", "Conv2D")`.
        arguments: its other keys, but for `from`.
        source: what stands under `from`.
    """

    name: str
    kind: tuple[str, str]
    arguments: Mapping[str, Any]
    source: Any

    def written(self) -> dict[str, Any]:
        """The node as a blueprint writes it, its `from` included."""
        key, value = self.kind
        return {key: value, **({} if self.source is None else {"from": self.source}), **self.arguments}


@dataclass(frozen=True, slots=True)
class Scope:
    """The nodes of a file or a block, on the way to a shorter form.

    Arguments:
        inputs: the names that its nodes may take beside each other's.
        steps: the nodes, each after those that feed it.
        outputs: the references that leave it.
        blocks: the blocks that were made, by name.
        paths: where each node of the flat blueprint is now.
        oddness: how much what was made of it goes against the names that it had.
        pinned: nodes that must keep their names.
        divided: whether it has blocks for repeated stretches already.
    """

    inputs: tuple[str, ...]
    steps: tuple[Step, ...]
    outputs: Any
    blocks: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    oddness: float = 0.0
    pinned: frozenset[str] = frozenset()
    divided: bool = False

    def readers(self) -> dict[str, list[int]]:
        """The steps that take something from each input and step, by position."""
        found: dict[str, list[int]] = {}
        for index, step in enumerate(self.steps):
            for name in dict.fromkeys(head_of(reference) for reference in references_in(step.source)):
                found.setdefault(name, []).append(index)
        return found


@dataclass(frozen=True, slots=True)
class Moves:
    """Where nodes have gone that moved into blocks, each by its name.

    Arguments:
        values: how others refer to what a node gives; a block's output is known by the name of the block's node.
        layers: the path of the node itself.
    """

    values: dict[str, str] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)

    def followed(self, reference: str) -> str:
        """A reference to what a node gave, after the moves."""
        return _followed(reference, self.layers if "." in reference else self.values)


def step_of(name: str, node: Mapping[str, Any]) -> Step:
    """A node of a flat blueprint as a step."""
    key = next(key for key in _KINDS if key in node)
    arguments = {name: value for name, value in node.items() if name not in (key, "from")}
    return Step(name, (key, node[key]), arguments, node.get("from"))


def head_of(reference: str) -> str:
    """The name that a reference begins with."""
    return reference.partition(".")[0]


def references_in(source: Any) -> Iterator[str]:
    """The references in a `from` or `outputs`, in order; constants are none."""
    if isinstance(source, str):
        if "$" not in source:
            yield source
    elif isinstance(source, Mapping):
        if "constant" not in source:
            for item in source.values():
                yield from references_in(item)
    elif isinstance(source, Sequence):
        for item in source:
            yield from references_in(item)


def map_references(source: Any, change: Callable[[str], Any]) -> Any:
    """A `from` or `outputs` with each reference changed."""
    if isinstance(source, str):
        return source if "$" in source else change(source)
    if isinstance(source, Mapping):
        return dict(source) if "constant" in source else {k: map_references(v, change) for k, v in source.items()}
    if isinstance(source, Sequence):
        return [map_references(item, change) for item in source]
    return source


def first_of(source: Any) -> Any:
    """What passes through a node that is left out: the first of what it takes."""
    while source and not isinstance(source, str) and isinstance(source, (list, tuple, Mapping)):
        if isinstance(source, Mapping) and "constant" in source:
            return None
        source = next(iter(source.values())) if isinstance(source, Mapping) else source[0]
    return source


def rewritten(scope: Scope, steps: Sequence[Step], moves: Moves, blocks: Mapping[str, dict[str, Any]]) -> Scope:
    """The scope with other steps, after some nodes have moved into blocks.

    Arguments:
        scope: the scope.
        steps: its steps from now on, their references still those of before.
        moves: where nodes have gone.
        blocks: the blocks that were made.
    """

    def changed(step: Step) -> Step:
        kind = ("reuse", _followed(step.kind[1], moves.layers)) if step.kind[0] == "reuse" else step.kind
        return Step(step.name, kind, step.arguments, map_references(step.source, moves.followed))

    return Scope(
        scope.inputs,
        tuple(map(changed, steps)),
        map_references(scope.outputs, moves.followed),
        {**scope.blocks, **blocks},
        {node: _followed(path, moves.layers) for node, path in scope.paths.items()},
        scope.oddness,
        scope.pinned,
        scope.divided,
    )


def _followed(reference: str, moved: Mapping[str, str]) -> str:
    head, dot, rest = reference.partition(".")
    return f"{moved.get(head, head)}{dot}{rest}"
