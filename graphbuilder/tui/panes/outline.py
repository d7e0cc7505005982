"""The outline: everything that a file says, as rows, with blocks unfolded where the author wants them to be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

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
    # The last step may be a pattern of names with a slash in it.
    steps = key.split("/", 3)
    if steps[0] == "compression" and len(steps) > 1:
        return (steps[0], int(steps[1]), *steps[2:])
    return tuple(steps)


def rows_of(
    document: Document, open_blocks: Collection[str] = frozenset(), marks: Mapping[str, str] | None = None
) -> Iterator[Row]:
    """The rows of a document.

    Arguments:
        document: a loaded blueprint.
        open_blocks: the blocks of which is shown what they hold.
        marks: `error` or `warning` by the paths of nodes.
    """
    blueprint, troubled = document.blueprint, marks or {}
    yield row(".", Part(document.name, "strong"), right="model")
    for name, param in blueprint.params.items():
        if name == next(iter(blueprint.params)):
            yield row("", Part("params", "head"))
        yield row(outline_key(("params", name)), name, right=value_text(param.default), depth=1)
    for number, (name, file) in enumerate(blueprint.imports.items()):
        if number == 0:
            yield row("", Part("imports", "head"))
        yield row(outline_key(("imports", name)), name, right=file, depth=1)
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
            yield from _held(name, block)
    yield row("", Part("nodes", "head"))
    yield from _nodes(blueprint, ("nodes",), 1, troubled)
    yield row(outline_key(("outputs",)), Part("outputs", "head"), right=_outputs(blueprint))
    yield row(outline_key(("training",)), Part("training", "head"), right=_training(document))
    yield row("", Part("compression", "head"))
    for number, declared in enumerate(blueprint.compression):
        yield row(outline_key(("compression", number)), f"{number + 1} {declared.name}", depth=1)
        overrides = document.source.data["compression"][number].get("overrides")
        for node, options in overrides.items() if isinstance(overrides, Mapping) else ():
            yield row(outline_key(("compression", number, "overrides", node)), node, right=value_text(options), depth=2)
    yield row(outline_key(("budget",)), Part("budget", "head"))


def _held(name: str, block: Block) -> Iterator[Row]:
    """The rows of what a block holds."""
    for param, spec in block.params.items():
        told = "" if spec.required else value_text(spec.default)
        yield row(outline_key(("blocks", name, "params", param)), Part("$", "dim"), param, right=told, depth=2)
    for port in block.inputs:
        yield row(outline_key(("blocks", name, "inputs", port)), port, right="input", depth=2)
    yield from _nodes(block, ("blocks", name, "nodes"), 2, {})
    last = next(reversed(block.nodes), "")
    given = last if block.outputs is None else value_text(block.outputs)
    yield row(outline_key(("blocks", name, "outputs")), Part("outputs", "head"), right=given, depth=2)


def _nodes(level: Blueprint | Block, path: Path, depth: int, troubled: Mapping[str, str]) -> Iterator[Row]:
    above = outline_key(path)
    for name, node in level.nodes.items():
        yield _node(above, name, _kind(node), depth, troubled.get(name, "text"))


# After an edit nearly all rows are those of before.
@lru_cache(maxsize=16_384)
def _node(above: str, name: str, kind: str, depth: int, look: str) -> Row:
    glyph = {"error": "✗ ", "warning": "! "}.get(look, "")
    return row(f"{above}/{name}", Part(f"{glyph}{name}", look), right=kind, depth=depth)


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
