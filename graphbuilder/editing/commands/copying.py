"""Nodes copied as text, and the command that pastes them into the same file or another."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from graphbuilder.blueprint import BlockNode, Document, ReuseNode, load_source
from graphbuilder.editing.applying import apply
from graphbuilder.editing.carrying import carried
from graphbuilder.editing.changes import Delete, changed_data
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import Level, level_of, listed, refused
from graphbuilder.editing.pasting import Pasting, named_params
from graphbuilder.editing.rewiring import Rewiring, known_node, known_value, written_from
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic
from graphbuilder.text import Source, parse, to_yaml, tree
from graphbuilder.text.splices import same_data

__all__ = ["Paste", "copied", "draw"]


def copied(document: Document, names: Collection[str], block: str | None = None) -> str:
    r"""Some nodes as a text of their own, with the params and blocks that they use: a blueprint to be pasted.

    Each node says what it takes, in the order of the file and with the comments that are its own. What they take from
    nodes that are not copied is named as it was.

    Arguments:
        document: the file.
        names: the nodes.
        block: the block that they stand in; None for the file itself.

    Raises:
        CommandError: there is no such node, or one uses the weights of a node again that is not copied.

    Example:
        >>> from graphbuilder.blueprint import parse_blueprint
        >>> file = parse_blueprint(
        ...     "blueprint: 1\ninputs: {x: {shape: [4]}}\nnodes:\n  a: {layer: Dense, units: 2}  # the first\n"
        ... )
        >>> print(copied(file, ["a"]), end="")
        blueprint: 1
        nodes:
          a: {layer: Dense, from: x, units: 2}  # the first
    """
    level = level_of(document, block)
    for name in names:
        known_node(level, name)
    chosen = [name for name in level.definition.nodes if name in names]
    if not chosen:
        raise refused(document, "GB301", "there is nothing to copy")
    _refuse_reuse(level, chosen)
    sections: dict[str, Any] = {"blueprint": 1}
    blocks = _blocks_of(document, [level.definition.nodes[name] for name in chosen])
    spaces = _imports_of(document, [*(level.definition.nodes[name] for name in chosen), *_nodes_of(document, blocks)])
    if spaces:
        sections["imports"] = {space: document.blueprint.imports[space] for space in spaces}
    params = _params_of(level, [level.data["nodes"][name] for name in chosen])
    if params:
        sections["params"] = params
    data = document.source.data
    if blocks:
        sections["blocks"] = {name: data["blocks"][name] for name in blocks}
    return to_yaml(sections) + _written_nodes(level, chosen)


def _written_nodes(level: Level, chosen: Sequence[str]) -> str:
    """The nodes as a section, each as its author wrote it, and with what it takes."""
    implied = Rewiring(level).implied
    explicit = [written_from(level, name, implied[name]) for name in chosen if name in implied]
    data = changed_data(level.document.source.data, explicit)
    for step in level.at("nodes"):
        data = data[step]
    wanted = {"nodes": {name: data[name] for name in chosen}}
    try:
        source = apply(level.document.source, explicit).source
        lines = carried(source, level.at("nodes"), chosen)
        text = _section(source, level, lines) if lines is not None else None
        if text is not None and same_data(parse(text).data, wanted):
            return text
    except BlueprintError:
        # What an anchor elsewhere stands for is written out below.
        pass
    return to_yaml(wanted)


def _section(source: Source, level: Level, lines: Sequence[str]) -> str:
    holder = source.node(level.at("nodes"))
    inner = [f"  {line}" if line else "" for line in lines]
    if isinstance(holder, tree.Mapping) and holder.flow:
        return "\n".join(["nodes: {", *inner, "}", ""])
    return "\n".join(["nodes:", *inner, ""])


def _refuse_reuse(level: Level, chosen: Sequence[str]) -> None:
    for name in chosen:
        node = level.definition.nodes[name]
        if isinstance(node, ReuseNode) and node.reuse.partition(".")[0] not in chosen:
            first = node.reuse.partition(".")[0]
            message = f"{name} uses the weights of {first} again, which is not copied"
            path = level.at("nodes", name, "reuse")
            raise refused(level.document, "GB310", message, path, hint=f"copy {first} too")


def _blocks_of(document: Document, nodes: Sequence[Any]) -> list[str]:
    """The blocks of the file that nodes use, and those that these use, in the order of the file."""
    blocks = document.blueprint.blocks
    found: set[str] = set()
    waiting = [node.block for node in nodes if isinstance(node, BlockNode)]
    while waiting:
        name = waiting.pop()
        if name in blocks and name not in found:
            found.add(name)
            waiting += [node.block for node in blocks[name].nodes.values() if isinstance(node, BlockNode)]
    return [name for name in blocks if name in found]


def _nodes_of(document: Document, blocks: Sequence[str]) -> list[Any]:
    return [node for name in blocks for node in document.blueprint.blocks[name].nodes.values()]


def _imports_of(document: Document, nodes: Sequence[Any]) -> list[str]:
    """The imports whose blocks nodes use."""
    spaces = {node.block.partition(".")[0] for node in nodes if isinstance(node, BlockNode)}
    own = set(document.blueprint.blocks)
    return [space for space in document.blueprint.imports if space in spaces - own]


def _params_of(level: Level, nodes: Sequence[Any]) -> dict[str, Any]:
    """The params that nodes name, and those that their defaults name, as they are declared."""
    declared = level.data.get("params") or {}
    needed = {name for node in nodes for name in named_params(node)}
    found: set[str] = set()
    waiting = [name for name in declared if name in needed]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [each for each in named_params(declared[name]) if each in declared]
    return {name: declared[name] for name in declared if name in found}


@dataclass(frozen=True, slots=True)
class Paste:
    """Pastes nodes that were copied.

    Arguments:
        snippet: the text that `copied` gave, or any blueprint.
        after: what the pasted nodes take where they took what this place does not have, and below which they stand;
            None for the end, where they take what has the same name as before.
        origin: the folder from which imports of the snippet are meant; None where that is not known.
        block: the block that they are pasted into; None for the file itself.
    """

    snippet: str
    after: str | None = None
    origin: Path | None = None
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Adds the nodes with the params, blocks and imports that they need; what is called alike gets another name.

        Raises:
            CommandError: the text holds no nodes, or something that they need cannot be brought along.
        """
        level = level_of(document, self.block)
        if self.after is not None:
            known_value(level, self.after)
        snippet, imports = _read(self.snippet, document)
        pasting = Pasting(level, snippet, imports, self.after, self.origin)
        changes = pasting.run()
        names = list(pasting.names.values())
        return Edit(f"paste {listed(names, 3)}", changes, names[0], tuple(pasting.told))


