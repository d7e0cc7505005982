"""References that follow what they name when it gets another name or place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from graphbuilder.blueprint import Document, FuseNode, ReuseNode
from graphbuilder.compression.selection import is_pattern
from graphbuilder.editing.changes import Change, Rename, Replace
from graphbuilder.editing.levels import Level
from graphbuilder.editing.references import references, tap_uses
from graphbuilder.text.source import Path

__all__ = [
    "Follow",
    "first_renamed",
    "followed_nodes",
    "followed_outputs",
    "followed_passes",
    "followed_taps",
    "followed_training",
]

# A reference from now on; itself where it stays.
Follow: TypeAlias = Callable[[str], str]


def first_renamed(names: Mapping[str, str]) -> Follow:
    """The rule that gives the first name of a reference another one, and leaves the rest of its path.

    Example:
        >>> first_renamed({"a": "b"})("a.0.dense"), first_renamed({"a": "b"})("c.a")
        ('b.0.dense', 'c.a')
    """

    def follow(reference: str) -> str:
        first, dot, rest = reference.partition(".")
        return f"{names.get(first, first)}{dot}{rest}"

    return follow


def followed_nodes(
    level: Level, nodes: Iterable[str], follow: Follow, reused: Follow | None = None
) -> Iterator[Change]:
    """The changes by which nodes go on taking what they take.

    The branches that a fusion names in `align` and `presence` follow too.

    Arguments:
        level: where the nodes stand.
        nodes: their names.
        follow: what each reference becomes.
        reused: what the names of layers whose weights are used again become; the same as `follow` where it is None.
    """
    for name in nodes:
        node = level.definition.nodes[name]
        place = level.at("nodes", name)
        if node.source is not None:
            yield from _replaced(references(node.source, (*place, "from")), follow)
        if isinstance(node, ReuseNode):
            yield from _replaced([(node.reuse, (*place, "reuse"))], reused or follow)
        if isinstance(node, FuseNode):
            keyed = [(node.arguments.get("align"), (*place, "align"))]
            if isinstance(node.source, Mapping):
                keyed.append((node.source.get("presence"), (*place, "from", "presence")))
            for written, path in keyed:
                if isinstance(written, Mapping):
                    yield from _renamed(written, path, follow)


def followed_outputs(level: Level, follow: Follow) -> Iterator[Change]:
    """The changes by which the outputs of a level, where it names them, go on naming what they name."""
    yield from _replaced(references(level.definition.outputs, level.at("outputs")), follow)


def followed_taps(level: Level, follow: Follow) -> Iterator[Change]:
    """The changes by which the taps of a level go on naming what they name."""
    yield from _replaced(((use.reference, level.at(*use.path)) for use in tap_uses(level.definition)), follow)


def followed_passes(document: Document, follow: Follow) -> Iterator[Change]:
    """The changes by which passes of compression go on touching what they name outright; patterns stay.

    Arguments:
        document: the file.
        follow: what the path of a layer becomes.
    """
    for index, written in enumerate(document.source.data.get("compression") or ()):
        where = written.get("where")
        for key in ("nodes", "except"):
            if isinstance(where, dict) and key in where:
                path: Path = ("compression", index, "where", key)
                yield from _replaced([each for each in references(where[key], path) if not is_pattern(each[0])], follow)
        overrides = written.get("overrides")
        if isinstance(overrides, dict):
            named = {key: value for key, value in overrides.items() if not is_pattern(key)}
            yield from _renamed(named, ("compression", index, "overrides"), follow)


def followed_training(document: Document, follow: Follow) -> Iterator[Change]:
    """The changes by which losses, their weights and metrics go on naming the outputs that they are of.

    Arguments:
        document: the file.
        follow: what the name of an output becomes.
    """
    training = document.source.data.get("training")
    for key in ("loss", "loss_weights", "metrics"):
        written = training.get(key) if isinstance(training, dict) else None
        if isinstance(written, dict):
            yield from _renamed(written, ("training", key), follow)


def _replaced(found: Iterable[tuple[str, Path]], follow: Follow) -> Iterator[Change]:
    for reference, path in found:
        after = follow(reference)
        if after != reference:
            yield Replace(path, after)


def _renamed(written: Mapping[str, Any], path: Path, follow: Follow) -> Iterator[Change]:
    for key in written:
        after = follow(key)
        if after != key:
            yield Rename((*path, key), after)
