"""What the shell offers when Tab is pressed: shipped blueprints, names of the catalog, files that may be blueprints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

__all__ = ["block_names", "blueprint_files", "catalog_names", "fusion_names", "node_names", "shipped_names"]

_ENDINGS = (".yaml", ".yml", ".json")


def blueprint_files(incomplete: str) -> list[str]:
    """The files that may be blueprints and begin so.

    Nothing where a folder begins so too: then the shell completes names of files itself, and can go into the folder.
    """
    folder, _, start = incomplete.rpartition("/")
    place = Path(f"{folder}/") if folder or incomplete.startswith("/") else Path()
    try:
        found = [path for path in place.iterdir() if path.name.startswith(start) and not path.name.startswith(".")]
        if any(path.is_dir() for path in found):
            return []
    except OSError:
        return []
    lead = incomplete[: len(incomplete) - len(start)]
    return sorted(f"{lead}{path.name}" for path in found if path.suffix.lower() in _ENDINGS)


def shipped_names(incomplete: str) -> list[str]:
    """The shipped blueprints and models of the zoo whose names begin so."""
    from graphbuilder.blueprint.shipped import blueprint_names, zoo_names

    return [name for name in [*blueprint_names(), *zoo_names()] if name.startswith(incomplete)]


def catalog_names(incomplete: str) -> list[str]:
    """The layers, ops, fusions and standard blocks whose names begin so, in whatever case."""
    from graphbuilder.blueprint.shipped import NAMESPACES, blocks_in
    from graphbuilder.catalog import layers, ops
    from graphbuilder.fusion import strategies

    blocks = [f"{space}.{block}" for space in NAMESPACES for block in blocks_in(space)]
    names = dict.fromkeys([*layers.names(), *ops.names(), *strategies.names(), *blocks])
    return [name for name in names if name.startswith(incomplete)]


def fusion_names(incomplete: str) -> list[str]:
    """The ways to merge whose names begin so."""
    from graphbuilder.fusion import strategies

    return [name for name in strategies.names() if name.startswith(incomplete)]


def node_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The inputs and nodes of the blueprint before them on the command line, or of its `--block`, that begin so."""
    data = _blueprint_before(ctx)
    block = ctx.params.get("block")
    if block is not None:
        data = _part(data, "blocks").get(block)
    inputs = data.get("inputs") if isinstance(data, dict) else None
    names = [name for name in inputs if isinstance(name, str)] if isinstance(inputs, (dict, list)) else []
    return [name for name in [*names, *_part(data, "nodes")] if name.startswith(incomplete)]


def block_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """The blocks of the blueprint that stands before on the command line, whose names begin so."""
    return [name for name in _part(_blueprint_before(ctx), "blocks") if name.startswith(incomplete)]


def _blueprint_before(ctx: typer.Context) -> Any:
    """The data of the blueprint that stands before on the command line; None where there is none to be read."""
    from graphbuilder.errors import GraphbuilderError
    from graphbuilder.text import read

    # Behind an option that waits for its value, typer has not sorted the words yet.
    file = ctx.params.get("file") or next(iter(ctx.args), None)
    try:
        return read(file).data if file else None
    except (GraphbuilderError, OSError, ValueError):
        return None


def _part(data: Any, key: str) -> dict[str, Any]:
    """A mapping under a key; an empty one where that is none."""
    part = data.get(key) if isinstance(data, dict) else None
    return part if isinstance(part, dict) else {}
