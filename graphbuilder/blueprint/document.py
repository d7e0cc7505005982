"""A blueprint that was read: its schema, its text for positions, and the documents that it imports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphbuilder.blueprint.schema import Block, Blueprint
from graphbuilder.blueprint.shipped import NAMESPACES, blocks_in
from graphbuilder.text import Source

__all__ = ["BlockPlace", "Document"]

# What the editor runs before it is saved lies beside its file as `.cnn.~5f3a.yaml`, and is cnn all the same.
_HIDDEN_COPY = re.compile(r"\.(.+)\.~[0-9a-f]+")


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One file of a blueprint.

    Arguments:
        source: the text, which knows positions.
        blueprint: what it says.
        path: the file, or None for text that came from elsewhere.
        imports: the documents behind the names under `imports:`, and those of shipped blocks by name, as `std.mlp`.
    """

    source: Source
    blueprint: Blueprint
    path: Path | None = None
    imports: dict[str, Document] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model's name: what the file says, or the file's own name."""
        if self.blueprint.name is not None:
            return self.blueprint.name
        stem = _HIDDEN_COPY.sub(r"\1", Path(self.source.name).stem) if self.path else "model"
        cleaned = "".join(character if character.isalnum() else "_" for character in stem)
        return cleaned if cleaned[:1].isalpha() else f"model_{cleaned}"

    def find_block(self, name: str) -> BlockPlace | None:
        """The block of that name: one of this file's, of an import's, a whole imported file, or a shipped one."""
        if name in self.blueprint.blocks:
            return BlockPlace(self, self.blueprint.blocks[name], ("blocks", name))
        space, _, inner = name.partition(".")
        if space in NAMESPACES and space not in self.imports:
            document = self.imports.get(name)
            return document.shipped_block(inner) if document else None
        imported = self.imports.get(space)
        if imported is None:
            return None
        return imported.find_block(inner) if inner else imported.as_block()

    def shipped_block(self, name: str) -> BlockPlace | None:
        """The block that this file ships: the one of its blocks that has the file's name, else the file as a whole."""
        return self.find_block(name) if name in self.blueprint.blocks else self.as_block()

    def as_block(self) -> BlockPlace | None:
        """The whole file as a block; None where there is no model in it."""
        return BlockPlace(self, self.blueprint, ()) if self.blueprint.nodes else None

    def block_names(self) -> list[str]:
        """Every name that `find_block` would find."""
        names = list(self.blueprint.blocks)
        for space, document in self.imports.items():
            if "." not in space:
                names += [f"{space}.{inner}" for inner in document.blueprint.blocks]
                names += [space] if document.blueprint.nodes else []
        for space in NAMESPACES:
            if space not in self.imports:
                names += [f"{space}.{inner}" for inner in blocks_in(space)]
        return names


@dataclass(frozen=True, slots=True, eq=False)
class BlockPlace:
    """A block and the document that it stands in.

    Arguments:
        document: whose blocks and imports its nodes may use.
        definition: the block, or a whole blueprint used as one.
        path: where it stands in the document's text.
    """

    document: Document
    definition: Block | Blueprint
    path: tuple[str | int, ...]

    @property
    def ports(self) -> Mapping[str, Any]:
        """Its input ports by name."""
        return self.definition.inputs