def draw(document: Document, random: Random) -> Command | None:
    """A command that pastes up to three nodes of the same file; None where there are none.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    level = Level(document, random.choice([None, None, *document.blueprint.blocks]))
    nodes = list(level.definition.nodes)
    if not nodes:
        return None
    names = random.sample(nodes, min(len(nodes), random.randint(1, 3)))
    try:
        snippet = copied(document, names, level.block)
    except CommandError:
        return None
    folder = document.path.parent if document.path is not None else None
    return Paste(snippet, random.choice([None, random.choice(level.names)]), folder, level.block)


def _read(text: str, document: Document) -> tuple[Document, dict[str, str]]:
    """A snippet as a document of its own, and its imports, which only the file can follow.

    Raises:
        CommandError: it is none, or has no nodes.
    """
    file = document.source.name
    try:
        source = parse(text, name="<pasted>")
        imports: dict[str, str] = {}
        if isinstance(source.data, dict) and isinstance(source.data.get("imports"), dict):
            imports = source.data["imports"]
            source = apply(source, [Delete(("imports",))]).source
        snippet = load_source(source, None)
    except BlueprintError as error:
        message = f"what is pasted is no blueprint: {error.diagnostics[0].message}"
        raise CommandError(Diagnostic("GB104", message, file=file)) from error
    if not snippet.blueprint.nodes:
        hint = "copy some nodes first"
        raise CommandError(Diagnostic("GB104", "what is pasted has no nodes", file=file, hint=hint))
    return snippet, imports
