"""The outline: everything that a file says, as rows, with blocks unfolded where the author wants them to be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from graphbuilder.blueprint import Block, BlockNode, Blueprint, Document, Node
from graphbuilder.text.source import Path
from graphbuilder.tui.fields import value_text
from graphbuilder.tui.panes.rows import Part, Row, row

__all__ = ["outline_key", "outline_path", "rows_of"]


def outline_key(path: Path) -> str:
    """The key of the row that stands for a path of the text."""
    return "/".join(map(str, path)) or "."


def outline_path(key: str) -> Path:
    """The path of the text that a row stands for.

    Example:
        >>> outline_path(outline_key(("compression", 0)))
        ('compression', 0)
    """
    if key == ".":
        return ()
    steps = key.split("/")
    if steps[0] == "compression" and len(steps) > 1:
        return (steps[0], int(steps[1]))
    return tuple(steps)


def rows_of(
    document: Document, open_blocks: Collection[str] = frozenset(), marks: Mapping[str, str] | None = None
) -> Iterator[Row]:
    """The rows of a document.

    Arguments:
        document: a loaded blueprint.
        open_blocks: the blocks whose nodes are shown.
        marks: `error` or `warning` by the paths of nodes.
    """
    blueprint, troubled = document.blueprint, marks or {}
    yield row(".", Part(document.name, "strong"), right="model")
    for name, param in blueprint.params.items():
        if name == next(iter(blueprint.params)):
            yield row("", Part("params", "head"))
        yield row(outline_key(("params", name)), name, right=value_text(param.default), depth=1)
    if blueprint.inputs:
        yield row("", Part("inputs", "head"))
    for name, spec in blueprint.inputs.items():
        yield row(outline_key(("inputs", name)), name, right=spec.modality or spec.dtype, depth=1)
    if blueprint.blocks:
        yield row("", Part("blocks", "head"))
    for name, block in blueprint.blocks.items():
        opened = name in open_blocks
        glyph = Part("▾ " if opened else "▸ ", "dim")
        yield row(outline_key(("blocks", name)), glyph, name, right=f"{len(block.nodes)} nodes", depth=1)
        if opened:
            yield from _nodes(block, ("blocks", name, "nodes"), 2, {})
    yield row("", Part("nodes", "head"))
    yield from _nodes(blueprint, ("nodes",), 1, troubled)
    yield row(outline_key(("outputs",)), Part("outputs", "head"), right=_outputs(blueprint))
    yield row(outline_key(("training",)), Part("training", "head"), right=_training(document))
    yield row("", Part("compression", "head"))
    for number, declared in enumerate(blueprint.compression):
        yield row(outline_key(("compression", number)), f"{number + 1} {declared.name}", depth=1)
    yield row(outline_key(("budget",)), Part("budget", "head"))


def _nodes(level: Blueprint | Block, path: Path, depth: int, troubled: Mapping[str, str]) -> Iterator[Row]:
    for name, node in level.nodes.items():
        look = troubled.get(name, "text")
        glyph = {"error": "✗ ", "warning": "! "}.get(look, "")
        yield row(outline_key((*path, name)), Part(f"{glyph}{name}", look), right=_kind(node), depth=depth)


def _kind(node: Node) -> str:
    told = str(getattr(node, node.kind, node.kind))
    if isinstance(node, BlockNode):
        return f"▸ {told}" + (f" ×{node.repeat}" if node.repeat != 1 else "")
    return told if node.kind != "reuse" else f"= {told}"


def _outputs(blueprint: Blueprint) -> str:
    if blueprint.outputs is None:
        return next(reversed(blueprint.nodes), "")
    return value_text(blueprint.outputs)


def _training(document: Document) -> str:
    data = document.source.data.get("training") or {}
    optimizer = data.get("optimizer", "")
    return next(iter(optimizer), "") if isinstance(optimizer, dict) else str(optimizer)
