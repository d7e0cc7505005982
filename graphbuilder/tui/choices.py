"""What there is to pick from: kinds of nodes, places for a new one, nodes to find, fusions and passes that fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from graphbuilder.blueprint import Document
from graphbuilder.blueprint.node_schema import one_line
from graphbuilder.blueprint.shipped import block_about
from graphbuilder.catalog import layers, ops
from graphbuilder.compression.sizes import PredictedSize
from graphbuilder.compression.tables import passes
from graphbuilder.editing.commands.adding import After, AtEnd, Before, Branch, OnEdge, Place
from graphbuilder.editing.fitting import FittingFusion, UnfitFusion
from graphbuilder.editing.levels import Level
from graphbuilder.editing.passing import FittingPass
from graphbuilder.editing.references import OUTPUTS
from graphbuilder.fusion import strategies
from graphbuilder.tui.canvas.known import type_text
from graphbuilder.tui.screens.picker import Choice

__all__ = [
    "find_choices",
    "fusion_choice",
    "kind_choices",
    "node_choices",
    "pass_choice",
    "place_choices",
    "reuse_choices",
    "there_choices",
]

_KINDS = {"layer": "layer", "op": "op", "fuse": "fusion", "block": "block"}


@lru_cache(maxsize=1)
def _catalog_choices() -> tuple[Choice, ...]:
    found: list[Choice] = []
    for key, table in (("layer", layers), ("op", ops), ("fuse", strategies)):
        for name in table.names():
            entry = table.get(name)
            if entry is not None:
                family = f"{entry.family} {_KINDS[key]}" if key == "layer" and entry.family else _KINDS[key]
                found.append(Choice(f"{key}:{name}", name, one_line(entry), family))
    return tuple(found)


def kind_choices(document: Document, *, others: bool = False) -> list[Choice]:
    """Everything that a node can be.

    Arguments:
        document: for its own blocks and imports.
        others: whether inputs, params, outputs, imports and nodes that are called again are listed too.
    """
    blocks = []
    for name in document.block_names():
        place = document.find_block(name)
        about = " ".join((place.definition.about or "").split()) if place is not None else block_about(name)
        blocks.append(Choice(f"block:{name}", name, about, "block"))
    rest = [
        Choice("input:", "input", "a tensor that the model is given", "file"),
        Choice("param:", "param", "a knob of the file", "file"),
        Choice("output:", "output", "the selected node as one more output", "file"),
        Choice("import:", "import", "another file whose blocks can be used", "file"),
        Choice("reuse:", "reuse", "an earlier node called again, with the same weights", "node"),
    ]
    return [*_catalog_choices(), *blocks, *(rest if others else [])]


def place_choices(level: Level, node: str | None) -> list[tuple[Choice, Place]]:
    """Where a new node can come to stand, seen from a node or input; the likeliest first.

    Arguments:
        level: the file or block.
        node: what is selected; None for nothing.
    """
    found: list[tuple[str, str, Place]] = []
    if node is not None:
        takers = list(dict.fromkeys(
            use.consumer for use in level.uses() if use.reference.partition(".")[0] == node
        ))  # fmt: skip
        found.append((f"after {node}", "what takes it takes the new node", After(node)))
        if len(takers) > 1:
            for taker in takers:
                shown = "outputs" if taker == OUTPUTS else taker
                found.append((f"on the edge {node} → {shown}", "the others stay as they are", OnEdge(node, shown)))
        found.append((f"as a new branch of {node}", "nothing takes it yet", Branch(node)))
        if node in level.definition.nodes:
            found.append((f"before {node}", "it takes what that took", Before(node)))
    found.append(("at the end", "behind the output", AtEnd()))
    return [(Choice(str(number), title, about), place) for number, (title, about, place) in enumerate(found)]


def node_choices(level: Level, *, skip: Sequence[str] = (), outputs: bool = False) -> list[Choice]:
    """The inputs and nodes of a level.

    Arguments:
        level: the file or block.
        skip: names that are left out.
        outputs: whether the outputs are listed too.
    """
    found = [Choice(name, name, "input", "") for name in level.definition.inputs if name not in skip]
    for name, node in level.definition.nodes.items():
        if name not in skip:
            found.append(Choice(name, name, str(getattr(node, node.kind, node.kind))))
    return [*found, Choice("outputs", "outputs", "what the model gives")] if outputs else found


def reuse_choices(level: Level) -> list[Choice]:
    """The nodes of a level that can be called again: those with weights.

    Arguments:
        level: the file or block.
    """
    return [
        Choice(name, name, str(getattr(node, node.kind)))
        for name, node in level.definition.nodes.items()
        if node.kind in ("layer", "block", "fuse")
    ]


def find_choices(document: Document) -> Iterator[tuple[str, tuple[str, ...], Choice]]:
    """Everything in a file that has a name: its key as a row of the outline has it, its texts, and its choice."""
    blueprint = document.blueprint
    levels = [("nodes", blueprint.nodes, ""), *(
        (f"blocks/{name}/nodes", block.nodes, f"in block {name}") for name, block in blueprint.blocks.items()
    )]  # fmt: skip
    for name in blueprint.inputs:
        yield f"inputs/{name}", (name, "input"), Choice(f"inputs/{name}", name, "input")
    for prefix, nodes, right in levels:
        for name, node in nodes.items():
            kind = str(getattr(node, node.kind, node.kind))
            yield f"{prefix}/{name}", (name, kind), Choice(f"{prefix}/{name}", name, kind, right)
    for name in blueprint.params:
        yield f"params/{name}", (name, "param"), Choice(f"params/{name}", name, "param")
    for name in blueprint.blocks:
        yield f"blocks/{name}", (name, "block"), Choice(f"blocks/{name}", name, "block")
        block = blueprint.blocks[name]
        for kind, found in (("param", block.params), ("input", block.inputs)):
            for inner in found:
                key = f"blocks/{name}/{kind}s/{inner}"
                yield key, (inner, kind), Choice(key, inner, kind, f"in block {name}")
    for name in blueprint.imports:
        yield f"imports/{name}", (name, "import"), Choice(f"imports/{name}", name, "import")
    for number, declared in enumerate(blueprint.compression):
        yield f"compression/{number}", (declared.name, "pass"), Choice(f"compression/{number}", declared.name, "pass")
    for section in ("outputs", "training", "budget"):
        yield section, (section, ""), Choice(section, section, "section")


def fusion_choice(found: FittingFusion | UnfitFusion) -> Choice:
    """A way to merge some branches, with what it adds, or with the reason why it does not fit."""
    if isinstance(found, FittingFusion):
        return Choice(found.strategy, found.strategy, found.about, _added(found), _fusion_detail(found))
    detail = f"does not fit: {found.reason}" + (f"\n{found.hint}" if found.hint else "")
    return Choice(found.strategy, found.strategy, found.about, "does not fit", detail, possible=False)


def _added(fit: FittingFusion) -> str:
    shape = type_text(fit.gives)
    cost = "" if fit.parameters is None else f"+{fit.parameters:,}" if fit.parameters else "+0"
    return "  ".join(part for part in (shape, cost) if part)


def _fusion_detail(fit: FittingFusion) -> str:
    lines = [f"gives {type_text(fit.gives) or 'what its layer states'}"]
    if fit.parameters is not None:
        lines[0] += f", adds {fit.parameters:,} parameters"
    if fit.macs is not None:
        lines[0] += f" and {fit.macs:,} MACs"
    for branch in fit.branches:
        adapters = ", ".join(f"{each.written} ({each.reason})" for each in branch.adapters)
        lines.append(f"{branch.name}: {adapters or 'as it is'}")
    return "\n".join(lines)


def pass_choice(found: FittingPass) -> Choice:
    """A pass of compression, with what it would do."""
    right = "does not fit" if not found.fits else _sizes(found.before, found.after)
    lines = []
    if not found.fits:
        lines.append(f"does not fit: {found.reason}" + (f"\n{found.hint}" if found.hint else ""))
    elif found.options:
        lines.append("with " + ", ".join(f"{key} {value}" for key, value in found.options.items()))
    for one in found.layers[:8]:
        verdict = str(one.ruling.verdict)
        lines.append(f"{one.layer}: {verdict}" + (f", {one.ruling.reason}" if one.ruling.reason else ""))
    if len(found.layers) > 8:
        lines.append(f"… and {len(found.layers) - 8} more; {len(found.changed)} of {len(found.layers)} would change")
    if found.without:
        lines.append(f"no layer of their own: {', '.join(found.without)}")
    return Choice(found.name, found.name, found.about, right, "\n".join(lines), possible=found.fits)


def there_choices(document: Document) -> list[Choice]:
    """The passes that a file has, to be done to some nodes too or no longer."""
    choices = []
    for number, declared in enumerate(document.blueprint.compression):
        told = f"pass {number + 1}, {declared.name}"
        choices.append(Choice(f"include:{number}", f"include in {told}", "let it change these nodes too"))
        choices.append(Choice(f"exclude:{number}", f"exclude from {told}", "let it leave these nodes as they are"))
        kind = passes.get(declared.name)
        if kind is not None and kind.per_node:
            choices.append(Choice(f"override:{number}", f"do otherwise in {told}", "with an option for these alone"))
    return choices


def _sizes(before: PredictedSize | None, after: PredictedSize | None) -> str:
    if after is None:
        return "size known when it is planned"
    return f"{_bytes(before.gzip)} → {_bytes(after.gzip)}" if before is not None else _bytes(after.gzip)


def _bytes(size: float) -> str:
    for unit, name in ((10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:.0f} B"
