"""Which layers of a graph a pass touches: names, patterns, kinds, exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from graphbuilder.compression.options import Selection
from graphbuilder.errors import suggestion
from graphbuilder.graph import Graph

__all__ = ["Chosen", "NoMatch", "is_pattern", "matches", "select"]


@dataclass(frozen=True, slots=True)
class NoMatch:
    """A name, pattern or kind that matches nothing.

    Arguments:
        key: "nodes", "layers" or "except".
        index: its place in the list.
        written: as the author wrote it.
        hint: what was probably meant.
    """

    key: str
    index: int
    written: str
    hint: str | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a selection chooses.

    Arguments:
        layers: the layers' paths, in the order of the graph.
        named: those that are named outright, without a pattern, so that a pass must have an effect on them.
        unmatched: what matches nothing.
    """

    layers: tuple[str, ...]
    named: frozenset[str]
    unmatched: tuple[NoMatch, ...]


def is_pattern(written: str) -> bool:
    """Whether a name stands for several: it has a *, a ? or a […]."""
    return any(sign in written for sign in "*?[")


def matches(path: str, written: str) -> bool:
    """Whether a name or pattern stands for a layer; a block's or fusion's name stands for all that is in it.

    Example:
        >>> matches("encoder.0.attention", "encoder"), matches("conv_2", "conv_*"), matches("conv_2", "conv")
        (True, True, False)
    """
    if is_pattern(written):
        return fnmatchcase(path, written) or fnmatchcase(path, f"{written}.*")
    return path == written or path.startswith(f"{written}.")


def select(graph: Graph, selection: Selection) -> Chosen:
    """The layers of a graph that a selection chooses; every layer where it names none."""
    kinds = {name: layer.kind for name, layer in graph.layers.items()}
    chosen = [
        name
        for name, kind in kinds.items()
        if (not selection.nodes or any(matches(name, written) for written in selection.nodes))
        and (not selection.layers or kind in selection.layers)
        and not any(matches(name, written) or kind == written for written in selection.excluded)
    ]
    named = {name for name in chosen if name in selection.nodes}
    return Chosen(tuple(chosen), frozenset(named), tuple(_unmatched(kinds, selection)))


def _unmatched(kinds: dict[str, str], selection: Selection) -> Iterator[NoMatch]:
    names = list(kinds)
    present = list(dict.fromkeys(kinds.values()))
    for index, written in enumerate(selection.nodes):
        if not any(matches(name, written) for name in names):
            # A block's name stands for the layers inside it.
            around = dict.fromkeys(
                ".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 1)
            )
            yield NoMatch("nodes", index, written, _hint(written, [*names, *around]))
    for index, written in enumerate(selection.layers):
        if written not in present:
            yield NoMatch("layers", index, written, suggestion(written, present))
    for index, written in enumerate(selection.excluded):
        if written not in present and not any(matches(name, written) for name in names):
            yield NoMatch("except", index, written, _hint(written, [*names, *present]))


def _hint(written: str, names: Sequence[str]) -> str | None:
    return None if is_pattern(written) else suggestion(written, names)
