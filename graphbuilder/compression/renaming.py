"""The passes of a graph for a blueprint in which nodes have other names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphbuilder.compression.selection import is_pattern, matches
from graphbuilder.graph import Graph

__all__ = ["renamed_passes"]


def renamed_passes(graph: Graph, layers: Mapping[str, str]) -> list[dict[str, Any]]:
    """The passes that a graph declares, choosing the same layers by the names that they have elsewhere.

    A name or pattern that chooses the same layers stays. The name of a block or a fusion becomes a pattern, such as
    `encoder_*`, so that it still asks for no effect on each layer in it.

    Arguments:
        graph: the graph that declares them.
        layers: the name that each of its layers has elsewhere, by path; see `Resolved.layers`.

    Example:
        >>> from graphbuilder.api import lower, parse
        >>> graph = lower(parse('''
        ... blueprint: 1
        ... inputs: {x: {shape: [4]}}
        ... nodes:
        ...   head: {block: std.mlp, units: 3, hidden: 32, layers: 2}
        ... compression:
        ...   - {pass: prune, sparsity: 0.5, where: {nodes: [head]}}
        ... '''))
        >>> renamed_passes(graph, {path: path.replace(".", "_") for path in graph.layers})
        [{'pass': 'prune', 'sparsity': 0.5, 'where': {'nodes': ['head_*']}}]
    """
    return [dict(_renamed(graph, layers, declared.options)) for declared in graph.compression]


def _renamed(graph: Graph, layers: Mapping[str, str], options: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    kinds = {layer.kind for layer in graph.layers.values()}
    for key, value in options.items():
        if key == "where" and isinstance(value, Mapping):
            yield key, {part: _chosen(layers, kinds, part, written) for part, written in value.items()}
        elif key == "overrides" and isinstance(value, Mapping):
            yield key, _overrides(layers, value)
        else:
            yield key, value


def _chosen(layers: Mapping[str, str], kinds: set[str], part: str, written: Any) -> Any:
    """What stands under one key of `where`, in the new names."""
    if part not in ("nodes", "except"):
        return written
    found: list[str] = []
    for item in [written] if isinstance(written, str) else written:
        # A kind may stand among exceptions, beside layers of that name.
        found += [item] if part == "except" and item in kinds else []
        found += _names(layers, item)
    return list(dict.fromkeys(found))


def _names(layers: Mapping[str, str], written: str) -> Sequence[str]:
    """Names and patterns that choose what one name or pattern has chosen."""
    chosen = {layers[path] for path in layers if matches(path, written)}
    if written in layers and chosen == {layers[written]}:
        return [layers[written]]
    flat = written.replace(".", "_")
    for pattern in (written, flat, f"{flat}_*"):
        if is_pattern(pattern) and chosen and {name for name in layers.values() if matches(name, pattern)} == chosen:
            return [pattern]
    # A pattern for one name alone: to name a layer outright would ask for an effect on it.
    outright = {layers[written]} if written in layers else set()
    return [name if name in outright else f"[{name[0]}]{name[1:]}" for name in layers.values() if name in chosen]


def _overrides(layers: Mapping[str, str], written: Mapping[str, Any]) -> dict[str, Any]:
    """Options of single nodes in the new names, each name with what is done to its layer in the end."""
    found: dict[str, Any] = {}
    # Later overrides win over earlier ones, and names over patterns.
    for pattern in sorted(written, key=is_pattern, reverse=True):
        found.update({name: written[pattern] for path, name in layers.items() if matches(path, pattern)})
    same = all(
        {name for name in layers.values() if matches(name, pattern)}
        == {name for path, name in layers.items() if matches(path, pattern)}
        for pattern in written
    )
    return dict(written) if same else found
