"""Parts of a blueprint as documents of their own, to be lowered and thrown away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphbuilder.blueprint import Document, FuseNode, Node
from graphbuilder.editing.references import feeding, uses

__all__ = ["branches_alone", "branches_merged"]


def branches_alone(document: Document, branches: Sequence[str]) -> Document:
    """Only what feeds some branches, with these as the outputs.

    Its data, and so its text, is still the whole file's: what is lowered of it tells shapes and costs, and where
    something stands.

    Arguments:
        document: the blueprint.
        branches: references to values of it.
    """
    return _document(document, _needed(document, branches), list(branches))


def branches_merged(
    document: Document, branches: Sequence[str], name: str, strategy: str, options: Mapping[str, Any] | None = None
) -> Document:
    """What feeds some branches and a fusion of them, which is the only output.

    Arguments:
        document: the blueprint.
        branches: references to values of it.
        name: the fusion's node, a name that is free.
        strategy: the way to merge.
        options: its options.
    """
    fusion = FuseNode.model_validate({"fuse": strategy, "from": list(branches), **(options or {})})
    return _document(document, {**_needed(document, branches), name: fusion}, name)


def _document(document: Document, nodes: Mapping[str, Node], outputs: Any) -> Document:
    blueprint = document.blueprint.model_copy(update={"nodes": dict(nodes), "outputs": outputs})
    return Document(document.source, blueprint, document.path, document.imports)


def _needed(document: Document, branches: Sequence[str]) -> dict[str, Node]:
    """The nodes that feed some branches, in the order of the file, each with what it takes written out."""
    blueprint = document.blueprint
    firsts = [branch.partition(".")[0] for branch in branches]
    kept = feeding(blueprint, firsts, uses(blueprint))
    found: dict[str, Node] = {}
    above: str | None = None
    for name, node in blueprint.nodes.items():
        # Without any node there is no graph; inputs need none, and what feeds no output costs nothing.
        if name in kept or not kept:
            implied = node.source is None and above is not None
            found[name] = node.model_copy(update={"source": above}) if implied else node
        above = name
    return found
